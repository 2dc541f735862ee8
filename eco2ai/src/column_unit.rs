//! Figures for a column of a table: all in one unit, with as many decimals, and grouped digits.

/// A unit, and its size in the unit of the type.
type Unit = (f64, &'static str);

/// Large energies stay in kWh: the symbol of the megawatt-hour looks like mWh.
const ENERGY: [Unit; 5] =
    [(1.0, "kWh"), (1e-3, "Wh"), (1e-6, "mWh"), (1e-9, "µWh"), (1e-12, "nWh")];
const CO2: [Unit; 6] =
    [(1e3, "t"), (1.0, "kg"), (1e-3, "g"), (1e-6, "mg"), (1e-9, "µg"), (1e-12, "ng")];
const POWER: [Unit; 4] = [(1e3, "kW"), (1.0, "W"), (1e-3, "mW"), (1e-6, "µW")];

/// The unit of a column, in which its largest figure is 1 or more if possible.
#[derive(Clone, Copy)]
pub(crate) struct ColumnUnit {
    pub(crate) name: &'static str,
    scale: f64,
    decimals: usize,
}

impl ColumnUnit {
    /// Returns the unit for these energies in kWh.
    pub(crate) fn of_kwh(energies: impl IntoIterator<Item = f64>) -> Self {
        Self::of(energies.into_iter(), &ENERGY)
    }

    /// Returns the unit for these masses of CO2 equivalents in kg.
    pub(crate) fn of_kg(masses: impl IntoIterator<Item = f64>) -> Self {
        Self::of(masses.into_iter(), &CO2)
    }

    /// Returns the unit for these powers in watts.
    pub(crate) fn of_watts(powers: impl IntoIterator<Item = f64>) -> Self {
        Self::of(powers.into_iter(), &POWER)
    }

    /// Returns the form of amounts of money, which have no other unit: the largest one has four
    /// significant digits.
    pub(crate) fn of_costs(costs: impl IntoIterator<Item = f64>) -> Self {
        let largest = costs.into_iter().map(f64::abs).fold(0.0, f64::max);
        let has_four = |decimals: &u8| largest * 10_f64.powi((*decimals).into()) >= 1000.0;
        let decimals = (2..15).find(has_four).unwrap_or(2);
        Self { name: "", scale: 1.0, decimals: decimals.into() }
    }

    /// Returns the unit in which the largest value is 1 or more; that of size 1 if all are 0.
    fn of(values: impl Iterator<Item = f64>, units: &[Unit]) -> Self {
        let size = values.map(f64::abs).filter(|size| size.is_finite()).fold(0.0, f64::max);
        let fits = |(scale, _): &&Unit| size >= *scale;
        let is_usual = |(scale, _): &&Unit| *scale >= 1.0;
        let found = if size > 0.0 {
            units.iter().find(fits).or(units.last())
        } else {
            units.iter().rfind(is_usual)
        };
        let (scale, name) = found.copied().unwrap_or((1.0, ""));
        let decimals = match size / scale {
            size if size >= 1000.0 => 1,
            size if size >= 100.0 => 2,
            _ => 3,
        };
        Self { name, scale, decimals }
    }

    /// Returns a value in this unit, without the unit. A value too small for the decimals is shown as
    /// less than the smallest one, not as 0.
    pub(crate) fn cell(&self, value: f64) -> String {
        let value = value / self.scale;
        let smallest = 10_f64.powi(-i32::try_from(self.decimals).unwrap_or(0));
        if value == 0.0 {
            return "0".to_owned();
        }
        if value > 0.0 && value < smallest / 2.0 {
            return format!("<{smallest:.*}", self.decimals);
        }
        grouped(&format!("{value:.*}", self.decimals))
    }
}

/// Separates the thousands of a number by narrow no-break spaces.
pub(crate) fn grouped(number: &str) -> String {
    const SEPARATOR: char = '\u{202f}';
    let (sign, digits) = number.split_at(usize::from(number.starts_with('-')));
    let (whole, decimals) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut text = sign.to_owned();
    for (at, digit) in whole.chars().enumerate() {
        // No separator in four digits, as is usual.
        if whole.len() > 4 && at > 0 && (whole.len() - at).is_multiple_of(3) {
            text.push(SEPARATOR);
        }
        text.push(digit);
    }
    text + decimals
}

/// Returns a part of a whole, from 0 to 1, in percent.
pub(crate) fn percent(part: f64) -> String {
    match part * 100.0 {
        0.0 => "0 %".to_owned(),
        little if little > 0.0 && little < 0.05 => "<0.1 %".to_owned(),
        some => format!("{some:.1} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_has_one_unit_and_small_figures_are_not_zero() {
        let unit = ColumnUnit::of_kwh([0.25, 1e-8, 0.0]);
        assert_eq!(unit.name, "Wh");
        assert_eq!([0.25, 1e-8, 0.0].map(|kwh| unit.cell(kwh)), ["250.00", "<0.01", "0"]);
        let unit = ColumnUnit::of_kwh([1_234_567.8]);
        assert_eq!(unit.cell(1_234_567.8) + " " + unit.name, "1\u{202f}234\u{202f}567.8 kWh");
        assert_eq!(ColumnUnit::of_costs([2.5, 0.25]).cell(0.25), "0.250");
        assert_eq!(ColumnUnit::of_kwh([]).name, "kWh");
        assert_eq!(ColumnUnit::of_kg([2500.0]).name, "t");
        assert_eq!(ColumnUnit::of_watts([5.0, 0.001]).cell(0.001), "0.001");
    }

    #[test]
    fn digits_are_grouped_by_three() {
        let texts = ["0", "1234", "12345", "-1234567.25"].map(grouped);
        assert_eq!(texts, ["0", "1234", "12\u{202f}345", "-1\u{202f}234\u{202f}567.25"]);
        assert_eq!([0.0, 1e-5, 0.123, 1.0].map(percent), ["0 %", "<0.1 %", "12.3 %", "100.0 %"]);
    }
}
