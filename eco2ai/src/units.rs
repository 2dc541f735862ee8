//! Physical quantities. Each type of this module is a number with its unit.

pub(crate) mod figure;

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, Sub, SubAssign};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::figure::private::{Scaled, Units};
pub use self::figure::{ColumnUnit, Percent, PercentChange, Quantity};

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
    /// assert_eq!(Joules(6.0) / Duration::from_secs(3), Watts(2.0));
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

/// The average power over a duration.
impl Div<Duration> for Joules {
    type Output = Watts;
    fn div(self, time: Duration) -> Watts {
        Watts(self.0 / time.as_secs_f64())
    }
}

impl Mul<KilowattHours> for GramsPerKwh {
    type Output = KilogramsCo2e;
    fn mul(self, energy: KilowattHours) -> KilogramsCo2e {
        KilogramsCo2e(self.0 * energy.0 / 1000.0)
    }
}

/// The units of a type, in which `ColumnUnit` and `Display` write it.
macro_rules! units {
    ($name:ty, $units:expr, $from:expr, $number:expr) => {
        impl Scaled for $name {
            const UNITS: Units = $units;
        }

        impl Quantity for $name {
            fn from_number(number: f64) -> Self {
                $from(number)
            }
            fn number(self) -> f64 {
                $number(self)
            }
        }
    };
}

// None has a prefix above kilo: `MWh` beside `mWh` would be misread.
const JOULES: Units =
    Units::scaled(&[(1e3, "kJ"), (1.0, "J"), (1e-3, "mJ"), (1e-6, "µJ"), (1e-9, "nJ")]);
const WATTS: Units =
    Units::scaled(&[(1e3, "kW"), (1.0, "W"), (1e-3, "mW"), (1e-6, "µW"), (1e-9, "nW")]);
const KILOWATT_HOURS: Units =
    Units::scaled(&[(1.0, "kWh"), (1e-3, "Wh"), (1e-6, "mWh"), (1e-9, "µWh"), (1e-12, "nWh")]);
const KILOGRAMS_CO2E: Units = Units::scaled(&[
    (1e3, "t"),
    (1.0, "kg"),
    (1e-3, "g"),
    (1e-6, "mg"),
    (1e-9, "µg"),
    (1e-12, "ng"),
]);
const SECONDS: Units = Units::scaled(&[
    (3600.0, "h"),
    (60.0, "min"),
    (1.0, "s"),
    (1e-3, "ms"),
    (1e-6, "µs"),
    (1e-9, "ns"),
]);
const PRICES: Units = Units { min_decimals: 2, ..Units::single(&[(1.0, "")]) };

units!(Joules, JOULES, Self, |it: Self| it.0);
units!(Watts, WATTS, Self, |it: Self| it.0);
units!(KilowattHours, KILOWATT_HOURS, Self, |it: Self| it.0);
units!(KilogramsCo2e, KILOGRAMS_CO2E, Self, |it: Self| it.0);
units!(GramsPerKwh, Units::single(&[(1.0, "g CO2e/kWh")]), Self, |it: Self| it.0);
units!(Price, PRICES, Self, |it: Self| it.0);
units!(f64, Units::single(&[(1.0, "")]), |it| it, |it| it);
units!(Duration, SECONDS, seconds_to_duration, |it: Self| it.as_secs_f64());

fn seconds_to_duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

macro_rules! display {
    ($name:ident, $of:literal) => {
        /// Writes four significant digits in the unit that suits the value, as
        /// [`ColumnUnit`] does. The digits of large values are grouped.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                figure::write(f, *self, $of)
            }
        }
    };
}

display!(Joules, "");
display!(Watts, "");
display!(KilowattHours, "");
display!(KilogramsCo2e, " CO2e");

/// Writes the number as it is given.
impl fmt::Display for GramsPerKwh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} g CO2e/kWh", self.0)
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
        let unit = ColumnUnit::new([self.energy]);
        let in_unit = |bound| unit.bound(bound);
        match (self.low.map(in_unit), self.high.map(in_unit)) {
            (Some(low), Some(high)) => write!(f, " ({low} to {high})"),
            (Some(low), None) => write!(f, " (at least {low})"),
            (None, Some(high)) => write!(f, " (at most {high})"),
            (None, None) => Ok(()),
        }
    }
}

/// An amount of money in the currency of the tariff, displayed with four significant digits
/// and at least two decimals.
///
/// ```
/// assert_eq!(eco2ai::units::Price(0.000_123_46).to_string(), "0.0001235");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Price(pub f64);

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&ColumnUnit::new([*self]).cell(*self))
    }
}

/// A number of things, displayed with its thousands separated by narrow no-break spaces.
///
/// ```
/// assert_eq!(eco2ai::units::Count(1_234_567).to_string(), "1\u{202f}234\u{202f}567");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count(pub u64);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&figure::grouped(&self.0.to_string()))
    }
}

/// A duration, displayed in its two largest units, such as `2 h 5 min`. A duration below a minute
/// is displayed in one unit, such as `1.500 s`.
///
/// ```
/// use std::time::Duration;
///
/// use eco2ai::units::HumanDuration;
///
/// assert_eq!(HumanDuration(Duration::from_secs(3660)).to_string(), "1 h 1 min");
/// assert_eq!(HumanDuration(Duration::from_micros(1500)).to_string(), "1.500 ms");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HumanDuration(pub Duration);

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // So that nothing is displayed as `60.00 s`.
        let seconds = self.0.saturating_add(Duration::from_millis(5)).as_secs();
        if seconds < 60 && self.0.subsec_nanos() != 0 {
            return figure::write(f, self.0, "");
        }
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
        match (days, hours, minutes) {
            (0, 0, 0) => write!(f, "{seconds} s"),
            (0, 0, _) => write!(f, "{minutes} min {} s", seconds % 60),
            (0, ..) => write!(f, "{hours} h {minutes} min"),
            _ => write!(f, "{} d {hours} h", Count(days)),
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
        assert_eq!(KilogramsCo2e::ZERO.to_string(), "0 kg CO2e");
        assert_eq!(KilowattHours(0.000_999_96).to_string(), "1.000 Wh");
    }

    #[test]
    fn no_prefix_is_above_kilo() {
        assert_eq!(KilowattHours(9_999.6).to_string(), "10\u{202f}000 kWh");
        assert_eq!(KilowattHours(30_000.0).to_string(), "30\u{202f}000 kWh");
        assert_eq!(Watts(2e6).to_string(), "2\u{202f}000 kW");
        assert_eq!(KilogramsCo2e(1234.5).to_string(), "1.234 t CO2e");
        assert_eq!(KilogramsCo2e(12_345_000.0).to_string(), "12\u{202f}345 t CO2e");
    }

    #[test]
    fn a_price_has_four_digits_however_small_it_is() {
        for (price, text) in
            [(1234.5, "1\u{202f}234.50"), (1.5, "1.500"), (0.000_123_46, "0.0001235")]
        {
            assert_eq!(Price(price).to_string(), text);
        }
        assert_eq!(Price(0.0).to_string(), "0");
    }

    #[test]
    fn a_duration_has_its_two_largest_units() {
        let text = |seconds| HumanDuration(Duration::from_secs_f64(seconds)).to_string();
        assert_eq!(
            [0.001_234_5, 59.5, 0.0, 59.0, 61.0, 3661.0, 90_061.0].map(text),
            ["1.234 ms", "59.50 s", "0 s", "59 s", "1 min 1 s", "1 h 1 min", "1 d 1 h"]
        );
    }
}
