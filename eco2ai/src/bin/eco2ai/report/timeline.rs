//! Energy over time, in bins of familiar lengths from a second to centuries.

use chrono::{DateTime, Datelike as _, FixedOffset, NaiveDate, TimeDelta};

use super::logs::TimedEnergy;

/// The length of a bin or the distance between ticks: a number of seconds or of months.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Step {
    Seconds(i64),
    Months(i32),
}

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;
const WEEK: i64 = 7 * DAY;
const YEAR: i32 = 12;

const STEPS: [Step; 26] = [
    Step::Seconds(1),
    Step::Seconds(5),
    Step::Seconds(15),
    Step::Seconds(30),
    Step::Seconds(MINUTE),
    Step::Seconds(2 * MINUTE),
    Step::Seconds(5 * MINUTE),
    Step::Seconds(15 * MINUTE),
    Step::Seconds(30 * MINUTE),
    Step::Seconds(HOUR),
    Step::Seconds(2 * HOUR),
    Step::Seconds(3 * HOUR),
    Step::Seconds(6 * HOUR),
    Step::Seconds(DAY),
    Step::Seconds(2 * DAY),
    Step::Seconds(WEEK),
    Step::Seconds(2 * WEEK),
    Step::Months(1),
    Step::Months(3),
    Step::Months(6),
    Step::Months(YEAR),
    Step::Months(2 * YEAR),
    Step::Months(5 * YEAR),
    Step::Months(10 * YEAR),
    Step::Months(50 * YEAR),
    Step::Months(500 * YEAR),
];
/// For any other span.
const MAX_STEP: Step = Step::Months(10_000 * YEAR);

impl Step {
    /// Returns the smallest step that divides `span` into at most `max` bins.
    pub(super) fn that_fits(span: (i64, i64), max: usize, zone: FixedOffset) -> Self {
        let fits = |step: &Self| {
            let enough = match *step {
                Self::Seconds(seconds) => {
                    u64::try_from((span.1 - span.0) / seconds).is_ok_and(|n| n <= max as u64)
                }
                Self::Months(_) => true,
            };
            enough && step.edges(span, zone).len() <= max + 1
        };
        STEPS.into_iter().find(fits).unwrap_or(MAX_STEP)
    }

    /// Returns the edges of the bins, from the last one at or before the beginning of the span to
    /// the first one at or after its end.
    pub(super) fn edges(self, (first, last): (i64, i64), zone: FixedOffset) -> Vec<i64> {
        let offset = i64::from(zone.local_minus_utc());
        let mut edges = Vec::new();
        let mut edge = self.at_or_before(first.saturating_add(offset));
        loop {
            edges.push(edge - offset);
            if edge - offset >= last && edges.len() > 1 {
                return edges;
            }
            let next = self.after(edge);
            if next <= edge {
                return edges;
            }
            edge = next;
        }
    }

    /// Returns the last edge at or before a time, both in seconds of local time since 1970.
    fn at_or_before(self, local: i64) -> i64 {
        match self {
            // Weeks begin on Monday; the first day of 1970 was a Thursday.
            Self::Seconds(seconds) if seconds % WEEK == 0 => {
                (local + 3 * DAY).div_euclid(seconds) * seconds - 3 * DAY
            }
            Self::Seconds(seconds) => local.div_euclid(seconds) * seconds,
            Self::Months(months) => {
                let date = date(local);
                first_of(
                    (date.year() * 12 + date.month0().cast_signed()).div_euclid(months) * months,
                )
            }
        }
    }

    /// Returns the next edge.
    fn after(self, edge: i64) -> i64 {
        match self {
            Self::Seconds(seconds) => edge + seconds,
            Self::Months(months) => {
                let date = date(edge);
                first_of(date.year() * 12 + date.month0().cast_signed() + months)
            }
        }
    }

    /// Formats an edge as precisely as the step.
    pub(super) fn label(self, edge: i64, zone: FixedOffset) -> String {
        let format = match self {
            Self::Seconds(seconds) if seconds < MINUTE => "%H:%M:%S",
            Self::Seconds(seconds) if seconds < DAY => "%H:%M",
            Self::Seconds(_) => "%-d %b",
            Self::Months(months) if months < YEAR => "%b %Y",
            Self::Months(_) => "%Y",
        };
        format_time(edge, zone, format)
    }

    /// Formats an edge with its day and year.
    pub(super) fn full_label(self, edge: i64, zone: FixedOffset) -> String {
        let format = match self {
            Self::Seconds(seconds) if seconds < MINUTE => "%Y-%m-%d %H:%M:%S",
            Self::Seconds(seconds) if seconds < DAY => "%Y-%m-%d %H:%M",
            Self::Seconds(_) => "%Y-%m-%d",
            Self::Months(months) if months < YEAR => "%B %Y",
            Self::Months(_) => "%Y",
        };
        format_time(edge, zone, format)
    }

    /// Returns the name of the step, such as `15 minutes`.
    pub(super) fn name(self) -> String {
        let (count, unit) = match self {
            Self::Seconds(seconds) if seconds < MINUTE => (seconds, "second"),
            Self::Seconds(seconds) if seconds < HOUR => (seconds / MINUTE, "minute"),
            Self::Seconds(seconds) if seconds < DAY => (seconds / HOUR, "hour"),
            Self::Seconds(seconds) if seconds % WEEK == 0 => (seconds / WEEK, "week"),
            Self::Seconds(seconds) => (seconds / DAY, "day"),
            Self::Months(months) if months < YEAR => (months.into(), "month"),
            Self::Months(months) => ((months / YEAR).into(), "year"),
        };
        if count == 1 { unit.to_owned() } else { format!("{count} {unit}s") }
    }
}

