//! Moments as people type them: a date, a date with a time, or how long ago.

use chrono::{DateTime, FixedOffset, Local, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _};

/// Parses a moment. Without an offset it is in the time zone of this machine, and a date is the
/// beginning of that day.
///
/// # Errors
/// Returns the forms that a moment may have.
pub(crate) fn parse(text: &str) -> Result<DateTime<FixedOffset>, String> {
    parse_at(text, Local::now())
        .ok_or_else(|| "use a date (2026-01-31), a time (2026-01-31T10:00), or an age (7d)".into())
}

fn parse_at(text: &str, now: DateTime<Local>) -> Option<DateTime<FixedOffset>> {
    if let Ok(age) = humantime::parse_duration(text) {
        return Some(now.checked_sub_signed(chrono::TimeDelta::from_std(age).ok()?)?.into());
    }
    // RFC 3339 allows a space instead of the T.
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time);
    }
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").map(|day| day.and_time(NaiveTime::MIN));
    let forms = ["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"];
    let wall = date.ok().or_else(|| {
        forms.into_iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
    })?;
    // Of a time that the clock shows twice, the first. One that it skips has no moment.
    Local.from_local_datetime(&wall).earliest().map(|time| time.fixed_offset())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_times_and_ages_are_moments() {
        let now = Local.with_ymd_and_hms(2026, 1, 31, 12, 0, 0).unwrap();
        let wall = |text| parse_at(text, now).map(|time| time.naive_local().to_string());
        for (text, time) in [
            ("2026-01-30", "2026-01-30 00:00:00"),
            ("2026-01-30T10:30", "2026-01-30 10:30:00"),
            ("2026-01-30 10:30:05", "2026-01-30 10:30:05"),
            ("2026-01-30T10:30:05+09:00", "2026-01-30 10:30:05"),
        ] {
            assert_eq!(wall(text).as_deref(), Some(time), "{text}");
        }
        assert_eq!(parse_at("90min", now), Some((now - chrono::TimeDelta::minutes(90)).into()));
        assert_eq!(parse_at("7d", now), Some((now - chrono::TimeDelta::days(7)).into()));
        for text in ["", "soon", "2026-02-30", "7", "1/2/2026"] {
            assert_eq!(wall(text), None, "{text}");
        }
    }
}
