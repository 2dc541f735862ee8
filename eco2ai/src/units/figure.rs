//! Figures for people: digits, the unit that suits a value or a column, percentages.
//!
//! There is one rule for all texts of the library, the command and the report:
//! - The largest figure of a column, and a figure that stands alone, has four significant digits, or
//!   all digits of its whole part. The others in the column have as many decimals.
//! - Groups of three digits are separated, in numbers of four digits as well, so that the digits of a
//!   column are below each other.
//! - A figure that the decimals would round to zero is `<0.001`; only zero is `0`.
//! - The unit is the largest in which the largest figure is at least 1, after a space.

use std::fmt;
use std::marker::PhantomData;

use self::private::{Scaled, Units};

/// Separates groups of three digits, as SI recommends: a narrow no-break space.
const GROUP_SEPARATOR: char = '\u{202f}';
/// The digits of a figure that stands alone, and of the largest one of a column.
const SIGNIFICANT_DIGITS: u8 = 4;

pub(super) mod private {
    /// The units of a quantity.
    pub struct Units {
        /// Size and symbol, from the largest. The type's own unit has the size 1.
        pub list: &'static [(f64, &'static str)],
        pub min_decimals: u8,
        pub max_decimals: u8,
    }

    impl Units {
        /// Units of which the smallest has a prefix so small that three decimals suffice.
        pub(in crate::units) const fn scaled(list: &'static [(f64, &'static str)]) -> Self {
            Self { list, min_decimals: 0, max_decimals: 3 }
        }

        /// One unit, in which small values have more decimals.
        pub(in crate::units) const fn single(symbol: &'static [(f64, &'static str)]) -> Self {
            Self { list: symbol, min_decimals: 0, max_decimals: 14 }
        }
    }

    pub trait Scaled {
        const UNITS: Units;
    }
}

/// A quantity that [`ColumnUnit`] formats. The trait is sealed: it is implemented for the types of
/// this module, for [`Duration`](std::time::Duration) and for plain numbers.
///
/// ```
/// use std::time::Duration;
///
/// use eco2ai::units::{KilowattHours, Quantity};
///
/// assert_eq!(KilowattHours::from_number(0.5), KilowattHours(0.5));
/// assert_eq!(Duration::from_millis(1500).number(), 1.5);
/// ```
pub trait Quantity: Copy + Scaled {
    /// Returns the quantity of this many of the type's unit; for a duration, of seconds.
    fn from_number(number: f64) -> Self;
    /// Returns how many of the type's unit the quantity is; of a duration, the seconds.
    fn number(self) -> f64;
}

/// The unit and the decimals of a column of figures: those that suit its largest value.
///
/// No unit has a prefix above kilo, because `MWh` beside `mWh` would be misread; the largest mass is
/// the tonne. The largest value has four significant digits. A value that is too small for the
/// decimals is displayed as less than the smallest figure, not as 0.
///
/// ```
/// use eco2ai::units::{ColumnUnit, KilowattHours};
///
/// let energies = [0.0125, 1e-9, 0.0].map(KilowattHours);
/// let unit = ColumnUnit::new(energies);
/// assert_eq!(unit.heading("energy"), "energy (Wh)");
/// assert_eq!(energies.map(|energy| unit.cell(energy)), ["12.50", "<0.01", "0"]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ColumnUnit<Q> {
    size: f64,
    symbol: &'static str,
    decimals: u8,
    quantity: PhantomData<fn(Q)>,
}

impl<Q: Quantity> ColumnUnit<Q> {
    /// Returns the unit for a column with these values. Without any value but zero, it is the unit of
    /// the type.
    pub fn new(values: impl IntoIterator<Item = Q>) -> Self {
        let sizes = values.into_iter().map(|value| value.number().abs());
        let largest = sizes.filter(|size| size.is_finite()).fold(0.0, f64::max);
        let largest = if largest == 0.0 { 1.0 } else { largest };
        let units = Q::UNITS.list;
        // What is rounded up to 1 is 1.
        let fits = units.iter().find(|(size, _)| largest * rounding(SIGNIFICANT_DIGITS) >= *size);
        let (size, symbol) = fits.or(units.last()).copied().unwrap_or((1.0, ""));
        let decimals = decimals(largest / size, SIGNIFICANT_DIGITS, &Q::UNITS);
        Self { size, symbol, decimals, quantity: PhantomData }
    }

