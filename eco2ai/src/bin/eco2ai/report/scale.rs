//! Units of the page: one for each column or axis, chosen by its largest value.

use super::format::group_thousands;
use super::log_totals::Bounded;

/// A unit, and the number of decimals with which values are shown in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    pub(super) unit: &'static str,
    /// How many of the unit are in one of the log's unit.
    factor: f64,
    decimals: usize,
}

/// The smallest value for which a unit is used, in the log's unit; how many of the unit are in one
/// of the log's unit; and its name. There is no `MWh`, which is easily read as `mWh`.
type Units = [(f64, f64, &'static str)];

const ENERGY: &Units = &[
    (1e7, 1e-6, "GWh"),
    (1.0, 1.0, "kWh"),
    (1e-3, 1e3, "Wh"),
    (1e-6, 1e6, "mWh"),
    (1e-9, 1e9, "µWh"),
    (0.0, 1e12, "nWh"),
];
const CO2: &Units = &[
    (1e3, 1e-3, "t"),
    (1.0, 1.0, "kg"),
    (1e-3, 1e3, "g"),
    (1e-6, 1e6, "mg"),
    (1e-9, 1e9, "µg"),
    (0.0, 1e12, "ng"),
];
const TIME: &Units = &[
    (7200.0, 1.0 / 3600.0, "h"),
    (120.0, 1.0 / 60.0, "min"),
    (1.0, 1.0, "s"),
    (1e-3, 1e3, "ms"),
    (0.0, 1e6, "µs"),
];
const POWER: &Units = &[(1e4, 1e-3, "kW"), (1.0, 1.0, "W"), (0.0, 1e3, "mW")];
const NO_UNIT: &Units = &[(0.0, 1.0, "")];

impl Scale {
    fn new(units: &Units, largest: f64) -> Self {
        let fits = units.iter().find(|(from, ..)| largest >= *from).or(units.last());
        let (_, factor, unit) = fits.copied().unwrap_or((0.0, 1.0, ""));
        let decimals = match largest * factor {
            // Four digits of the largest value.
            large if large >= 1000.0 => 0,
            large if large >= 100.0 => 1,
            large if large >= 10.0 => 2,
            _ => 3,
        };
        Self { unit, factor, decimals }
    }

    /// Returns the unit for energies up to `largest` kWh.
    pub(super) fn energy(largest: f64) -> Self {
        Self::new(ENERGY, largest)
    }

    /// Returns the unit for masses of CO2 up to `largest` kg.
    pub(super) fn co2(largest: f64) -> Self {
        Self::new(CO2, largest)
    }

    /// Returns the unit for durations up to `largest` seconds.
    pub(super) fn time(largest: f64) -> Self {
        Self::new(TIME, largest)
    }

    /// Returns the unit for powers up to `largest` watts.
    pub(super) fn power(largest: f64) -> Self {
        Self::new(POWER, largest)
    }

    /// Returns the decimals for numbers without a unit, such as costs, up to `largest`.
    pub(super) fn plain(largest: f64) -> Self {
        let mut scale = Self::new(NO_UNIT, largest);
        while scale.decimals < 12
            && largest > 0.0
            && largest * 10_f64.powi(scale.exponent()) < 100.0
        {
            scale.decimals += 1;
        }
        scale
    }

    fn exponent(&self) -> i32 {
        i32::try_from(self.decimals).unwrap_or(i32::MAX)
    }

    /// Returns the value in this unit.
    pub(super) fn convert(&self, value: f64) -> f64 {
        value * self.factor
    }

    /// Formats a value without its unit. A value too small for the decimals is not rounded to 0.
    pub(super) fn number(&self, value: f64) -> String {
        let scaled = self.convert(value);
        let smallest = 10_f64.powi(-self.exponent());
        if scaled == 0.0 {
            "0".to_owned()
        } else if scaled.abs() < smallest / 2.0 {
            format!("<\u{202f}{smallest:.*}", self.decimals)
        } else {
            group_thousands(&format!("{scaled:.*}", self.decimals))
        }
    }

    /// Formats a value with its unit.
    pub(super) fn with_unit(&self, value: f64) -> String {
        format!("{}\u{a0}{}", self.number(value), self.unit).trim_end().to_owned()
    }

    /// Formats the bounds of a value without their unit; `None` if there are none, or if they are
    /// the same in this unit.
    pub(super) fn bounds(&self, value: &Bounded) -> Option<String> {
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
    Scale::energy(energy).with_unit(energy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_has_the_unit_and_the_decimals_of_its_largest_value() {
        let scale = Scale::energy(0.0123);
        assert_eq!(scale.unit, "Wh");
        let cells = [0.0123, 0.000_5, 0.000_000_2, 0.0].map(|kwh| scale.number(kwh));
        assert_eq!(cells, ["12.30", "0.50", "<\u{202f}0.01", "0"]);
    }

    #[test]
    fn neither_mwh_nor_mg_is_written_for_large_values() {
        assert_eq!(kwh(12_345.6), "12\u{202f}346\u{a0}kWh");
        assert_eq!(kwh(2.5e7), "25.00\u{a0}GWh");
        assert_eq!(Scale::co2(2500.0).with_unit(2500.0), "2.500\u{a0}t");
    }

    #[test]
    fn bounds_are_in_the_unit_of_their_value() {
        let scale = Scale::energy(2.0);
        let bounds = |low, high| scale.bounds(&Bounded { value: 2.0, low, high });
        assert_eq!(bounds(1.5, 3.0).as_deref(), Some("1.500 to 3.000"));
        assert_eq!(bounds(1.5, f64::INFINITY).as_deref(), Some("at least 1.500"));
        assert_eq!(bounds(0.0, 3.0).as_deref(), Some("at most 3.000"));
        assert_eq!(bounds(0.0, f64::INFINITY), None);
    }

    #[test]
    fn a_cost_has_three_digits_however_small_it_is() {
        for (cost, text) in [(1234.5, "1\u{202f}234"), (0.6, "0.600"), (0.000_123_46, "0.000123")] {
            assert_eq!(Scale::plain(cost).number(cost), text);
        }
    }
}
