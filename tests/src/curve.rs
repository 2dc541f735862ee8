//! Power over time, with its exact integral.

use std::sync::Arc;

/// Power in watts as a function of seconds, and the energy in joules since second 0.
#[derive(Clone)]
pub struct Curve {
    power: Arc<dyn Fn(f64) -> f64 + Send + Sync>,
    energy: Arc<dyn Fn(f64) -> f64 + Send + Sync>,
    /// The highest power in watts.
    pub peak: f64,
}

impl std::fmt::Debug for Curve {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Curve").field("peak", &self.peak).finish_non_exhaustive()
    }
}

impl Curve {
    /// Always the same.
    pub fn constant(watts: f64) -> Self {
        Self { power: Arc::new(move |_| watts), energy: Arc::new(move |t| watts * t), peak: watts }
    }

    /// `high` for the part `duty` of each period, else `low`.
    pub fn square(low: f64, high: f64, period: f64, duty: f64) -> Self {
        let power = move |t: f64| if (t / period).fract() < duty { high } else { low };
        let energy = move |t: f64| {
            let (whole, part) = ((t / period).floor(), (t / period).fract());
            let one = (high * duty + low * (1.0 - duty)) * period;
            whole * one + (high * part.min(duty) + low * (part - duty).max(0.0)) * period
        };
        Self { power: Arc::new(power), energy: Arc::new(energy), peak: high }
    }

    /// From `low` to `high` in `period` seconds, and again.
    pub fn ramp(low: f64, high: f64, period: f64) -> Self {
        let power = move |t: f64| low + (high - low) * (t / period).fract();
        let energy = move |t: f64| {
            let (whole, part) = ((t / period).floor(), (t / period).fract());
            let upto = |part: f64| (low * part + (high - low) * part * part / 2.0) * period;
            whole * upto(1.0) + upto(part)
        };
        Self { power: Arc::new(power), energy: Arc::new(energy), peak: high }
    }

    /// Short spikes: a fifth of each period at `high`.
    pub fn spiky(low: f64, high: f64, period: f64) -> Self {
        Self::square(low, high, period, 0.2)
    }

    /// Power in watts at second `t`.
    pub fn power(&self, t: f64) -> f64 {
        (self.power)(t)
    }

    /// Energy in joules since second 0.
    pub fn energy(&self, t: f64) -> f64 {
        (self.energy)(t)
    }
}
