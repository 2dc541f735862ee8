//! Periods of time, such as `2026-03` or `2026-03-01..2026-03-14`.

use std::str::FromStr;

use chrono::{DateTime, Days, Local, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _};

/// From the first moment to the last one, in seconds since 1970; the last one is not part of it.
/// Without a moment, the period has no end on this side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Period {
    pub(super) since: Option<i64>,
    pub(super) until: Option<i64>,
}

impl Period {
    /// Whether all times are in the period.
    pub(super) fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a moment is in the period.
    pub(super) fn contains(&self, moment: i64) -> bool {
        self.since.is_none_or(|since| since <= moment)
            && self.until.is_none_or(|until| moment < until)
    }

    /// Describes the period by its first and last day, with the time if it is not whole days; `None`
    /// for all times.
    pub(super) fn describe(&self) -> Option<String> {
        let since = self.since.map(|since| day_or_time(since, since));
        let until = self.until.map(|until| day_or_time(until, until - 1));
        Some(match (since, until) {
            (None, None) => return None,
            (Some(since), Some(until)) if since == until => since,
            (Some(since), Some(until)) => format!("{since} to {until}"),
            (Some(since), None) => format!("since {since}"),
            (None, Some(until)) => format!("until {until}"),
        })
    }

    /// Returns the period of the same length that ends where this one begins. A period without an
    /// end ends now. `None` for a period without a beginning.
    pub(super) fn previous(&self) -> Option<Self> {
        let since = self.since?;
        let until = self.until.unwrap_or_else(|| Local::now().timestamp());
        Some(Self { since: Some(since - (until - since)), until: Some(since) })
    }
}

/// A year, month, day, minute or second, as in `2026`, `2026-03`, `2026-03-01` and
/// `2026-03-01 08:30`, in this machine's time zone unless it has an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    first: i64,
    end: i64,
}

impl Moment {
    /// Returns the period from the beginning of one moment to the end of another.
    pub(super) fn period(since: Option<Self>, until: Option<Self>) -> Period {
        Period { since: since.map(|it| it.first), until: until.map(|it| it.end) }
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let day = |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
        let midnight = |day: NaiveDate| local(day.and_time(NaiveTime::MIN));
        let month = || day(&format!("{text}-01")).filter(|_| text.len() == 7);
        let year = || day(&format!("{text}-01-01")).filter(|_| text.len() == 4);
        let days = day(text)
            .map(|first| (first, first.checked_add_days(Days::new(1))))
            .or_else(|| month().map(|first| (first, first.checked_add_months(Months::new(1)))))
            .or_else(|| year().map(|first| (first, first.checked_add_months(Months::new(12)))));
        let moment = match days {
            Some((first, end)) => midnight(first).zip(end.and_then(midnight)),
            None => time(text),
        };
        moment.map(|(first, end)| Self { first, end }).ok_or_else(|| {
            "give a year, month, day or time, such as 2026, 2026-03, 2026-03-01 or 2026-03-01T08:30"
                .to_owned()
        })
    }
}

impl FromStr for Period {
    type Err = String;

    /// Reads a moment, or two with `..` between them, of which either may be left out.
    fn from_str(text: &str) -> Result<Self, String> {
        let Some((since, until)) = text.split_once("..") else {
            let moment = text.parse()?;
            return Ok(Moment::period(Some(moment), Some(moment)));
        };
        let side = |text: &str| match text.trim() {
            "" => Ok(None),
            text => text.parse().map(Some),
        };
        Ok(Moment::period(side(since)?, side(until)?))
    }
}

/// Formats a time, or the `day` if it is a midnight here.
fn day_or_time(time: i64, day: i64) -> String {
    let local = |time| DateTime::from_timestamp(time, 0).map(|time| time.with_timezone(&Local));
    match (local(time), local(day)) {
        (Some(time), Some(day)) if time.time() == NaiveTime::MIN => {
            day.format("%-d %b %Y").to_string()
        }
        (Some(time), _) => time.format("%-d %b %Y, %H:%M").to_string(),
        _ => String::new(),
    }
}

/// Reads a time with or without an offset; its end is that of the minute or second.
fn time(text: &str) -> Option<(i64, i64)> {
    let text = text.replacen(' ', "T", 1);
    if let Ok(time) = DateTime::parse_from_rfc3339(&text) {
        return Some((time.timestamp(), time.timestamp() + 1));
    }
    let with = |format| NaiveDateTime::parse_from_str(&text, format).ok().and_then(local);
    with("%Y-%m-%dT%H:%M:%S")
        .map(|first| (first, first + 1))
        .or_else(|| with("%Y-%m-%dT%H:%M").map(|first| (first, first + 60)))
}

/// Returns the first moment at which clocks here show a time. One that clocks skip is taken an hour
/// later.
fn local(time: NaiveDateTime) -> Option<i64> {
    let shown = Local.from_local_datetime(&time).earliest();
    let later = || Local.from_local_datetime(&(time + chrono::TimeDelta::hours(1))).earliest();
    shown.or_else(later).map(|time| time.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(text: &str) -> Period {
        text.parse().unwrap()
    }

    #[test]
    fn a_moment_is_as_long_as_it_is_written() {
        let seconds = |text| {
            let Period { since, until } = period(text);
            until.unwrap() - since.unwrap()
        };
        assert_eq!(seconds("2026-03-01T08:30:05+01:00"), 1);
        assert_eq!(seconds("2026-03-01 08:30:05"), 1);
        assert_eq!(seconds("2026-03-01T08:30"), 60);
        assert_eq!(seconds("2026-06-01"), 86_400);
        assert_eq!(seconds("2026-02"), 28 * 86_400);
        assert_eq!(seconds("2025"), 365 * 86_400);
    }

    #[test]
    fn the_last_day_of_a_period_is_part_of_it() {
        let both = period("2026-06-01..2026-06-02");
        assert_eq!(both.since, period("2026-06-01").since);
        assert_eq!(both.until, period("2026-06-02").until);
        let second = period("2026-06-02");
        assert!(both.contains(second.since.unwrap()) && !both.contains(both.until.unwrap()));
        assert_eq!(period("2026-06-01..").until, None);
        assert!(period("..").is_everything());
        assert_eq!(second.previous().unwrap(), period("2026-06-01"));
    }

    #[test]
    fn a_period_is_described_by_its_days() {
        let text = |period: Period| period.describe().unwrap();
        assert_eq!(text(period("2026-06")), "1 Jun 2026 to 30 Jun 2026");
        assert_eq!(text(period("2026-06-05")), "5 Jun 2026");
        assert_eq!(text(period("..2026-06-05")), "until 5 Jun 2026");
        assert_eq!(text(period("2026-06-05 08:30..")), "since 5 Jun 2026, 08:30");
        assert_eq!(Period::default().describe(), None);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "June", "2026-6", "2026-13", "2026-02-30", "26", "2026-06-01..x"] {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
    }
}
