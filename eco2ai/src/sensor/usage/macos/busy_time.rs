//! The busy time of a Mac, from the utilisation that the `sysinfo` crate computes between two of its
//! readings.

use std::time::Duration;

/// The busy CPU time of the machine since the first reading. Never decreases.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct BusyTime {
    /// The busy time up to `read_at`.
    known: Duration,
    /// When the utilisation was last read.
    read_at: Duration,
    /// The busy CPUs between the last two readings.
    busy_cpus: f64,
    /// The largest time that was reported.
    reported: Duration,
}

impl BusyTime {
    /// Takes in the mean number of busy CPUs from the last reading until `now`, on a monotonic clock.
    pub(super) fn read(&mut self, now: Duration, busy_cpus: f64) {
        let busy_cpus = if busy_cpus.is_finite() { busy_cpus.clamp(0.0, 1e4) } else { 0.0 };
        self.known += now.saturating_sub(self.read_at).mul_f64(busy_cpus);
        (self.read_at, self.busy_cpus) = (now, busy_cpus);
    }

    /// Returns the busy time at `now`. Since the last reading, the machine is taken to be as busy as
    /// before it; the next reading corrects this.
    pub(super) fn at(&mut self, now: Duration) -> Duration {
        let since = now.saturating_sub(self.read_at).mul_f64(self.busy_cpus);
        self.reported = self.reported.max(self.known + since);
        self.reported
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn between_two_readings_it_goes_on_and_the_next_one_corrects_it() {
        let mut busy = BusyTime::default();
        busy.read(SECOND, 2.0);
        assert_eq!(busy.at(SECOND), 2 * SECOND);
        assert_eq!(busy.at(2 * SECOND), 4 * SECOND);
        // The second CPU has been idle since.
        busy.read(2 * SECOND, 1.0);
        assert_eq!(busy.at(2 * SECOND), 4 * SECOND, "it never falls");
        assert_eq!(busy.at(4 * SECOND), 5 * SECOND);
    }

    #[test]
    fn a_utilisation_that_is_no_number_counts_nothing() {
        let mut busy = BusyTime::default();
        for invalid in [f64::NAN, f64::INFINITY, -1.0] {
            busy.read(SECOND, invalid);
        }
        assert_eq!(busy.at(2 * SECOND), Duration::ZERO);
    }
}
