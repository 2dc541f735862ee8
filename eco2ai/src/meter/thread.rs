//! The sampling thread: one per meter, asleep without runs, gone with the process.

use std::cell::RefCell;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, OnceLock, Weak};
use std::time::Duration;

use super::{ManualClock, Meter, Shared, nanos};
use crate::locks::{Lock, Rank};
use crate::own_code;

/// How often a device that tells only its power is read: up to ten times a second, and at no
/// simple fraction of the periods that loads like to have.
const GAUGE_INTERVAL: Duration = Duration::from_micros(92_700);

/// The part by which that interval is longer or shorter by chance: enough to leave a resonance
/// within some fifty readings, and not so much that readings fall as unevenly as dice.
const GAUGE_JITTER: f64 = 0.08;

/// A thread that is woken at the very moment would not sleep at all.
const SHORTEST_SLEEP: Duration = Duration::from_millis(1);

/// How the thread is woken and ended.
#[derive(Debug)]
pub(super) struct Control {
    spawned: OnceLock<()>,
    /// Until when the thread sleeps, in nanoseconds of the meter's clock; 0 while it is awake and
    /// `u64::MAX` where it sleeps until it is woken.
    sleeps_until: AtomicU64,
    ended: AtomicBool,
    woken: Lock<bool>,
    wake: Condvar,
}

impl Default for Control {
    fn default() -> Self {
        Self {
            spawned: OnceLock::new(),
            sleeps_until: AtomicU64::new(0),
            ended: AtomicBool::new(false),
            woken: Lock::new(Rank::Wake, false),
            wake: Condvar::new(),
        }
    }
}

impl Control {
    fn wake(&self) {
        *self.woken.lock() = true;
        self.wake.notify_one();
    }

    /// Sleeps for a time, or until woken.
    fn sleep(&self, time: Option<Duration>) {
        *self.woken.lock().wait_while(&self.wake, time, |woken| !*woken) = false;
    }
}

/// A period has ended.
fn end_period(meter: &Meter) {
    if let Some(on_period) = meter.shared.on_period.get() {
        on_period(meter);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.thread.ended.store(true, Ordering::Release);
        self.thread.wake();
    }
}

/// Makes sure that the thread takes readings: a run that wants them every `period` has started.
pub(super) fn wake(shared: &Arc<Shared>, now: Duration, period: Duration) {
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
    if control.sleeps_until.load(Ordering::Acquire) > nanos(now.saturating_add(period)) {
        // Once is enough.
        control.sleeps_until.store(0, Ordering::Release);
        control.wake();
    }
}

fn run(shared: &Weak<Shared>, control: &Control) {
    let mut state = State::new(RandomState::new().hash_one(0));
    let mut sleep = Some(Duration::from_millis(10));
    loop {
        control.sleep(sleep);
        if control.ended.load(Ordering::Acquire) {
            return;
        }
        let Some(shared) = shared.upgrade() else { return };
        // Sensors of the program and its allocator are called from here: nothing of it is tracked.
        let _section = own_code::enter();
        sleep = state.tick(&Meter { shared });
    }
}

/// Lets time pass on a clock that stands still, and takes the readings that the thread would take.
pub(super) fn simulate(meter: &Meter, clock: &ManualClock, time: Duration) {
    let mut state = State::new(0);
    let mut rest = time;
    while !rest.is_zero() {
        let wait = state.tick(meter).unwrap_or(rest).min(rest);
        clock.advance(wait);
        rest -= wait;
    }
}

struct State {
    /// When the period that is under way began; none while no run is active.
    period_began: Option<Duration>,
    /// When the next reading is due; none while no run is active.
    next_read: Option<Duration>,
    /// The period that this goes by.
    period: Duration,
    /// The last time between two readings.
    interval: Duration,
    random: u64,
}

impl State {
    fn new(seed: u64) -> Self {
        Self {
            period_began: None,
            next_read: None,
            period: Duration::MAX,
            interval: Duration::ZERO,
            random: seed,
        }
    }

    /// Does what is due; gives the time until something is due again, `None` for until woken.
    fn tick(&mut self, meter: &Meter) -> Option<Duration> {
        let shared = &meter.shared;
        let was_active = self.period_began.is_some();
        let now = shared.clock.now();
        let (is_idle, period) = {
            let mut ledger = shared.ledger.lock();
            // Short runs may all have come and gone in between: their sums are to be kept too.
            let started = ledger.take_started();
            let is_idle = ledger.is_idle() && started.is_none();
            // Said under the lock: a run that starts after it sees how long the thread may sleep.
            let sleep = |until| shared.thread.sleeps_until.store(until, Ordering::Release);
            if is_idle && !was_active {
                sleep(u64::MAX);
                return None;
            }
            let period = match started {
                // Not asleep at once: a run that follows soon need not pay for the waking, and will
                // find the thread at the pace of the last one.
                None if is_idle => self.interval.clamp(SHORTEST_SLEEP, Duration::from_secs(1)),
                Some(started) if ledger.is_idle() => started,
                _ => ledger.shortest_period(),
            };
            sleep(nanos(now.saturating_add(period)));
            (is_idle, period)
        };
        if is_idle {
            self.period_began = None;
            self.next_read = None;
            // What ended since the last time is to be kept before the thread sleeps.
            end_period(meter);
            return Some(period);
        }
        if period < self.period {
            // Somebody wants readings more often than was planned.
            self.next_read = None;
        }
        self.period = period;
        let began = *self.period_began.get_or_insert(now);
        if self.next_read.is_none_or(|next| now >= next) {
            meter.take_reading();
            self.interval = self.interval(meter, period);
            self.next_read = Some(now.saturating_add(self.interval));
        }
        let mut period_ends = began.saturating_add(period);
        if now >= period_ends {
            self.period_began = Some(now);
            period_ends = now.saturating_add(period);
            end_period(meter);
        }
        let next = self.next_read.map_or(period_ends, |next| next.min(period_ends));
        Some(next.saturating_sub(now).max(SHORTEST_SLEEP))
    }

    /// The time between two readings: the period, or less where a counter would wrap or a device
    /// tells only its power.
    fn interval(&mut self, meter: &Meter, period: Duration) -> Duration {
        let sensing = meter.shared.sensing.lock();
        let mut interval = period;
        if let Some(longest) = sensing.longest_interval() {
            interval = interval.min(longest / 2);
        }
        if sensing.has_gauge() {
            // Some jitter, so that a load with the same period is not always met in the same state.
            self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let jitter = (self.random >> 33) as f64 / f64::from(1_u32 << 30) - 1.0;
            interval = interval.min(GAUGE_INTERVAL.mul_f64(1.0 + GAUGE_JITTER * jitter));
        }
        let resolution = meter.shared.resolution.load(Ordering::Relaxed);
        interval.max(Duration::from_nanos(resolution))
    }
}

/// The threads' places in the ledgers of the meters that they met.
struct Slots(Vec<(Weak<Shared>, usize)>);

impl Drop for Slots {
    fn drop(&mut self) {
        let _section = own_code::enter();
        for (shared, slot) in self.0.drain(..) {
            // A forked child's copy of its parent's ledger is nobody's, and may be locked for ever.
            if let Some(shared) = shared.upgrade().filter(|it| it.pid == crate::process::id()) {
                shared.ledger.lock().remove_thread(slot);
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
            let slot = shared.ledger.lock().add_thread();
            slots.0.push((Arc::downgrade(shared), slot));
            Some(slot)
        })
        .ok()
        .flatten()
}
