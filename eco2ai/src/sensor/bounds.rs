//! [`Bounds`]: how far the true energy may be from a figure, and what is published of each method.

use super::component::Component;
use super::reading::Quality;

/// The error of a figure: the true energy lies between `low` times the figure and `high` times the
/// figure.
///
/// The factors come from published comparisons with meters, and most of those give the mean error
/// of a method. So bounds say how far off a figure typically is, not how far off it can be at worst.
/// Errors of this kind are systematic: a counter that reads too low does so in each run. Therefore
/// they do not cancel out, and bounds are added up linearly over components and over runs.
///
/// ```
/// use eco2ai::sensor::Bounds;
///
/// // The figure is at most a quarter above or below the true energy.
/// let bounds = Bounds::from_error(0.25);
/// assert_eq!(bounds.low, 0.8);
/// assert_eq!(bounds.high, 4.0 / 3.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// The smallest true energy, as a factor of the figure; 0 or more.
    pub low: f64,
    /// The largest true energy, as a factor of the figure; infinite if it is not known.
    pub high: f64,
}

/// The error of a method, as a part of the true energy.
struct PublishedError {
    component: Component,
    source: &'static str,
    quality: Quality,
    error: f64,
}

const fn published(
    component: Component,
    source: &'static str,
    quality: Quality,
    error: f64,
) -> PublishedError {
    PublishedError { component, source, quality, error }
}

/// The published error of each method, each with its source. A method that is not listed has none.
const PUBLISHED: [PublishedError; 7] = [
    // "METRION: A Framework for Accurate Software Energy Measurement", arXiv 2512.06806: mean error
    // of the CPU energy of a program that runs alone.
    published(Component::Cpu, "rapl", Quality::Measured, 0.042),
    // The same: mean error of the memory energy of a program. There, memory is shared by accesses,
    // here by use; nothing is published of the latter.
    published(Component::Ram, "rapl", Quality::Measured, 0.161),
    // NVML API reference, nvmlDeviceGetPowerUsage: accurate to 5 %. "Part-time Power Measurements:
    // nvidia-smi's Lack of Attention", arXiv 2312.02741, which compares boards with a power meter,
    // gives 5 % too, except where the sensor sees only a part of the time: see `NvidiaGpu`. The
    // counter adds up the readings of the same sensor.
    published(Component::Gpu, "nvml", Quality::Measured, 0.05),
    published(Component::Gpu, "nvml", Quality::Sampled, 0.05),
    // "Ground-Truthing AI Energy Consumption", arXiv 2509.22092: tools that estimate the energy as
    // thermal design power times utilisation, plus 3/8 W per GiB of memory, err by up to 40 %.
    published(Component::Cpu, "tdp", Quality::Estimated, 0.4),
    published(Component::Ram, "model", Quality::Estimated, 0.4),
    // Computed from the results of `SPECpower_ssj2008` up to 2026-03-09 (721 servers): the mean error
    // of a constant 4 W per hardware thread at full load.
    published(Component::Cpu, "default", Quality::Estimated, 0.66),
];

impl Bounds {
    /// The bounds of a figure without an error.
    pub const EXACT: Self = Self { low: 1.0, high: 1.0 };

    /// The bounds of a figure whose error is not known: the true energy is 0 or more.
    pub const UNKNOWN: Self = Self { low: 0.0, high: f64::INFINITY };

    /// What the share of CPU time adds to the error of a processor's energy: 10.9 % with a quarter
    /// of the threads taken by other processes (arXiv 2605.22393), of which 4.2 % are the error of a
    /// program that runs alone (see above).
    pub(crate) const CPU_SHARE: Self = Self::from_error(0.067);

    /// The part of the threads that other processes took when [`CPU_SHARE`](Self::CPU_SHARE) was
    /// measured. Nothing is published of busier machines.
    pub(crate) const MAX_OTHERS: f64 = 0.25;

    /// Returns the bounds of a figure that differs from the true energy by at most `error` times
    /// the true energy.
    ///
    /// ```
    /// use eco2ai::sensor::Bounds;
    ///
    /// // A figure that may be twice as large as the true energy, or close to nothing.
    /// let bounds = Bounds::from_error(1.0);
    /// assert_eq!((bounds.low, bounds.high), (0.5, f64::INFINITY));
    /// ```
    pub const fn from_error(error: f64) -> Self {
        let high = if error < 1.0 { 1.0 / (1.0 - error) } else { f64::INFINITY };
        Self { low: 1.0 / (1.0 + error), high }
    }

