//! Physical quantities. Each type of this module is a number with its unit.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, Sub, SubAssign};
use std::time::Duration;

use serde::{Deserialize, Serialize};

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub f64);

        impl $name {
            /// Zero.
            pub const ZERO: Self = Self(0.0);
        }

        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }

        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                self.0 += other.0;
            }
        }

        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
        }

        impl SubAssign for $name {
            fn sub_assign(&mut self, other: Self) {
                self.0 -= other.0;
            }
        }

        impl Mul<f64> for $name {
            type Output = Self;
            fn mul(self, factor: f64) -> Self {
                Self(self.0 * factor)
            }
        }

        impl Div<f64> for $name {
            type Output = Self;
            fn div(self, divisor: f64) -> Self {
                Self(self.0 / divisor)
            }
        }

        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
                items.fold(Self::ZERO, Add::add)
            }
        }
    };
}

quantity! {
    /// Energy in joules (watt-seconds), the unit that the crate uses internally.
    ///
    /// ```
    /// let energy = eco2ai::units::Joules(1234.5);
    /// assert_eq!(energy.to_string(), "1.234 kJ");
    /// ```
    Joules
}
quantity! {
    /// Power in watts.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use eco2ai::units::{Joules, Watts};
    ///
    /// assert_eq!(Watts(2.0) * Duration::from_secs(3), Joules(6.0));
    /// ```
    Watts
}
quantity! {
    /// Energy in kilowatt-hours, the unit of the log. One is exactly 3 600 000 J.
    ///
    /// ```
    /// use eco2ai::units::{Joules, KilowattHours};
    ///
    /// assert_eq!(KilowattHours::from(Joules(3_600_000.0)), KilowattHours(1.0));
    /// ```
    KilowattHours
}
quantity! {
    /// Mass of carbon dioxide equivalents in kilograms, the unit of the log.
    ///
    /// ```
    /// assert_eq!(eco2ai::units::KilogramsCo2e(0.5).to_string(), "500.0 g CO2e");
    /// ```
    KilogramsCo2e
}
quantity! {
    /// Carbon intensity of electricity in grams of CO2 equivalents per kilowatt-hour. The number is
    /// the same in kilograms per megawatt-hour, the unit of `emission_level`.
    ///
    /// ```
    /// use eco2ai::units::{GramsPerKwh, KilogramsCo2e, KilowattHours};
    ///
    /// assert_eq!(GramsPerKwh(500.0) * KilowattHours(2.0), KilogramsCo2e(1.0));
    /// ```
    GramsPerKwh
}

impl From<Joules> for KilowattHours {
    fn from(energy: Joules) -> Self {
        Self(energy.0 / 3_600_000.0)
    }
}

impl From<KilowattHours> for Joules {
    fn from(energy: KilowattHours) -> Self {
        Self(energy.0 * 3_600_000.0)
    }
}

impl Mul<Duration> for Watts {
    type Output = Joules;
    fn mul(self, time: Duration) -> Joules {
        Joules(self.0 * time.as_secs_f64())
    }
}

impl Mul<KilowattHours> for GramsPerKwh {
    type Output = KilogramsCo2e;
    fn mul(self, energy: KilowattHours) -> KilogramsCo2e {
        KilogramsCo2e(self.0 * energy.0 / 1000.0)
    }
}

/// Returns the SI prefix that brings `value` between 1 and 1000, and its factor.
fn prefix(value: f64) -> (f64, &'static str) {
    const PREFIXES: [(f64, &str); 7] =
        [(1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n")];
    PREFIXES
        .into_iter()
        .find(|(scale, _)| value.abs() >= *scale)
        .unwrap_or(PREFIXES[PREFIXES.len() - 1])
}

/// Writes `value` with four significant digits and the SI prefix that brings it between 1 and 1000.
fn with_prefix(f: &mut fmt::Formatter<'_>, value: f64, unit: &str) -> fmt::Result {
    if value == 0.0 || !value.is_finite() {
        return write!(f, "{value} {unit}");
    }
    let (scale, prefix) = prefix(value);
    let scaled = value / scale;
    let decimals = match scaled.abs() {
        size if size >= 100.0 => 1,
        size if size >= 10.0 => 2,
        _ => 3,
    };
    write!(f, "{scaled:.decimals$} {prefix}{unit}")
}

impl fmt::Display for Joules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        with_prefix(f, self.0, "J")
    }
}

