//! Reads the start time of a run in the formats of this crate, Eco2AI, pandas and spreadsheets.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime, TimeZone};

use crate::local_time::from_wall;

/// Parses a time. Without an offset it is in the time zone of this machine.
///
/// # Errors
/// Returns what the text should have been: `a time`, or one whose day and month can be told apart.
pub(crate) fn parse(text: &str) -> Result<DateTime<FixedOffset>, &'static str> {
    const NO_TIME: &str = "a time";
    // RFC 3339 allows a space instead of the T. Its parser is ten times as fast as the general one.
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time);
    }
    let (date, rest) = match text.find(['T', ' ']) {
        Some(at) => (&text[..at], text[at + 1..].trim()),
        None => (text, ""),
    };
    let date = parse_date(date)?;
    let (time, offset) = split_offset(rest);
    let time = if time.is_empty() { Some(NaiveTime::MIN) } else { parse_time(time) };
    let time = date.and_time(time.ok_or(NO_TIME)?);
    match offset {
        None => Ok(from_wall(&time)),
        Some(offset) => {
            let offset = parse_offset(offset).ok_or(NO_TIME)?;
            offset.from_local_datetime(&time).single().ok_or(NO_TIME)
        }
    }
}

/// The format in which this crate and Eco2AI write a date; 0 is any digit.
pub(crate) const ISO_DATE: &[u8] = b"0000-00-00";

/// Returns whether a text begins with a date in the format of this crate and Eco2AI, so that the day
/// is known without parsing the rest.
pub(crate) fn begins_with_iso_date(text: &[u8]) -> bool {
    text.get(..ISO_DATE.len()).is_some_and(|day| {
        day.iter().zip(ISO_DATE).all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            _ => byte == form,
        })
    })
}

/// Parses a date: the year first, or day and month in the order that their values or the dots
/// between them determine.
fn parse_date(text: &str) -> Result<NaiveDate, &'static str> {
    const NO_DATE: &str = "a time";
    const AMBIGUOUS: &str =
        "a time that can be understood: which number is the day, and which the month?";
    let separator = text.find(['-', '/', '.']).and_then(|at| text[at..].chars().next());
    let separator = separator.ok_or(NO_DATE)?;
    let parts: Vec<&str> = text.split(separator).collect();
    let &[first, second, third] = &parts[..] else { return Err(NO_DATE) };
    let number = |part: &str| {
        let digits = (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        part.parse::<u32>().ok().filter(|_| digits).ok_or(NO_DATE)
    };
    let (one, two, three) = (number(first)?, number(second)?, number(third)?);
    let (year, month, day) = match (first.len(), third.len()) {
        (4, _) => (one, two, three),
        (_, 4) if separator == '.' || one > 12 => (three, two, one),
        (_, 4) if two > 12 || one == two => (three, one, two),
        // With two digits each, only this order is unambiguous: neither day nor year can be a month.
        (_, 2) if separator == '/' && one <= 12 && two > 12 => (2000 + three, one, two),
        (_, 2 | 4) => return Err(AMBIGUOUS),
        _ => return Err(NO_DATE),
    };
    let year = i32::try_from(year).map_err(|_| NO_DATE)?;
    NaiveDate::from_ymd_opt(year, month, day).ok_or(NO_DATE)
}

fn parse_time(text: &str) -> Option<NaiveTime> {
    ["%H:%M:%S%.f", "%H:%M", "%I:%M:%S %p", "%I:%M %p"]
        .into_iter()
        .find_map(|format| NaiveTime::parse_from_str(text, format).ok())
}

/// Splits `20:20:07 +01:00` before its offset.
fn split_offset(text: &str) -> (&str, Option<&str>) {
    for utc in ["Z", "UTC"] {
        if let Some(time) = text.strip_suffix(utc) {
            return (time.trim_end(), Some("+00:00"));
        }
    }
    match text.find(['+', '-']) {
        Some(at) => (text[..at].trim_end(), Some(&text[at..])),
        None => (text, None),
    }
}

/// Parses `+01:00`, `+0100` or `+01`.
fn parse_offset(text: &str) -> Option<FixedOffset> {
    // `chrono` has no parser for an offset alone.
    let time = format!("1970-01-02 00:00 {text}");
    Some(*DateTime::parse_from_str(&time, "%Y-%m-%d %H:%M %#z").ok()?.offset())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_are_parsed_in_the_formats_of_common_programs() {
        let wall = |text: &str| {
            let time = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f");
            from_wall(&time.unwrap())
        };
        for (text, time) in [
            ("2023-01-17 20:20:07", "2023-01-17 20:20:07"),
            ("2023-01-17T20:20:07", "2023-01-17 20:20:07"),
            ("2023-01-17 20:20", "2023-01-17 20:20:00"),
            ("2023-01-17T20:20", "2023-01-17 20:20:00"),
            ("2023-01-17 20:20:07.123456", "2023-01-17 20:20:07.123456"),
            ("2023/01/17 20:20:07", "2023-01-17 20:20:07"),
            ("2023-01-17", "2023-01-17 00:00:00"),
            ("1/17/2023 20:20", "2023-01-17 20:20:00"),
            ("17/1/2023 20:20", "2023-01-17 20:20:00"),
            ("1/17/23 20:20", "2023-01-17 20:20:00"),
            ("5/5/2023 8:20", "2023-05-05 08:20:00"),
            ("1/17/2023 8:20:07 PM", "2023-01-17 20:20:07"),
            ("1/17/2023 8:20 AM", "2023-01-17 08:20:00"),
            ("04.03.2023 20:20", "2023-03-04 20:20:00"),
        ] {
            assert_eq!(parse(text), Ok(wall(time)), "{text}");
        }
        for text in [
            "2023-01-17 20:20:07+01:30",
            "2023-01-17T20:20:07+01:30",
            "2023-01-17 20:20:07 +0130",
            "2023-01-17 20:20:07.0+01:30",
        ] {
            assert_eq!(parse(text).unwrap().to_rfc3339(), "2023-01-17T20:20:07+01:30", "{text}");
        }
        for text in ["2023-01-17 20:20Z", "2023-01-17 20:20 UTC", "2023-01-17 20:20+00"] {
            assert_eq!(parse(text).unwrap().to_rfc3339(), "2023-01-17T20:20:00+00:00", "{text}");
        }
    }

    #[test]
    fn ambiguous_days_and_months_are_refused() {
        for text in ["3/4/2023 20:20", "3-4-2023 20:20", "17/1/23 20:20", "3/4/23 20:20"] {
            assert!(parse(text).unwrap_err().contains("which the month?"), "{text}");
        }
        for text in ["", "x", "12", "2023-13-01 10:00", "1/2/3/4", "44943.85", "2023-01-17 25:00"] {
            assert_eq!(parse(text), Err("a time"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text: String, date in "[0-9/.:T +Z-]{0,25}") {
            let _ = parse(&text);
            let _ = parse(&date);
        }
    }
}
