//! Power over time whose energy is known exactly.

use serde::{Deserialize, Serialize};

/// A course of power; time in seconds, power in watts, energy in joules.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Curve {
    /// Always the same.
    Constant(f64),
    /// `high` for the first half of each period, then `low`.
    Square {
        /// Power in the second half.
        low: f64,
        /// Power in the first half.
        high: f64,
        /// Seconds.
        period: f64,
    },
    /// From `from`, so many watts more each second.
    Ramp {
        /// Power at the start.
        from: f64,
        /// Watts per second.
        slope: f64,
    },
    /// From `low` to `high` in each period.
    Sawtooth {
        /// Power at the start of a period.
        low: f64,
        /// Power at its end.
        high: f64,
        /// Seconds.
        period: f64,
    },
    /// `base`, and `peak` for the first `width` seconds of each period.
    Spikes {
        /// Power between the spikes.
        base: f64,
        /// Power in a spike.
        peak: f64,
        /// Seconds that a spike lasts.
        width: f64,
        /// Seconds from one spike to the next.
        period: f64,
    },
}

impl Curve {
    /// The power at `time`.
    #[must_use]
    pub fn watts(self, time: f64) -> f64 {
        match self {
            Self::Constant(watts) => watts,
            Self::Square { low, high, period } => {
                if time.rem_euclid(period) < period / 2.0 {
                    high
                } else {
                    low
                }
            }
            Self::Ramp { from, slope } => from + slope * time,
            Self::Sawtooth { low, high, period } => low + (high - low) * (time / period).fract(),
            Self::Spikes { base, peak, width, period } => {
                if time.rem_euclid(period) < width {
                    peak
                } else {
                    base
                }
            }
        }
    }

    /// The highest power, where there is one.
    #[must_use]
    pub fn peak(self) -> f64 {
        match self {
            Self::Constant(watts) => watts,
            Self::Square { high, .. } | Self::Sawtooth { high, .. } => high,
            Self::Ramp { .. } => f64::INFINITY,
            Self::Spikes { peak, .. } => peak,
        }
    }

    /// The energy from 0 to `time`.
    #[must_use]
    pub fn joules(self, time: f64) -> f64 {
        let pulses = |low: f64, high: f64, width: f64, period: f64| {
            let whole = (time / period).floor();
            let high_time = whole * width + (time - whole * period).min(width);
            low * time + (high - low) * high_time
        };
        match self {
            Self::Constant(watts) => watts * time,
            Self::Square { low, high, period } => pulses(low, high, period / 2.0, period),
            Self::Ramp { from, slope } => from * time + slope * time * time / 2.0,
            Self::Sawtooth { low, high, period } => {
                let part = (time / period).fract();
                let whole = f64::midpoint(low, high) * (time / period).floor();
                (whole + low * part + (high - low) * part * part / 2.0) * period
            }
            Self::Spikes { base, peak, width, period } => pulses(base, peak, width, period),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_energy_is_the_integral_of_the_power() {
        let curves = [
            Curve::Constant(40.0),
            Curve::Square { low: 10.0, high: 90.0, period: 0.7 },
            Curve::Ramp { from: 5.0, slope: 3.0 },
            Curve::Sawtooth { low: 5.0, high: 90.0, period: 0.7 },
            Curve::Spikes { base: 5.0, peak: 300.0, width: 0.05, period: 1.1 },
        ];
        for curve in curves {
            let step = 1e-4;
            let sum: f64 =
                (0..50_000).map(|i| curve.watts((f64::from(i) + 0.5) * step) * step).sum();
            let exact = curve.joules(5.0);
            assert!((sum - exact).abs() < 1e-3 * exact, "{curve:?}: {sum} and {exact}");
        }
    }
}
