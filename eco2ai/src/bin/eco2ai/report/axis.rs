//! The axes of charts.

/// The ticks of an axis at round values.
pub(super) struct Axis {
    pub(super) first: f64,
    pub(super) last: f64,
    pub(super) ticks: Vec<f64>,
}

impl Axis {
    /// Returns an axis from `low` to `high` with at most six ticks. Its ends are ticks if
    /// `to_ticks`.
    pub(super) fn new(low: f64, high: f64, to_ticks: bool) -> Self {
        const STEPS: f64 = 4.0;
        let span = if high > low { high - low } else { low.abs().max(1e-12) };
        let rough = span / STEPS;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0]
            .into_iter()
            .map(|factor| factor * power)
            .find(|step| *step >= rough * 0.999)
            .unwrap_or(10.0 * power);
        let (first, last) = if to_ticks {
            ((low / step).floor() * step, (high / step).ceil() * step)
        } else {
            (low, high)
        };
        let last = if last > first { last } else { first + span };
        let start = (first / step).ceil();
        let ticks = (0..12)
            .map(|at| (start + f64::from(at)) * step)
            .take_while(|tick| *tick <= last + step * 1e-6)
            .collect();
        Self { first, last, ticks }
    }

    /// Returns where a value is, from 0 to 1.
    pub(super) fn place(&self, value: f64) -> f64 {
        ((value - self.first) / (self.last - self.first)).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within_the_axis() {
        assert_eq!(Axis::new(0.0, 87.0, false).ticks, [0.0, 25.0, 50.0, 75.0]);
        let axis = Axis::new(0.31, 2.2, true);
        assert_eq!((axis.first, axis.last), (0.0, 2.5));
        assert_eq!(axis.ticks.len(), 6);
        for (low, high) in [(0.0, 0.0), (3.0, 3.0), (-1.0, 1e9), (1e-9, 2e-9)] {
            let axis = Axis::new(low, high, true);
            assert!((2..=9).contains(&axis.ticks.len()), "{low} to {high}: {:?}", axis.ticks);
            assert!(axis.first <= low && high <= axis.last);
        }
    }
}