    /// Returns the symbol of the unit, such as `Wh`; `g` for a mass of CO2 equivalents. It is empty
    /// for prices and plain numbers.
    pub fn symbol(&self) -> &'static str {
        self.symbol
    }

    /// Returns the heading of the column: its name with the symbol of the unit, if there is one.
    pub fn heading(&self, name: &str) -> String {
        if self.symbol.is_empty() { name.to_owned() } else { format!("{name} ({})", self.symbol) }
    }

    /// Returns how many of the unit a value is.
    pub fn convert(&self, value: Q) -> f64 {
        value.number() / self.size
    }

    /// Formats a value in the unit, without its symbol.
    pub fn cell(&self, value: Q) -> String {
        number(self.convert(value), self.decimals)
    }

    /// Formats a bound of a figure: with three digits, since it is less certain than the figure.
    pub(super) fn bound(&self, value: Q) -> String {
        const DIGITS: u8 = 3;
        let value = self.convert(value);
        number(value, decimals(value, DIGITS, &Q::UNITS))
    }
}

/// Writes a quantity in the unit that suits it; `of` follows the symbol.
pub(super) fn write<Q: Quantity>(f: &mut fmt::Formatter<'_>, value: Q, of: &str) -> fmt::Result {
    let unit = ColumnUnit::new([value]);
    write!(f, "{} {}{of}", unit.cell(value), unit.symbol)
}

/// Returns the factor by which rounding to so many digits may increase a number.
fn rounding(digits: u8) -> f64 {
    1.0 + 0.5 * 10_f64.powi(-i32::from(digits))
}

/// Returns the decimals with which a number has at least so many significant digits.
fn decimals(value: f64, digits: u8, units: &Units) -> u8 {
    let value = value.abs() * rounding(digits);
    let all = 10_f64.powi(i32::from(digits) - 1);
    let enough = |decimals: &u8| value * 10_f64.powi((*decimals).into()) >= all;
    (units.min_decimals..units.max_decimals).find(enough).unwrap_or(units.max_decimals)
}

/// Formats a number with so many decimals; what they would round to zero, as less than the smallest
/// figure.
pub(crate) fn number(value: f64, decimals: u8) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let decimals = usize::from(decimals);
    let text = format!("{value:.decimals$}");
    if !text.chars().all(|letter| matches!(letter, '-' | '0' | '.')) {
        return grouped(&text);
    }
    let sign = if value > 0.0 { "<" } else { ">-" };
    let smallest = 10_f64.powi(-i32::try_from(decimals).unwrap_or(0));
    format!("{sign}{smallest:.decimals$}")
}

/// Separates the thousands of a number in decimal form.
pub(super) fn grouped(number: &str) -> String {
    let (sign, digits) = number.split_at(usize::from(number.starts_with('-')));
    let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut text = sign.to_owned();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            text.push(GROUP_SEPARATOR);
        }
        text.push(digit);
    }
    text + fraction
}

/// A part of a whole, from 0 to 1, displayed in percent with one decimal.
///
/// ```
/// use eco2ai::units::Percent;
///
/// let parts = [0.1234, 0.000_01, 0.0, 1.0].map(|part| Percent(part).to_string());
/// assert_eq!(parts, ["12.3 %", "<0.1 %", "0 %", "100.0 %"]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Percent(pub f64);

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", number(self.0 * 100.0, 1))
    }
}

