//! Times as people type them: a year, month, day, minute or second, or how long ago.

use std::str::FromStr;

use chrono::{
    DateTime, Days, FixedOffset, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta,
    TimeZone as _, Utc,
};
use eco2ai::__private::LocalTime;

/// A year, month, day, minute or second, as in `2026`, `2026-03`, `2026-03-01`, `2026-03-01T08:30`
/// and `2026-03-01T08:30:05+01:00`, or an age, as in `7d`. Without an offset, it is in the time zone
/// of this machine.
///
/// As the beginning of a period it means its first moment. As the end of a period it belongs to the
/// period: `--until 2026-03` includes the whole of March. An age has no length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) first: DateTime<FixedOffset>,
    /// The first moment that is later.
    pub(crate) end: DateTime<FixedOffset>,
}

impl FromStr for Moment {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_at(text, Utc::now().with_timezone(&LocalTime)).ok_or(
            "use a year, month, day or time, such as 2026, 2026-03, 2026-03-01 or \
             2026-03-01T08:30, or an age, such as 7d",
        )
    }
}

fn parse_at(text: &str, now: DateTime<LocalTime>) -> Option<Moment> {
    if let Some((first, end)) = days(text) {
        let midnight = |day: NaiveDate| local(day.and_time(NaiveTime::MIN));
        return Some(Moment { first: midnight(first)?, end: midnight(end?)? });
    }
    if let Ok(age) = humantime::parse_duration(text) {
        let then = now.checked_sub_signed(TimeDelta::from_std(age).ok()?)?.fixed_offset();
        return Some(Moment { first: then, end: then });
    }
    let text = text.replacen(' ', "T", 1);
    let (first, length) = if let Ok(time) = DateTime::parse_from_rfc3339(&text) {
        (time, TimeDelta::seconds(1))
    } else if let Ok(time) = NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S") {
        (local(time)?, TimeDelta::seconds(1))
    } else {
        let time = NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M").ok()?;
        (local(time)?, TimeDelta::minutes(1))
    };
    Some(Moment { first, end: first.checked_add_signed(length)? })
}

/// Returns the first day of a year, month or day, and the day after its last.
fn days(text: &str) -> Option<(NaiveDate, Option<NaiveDate>)> {
    let day = |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let months = |text: String, months| {
        let first = day(&text)?;
        Some((first, first.checked_add_months(Months::new(months))))
    };
    match text.len() {
        4 => months(format!("{text}-01-01"), 12),
        7 => months(format!("{text}-01"), 1),
        _ => day(text).map(|first| (first, first.checked_add_days(Days::new(1)))),
    }
}

/// Returns the first moment at which clocks here show a time. One that clocks skip is taken an hour
/// later.
fn local(time: NaiveDateTime) -> Option<DateTime<FixedOffset>> {
    let shown = LocalTime.from_local_datetime(&time).earliest();
    let later = || LocalTime.from_local_datetime(&(time + TimeDelta::hours(1))).earliest();
    shown.or_else(later).map(|time| time.fixed_offset())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Option<Moment> {
        parse_at(text, LocalTime.with_ymd_and_hms(2026, 1, 31, 12, 0, 0).unwrap())
    }

    #[test]
    fn dates_times_and_ages_are_moments() {
        let wall = |text| moment(text).unwrap().first.naive_local().to_string();
        for (text, time) in [
            ("2026", "2026-01-01 00:00:00"),
            ("2026-03", "2026-03-01 00:00:00"),
            ("2026-01-30", "2026-01-30 00:00:00"),
            ("2026-01-30T10:30", "2026-01-30 10:30:00"),
            ("2026-01-30 10:30:05", "2026-01-30 10:30:05"),
            ("2026-01-30T10:30:05+09:00", "2026-01-30 10:30:05"),
            ("90min", "2026-01-31 10:30:00"),
            ("7d", "2026-01-24 12:00:00"),
        ] {
            assert_eq!(wall(text), time, "{text}");
        }
        for text in
            ["", "soon", "June", "2026-02-30", "2026-6", "2026-13", "7", "26", "1/2/2026", "1é/2"]
        {
            assert_eq!(moment(text), None, "{text}");
        }
    }

    #[test]
    fn a_moment_is_as_long_as_it_is_written() {
        let seconds = |text| {
            let Moment { first, end } = moment(text).unwrap();
            (end - first).num_seconds()
        };
        assert_eq!(seconds("2026-03-01T08:30:05+01:00"), 1);
        assert_eq!(seconds("2026-03-01 08:30:05"), 1);
        assert_eq!(seconds("2026-03-01T08:30"), 60);
        assert_eq!(seconds("2026-06-01"), 86_400);
        assert_eq!(seconds("2026-02"), 28 * 86_400);
        assert_eq!(seconds("2025"), 365 * 86_400);
        assert_eq!(seconds("7d"), 0);
    }
}
