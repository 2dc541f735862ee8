//! The unit of a column, an axis or a figure of the page, for numbers in the units of the log.

use eco2ai::units::{ColumnUnit, KilogramsCo2e, KilowattHours, Quantity};

use super::format::no_break;
use super::log_totals::Bounded;

/// The unit of energies.
pub(super) type EnergyUnit = ColumnUnit<KilowattHours>;
/// The unit of masses of CO2 equivalents.
pub(super) type Co2Unit = ColumnUnit<KilogramsCo2e>;

/// Returns the unit of figures of which this is the largest, in the unit of the log.
pub(super) fn unit_up_to<Q: Quantity>(largest: f64) -> ColumnUnit<Q> {
    ColumnUnit::new([Q::from_number(largest)])
}

/// Formats numbers in the unit of the log.
pub(super) trait Scale {
    /// Returns how many of the unit a value is.
    fn scaled(&self, value: f64) -> f64;
    /// Formats a value without its unit.
    fn number(&self, value: f64) -> String;
    /// Formats a value with its unit.
    fn with_unit(&self, value: f64) -> String;
    /// Formats the bounds of a value without their unit; `None` if there are none, or if they are
    /// the same in this unit.
    fn bounds(&self, value: &Bounded) -> Option<String>;
}

impl<Q: Quantity> Scale for ColumnUnit<Q> {
    fn scaled(&self, value: f64) -> f64 {
        self.convert(Q::from_number(value))
    }

    fn number(&self, value: f64) -> String {
        self.cell(Q::from_number(value))
    }

    fn with_unit(&self, value: f64) -> String {
        no_break(format!("{} {}", self.number(value), self.symbol()).trim_end())
    }

    fn bounds(&self, value: &Bounded) -> Option<String> {
        let [low, high] = [value.low, value.high].map(|bound| self.number(bound));
        match (value.low > 0.0, value.high.is_finite() && value.high > 0.0) {
            // The decimals do not show the difference.
            (true, true) if low == high => None,
            (true, true) => Some(format!("{low} to {high}")),
            (true, false) => Some(format!("at least {low}")),
            (false, true) => Some(format!("at most {high}")),
            (false, false) => None,
        }
    }
}

/// Formats energy in kWh in the unit that suits it.
pub(super) fn kwh(energy: f64) -> String {
    no_break(KilowattHours(energy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_follows_its_number_on_the_same_line() {
        assert_eq!(kwh(12_345.6), "12\u{202f}346\u{a0}kWh");
        assert_eq!(unit_up_to::<KilogramsCo2e>(2500.0).with_unit(2500.0), "2.500\u{a0}t");
    }

    #[test]
    fn bounds_are_in_the_unit_of_their_value() {
        let unit: EnergyUnit = unit_up_to(2.0);
        let bounds = |low, high| unit.bounds(&Bounded { value: 2.0, low, high });
        assert_eq!(bounds(1.5, 3.0).as_deref(), Some("1.500 to 3.000"));
        assert_eq!(bounds(1.5, f64::INFINITY).as_deref(), Some("at least 1.500"));
        assert_eq!(bounds(0.0, 3.0).as_deref(), Some("at most 3.000"));
        assert_eq!(bounds(0.0, f64::INFINITY), None);
    }
}
