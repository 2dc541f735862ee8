//! Everyday equivalents of an amount of CO2 or energy.

use std::fmt;

use serde::Serialize;

use crate::carbon::table::Table;
use crate::units::{KilogramsCo2e, KilowattHours, figure};

/// The table of equivalents; each figure has a public source.
pub(crate) const EQUIVALENTS: &str = include_str!("../../data/equivalents.csv");

/// An everyday amount that is equivalent to an amount of CO2 or energy.
///
/// ```
/// use eco2ai::units::{KilogramsCo2e, KilowattHours};
///
/// let first = eco2ai::carbon::equivalents(KilowattHours(1.0), KilogramsCo2e(0.4)).next().unwrap();
/// println!("{:.1} {} {}", first.amount, first.unit, first.what);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Equivalent {
    /// The amount, in `unit`.
    pub amount: f64,
    /// The unit, such as `km`.
    pub unit: &'static str,
    /// The activity, such as `by a new car in the EU`.
    pub what: &'static str,
    /// What the amount is computed from: the energy, or its CO2.
    pub basis: EquivalentBasis,
    /// Where the figure applies: `EU` or `US`. `None` if it is the same everywhere.
    pub region: Option<&'static str>,
    /// The publisher of the figure that the amount is computed from.
    pub source: &'static str,
}

/// What an [`Equivalent`] is computed from.
///
/// ```
/// use eco2ai::carbon::{EquivalentBasis, equivalents};
/// use eco2ai::units::{KilogramsCo2e, KilowattHours};
///
/// let all = equivalents(KilowattHours(1.0), KilogramsCo2e(0.4));
/// let of_energy: Vec<_> = all.filter(|one| one.basis == EquivalentBasis::Energy).collect();
/// assert_eq!(of_energy[0].unit, "hours");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum EquivalentBasis {
    /// The same energy.
    Energy,
    /// The same mass of CO2 equivalents.
    Co2,
}

impl EquivalentBasis {
    /// Returns the name: `energy` or `CO₂e`.
    ///
    /// ```
    /// assert_eq!(eco2ai::carbon::EquivalentBasis::Co2.as_str(), "CO₂e");
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Energy => "energy",
            Self::Co2 => "CO₂e",
        }
    }
}

impl Equivalent {
    /// Returns the amount in the unit that suits it, and that unit: short distances are in metres,
    /// short times in minutes.
    ///
    /// ```
    /// use eco2ai::units::{KilogramsCo2e, KilowattHours};
    ///
    /// let car = eco2ai::carbon::equivalents(KilowattHours(0.001), KilogramsCo2e(0.0005)).next();
    /// let (amount, unit) = car.unwrap().readable();
    /// assert_eq!((amount.round(), unit), (5.0, "m"));
    /// ```
    pub fn readable(&self) -> (f64, &'static str) {
        match self.unit {
            "km" if self.amount < 1.0 => (self.amount * 1000.0, "m"),
            "hours" if self.amount < 1.0 => (self.amount * 60.0, "minutes"),
            unit => (self.amount, unit),
        }
    }
}

/// Returns everyday equivalents of `energy` and `co2`, the most common ones first.
///
/// ```
/// use eco2ai::carbon::equivalents;
/// use eco2ai::units::{KilogramsCo2e, KilowattHours};
///
/// for equivalent in equivalents(KilowattHours(1.0), KilogramsCo2e(0.4)) {
///     println!("{equivalent} ({})", equivalent.source);
/// }
/// ```
///
/// The amounts for cars, homes and telephones are computed from `co2`, those for a lamp from
/// `energy`. So cleaner electricity results in fewer kilometres, but in the same hours of light.
///
/// ```
/// use eco2ai::carbon::equivalents;
/// use eco2ai::units::{KilogramsCo2e, KilowattHours};
///
/// let car = equivalents(KilowattHours(2.0), KilogramsCo2e(1.0)).next().unwrap();
/// assert_eq!(car.to_string(), "9.4 km by a new car in the EU");
/// ```
pub fn equivalents(energy: KilowattHours, co2: KilogramsCo2e) -> impl Iterator<Item = Equivalent> {
    Table::<1>::new(EQUIVALENTS).iter().filter_map(move |row| {
        let (amount, basis) = match (row.number(4), row.number(5)) {
            (Some(grams_per_unit), _) => (co2.0 * 1000.0 / grams_per_unit, EquivalentBasis::Co2),
            (None, Some(wh_per_unit)) => (energy.0 * 1000.0 / wh_per_unit, EquivalentBasis::Energy),
            (None, None) => return None,
        };
        let region = Some(row.cell(3)).filter(|region| !region.is_empty());
        Some(Equivalent {
            amount,
            unit: row.cell(2),
            what: row.cell(1),
            basis,
            region,
            source: row.cell(6),
        })
    })
}

impl fmt::Display for Equivalent {
    /// Writes the amount, such as `9.4 km by a new car in the EU`; short distances are in metres.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (amount, unit) = self.readable();
        let decimals = match amount {
            large if large >= 100.0 => 0,
            middle if middle >= 1.0 => 1,
            _ => 3,
        };
        write!(f, "{} {unit} {}", figure::number(amount, decimals), self.what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kilogram_of_co2_is_nine_kilometres_by_car() {
        let all: Vec<_> = equivalents(KilowattHours(2.0), KilogramsCo2e(1.0)).collect();
        let car = all[0];
        assert!((car.amount - 1000.0 / 106.8).abs() < 1e-9, "{car:?}");
        assert_eq!(car.to_string(), "9.4 km by a new car in the EU");
        let lamp = all.iter().find(|one| one.unit == "hours").unwrap();
        assert!((lamp.amount - 200.0).abs() < 1e-9, "{lamp:?}");
    }

    #[test]
    fn every_comparison_has_a_figure_and_a_source() {
        let rows = Table::<1>::new(EQUIVALENTS).iter().count();
        let all: Vec<_> = equivalents(KilowattHours(1.0), KilogramsCo2e(1.0)).collect();
        assert_eq!(all.len(), rows);
        assert!(all.iter().all(|one| one.amount > 0.0 && !one.source.is_empty()));
    }

    #[test]
    fn small_amounts_are_written_in_small_units() {
        let car = equivalents(KilowattHours(0.001), KilogramsCo2e(0.0005)).next().unwrap();
        assert_eq!(car.to_string(), "4.7 m by a new car in the EU");
    }
}
