//! Numbers and names in the form in which the page shows them.

/// Returns `text`, or `instead` if it is blank.
pub(super) fn non_blank_or<'a>(text: &'a str, instead: &'a str) -> &'a str {
    if text.trim().is_empty() { instead } else { text }
}

/// Formats a number with three decimals, or three significant digits if it is smaller, without
/// trailing zeros.
pub(super) fn short_number(value: f64) -> String {
    let small =
        (3..12_u8).find(|at| value == 0.0 || value.abs() * 10_f64.powi((*at).into()) >= 1.0);
    let decimals = match small {
        None | Some(3) => 3,
        Some(first) => first + 2,
    };
    let text = format!("{value:.*}", usize::from(decimals));
    group_thousands(text.trim_end_matches('0').trim_end_matches('.'))
}

/// Separates the thousands of a formatted number.
pub(super) fn group_thousands(number: &str) -> String {
    let (whole, fraction) = number.split_once('.').map_or((number, None), |(a, b)| (a, Some(b)));
    let mut text = String::new();
    for (at, digit) in whole.chars().enumerate() {
        let left = whole.len() - at;
        if at > 0 && left.is_multiple_of(3) && !text.ends_with('-') {
            // A narrow no-break space.
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    if let Some(fraction) = fraction {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

/// Formats a whole number with separated thousands.
pub(super) fn count(number: u64) -> String {
    group_thousands(&number.to_string())
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

/// Formats the change from one value to another in percent, with its sign, or as a factor if it is
/// large.
pub(super) fn change(before: f64, now: f64) -> String {
    if before <= 0.0 {
        return if now > 0.0 { "new" } else { "–" }.to_owned();
    }
    if now / before >= 10.0 {
        return format!("×\u{202f}{}", group_thousands(&format!("{:.0}", now / before)));
    }
    let percent = (now / before - 1.0) * 100.0;
    let decimals = usize::from(percent.abs() < 9.95);
    let size = group_thousands(&format!("{:.decimals$}", percent.abs()));
    match percent {
        same if same.abs() < 0.05 => "±\u{202f}0\u{202f}%".to_owned(),
        less if less < 0.0 => format!("−\u{202f}{size}\u{202f}%"),
        _ => format!("+\u{202f}{size}\u{202f}%"),
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
        let short = [0.5, 20.0, 0.125, 0.0, 0.000_012_5].map(short_number);
        assert_eq!(short, ["0.5", "20", "0.125", "0", "0.0000125"]);
        assert_eq!(["-123.4", "-1234.5"].map(group_thousands), ["-123.4", "-1\u{202f}234.5"]);
    }

    #[test]
    fn a_change_has_its_sign() {
        let changes = [(2.0, 1.0), (1.0, 1.05), (1.0, 1.0), (0.0, 1.0), (0.0, 0.0), (1.0, 92.4)];
        assert_eq!(
            changes.map(|(before, now)| change(before, now).replace('\u{202f}', " ")),
            ["− 50 %", "+ 5.0 %", "± 0 %", "new", "–", "× 92"]
        );
    }
}