impl fmt::Display for Watts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        with_prefix(f, self.0, "W")
    }
}

impl fmt::Display for KilowattHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        with_prefix(f, self.0 * 1000.0, "Wh")
    }
}

impl fmt::Display for KilogramsCo2e {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        with_prefix(f, self.0 * 1000.0, "g CO2e")
    }
}

impl fmt::Display for GramsPerKwh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} gCO2e/kWh", self.0)
    }
}

/// An energy with its bounds, displayed in the unit of the energy: `380.0 µWh (250 to 520)`.
pub(crate) struct BoundedEnergy {
    pub(crate) energy: KilowattHours,
    pub(crate) low: Option<KilowattHours>,
    pub(crate) high: Option<KilowattHours>,
}

impl fmt::Display for BoundedEnergy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.energy)?;
        // Without energy there is no unit.
        if self.energy.0 == 0.0 {
            return Ok(());
        }
        let (scale, _) = prefix(self.energy.0 * 1000.0);
        let in_unit = |bound: KilowattHours| {
            let scaled = bound.0 * 1000.0 / scale;
            let decimals = match scaled {
                size if size >= 100.0 => 0,
                size if size >= 10.0 => 1,
                _ => 2,
            };
            format!("{scaled:.decimals$}")
        };
        match (self.low.map(in_unit), self.high.map(in_unit)) {
            (Some(low), Some(high)) => write!(f, " ({low} to {high})"),
            (Some(low), None) => write!(f, " (at least {low})"),
            (None, Some(high)) => write!(f, " (at most {high})"),
            (None, None) => Ok(()),
        }
    }
}

/// An amount of money in the currency of the tariff, displayed with four significant digits.
///
/// ```
/// assert_eq!(eco2ai::units::Price(0.000_123_46).to_string(), "0.0001235");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Price(pub f64);

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = (2..15_u8).find(|at| self.0.abs() * 10_f64.powi((*at).into()) >= 1000.0);
        write!(f, "{:.*}", usize::from(decimals.unwrap_or(2)), self.0)
    }
}

/// A duration, displayed in its two largest units, such as `2 h 5 min`. A duration below a minute
/// is displayed in the `Debug` format of [`Duration`], such as `1.500s`.
///
/// ```
/// use std::time::Duration;
///
/// let hour = eco2ai::units::HumanDuration(Duration::from_secs(3660));
/// assert_eq!(hour.to_string(), "1 h 1 min");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HumanDuration(pub Duration);

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
        match (days, hours, minutes) {
            (0, 0, 0) if self.0.subsec_nanos() == 0 => write!(f, "{seconds}s"),
            (0, 0, 0) => write!(f, "{:.3?}", self.0),
            (0, 0, _) => write!(f, "{minutes} min {} s", seconds % 60),
            (0, ..) => write!(f, "{hours} h {minutes} min"),
            _ => write!(f, "{days} d {hours} h"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kilowatt_hour_is_3_600_000_joules() {
        assert_eq!(KilowattHours::from(Joules(3_600_000.0)), KilowattHours(1.0));
        assert_eq!(Joules::from(KilowattHours(0.5)), Joules(1_800_000.0));
    }

    #[test]
    fn display_keeps_four_digits_and_picks_the_prefix() {
        assert_eq!(Joules(1234.5).to_string(), "1.234 kJ");
        assert_eq!(KilowattHours(0.000_012_3).to_string(), "12.30 mWh");
        assert_eq!(KilogramsCo2e(0.000_000_456_7).to_string(), "456.7 µg CO2e");
        assert_eq!(Watts::ZERO.to_string(), "0 W");
    }

    #[test]
    fn a_price_has_four_digits_however_small_it_is() {
        for (price, text) in [(1234.5, "1234.50"), (1.5, "1.500"), (0.000_123_46, "0.0001235")] {
            assert_eq!(Price(price).to_string(), text);
        }
        assert_eq!(Price(0.0).to_string(), "0.00");
    }

    #[test]
    fn a_duration_has_its_two_largest_units() {
        let text = |seconds| HumanDuration(Duration::from_secs_f64(seconds)).to_string();
        assert_eq!(
            [0.001_234_5, 59.5, 0.0, 59.0, 61.0, 3661.0, 90_061.0].map(text),
            ["1.234ms", "59.500s", "0s", "59s", "1 min 1 s", "1 h 1 min", "1 d 1 h"]
        );
    }
}