/// Formats a time, in seconds since 1970, as the local time of a zone.
pub(super) fn format_time(seconds: i64, zone: FixedOffset, format: &str) -> String {
    DateTime::from_timestamp(seconds, 0)
        .map(|time| time.with_timezone(&zone).format(format).to_string())
        .unwrap_or_default()
}

fn date(local: i64) -> NaiveDate {
    let days = TimeDelta::try_days(local.div_euclid(DAY));
    let epoch = DateTime::UNIX_EPOCH.date_naive();
    days.and_then(|days| epoch.checked_add_signed(days)).unwrap_or(epoch)
}

/// Returns the first day of a month, counted from year 0, in seconds since 1970.
fn first_of(month: i32) -> i64 {
    let date =
        NaiveDate::from_ymd_opt(month.div_euclid(12), month.rem_euclid(12).cast_unsigned() + 1, 1);
    let days = date.map(|date| (date - DateTime::UNIX_EPOCH.date_naive()).num_days());
    days.unwrap_or(i64::MAX / DAY).saturating_mul(DAY)
}

/// Energy in bins of time.
pub(super) struct Timeline {
    pub(super) step: Step,
    pub(super) zone: FixedOffset,
    /// The beginning of each bin and the end of the last one.
    pub(super) edges: Vec<i64>,
    /// The energy in kWh of each bin and series.
    pub(super) bins: Vec<Vec<f64>>,
}

impl Timeline {
    /// Spreads the energy of each row evenly over its time. `series` maps a project to one of
    /// `count` series.
    pub(super) fn new(
        timed: &[TimedEnergy],
        span: (i64, i64),
        zone: FixedOffset,
        count: usize,
        series: impl Fn(u32) -> usize,
    ) -> Self {
        const MAX_BINS: usize = 60;
        let step = Step::that_fits(span, MAX_BINS, zone);
        let edges = step.edges(span, zone);
        let mut bins = vec![vec![0.0; count]; edges.len().saturating_sub(1)];
        for row in timed {
            let series = series(row.project);
            let (start, seconds) = (row.start as f64, f64::from(row.seconds));
            let end = start + seconds;
            let first = edges.partition_point(|edge| *edge <= row.start).saturating_sub(1);
            let limits = edges.iter().zip(edges.iter().skip(1));
            for (bin, (from, to)) in bins.iter_mut().zip(limits).skip(first) {
                let (from, to) = (*from as f64, *to as f64);
                let share = if seconds > 0.0 {
                    ((end.min(to) - start.max(from)) / seconds).clamp(0.0, 1.0)
                } else {
                    1.0
                };
                if let Some(energy) = bin.get_mut(series) {
                    *energy += f64::from(row.own) * share;
                }
                if end <= to {
                    break;
                }
            }
        }
        Self { step, zone, edges, bins }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(hours: i32) -> FixedOffset {
        FixedOffset::east_opt(hours * 3600).unwrap()
    }

    fn moment(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text).unwrap().timestamp()
    }

    #[test]
    fn every_span_has_at_most_as_many_bins_as_asked_for_and_they_hold_it() {
        for zone in [zone(0), zone(2), zone(-9)] {
            for exponent in 0..36 {
                for max in [4, 9, 60] {
                    let span = (1_772_442_000, 1_772_442_000 + (1_i64 << exponent));
                    let step = Step::that_fits(span, max, zone);
                    let edges = step.edges(span, zone);
                    assert!(edges.len() - 1 <= max, "{step:?} for 2^{exponent} s");
                    assert!(edges[0] <= span.0 && span.1 <= edges[edges.len() - 1]);
                    assert!(edges.is_sorted_by(|a, b| a < b));
                }
            }
        }
    }

    #[test]
    fn days_weeks_and_months_begin_where_the_calendar_of_the_log_says() {
        let span = (moment("2026-03-04T12:00:00+02:00"), moment("2026-05-05T12:00:00+02:00"));
        let first = |step: Step| {
            let edges = step.edges(span, zone(2));
            edges.into_iter().take(2).map(|edge| format_time(edge, zone(2), "%a %F %T")).collect()
        };
        let both: Vec<String> = first(Step::Seconds(DAY));
        assert_eq!(both, ["Wed 2026-03-04 00:00:00", "Thu 2026-03-05 00:00:00"]);
        let both: Vec<String> = first(Step::Seconds(WEEK));
        assert_eq!(both, ["Mon 2026-03-02 00:00:00", "Mon 2026-03-09 00:00:00"]);
        let both: Vec<String> = first(Step::Months(3));
        assert_eq!(both, ["Thu 2026-01-01 00:00:00", "Wed 2026-04-01 00:00:00"]);
    }

    #[test]
    fn energy_is_spread_by_time_and_none_is_lost() {
        let start = moment("2026-03-04T12:00:30Z");
        let timed = [
            TimedEnergy { start, seconds: 60.0, own: 1.0, project: 0 },
            TimedEnergy { start, seconds: 0.0, own: 2.0, project: 1 },
            TimedEnergy { start: start + 3000, seconds: 90.0, own: 4.0, project: 0 },
        ];
        let span = (start, start + 3090);
        let timeline = Timeline::new(&timed, span, zone(0), 2, |project| project as usize);
        assert_eq!(timeline.step, Step::Seconds(MINUTE));
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} is not {b}");
        for (bin, project, energy) in
            [(0, 0, 0.5), (1, 0, 0.5), (0, 1, 2.0), (50, 0, 4.0 / 3.0), (51, 0, 8.0 / 3.0)]
        {
            near(timeline.bins[bin][project], energy);
        }
        near(timeline.bins.iter().flatten().sum(), 7.0);
    }
}
