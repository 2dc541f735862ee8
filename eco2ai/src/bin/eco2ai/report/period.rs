//! Periods of time, such as `2026-03` or `2026-03-01..2026-03-14`.

use std::str::FromStr;

use chrono::{DateTime, NaiveTime, Utc};
use eco2ai::__private::LocalTime;

use crate::moment::Moment;

/// From the first moment to the last one, in seconds since 1970; the last one is not part of it.
/// Without a moment, the period has no end on this side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Period {
    pub(super) since: Option<i64>,
    pub(super) until: Option<i64>,
}

impl Period {
    /// Returns the period from the beginning of one moment to the end of another.
    pub(super) fn new(since: Option<Moment>, until: Option<Moment>) -> Self {
        let (since, until) = (since.map(|it| it.first), until.map(|it| it.end));
        Self { since: since.map(|it| it.timestamp()), until: until.map(|it| it.timestamp()) }
    }

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
        let until = self.until.unwrap_or_else(|| Utc::now().timestamp());
        Some(Self { since: Some(since - (until - since)), until: Some(since) })
    }
}

impl FromStr for Period {
    type Err = &'static str;

    /// Reads a moment, or two with `..` between them, of which either may be left out.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some((since, until)) = text.split_once("..") else {
            let moment = text.parse()?;
            return Ok(Self::new(Some(moment), Some(moment)));
        };
        let side = |text: &str| match text.trim() {
            "" => Ok(None),
            text => text.parse().map(Some),
        };
        Ok(Self::new(side(since)?, side(until)?))
    }
}

/// Formats a time, or the `day` if it is a midnight here.
fn day_or_time(time: i64, day: i64) -> String {
    let local = |time| DateTime::from_timestamp(time, 0).map(|time| time.with_timezone(&LocalTime));
    match (local(time), local(day)) {
        (Some(time), Some(day)) if time.time() == NaiveTime::MIN => {
            day.format("%-d %b %Y").to_string()
        }
        (Some(time), _) => time.format("%-d %b %Y, %H:%M").to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(text: &str) -> Period {
        text.parse().unwrap()
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
        for text in ["", "June", "2026-06-01..x"] {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
    }
}
