//! A counter of energy: its increments, and the expected energy between two refreshes.

use std::time::Duration;

use crate::sensor::MAX_POWER;
use crate::units::{Joules, Watts};

/// A counter that was not refreshed for some time catches up at once.
const MIN_INTERVAL: Duration = Duration::from_secs(1);

/// The energy of a device with a counter. Between two refreshes of the counter the last known power
/// continues; the next refresh corrects the difference.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counter {
    /// The longest time between two refreshes.
    tick: Duration,
    /// The longest time between two readings for which a wrap is unambiguous.
    longest_interval: Option<Duration>,
    /// The time and value of the last change.
    changed: (Duration, Joules),
    /// The time of the last reading.
    read_at: Duration,
    /// Energy up to the last change.
    reported: Joules,
    /// Energy returned so far: `reported`, and the expected energy since the last change.
    counted: Joules,
    power: Watts,
    /// The start of the interval from which the next power is computed: its time, and `reported`
    /// at that time.
    power_since: (Duration, Joules),
}

impl Counter {
    /// A counter that shows `value` now. `power` is the power until the counter changes.
    pub(super) fn new(
        now: Duration,
        value: Joules,
        power: Watts,
        tick: Duration,
        longest_interval: Option<Duration>,
    ) -> Self {
        Self {
            tick,
            longest_interval,
            changed: (now, value),
            read_at: now,
            reported: Joules::ZERO,
            counted: Joules::ZERO,
            power,
            power_since: (now, Joules::ZERO),
        }
    }

    pub(super) fn power(&self) -> Watts {
        self.power
    }

    /// Returns the time of the last reading.
    pub(super) fn read_at(&self) -> Duration {
        self.read_at
    }

    /// Takes a reading. Returns the energy since the last one, including what is expected since the
    /// last refresh.
    pub(super) fn read(&mut self, now: Duration, value: Joules) -> Joules {
        let passed = now.saturating_sub(self.changed.0);
        let since = now.saturating_sub(self.read_at);
        let expected = self.counted + self.power * since;
        let mut ahead = Duration::ZERO;
        let possible = MAX_POWER * (passed + self.tick.max(MIN_INTERVAL));
        if value < self.changed.1 || value - self.changed.1 > possible {
            // The device was reset or jumped to another value, and the energy since the last reading
            // is lost. The last known power replaces it.
            self.reported += self.power * passed;
            self.changed = (now, value);
            self.power_since = (now, self.reported);
        } else if value > self.changed.1 {
            self.reported += value - self.changed.1;
            self.changed = (now, value);
            self.follow_power(now, passed);
        } else {
            // Not refreshed yet, or the device uses no energy.
            if passed > self.tick {
                self.power = Watts::ZERO;
            }
            ahead = passed.min(self.tick);
        }
        self.read_at = now;
        let measured = self.reported + self.power * ahead;
        if since >= self.tick {
            return self.count(measured);
        }
        // A refresh just before this reading adds the energy of a whole tick, most of which was used
        // before the last reading. So the difference from the expected energy is spread over the
        // time of one tick.
        let part = since.as_secs_f64() / self.tick.as_secs_f64();
        self.count(expected + (measured - expected) * part)
    }

    /// Continues at the last known power if there is no reading. The next reading corrects the
    /// difference.
    pub(super) fn go_on(&mut self, now: Duration) -> Joules {
        let passed = now.saturating_sub(self.changed.0);
        self.read_at = now;
        self.count(self.reported + self.power * passed)
    }

    /// Computes the power of a counter that has just changed, over a tick or more. A shorter
    /// interval would contain the energy of a whole tick, or none.
    fn follow_power(&mut self, now: Duration, passed: Duration) {
        let since = now.saturating_sub(self.power_since.0);
        if since < self.tick || since.is_zero() {
            return;
        }
        // Not over an interval in which the counter may have wrapped more than once.
        if self.longest_interval.is_none_or(|longest| passed <= longest * 2) {
            let energy = self.reported - self.power_since.1;
            self.power = Watts(energy.0 / since.as_secs_f64());
        }
        self.power_since = (now, self.reported);
    }

    fn count(&mut self, energy: Joules) -> Joules {
        let increment = energy - self.counted;
        self.counted = energy;
        increment
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn between_two_refreshes_the_last_power_continues_and_the_next_refresh_corrects_it() {
        let mut counter = Counter::new(ms(0), Joules(100.0), Watts(50.0), ms(100), None);
        assert_eq!(counter.read(ms(100), Joules(105.0)), Joules(5.0));
        assert_eq!(counter.read(ms(150), Joules(105.0)), Joules(2.5), "expected");
        assert_eq!(counter.read(ms(250), Joules(115.0)), Joules(7.5), "corrected");
        assert_eq!(counter.power(), Watts(10.0 / 0.15));
    }

    #[test]
    fn a_reset_counts_by_the_last_power_and_an_unchanged_counter_counts_nothing() {
        let mut counter = Counter::new(ms(0), Joules(100.0), Watts(0.0), ms(0), None);
        assert_eq!(counter.read(ms(1000), Joules(110.0)), Joules(10.0));
        assert_eq!(counter.read(ms(2000), Joules(3.0)), Joules(10.0), "reset");
        assert_eq!(counter.read(ms(3000), Joules(3.0)), Joules(0.0));
        assert_eq!(counter.power(), Watts::ZERO);
    }

    #[test]
    fn a_jump_to_another_value_counts_by_the_last_power() {
        let mut counter = Counter::new(ms(0), Joules(100.0), Watts(0.0), ms(0), None);
        assert_eq!(counter.read(ms(1000), Joules(110.0)), Joules(10.0));
        assert_eq!(counter.read(ms(2000), Joules(1e308)), Joules(10.0));
        assert_eq!(counter.read(ms(3000), Joules(5.0)), Joules(10.0), "and back");
        assert_eq!(counter.read(ms(4000), Joules(25.0)), Joules(20.0));
    }

    #[test]
    fn a_counter_without_a_reading_continues_at_its_last_power() {
        let mut counter = Counter::new(ms(0), Joules(100.0), Watts(0.0), ms(0), None);
        assert_eq!(counter.read(ms(1000), Joules(110.0)), Joules(10.0));
        assert_eq!(counter.go_on(ms(2000)), Joules(10.0));
        assert_eq!(counter.read(ms(3000), Joules(116.0)), Joules(-4.0), "corrected");
    }
}
