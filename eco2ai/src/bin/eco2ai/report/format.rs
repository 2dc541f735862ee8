//! Numbers in the form in which the page shows them.

use eco2ai::units::{KilogramsCo2e, KilowattHours};

use super::log_totals::LogTotals;

/// Formats energy in kWh.
pub(super) fn kwh(energy: f64) -> String {
    KilowattHours(energy).to_string()
}

/// Formats the bounds of energy in kWh; `None` if there is none.
pub(super) fn bounds(totals: &LogTotals) -> Option<String> {
    match (totals.low > 0.0, totals.high.is_finite()) {
        (true, true) => Some(format!("{} to {}", kwh(totals.low), kwh(totals.high))),
        (true, false) => Some(format!("at least {}", kwh(totals.low))),
        (false, true) if totals.high > 0.0 => Some(format!("at most {}", kwh(totals.high))),
        _ => None,
    }
}

/// Formats CO2 in kg, for a place that is labelled as CO2e.
pub(super) fn kg(co2: f64) -> String {
    KilogramsCo2e(co2).to_string().replace(" CO2e", "")
}

/// Returns `text`, or `instead` if it is blank.
pub(super) fn non_blank_or<'a>(text: &'a str, instead: &'a str) -> &'a str {
    if text.trim().is_empty() { instead } else { text }
}

/// The unit of a chart of energy.
pub(super) struct EnergyUnit {
    pub(super) name: &'static str,
    per_kwh: f64,
}

impl EnergyUnit {
    /// Returns the unit in which `kwh` is at least 1.
    pub(super) fn for_value(kwh: f64) -> Self {
        const UNITS: [(f64, &str); 7] = [
            (1e-6, "GWh"),
            (1e-3, "MWh"),
            (1.0, "kWh"),
            (1e3, "Wh"),
            (1e6, "mWh"),
            (1e9, "µWh"),
            (1e12, "nWh"),
        ];
        let fits = UNITS.into_iter().find(|(per_kwh, _)| kwh * per_kwh >= 1.0);
        let (per_kwh, name) = fits.unwrap_or((1e12, "nWh"));
        Self { name, per_kwh }
    }

    /// Converts `kwh` to this unit.
    pub(super) fn convert(&self, kwh: f64) -> f64 {
        kwh * self.per_kwh
    }
}

/// Formats a number without trailing zeros.
pub(super) fn short_number(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Formats a whole number with separated thousands.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            // A narrow no-break space.
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// Formats a number and its noun, such as `1 run` and `2 runs`.
pub(super) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number))
}

/// Formats a share of a whole in percent.
pub(super) fn percent(part: f64, whole: f64) -> String {
    let percent = if whole > 0.0 { part / whole * 100.0 } else { 0.0 };
    match percent {
        none if none <= 0.0 => "0\u{202f}%".to_owned(),
        little if little < 0.1 => "<\u{202f}0.1\u{202f}%".to_owned(),
        some if some < 10.0 => format!("{some:.1}\u{202f}%"),
        much => format!("{much:.0}\u{202f}%"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_significant_digits_only() {
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(counted(1, "run") + &counted(2, "run"), "1 run2 runs");
        let shares = [0.0, 0.0005, 0.05, 0.5].map(|part| percent(part, 1.0));
        assert_eq!(shares, ["0\u{202f}%", "<\u{202f}0.1\u{202f}%", "5.0\u{202f}%", "50\u{202f}%"]);
        assert_eq!([0.5, 20.0, 0.125].map(short_number), ["0.5", "20", "0.125"]);
    }

    #[test]
    fn an_axis_has_the_unit_of_its_highest_value() {
        for (kwh, unit, value) in [(2500.0, "MWh", 2.5), (0.002, "Wh", 2.0), (0.0, "nWh", 0.0)] {
            let found = EnergyUnit::for_value(kwh);
            assert_eq!((found.name, found.convert(kwh)), (unit, value));
        }
    }
}
