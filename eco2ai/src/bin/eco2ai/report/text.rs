//! Numbers as people read them.

use eco2ai::units::{KilogramsCo2e, KilowattHours};

/// An amount of energy, as the library writes it.
pub(super) fn kwh(energy: f64) -> String {
    KilowattHours(energy).to_string()
}

/// An amount of CO2 for a table, whose head says that it is CO2e.
pub(super) fn kg(co2: f64) -> String {
    KilogramsCo2e(co2).to_string().replace(" CO2e", "")
}

/// A text that may be empty.
pub(super) fn or<'a>(text: &'a str, instead: &'a str) -> &'a str {
    if text.trim().is_empty() { instead } else { text }
}

/// The unit in which a chart counts energy.
pub(super) struct EnergyUnit {
    pub(super) name: &'static str,
    per_kwh: f64,
}

impl EnergyUnit {
    /// The one in which `kwh` is at least 1.
    pub(super) fn of_size(kwh: f64) -> Self {
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

    /// `kwh` in this unit.
    pub(super) fn of(&self, kwh: f64) -> f64 {
        kwh * self.per_kwh
    }
}

/// A number on an axis: without digits that say nothing.
pub(super) fn plain(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A whole number, its thousands apart.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            // A narrow space that does not break.
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A number and a noun: `1 run`, `2 runs`.
pub(super) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number))
}

/// A share of a whole, in percent.
pub(super) fn percent(part: f64, whole: f64) -> String {
    let percent = if whole > 0.0 { part / whole * 100.0 } else { 0.0 };
    match percent {
        none if none <= 0.0 => "0\u{202f}%".to_owned(),
        little if little < 0.1 => "<\u{202f}0.1\u{202f}%".to_owned(),
        some if some < 10.0 => format!("{some:.1}\u{202f}%"),
        much => format!("{much:.0}\u{202f}%"),
    }
}

/// A price in an unknown currency: three digits at least, however small it is.
pub(super) fn price(cost: f64) -> String {
    let decimals = (2..15_u8).find(|at| cost.abs() * 10_f64.powi((*at).into()) >= 100.0);
    format!("{cost:.*}", usize::from(decimals.unwrap_or(2)))
}

/// A duration by its two largest units.
pub(super) fn duration(seconds: i64) -> String {
    const UNITS: [(i64, &str); 4] = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")];
    let largest = UNITS.iter().position(|(unit, _)| seconds >= *unit).unwrap_or(3);
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (unit, name) in UNITS.iter().skip(largest).take(2) {
        let whole = rest / unit;
        rest %= unit;
        if whole > 0 || parts.is_empty() {
            parts.push(format!("{whole} {name}"));
        }
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_say_something() {
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(counted(1, "run") + &counted(2, "run"), "1 run2 runs");
        let shares = [0.0, 0.0005, 0.05, 0.5].map(|part| percent(part, 1.0));
        assert_eq!(shares, ["0\u{202f}%", "<\u{202f}0.1\u{202f}%", "5.0\u{202f}%", "50\u{202f}%"]);
        let prices = [12.0, 0.123, -0.0123, 0.000_012, 0.0].map(price);
        assert_eq!(prices, ["12.00", "0.123", "-0.0123", "0.0000120", "0.00"]);
        assert_eq!([0.5, 20.0, 0.125].map(plain), ["0.5", "20", "0.125"]);
    }

    #[test]
    fn durations_have_their_two_largest_units() {
        assert_eq!(
            [0, 59, 60, 90, 3661, 86_400 * 5 / 2].map(duration),
            ["0 s", "59 s", "1 min", "1 min 30 s", "1 h 1 min", "2 d 12 h"]
        );
    }

    #[test]
    fn an_axis_has_the_unit_of_its_highest_value() {
        for (kwh, unit, value) in [(2500.0, "MWh", 2.5), (0.002, "Wh", 2.0), (0.0, "nWh", 0.0)] {
            let found = EnergyUnit::of_size(kwh);
            assert_eq!((found.name, found.of(kwh)), (unit, value));
        }
    }
}