    /// Returns the bounds that are published for a sensor whose [`source`](super::Sensor::source)
    /// has this name, and [`UNKNOWN`](Self::UNKNOWN) if there are none. They are those of a whole
    /// device; the meter adds the error of the process's share.
    ///
    /// ```
    /// use eco2ai::sensor::{Bounds, Component, Quality};
    ///
    /// let rapl = Bounds::published(Component::Cpu, "rapl", Quality::Measured);
    /// assert_eq!(rapl, Bounds::from_error(0.042));
    /// let plug = Bounds::published(Component::Machine, "plug", Quality::Sampled);
    /// assert_eq!(plug, Bounds::UNKNOWN);
    /// ```
    pub fn published(component: Component, source: &str, quality: Quality) -> Self {
        let known = PUBLISHED
            .iter()
            .find(|it| (it.component, it.source, it.quality) == (component, source, quality));
        known.map_or(Self::UNKNOWN, |it| Self::from_error(it.error))
    }

    /// Returns what is not known of the power between so many readings, and before the first and
    /// after the last.
    ///
    /// A counter hides the energy between its refreshes: of a run, up to one interval at each power
    /// that occurs. This is one interval at ten times the mean power. Of a gauge, each reading is
    /// off by what the power changed since, in either direction, so that the error falls with the
    /// square root of their number. The factors are those that the integration test `bounds` needs:
    /// it compares such figures with exact integrals of curves with jumps and with spikes shorter
    /// than the time between two readings.
    pub(crate) fn of_readings(quality: Quality, readings: f64) -> Self {
        Self::from_error(match quality {
            Quality::Estimated => 0.0,
            Quality::Sampled => 2.5 / readings.sqrt(),
            Quality::Measured => 10.0 / readings,
        })
    }

    /// Returns the bounds of a figure that has the errors of both. The errors add up, because both
    /// may point in the same direction in each run.
    ///
    /// ```
    /// use eco2ai::sensor::Bounds;
    ///
    /// let both = Bounds::from_error(0.125).and(Bounds::from_error(0.125));
    /// assert_eq!(both, Bounds::from_error(0.25));
    /// ```
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let high = 1.0 / self.high + 1.0 / other.high - 1.0;
        Self {
            low: 1.0 / (1.0 / self.low + 1.0 / other.low - 1.0),
            high: if high > 0.0 { 1.0 / high } else { f64::INFINITY },
        }
    }

    /// Returns the bounds that hold if either of the two holds.
    pub(crate) fn or(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.max(other.high) }
    }

    /// Returns the bounds themselves if they are in order, else [`UNKNOWN`](Self::UNKNOWN).
    pub(crate) fn valid(self) -> Self {
        if 0.0 <= self.low && self.low.is_finite() && self.low <= self.high {
            self
        } else {
            Self::UNKNOWN
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_error_stays_unknown_whatever_is_added() {
        let known = Bounds::from_error(0.05);
        assert_eq!(known.and(Bounds::UNKNOWN), Bounds::UNKNOWN);
        assert_eq!(Bounds::UNKNOWN.and(Bounds::UNKNOWN), Bounds::UNKNOWN);
        assert_eq!(known.or(Bounds::UNKNOWN), Bounds::UNKNOWN);
        assert!((known.and(Bounds::EXACT).low - known.low).abs() < 1e-12);
        // Errors of a whole figure and more leave no upper bound.
        assert!(Bounds::from_error(0.6).and(Bounds::from_error(0.4)).high.is_infinite());
    }

    #[test]
    fn the_error_of_a_share_and_of_the_counter_are_the_published_error_of_both() {
        let rapl = Bounds::published(Component::Cpu, "rapl", Quality::Measured);
        let (both, published) = (rapl.and(Bounds::CPU_SHARE), Bounds::from_error(0.109));
        assert!((both.low - published.low).abs() < 1e-12);
        assert!((both.high - published.high).abs() < 1e-12);
    }

    #[test]
    fn bounds_of_a_sensor_that_make_no_sense_are_unknown() {
        for (low, high) in [(f64::NAN, 1.0), (1.0, f64::NAN), (-0.1, 1.0), (1.0, 0.5)] {
            assert_eq!(Bounds { low, high }.valid(), Bounds::UNKNOWN);
        }
        let known_to_be_low = Bounds { low: 1.1, high: 1.3 };
        assert_eq!(known_to_be_low.valid(), known_to_be_low);
    }
}
