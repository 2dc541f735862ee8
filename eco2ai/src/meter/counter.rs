//! A counter of energy: what it moved, and what is expected of it between two refreshes.

use std::time::Duration;

use crate::units::{Joules, Watts};

/// The energy of a device whose counter is read from time to time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counter {
    /// How often it is refreshed at the least.
    tick: Duration,
    /// The longest time between two readings in which it cannot wrap unseen.
    longest_interval: Option<Duration>,
    /// When it moved last, and what it showed then.
    moved: (Duration, Joules),
    read_at: Duration,
    /// Energy up to the last move.
    reported: Joules,
    /// Energy that the last reading went by: `reported`, and what was expected beyond it.
    counted: Joules,
    power: Watts,
    /// Since when, and from which `reported` on, the power is taken next.
    power_since: (Duration, Joules),
}

impl Counter {
    /// A counter that shows `value` now, and the power to go on with until it has moved.
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
            moved: (now, value),
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

    /// What it moved since the last reading, and for a counter that is refreshed now and then only,
    /// what is expected since its last refresh.
    pub(super) fn read(&mut self, now: Duration, value: Joules) -> Joules {
        let passed = now.saturating_sub(self.moved.0);
        let since = now.saturating_sub(self.read_at);
        let unsettled = self.counted + self.power * since;
        let mut ahead = Duration::ZERO;
        if value < self.moved.1 {
            // The device was reset: what it counted since its last reading is gone. The last known
            // power stands in for it.
            self.reported += self.power * passed;
            self.moved = (now, value);
            self.power_since = (now, self.reported);
        } else if value > self.moved.1 {
            self.reported += value - self.moved.1;
            self.moved = (now, value);
            self.follow_power(now, passed);
        } else {
            // It has not been refreshed yet, or it stands still.
            if passed > self.tick {
                self.power = Watts::ZERO;
            }
            ahead = passed.min(self.tick);
        }
        self.read_at = now;
        let settled = self.reported + self.power * ahead;
        if since >= self.tick {
            return self.count(settled);
        }
        // It may have been refreshed just now and show a whole tick, most of which lies before the
        // last reading: what the last known power did not foresee is settled within a tick's time.
        let part = since.as_secs_f64() / self.tick.as_secs_f64();
        self.count(unsettled + (settled - unsettled) * part)
    }

    /// In place of a reading: what the last known power comes to. The next reading settles the
    /// difference.
    pub(super) fn go_on(&mut self, now: Duration) -> Joules {
        let passed = now.saturating_sub(self.moved.0);
        self.read_at = now;
        self.count(self.reported + self.power * passed)
    }

    /// The power of a counter that has just moved, over a tick or more: less would show a whole
    /// tick's energy, or nothing.
    fn follow_power(&mut self, now: Duration, passed: Duration) {
        let since = now.saturating_sub(self.power_since.0);
        if since < self.tick || since.is_zero() {
            return;
        }
        // After a pause in which it may have wrapped more than once it shows no power.
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
    fn between_two_refreshes_the_last_power_goes_on_and_the_next_settles_it() {
        let mut counter = Counter::new(ms(0), Joules(100.0), Watts(50.0), ms(100), None);
        assert_eq!(counter.read(ms(100), Joules(105.0)), Joules(5.0));
        assert_eq!(counter.read(ms(150), Joules(105.0)), Joules(2.5), "expected");
        assert_eq!(counter.read(ms(250), Joules(115.0)), Joules(7.5), "settled");
        assert_eq!(counter.power(), Watts(10.0 / 0.15));
    }

    #[test]
    fn a_reset_counts_by_the_last_power_and_a_standstill_counts_nothing() {
        let mut counter = Counter::new(ms(0), Joules(100.0), Watts(0.0), ms(0), None);
        assert_eq!(counter.read(ms(1000), Joules(110.0)), Joules(10.0));
        assert_eq!(counter.read(ms(2000), Joules(3.0)), Joules(10.0), "reset");
        assert_eq!(counter.read(ms(3000), Joules(3.0)), Joules(0.0));
        assert_eq!(counter.power(), Watts::ZERO);
    }

    #[test]
    fn a_counter_with_nothing_new_goes_on_at_its_last_power() {
        let mut counter = Counter::new(ms(0), Joules(100.0), Watts(0.0), ms(0), None);
        assert_eq!(counter.read(ms(1000), Joules(110.0)), Joules(10.0));
        assert_eq!(counter.go_on(ms(2000)), Joules(10.0));
        assert_eq!(counter.read(ms(3000), Joules(116.0)), Joules(-4.0), "settled");
    }
}
