//! [`Reading`] and its [`Quality`], and [`SensorError`].

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::units::{Joules, Watts};

/// One reading of a device.
///
/// ```
/// use eco2ai::sensor::Reading;
/// use eco2ai::units::{Joules, Watts};
///
/// let counter = Reading::Energy(Joules(1234.5)); // since some moment in the past
/// let gauge = Reading::Power(Watts(12.5)); // at this moment
/// # assert_ne!(counter, gauge);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Reading {
    /// A counter: the energy since a fixed moment in the past. It never decreases, except when the
    /// device is reset. If the counter of the device wraps, the sensor must correct the wrap.
    Energy(Joules),
    /// A gauge: the current power.
    Power(Watts),
    /// A model: the power of the whole component when every CPU of the machine is busy; the meter
    /// multiplies it by the utilisation.
    AtFullLoad(Watts),
    /// A model: the power of the whole component, in proportion to the utilisation of the machine.
    /// Unlike with [`AtFullLoad`](Self::AtFullLoad), the idle power is charged too, by the share of
    /// the process.
    IdleToFull {
        /// The power when no CPU is busy.
        idle: Watts,
        /// The power when every CPU is busy; at least `idle`.
        full: Watts,
    },
    /// A model: the current power, which is not measured but estimated by the sensor. The meter
    /// integrates it like [`Power`](Self::Power).
    Estimate(Watts),
    /// A model: the power of one GiB of memory; the meter multiplies it by the memory in use.
    PerGibibyte(Watts),
}

/// More power than any computer takes. What is above it is an error of the device.
pub(crate) const MAX_POWER: Watts = Watts(1e6);

impl Reading {
    /// Returns the quality of a figure that is obtained from such readings.
    ///
    /// ```
    /// use eco2ai::sensor::{Quality, Reading};
    /// use eco2ai::units::Watts;
    ///
    /// assert_eq!(Reading::Power(Watts(12.5)).quality(), Quality::Sampled);
    /// ```
    pub fn quality(&self) -> Quality {
        match self {
            Self::Energy(_) => Quality::Measured,
            Self::Power(_) => Quality::Sampled,
            Self::AtFullLoad(_)
            | Self::IdleToFull { .. }
            | Self::Estimate(_)
            | Self::PerGibibyte(_) => Quality::Estimated,
        }
    }

    /// Returns the reading itself, if its figures are finite, not negative, in order, and such as a
    /// computer can have.
    pub(crate) fn valid(self) -> Result<Self, SensorError> {
        let (least, figure) = match self {
            Self::Energy(energy) => (0.0, energy.0),
            Self::Power(power)
            | Self::AtFullLoad(power)
            | Self::Estimate(power)
            | Self::PerGibibyte(power) => (0.0, power.0),
            Self::IdleToFull { idle, full } => (idle.0, full.0),
        };
        let most = if let Self::Energy(_) = self { f64::MAX } else { MAX_POWER.0 };
        if figure <= most && (0.0..=figure).contains(&least) {
            Ok(self)
        } else {
            Err(SensorError::Missing(format!("invalid reading: {self:?}")))
        }
    }
}

/// How a figure was obtained. The variants are ordered from the weakest to the strongest.
///
/// ```
/// use eco2ai::sensor::Quality;
///
/// assert!(Quality::Estimated < Quality::Measured);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Quality {
    /// From a model.
    Estimated,
    /// From readings of power, integrated over time.
    Sampled,
    /// From a counter of energy.
    Measured,
}

impl Quality {
    /// All qualities, from the weakest to the strongest.
    pub(crate) const ALL: [Self; 3] = [Self::Estimated, Self::Sampled, Self::Measured];

    /// Returns the first word of a row's method: `estimated`, `sampled` or `measured`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Estimated => "estimated",
            Self::Sampled => "sampled",
            Self::Measured => "measured",
        }
    }
}

impl fmt::Display for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The reason why there is no reading. A missing reading is never counted as 0.
///
/// ```
/// use eco2ai::sensor::{Reading, SensorError};
/// use eco2ai::units::Watts;
///
/// fn read(path: &str) -> Result<Reading, SensorError> {
///     let missing = |why: String| SensorError::Missing(format!("{path}: {why}"));
///     let text = std::fs::read_to_string(path).map_err(|error| missing(error.to_string()))?;
///     let watts = text.trim().parse().map_err(|_| missing("not a number".into()))?;
///     Ok(Reading::Power(Watts(watts)))
/// }
/// assert!(matches!(read("/nowhere"), Err(SensorError::Missing(_))));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SensorError {
    /// The device has no new value, for example because it is polled less often than the meter
    /// reads. This is not a failure: the meter continues with the last reading (with the last power
    /// of a counter or gauge, with the utilisation for a model), and the next reading corrects the
    /// difference. Before the first reading, the device counts no energy.
    #[error("nothing new to report")]
    NotReady,
    /// This reading failed; the next one may succeed. After three consecutive failures the user is
    /// warned, and the energy of the device is missing until it can be read again.
    #[error("{0}")]
    Missing(String),
    /// The device is gone and will not be read again.
    #[error("{0}")]
    Lost(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_that_no_computer_has_is_invalid() {
        for valid in [0.0, 1e6] {
            assert!(Reading::Power(Watts(valid)).valid().is_ok(), "{valid}");
        }
        for invalid in [-1.0, 1.1e6, f64::NAN, f64::INFINITY] {
            assert!(Reading::Power(Watts(invalid)).valid().is_err(), "{invalid}");
            assert!(Reading::AtFullLoad(Watts(invalid)).valid().is_err(), "{invalid}");
        }
        let (idle, full) = (Watts(2.0), Watts(1.0));
        assert!(Reading::IdleToFull { idle, full }.valid().is_err(), "not in order");
        assert!(Reading::Energy(Joules(1e12)).valid().is_ok(), "of years");
        assert!(Reading::Energy(Joules(f64::INFINITY)).valid().is_err());
    }
}
