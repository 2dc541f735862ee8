//! The sampling thread: one per meter, asleep without runs and counters, gone with the process.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

#[cfg(feature = "test-util")]
use super::clock::ManualClock;
use super::gauge::GAUGE_INTERVAL;
use super::meter_state::{MeterState, SENSING_TIMEOUT, nanos};
use super::wake::Wake;
use crate::own_code;

/// The part by which that interval is longer or shorter by chance: enough to leave a resonance
/// within some fifty readings, and not so much that readings fall as unevenly as dice.
const GAUGE_JITTER: f64 = 0.08;

/// A thread that is woken at the very moment would not sleep at all.
const MIN_SLEEP: Duration = Duration::from_millis(1);

/// Makes sure that the thread takes readings: a run that wants them every `period` has started.
pub(super) fn wake(state: &Arc<MeterState>, now: Duration, period: Duration) {
    let wake = &state.wake;
    if !state.clock.runs() {
        return;
    }
    wake.spawned.get_or_init(|| {
        let (weak, wake) = (Arc::downgrade(state), Arc::clone(wake));
        let spawned = std::thread::Builder::new()
            .name("eco2ai-meter".into())
            .spawn(move || run(&weak, &wake));
        if let Err(error) = spawned {
            crate::report::warn_once(&format!(
                "no thread for readings ({error}); runs are measured only at their start and stop"
            ));
        }
    });
    if wake.sleeps_until.load(Ordering::Acquire) > nanos(now.saturating_add(period)) {
        // Once is enough.
        wake.sleeps_until.store(0, Ordering::Release);
        wake.wake();
    }
}

fn run(state: &Weak<MeterState>, wake: &Wake) {
    let mut schedule = Schedule::new(RandomState::new().hash_one(0));
    let mut sleep = Some(Duration::from_millis(10));
    loop {
        wake.sleep(sleep);
        if wake.has_ended() {
            return;
        }
        let Some(state) = state.upgrade() else { return };
        // Sensors of the program and its allocator are called from here: nothing of it is tracked.
        let _section = own_code::enter();
        sleep = schedule.tick(&state);
    }
}

/// Lets time pass on a clock that stands still, and takes the readings that the thread would take.
#[cfg(feature = "test-util")]
pub(super) fn simulate(state: &Arc<MeterState>, clock: &ManualClock, time: Duration) {
    let mut schedule = Schedule::new(0);
    let mut rest = time;
    while !rest.is_zero() {
        let wait = schedule.tick(state).unwrap_or(rest).min(rest);
        clock.advance(wait);
        rest -= wait;
    }
}

struct Schedule {
    /// When the period that is under way began; none while nobody wants readings.
    period_began: Option<Duration>,
    /// When the next reading is due; none while nobody wants readings.
    next_read: Option<Duration>,
    /// The period that this goes by.
    period: Duration,
    /// The last time between two readings.
    interval: Duration,
    random: u64,
}

impl Schedule {
    fn new(seed: u64) -> Self {
        Self {
            period_began: None,
            next_read: None,
            period: Duration::MAX,
            interval: Duration::ZERO,
            random: seed,
        }
    }

    /// Does what is due; returns the time until something is due again, `None` for until woken.
    fn tick(&mut self, state: &Arc<MeterState>) -> Option<Duration> {
        let was_active = self.period_began.is_some();
        let now = state.clock.now();
        let (is_idle, period) = {
            let mut ledger = state.ledger.lock();
            // Short runs may all have come and gone in between: their sums are to be kept too.
            let started = ledger.take_started();
            let is_idle = ledger.wants_no_readings() && started.is_none();
            // Said under the lock: a run that starts after it sees how long the thread may sleep.
            let sleep = |until| state.wake.sleeps_until.store(until, Ordering::Release);
            if is_idle && !was_active {
                sleep(u64::MAX);
                return None;
            }
            let period = match started {
                // Not asleep at once: a run that follows soon need not pay for the waking, and will
                // find the thread at the rhythm of the last one.
                None if is_idle => self.interval.clamp(MIN_SLEEP, Duration::from_secs(1)),
                Some(started) if ledger.wants_no_readings() => started,
                _ => ledger.shortest_period(),
            };
            sleep(nanos(now.saturating_add(period)));
            (is_idle, period)
        };
        if is_idle {
            self.period_began = None;
            self.next_read = None;
            // What ended since the last time is to be kept before the thread sleeps.
            state.end_period();
            return Some(period);
        }
        if period < self.period {
            // Somebody wants readings more often than was planned.
            self.next_read = None;
        }
        self.period = period;
        let began = *self.period_began.get_or_insert(now);
        if self.next_read.is_none_or(|next| now >= next) {
            state.take_reading();
            self.interval = self.interval(state, period);
            self.next_read = Some(now.saturating_add(self.interval));
        }
        let mut period_ends = began.saturating_add(period);
        if now >= period_ends {
            self.period_began = Some(now);
            period_ends = now.saturating_add(period);
            state.end_period();
        }
        let next = self.next_read.map_or(period_ends, |next| next.min(period_ends));
        Some(next.saturating_sub(now).max(MIN_SLEEP))
    }

    /// The time between two readings: the period, or less where a counter would wrap or a device
    /// reports only its power.
    fn interval(&mut self, state: &MeterState, period: Duration) -> Duration {
        let mut interval = period;
        let Some(sensing) = state.sensing.lock_within(SENSING_TIMEOUT) else { return interval };
        if let Some(longest) = sensing.longest_interval() {
            interval = interval.min(longest / 2);
        }
        if sensing.has_gauge() {
            // Some jitter, so that a load with the same period is not always met in the same state.
            self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let jitter = (self.random >> 33) as f64 / f64::from(1_u32 << 30) - 1.0;
            interval = interval.min(GAUGE_INTERVAL.mul_f64(1.0 + GAUGE_JITTER * jitter));
        }
        let resolution = state.resolution.load(Ordering::Relaxed);
        interval.max(Duration::from_nanos(resolution))
    }
}
