//! The sampling thread: one per meter, asleep without runs, gone with the process.

use std::cell::RefCell;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, Weak};
use std::time::Duration;

use super::{Meter, Shared, lock};

/// How often a device that tells only its power is read.
const GAUGE_INTERVAL: Duration = Duration::from_millis(100);

/// How the thread is woken and ended.
#[derive(Debug, Default)]
pub(super) struct Control {
    spawned: OnceLock<()>,
    /// Whether the thread sleeps until it is woken.
    parked: AtomicBool,
    ended: AtomicBool,
    woken: Mutex<bool>,
    wake: Condvar,
}

impl Control {
    fn wake(&self) {
        *lock(&self.woken) = true;
        self.wake.notify_one();
    }

    /// Sleeps for a time, or until woken.
    fn sleep(&self, time: Option<Duration>) {
        let woken = lock(&self.woken);
        let mut woken = match time {
            Some(time) => match self.wake.wait_timeout_while(woken, time, |woken| !*woken) {
                Ok((woken, _)) => woken,
                Err(poisoned) => poisoned.into_inner().0,
            },
            None => match self.wake.wait_while(woken, |woken| !*woken) {
                Ok(woken) => woken,
                Err(poisoned) => poisoned.into_inner(),
            },
        };
        *woken = false;
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.thread.ended.store(true, Ordering::Release);
        self.thread.wake();
    }
}

/// Makes sure that the thread takes readings: a run has started.
pub(super) fn wake(shared: &Arc<Shared>) {
    let control = &shared.thread;
    if !shared.clock.runs() {
        return;
    }
    control.spawned.get_or_init(|| {
        let (weak, control) = (Arc::downgrade(shared), Arc::clone(control));
        let spawned = std::thread::Builder::new()
            .name("eco2ai-meter".into())
            .spawn(move || run(&weak, &control));
        if let Err(error) = spawned {
            crate::report::warn_once(&format!(
                "no thread for readings ({error}): runs are measured at their start and stop only"
            ));
        }
    });
    if control.parked.load(Ordering::Acquire) {
        control.wake();
    }
}

fn run(shared: &Weak<Shared>, control: &Control) {
    let mut state = State { period_began: None, random: RandomState::new().hash_one(0) };
    let mut sleep = Some(Duration::from_millis(10));
    loop {
        control.sleep(sleep);
        if control.ended.load(Ordering::Acquire) {
            return;
        }
        let Some(shared) = shared.upgrade() else { return };
        sleep = state.tick(&Meter { shared });
    }
}

struct State {
    /// When the period that is under way began; none while no run is active.
    period_began: Option<Duration>,
    random: u64,
}

impl State {
    /// Does what is due; gives the time until something is due again, `None` for until woken.
    fn tick(&mut self, meter: &Meter) -> Option<Duration> {
        let shared = &meter.shared;
        let was_active = self.period_began.is_some();
        shared.thread.parked.store(false, Ordering::Release);
        let period = {
            let mut ledger = lock(&shared.ledger);
            if ledger.is_idle() {
                self.period_began = None;
                // Not at once: a run that follows soon need not pay for the waking.
                if was_active {
                    return Some(Duration::from_secs(1));
                }
                shared.thread.parked.store(true, Ordering::Release);
                return None;
            }
            ledger.shortest_period()
        };
        let now = shared.clock.now();
        let began = *self.period_began.get_or_insert(now);
        let age = match shared.last_read.load(Ordering::Relaxed) {
            u64::MAX => Duration::MAX,
            last => now.saturating_sub(Duration::from_nanos(last)),
        };
        let period_over = now.saturating_sub(began) >= period;
        let interval = self.interval(meter, period);
        if period_over || age >= interval {
            meter.read();
        }
        if period_over {
            self.period_began = Some(now);
            if let Some(f) = shared.on_period.get() {
                f(meter);
            }
        }
        let rest = (began + if period_over { period * 2 } else { period }).saturating_sub(now);
        Some(interval.min(rest).max(Duration::from_millis(1)))
    }

    /// The time between two readings: the period, or less where a counter would wrap or a device
    /// tells only its power.
    fn interval(&mut self, meter: &Meter, period: Duration) -> Duration {
        let sensing = lock(&meter.shared.sensing);
        let mut interval = period;
        if let Some(longest) = sensing.longest_interval() {
            interval = interval.min(longest / 2);
        }
        if sensing.has_gauge() {
            // Some jitter, so that a load with the same period is not always met in the same state.
            self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let jitter = (self.random >> 33) as f64 / f64::from(1_u32 << 31);
            interval = interval.min(GAUGE_INTERVAL.mul_f64(0.75 + jitter / 4.0));
        }
        let resolution = meter.shared.resolution.load(Ordering::Relaxed);
        interval.max(Duration::from_nanos(resolution))
    }
}

/// The threads' places in the ledgers of the meters that they met.
struct Slots(Vec<(Weak<Shared>, usize)>);

impl Drop for Slots {
    fn drop(&mut self) {
        for (shared, slot) in self.0.drain(..) {
            if let Some(shared) = shared.upgrade() {
                lock(&shared.ledger).remove_thread(slot);
            }
        }
    }
}

thread_local! {
    static SLOTS: RefCell<Slots> = const { RefCell::new(Slots(Vec::new())) };
}

/// This thread's place in the ledger; `None` while the thread is ending.
pub(super) fn slot(shared: &Arc<Shared>) -> Option<usize> {
    SLOTS
        .try_with(|slots| {
            let mut slots = slots.try_borrow_mut().ok()?;
            let known = slots.0.iter().find(|(known, _)| known.as_ptr() == Arc::as_ptr(shared));
            if let Some((_, slot)) = known {
                return Some(*slot);
            }
            slots.0.retain(|(known, _)| known.strong_count() > 0);
            let slot = lock(&shared.ledger).add_thread();
            slots.0.push((Arc::downgrade(shared), slot));
            Some(slot)
        })
        .ok()
        .flatten()
}
