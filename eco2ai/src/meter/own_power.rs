//! The power of one CPU that is busy with this process, where its energy is reported for itself.

use std::time::Duration;

use crate::units::{Joules, Watts};

/// The CPU time over which the power is computed: several refreshes of a counter.
const WINDOW: Duration = Duration::from_millis(100);

/// The energy of the process by its CPU time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OwnPower {
    /// The energy and the CPU time since the last whole window.
    since: (Joules, Duration),
    /// The power over the last whole window, or up to now in the first one.
    power: Option<Watts>,
    is_whole: bool,
}

impl OwnPower {
    /// Takes in what the process has used since the last reading. Returns the power of one busy CPU;
    /// `None` if it has not used CPU time yet.
    pub(super) fn add(&mut self, energy: Joules, cpu_time: Duration) -> Option<Watts> {
        self.since.0 += energy;
        self.since.1 += cpu_time;
        let (energy, cpu_time) = self.since;
        let is_whole = cpu_time >= WINDOW;
        if is_whole || (!self.is_whole && !cpu_time.is_zero()) {
            self.power = Some(Watts((energy.0 / cpu_time.as_secs_f64()).max(0.0)));
        }
        if is_whole {
            self.since = (Joules::ZERO, Duration::ZERO);
            self.is_whole = true;
        }
        self.power
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_power_follows_the_energy_and_is_not_that_of_a_moment() {
        let mut own = OwnPower::default();
        let mut watts = |joules, milliseconds| {
            let power = own.add(Joules(joules), Duration::from_millis(milliseconds));
            power.map(|power| (power.0 * 1e3).round() / 1e3)
        };
        assert_eq!(watts(0.0, 0), None);
        assert_eq!(watts(0.02, 10), Some(2.0), "all that is known");
        assert_eq!(watts(0.28, 90), Some(3.0));
        // A refresh that comes before or after the CPU time.
        assert_eq!(watts(0.5, 0), Some(3.0));
        assert_eq!(watts(0.0, 99), Some(3.0));
        assert_eq!(watts(0.5, 1), Some(10.0));
    }
}
