//! Numbers and names in the form in which the page shows them.

use std::fmt::Display;

use eco2ai::units::{ColumnUnit, Count, Percent, PercentChange};

/// Returns `text`, or `instead` if it is blank.
pub(super) fn non_blank_or<'a>(text: &'a str, instead: &'a str) -> &'a str {
    if text.trim().is_empty() { instead } else { text }
}

/// Formats a figure so that it stays on one line: with no-break spaces.
pub(super) fn no_break(figure: impl Display) -> String {
    figure.to_string().replace(' ', "\u{a0}")
}

/// Formats a number with four significant digits, without trailing zeros.
pub(super) fn short_number(value: f64) -> String {
    let text = ColumnUnit::new([value]).cell(value);
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// Formats a number and its noun, such as `1 run` and `2 runs`.
pub(super) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", Count(number))
}

/// Formats a share of a whole in percent.
pub(super) fn percent(part: f64, whole: f64) -> String {
    no_break(Percent(if whole > 0.0 { part.max(0.0) / whole } else { 0.0 }))
}

/// Formats the change from one value to another.
pub(super) fn change(before: f64, now: f64) -> String {
    if before <= 0.0 {
        return if now > 0.0 { "new" } else { "–" }.to_owned();
    }
    no_break(PercentChange(now / before - 1.0)).replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_significant_digits_only() {
        assert_eq!(counted(1, "run") + &counted(2000, "run"), "1 run2\u{202f}000 runs");
        let shares = [0.0, 0.0005, 0.05, 0.5].map(|part| percent(part, 1.0));
        assert_eq!(shares, ["0\u{a0}%", "0.1\u{a0}%", "5.0\u{a0}%", "50.0\u{a0}%"]);
        let short = [0.5, 20.0, 0.125, 0.0, 0.000_012_5, -100.0, 12_000.0].map(short_number);
        assert_eq!(short, ["0.5", "20", "0.125", "0", "0.0000125", "-100", "12\u{202f}000"]);
    }

    #[test]
    fn a_change_has_its_sign() {
        let changes = [(2.0, 1.0), (1.0, 1.05), (1.0, 1.0), (0.0, 1.0), (0.0, 0.0), (1.0, 92.4)];
        assert_eq!(
            changes.map(|(before, now)| change(before, now).replace('\u{a0}', " ")),
            ["−50.0 %", "+5.0 %", "±0 %", "new", "–", "×92"]
        );
    }
}