/// A relative change, displayed in percent with its sign: 0.5 is half as much again, -1 is a decrease
/// to nothing. An increase to ten times or more is displayed as a factor.
///
/// ```
/// use eco2ai::units::PercentChange;
///
/// let changes = [0.05, -0.5, 0.000_1, 0.0, 41.3].map(|change| PercentChange(change).to_string());
/// assert_eq!(changes, ["+5.0 %", "-50.0 %", "±0 %", "±0 %", "×42"]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct PercentChange(pub f64);

impl fmt::Display for PercentChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MIN_FACTOR: f64 = 10.0;
        if self.0 + 1.0 >= MIN_FACTOR {
            return write!(f, "×{}", number(self.0 + 1.0, 0));
        }
        let sign = match self.0 * 100.0 {
            none if none.abs() < 0.05 => return f.write_str("±0 %"),
            less if less < 0.0 => '-',
            _ => '+',
        };
        write!(f, "{sign}{}", Percent(self.0.abs()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Joules, KilogramsCo2e, KilowattHours, Price, Watts};
    use super::*;
    use std::time::Duration;

    fn column<Q: Quantity>(numbers: &[f64]) -> (&'static str, Vec<String>) {
        let values = || numbers.iter().copied().map(Q::from_number);
        let unit = ColumnUnit::new(values());
        (unit.symbol(), values().map(|value| unit.cell(value)).collect())
    }

    #[test]
    fn a_column_has_the_unit_of_its_largest_value_which_has_four_digits() {
        let cells = |cells: &[&str]| cells.iter().map(|&cell| cell.to_owned()).collect::<Vec<_>>();
        let energies = column::<KilowattHours>;
        assert_eq!(energies(&[2e-6, 5e-3]), ("Wh", cells(&["0.002", "5.000"])));
        assert_eq!(energies(&[1e-7, 5e-3, 0.0]), ("Wh", cells(&["<0.001", "5.000", "0"])));
        assert_eq!(energies(&[0.25, 1e-8]), ("Wh", cells(&["250.0", "<0.1"])));
        assert_eq!(energies(&[3.0, 12_345.0]), ("kWh", cells(&["3", "12\u{202f}345"])));
        assert_eq!(energies(&[0.0]), ("kWh", cells(&["0"])));
        assert_eq!(energies(&[]), ("kWh", vec![]));
        assert_eq!(energies(&[f64::NAN, 1.0]), ("kWh", cells(&["NaN", "1.000"])));
        assert_eq!(column::<KilogramsCo2e>(&[2500.0]), ("t", cells(&["2.500"])));
        assert_eq!(column::<Watts>(&[5e6, 0.1]), ("kW", cells(&["5\u{202f}000", "<1"])));
        assert_eq!(column::<Duration>(&[5400.0, 60.0]), ("h", cells(&["1.500", "0.017"])));
        assert_eq!(column::<Price>(&[-2.5, 0.25]), ("", cells(&["-2.500", "0.250"])));
        assert_eq!(column::<Price>(&[1234.5, -1e-3]), ("", cells(&["1\u{202f}234.50", ">-0.01"])));
        assert_eq!(column::<f64>(&[0.000_012_345]).1, ["0.00001234"]);
    }

    #[test]
    fn digits_are_those_of_the_rounded_number() {
        for (joules, text) in [
            (1.0, "1.000 J"),
            (9.999_4, "9.999 J"),
            (9.999_6, "10.00 J"),
            (99.996, "100.0 J"),
            (999.96, "1.000 kJ"),
            (-12_345_600.0, "-12\u{202f}346 kJ"),
            (4e-13, "<0.001 nJ"),
            (-4e-13, ">-0.001 nJ"),
        ] {
            assert_eq!(Joules(joules).to_string(), text, "{joules}");
        }
        let unit = ColumnUnit::new([Joules(1.0)]);
        assert_eq!([2.5, 1523.4].map(|it| unit.bound(Joules(it))), ["2.50", "1\u{202f}523"]);
    }

    #[test]
    fn thousands_are_separated_in_four_digits_too() {
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
}
