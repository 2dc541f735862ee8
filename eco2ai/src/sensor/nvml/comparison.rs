//! Checks whether the energy counter of a board agrees with its power.

use std::time::{Duration, Instant};

use crate::units::{Joules, Watts};

/// A larger difference between counter and power is reported. On some boards the counter is wrong
/// (Zeus, issue 181).
const MAX_DISAGREEMENT: f64 = 0.25;
/// How long the counter and the power are compared.
const COMPARED_FOR: Duration = Duration::from_secs(10);
const MIN_SAMPLES: u32 = 20;

/// Compares a counter with the integral of the power, once.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    first: Option<(Instant, Joules)>,
    last: Option<(Instant, Watts)>,
    integral: Joules,
    samples: u32,
}

impl Comparison {
    /// Adds a pair of readings. When there are enough, returns the ratio of counted to integrated
    /// energy.
    pub(super) fn add(&mut self, now: Instant, energy: Joules, power: Watts) -> Option<f64> {
        let (begun, first) = *self.first.get_or_insert((now, energy));
        if let Some((last, last_power)) = self.last.replace((now, power)) {
            let mean = (last_power + power) / 2.0;
            self.integral += mean * now.saturating_duration_since(last);
        }
        self.samples += 1;
        let is_enough = now.saturating_duration_since(begun) >= COMPARED_FOR
            && self.samples >= MIN_SAMPLES
            && self.integral > Joules::ZERO;
        is_enough.then(|| (energy - first).0 / self.integral.0)
    }
}

/// Returns whether a ratio of counted to integrated energy is too far from 1.
pub(super) fn disagrees(ratio: f64) -> bool {
    (ratio - 1.0).abs() > MAX_DISAGREEMENT
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(counted_watts: f64) -> Option<f64> {
        let begun = Instant::now();
        let mut comparison = Comparison::default();
        (0..=100_u32).find_map(|step| {
            let now = begun + Duration::from_millis(100) * step;
            let energy = Joules(500.0 + counted_watts * 0.1 * f64::from(step));
            comparison.add(now, energy, Watts(200.0))
        })
    }

    #[test]
    fn counter_and_power_are_compared_after_ten_seconds() {
        assert!((compared(200.0).unwrap() - 1.0).abs() < 1e-9);
        assert!((compared(100.0).unwrap() - 0.5).abs() < 1e-9);
        assert!(disagrees(0.5) && !disagrees(0.9));
    }
}
