//! A gauge of power, integrated by the trapezoid rule.

use std::time::Duration;

use crate::units::{Joules, Watts};

/// How often a device that reports only its power is read: up to ten times a second, and at no
/// simple fraction of the periods that loads like to have.
pub(super) const GAUGE_INTERVAL: Duration = Duration::from_micros(92_700);

/// The energy of a device with a gauge.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gauge {
    read_at: Duration,
    power: Watts,
    /// Energy up to the last reading.
    reported: Joules,
    /// Energy returned so far: `reported`, and the expected energy since the last reading.
    counted: Joules,
}

impl Gauge {
    /// A gauge that shows `power` now.
    pub(super) fn new(now: Duration, power: Watts) -> Self {
        Self { read_at: now, power, reported: Joules::ZERO, counted: Joules::ZERO }
    }

    pub(super) fn power(&self) -> Watts {
        self.power
    }

    /// Takes a reading. Returns the energy since the last one.
    pub(super) fn read(&mut self, now: Duration, power: Watts) -> Joules {
        let passed = now.saturating_sub(self.read_at);
        self.reported += Watts(f64::midpoint(self.power.0, power.0)) * passed;
        self.power = power;
        self.read_at = now;
        self.count(self.reported)
    }

    /// Continues at the last known power if there is no reading. The next reading corrects the
    /// difference.
    pub(super) fn go_on(&mut self, now: Duration) -> Joules {
        let passed = now.saturating_sub(self.read_at);
        self.count(self.reported + self.power * passed)
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

    #[test]
    fn the_energy_between_two_powers_is_that_of_their_mean() {
        let second = Duration::from_secs(1);
        let mut gauge = Gauge::new(Duration::ZERO, Watts(10.0));
        assert_eq!(gauge.read(second, Watts(30.0)), Joules(20.0));
        assert_eq!(gauge.go_on(second * 2), Joules(30.0), "nothing new: at the last power");
        assert_eq!(gauge.read(second * 3, Watts(10.0)), Joules(10.0), "40 J in all since then");
    }
}
