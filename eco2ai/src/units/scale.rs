//! Numbers for people: the unit that suits a value, its digits, and columns in one unit.

use std::fmt;

/// A unit, and its size in the unit of the quantity.
pub(super) type Unit = (f64, &'static str);

// The units of each quantity, from the largest. None has a prefix above kilo: `MWh` beside `mWh`
// would be misread, so large values keep the largest unit, and their digits are grouped.
pub(super) const JOULES: &[Unit] =
    &[(1e3, "kJ"), (1.0, "J"), (1e-3, "mJ"), (1e-6, "µJ"), (1e-9, "nJ")];
pub(super) const WATTS: &[Unit] =
    &[(1e3, "kW"), (1.0, "W"), (1e-3, "mW"), (1e-6, "µW"), (1e-9, "nW")];
pub(super) const KILOWATT_HOURS: &[Unit] =
    &[(1.0, "kWh"), (1e-3, "Wh"), (1e-6, "mWh"), (1e-9, "µWh"), (1e-12, "nWh")];
pub(super) const KILOGRAMS_CO2E: &[Unit] = &[
    (1e3, "t CO2e"),
    (1.0, "kg CO2e"),
    (1e-3, "g CO2e"),
    (1e-6, "mg CO2e"),
    (1e-9, "µg CO2e"),
    (1e-12, "ng CO2e"),
];
pub(super) const SECONDS: &[Unit] = &[(1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")];

/// Separates groups of three digits, as SI recommends: a narrow no-break space.
const GROUP_SEPARATOR: char = '\u{202f}';

/// Returns the largest of `units` in which `value` is at least 1 once it is rounded to four digits,
/// else the smallest; of zero, the unit of the quantity.
pub(super) fn unit_for(value: f64, units: &[Unit]) -> Unit {
    let value = if value == 0.0 { 1.0 } else { value.abs() };
    let fits = units.iter().find(|(size, _)| value >= size * 0.999_95);
    fits.or(units.last()).copied().unwrap_or((1.0, ""))
}

/// Writes `value` with four significant digits, or all digits of its whole part, in the unit that
/// suits it.
pub(super) fn write(f: &mut fmt::Formatter<'_>, value: f64, units: &[Unit]) -> fmt::Result {
    let (size, unit) = unit_for(value, units);
    if value == 0.0 || !value.is_finite() {
        return write!(f, "{value} {unit}");
    }
    write!(f, "{} {unit}", with_digits(value / size, 4))
}

/// Formats a number with as many significant digits, or all digits of its whole part.
pub(super) fn with_digits(value: f64, digits: u8) -> String {
    // What is rounded up to the next power of ten has one more digit.
    let rounded_up = 1.0 + 0.5 * 10_f64.powi(-i32::from(digits));
    let mut decimals = digits - 1;
    let mut power = 10.0;
    while decimals > 0 && value.abs() * rounded_up >= power {
        decimals -= 1;
        power *= 10.0;
    }
    grouped(&format!("{value:.*}", usize::from(decimals)))
}

/// Separates the thousands of a number in decimal form.
pub(super) fn grouped(number: &str) -> String {
    let (whole, fraction) = number.split_at(number.find('.').unwrap_or(number.len()));
    let digits = whole.trim_start_matches('-').len();
    let mut text = String::new();
    for (at, digit) in whole.chars().enumerate() {
        let left = whole.len() - at;
        if left < digits && left.is_multiple_of(3) {
            text.push(GROUP_SEPARATOR);
        }
        text.push(digit);
    }
    text + fraction
}

/// Quantities of one kind in one unit, as a column of a table shows them: numbers with three
/// decimals, whose points are below each other if the column is aligned to the right.
///
/// ```
/// use eco2ai::units::KilowattHours;
///
/// let column = KilowattHours::column([Some(KilowattHours(0.0125)), Some(KilowattHours(1e-9)), None]);
/// assert_eq!(column.unit, "Wh");
/// assert_eq!(column.cells, ["12.500", "<0.001", "-"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnitColumn {
    /// The unit, in which the largest value is at least 1.
    pub unit: &'static str,
    /// A number for each value; `-` where there is none.
    pub cells: Vec<String>,
}

impl UnitColumn {
    pub(super) fn new(values: impl Iterator<Item = Option<f64>>, units: &[Unit]) -> Self {
        let values: Vec<_> = values.collect();
        let known = values.iter().flatten().filter(|value| value.is_finite());
        let largest = known.fold(0.0_f64, |largest, value| largest.max(value.abs()));
        let (size, unit) = unit_for(largest, units);
        let cell = |value: &Option<f64>| match value {
            None => "-".to_owned(),
            Some(0.0) => "0".to_owned(),
            Some(value) if value.abs() / size < 0.000_5 => "<0.001".to_owned(),
            Some(value) => grouped(&format!("{:.3}", value / size)),
        };
        Self { unit, cells: values.iter().map(cell).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_of_the_rounded_number() {
        for (value, text) in [
            (1.0, "1.000"),
            (9.999_4, "9.999"),
            (9.999_6, "10.00"),
            (99.996, "100.0"),
            (999.96, "1\u{202f}000"),
            (-12_345.6, "-12\u{202f}346"),
            (0.000_4, "0.000"),
        ] {
            assert_eq!(with_digits(value, 4), text, "{value}");
        }
        assert_eq!(with_digits(1523.4, 3), "1\u{202f}523");
        assert_eq!(with_digits(2.5, 3), "2.50");
    }

    #[test]
    fn thousands_are_separated() {
        for (number, text) in [
            ("1", "1"),
            ("-123", "-123"),
            ("-1234.5678", "-1\u{202f}234.5678"),
            ("1234567", "1\u{202f}234\u{202f}567"),
            ("inf", "inf"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn a_column_has_the_unit_of_its_largest_value() {
        let column = |values: &[f64]| {
            let column = UnitColumn::new(values.iter().copied().map(Some), KILOWATT_HOURS);
            (column.unit, column.cells)
        };
        let cells = |cells: &[&str]| cells.iter().map(|&cell| cell.to_owned()).collect::<Vec<_>>();
        assert_eq!(column(&[2e-6, 5e-3]), ("Wh", cells(&["0.002", "5.000"])));
        assert_eq!(column(&[1e-7, 5e-3]), ("Wh", cells(&["<0.001", "5.000"])));
        assert_eq!(column(&[0.0, 12_345.0]), ("kWh", cells(&["0", "12\u{202f}345.000"])));
        assert_eq!(column(&[0.0]), ("kWh", cells(&["0"])));
        assert_eq!(column(&[]), ("kWh", cells(&[])));
        assert_eq!(column(&[f64::NAN, 1.0]), ("kWh", cells(&["NaN", "1.000"])));
    }
}
