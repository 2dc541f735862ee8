//! The machine's local time, known to the whole process.
//!
//! On Unix, `chrono::Local` keeps the time zone in a thread-local value, and panics where a thread
//! asks for it that is ending. A tracked function may be called just then: by a destructor, by an
//! exit handler. So the offsets are found on a thread of their own, for some weeks at once, and kept
//! for all threads; a change of the machine's zone while the process runs is not followed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use chrono::{
    DateTime, FixedOffset, Local, MappedLocalTime, NaiveDate, NaiveDateTime, Offset, TimeZone, Utc,
};

use crate::locks::{Lock, Rank};
use crate::process::PerProcess;

const DAY_S: i64 = 86_400;

/// The offsets of so many seconds are found at once.
const SPAN_S: i64 = 64 * DAY_S;

/// Before and after, the offset at these moments holds: 1900 and 2200, in seconds since 1970.
const BOUNDS_S: (i64, i64) = (-2_208_988_800, 7_258_118_400);

/// A moment in the machine's time zone.
pub(crate) fn local(time: SystemTime) -> DateTime<FixedOffset> {
    LocalTime.from_utc_datetime(&DateTime::<Utc>::from(time).naive_utc()).fixed_offset()
}

/// The moment at which the machine's clock shows `wall`: the earlier one where it shows it twice,
/// and as if the clock were Coordinated Universal Time where it never does.
pub(crate) fn from_wall(wall: &NaiveDateTime) -> DateTime<FixedOffset> {
    let found = LocalTime.from_local_datetime(wall).earliest();
    found.map_or_else(|| Utc.fix().from_utc_datetime(wall), |time| time.fixed_offset())
}

/// The machine's time zone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalTime;

impl TimeZone for LocalTime {
    type Offset = FixedOffset;

    fn from_offset(_: &FixedOffset) -> Self {
        Self
    }

    fn offset_from_local_date(&self, date: &NaiveDate) -> MappedLocalTime<FixedOffset> {
        self.offset_from_local_datetime(&date.and_time(chrono::NaiveTime::MIN))
    }

    fn offset_from_local_datetime(&self, wall: &NaiveDateTime) -> MappedLocalTime<FixedOffset> {
        let wall = wall.and_utc().timestamp();
        // Clocks are changed by less than a day, and hardly twice within two.
        let [before, after] = [wall - DAY_S, wall + DAY_S].map(offset_at);
        let shown = |offset: i32| offset_at(wall - i64::from(offset)) == offset;
        match (shown(before), shown(after)) {
            (true, true) if before != after => {
                MappedLocalTime::Ambiguous(fixed(before), fixed(after))
            }
            (true, _) => MappedLocalTime::Single(fixed(before)),
            (false, true) => MappedLocalTime::Single(fixed(after)),
            (false, false) => MappedLocalTime::None,
        }
    }

    fn offset_from_utc_date(&self, date: &NaiveDate) -> FixedOffset {
        self.offset_from_utc_datetime(&date.and_time(chrono::NaiveTime::MIN))
    }

    fn offset_from_utc_datetime(&self, utc: &NaiveDateTime) -> FixedOffset {
        fixed(offset_at(utc.and_utc().timestamp()))
    }
}

fn fixed(offset_s: i32) -> FixedOffset {
    FixedOffset::east_opt(offset_s).unwrap_or_else(|| Utc.fix())
}

/// From a second on, the offset in seconds east of Greenwich.
type Offsets = Arc<[(i64, i32)]>;

/// The offset at a second since 1970.
fn offset_at(second: i64) -> i32 {
    static SPANS: PerProcess<Lock<HashMap<i64, Offsets>>> = PerProcess::new();
    let spans = SPANS.get_or_init(|| Lock::new(Rank::LocalTime, HashMap::new()));
    let second = second.clamp(BOUNDS_S.0, BOUNDS_S.1);
    let span = second.div_euclid(SPAN_S);
    let known = spans.lock().get(&span).map(|offsets| in_force(offsets, second));
    known.unwrap_or_else(|| {
        // Where no thread can be had, the time is right all the same, in another zone.
        let Some(offsets) = elsewhere(move || find_offsets(span * SPAN_S)) else { return 0 };
        let offset = in_force(&offsets, second);
        spans.lock().insert(span, offsets);
        offset
    })
}

fn in_force(offsets: &[(i64, i32)], second: i64) -> i32 {
    let next = offsets.partition_point(|(from, _)| *from <= second);
    offsets.get(next.saturating_sub(1)).map_or(0, |(_, offset)| *offset)
}

/// Runs `find` where thread-local values are sure to be there.
#[cfg(unix)]
fn elsewhere<T: Send + 'static>(find: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let find = move || {
        let _section = crate::own_code::enter();
        find()
    };
    std::thread::Builder::new().name("eco2ai-zone".into()).spawn(find).ok()?.join().ok()
}

/// Runs `find`: `chrono` needs no thread-local value here.
#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps, reason = "as on Unix")]
fn elsewhere<T>(find: impl FnOnce() -> T) -> Option<T> {
    Some(find())
}

/// The offsets from `start` on, for the length of a span: each day is looked at, and each change
/// between two days sought to the second.
fn find_offsets(start: i64) -> Offsets {
    let mut offsets = vec![(start, system_offset_at(start))];
    let mut from = start;
    while from < start + SPAN_S {
        let to = from + DAY_S;
        let (before, after) = (system_offset_at(from), system_offset_at(to));
        if before != after {
            let (mut earlier, mut later) = (from, to);
            while later - earlier > 1 {
                let middle = earlier + (later - earlier) / 2;
                if system_offset_at(middle) == before { earlier = middle } else { later = middle }
            }
            offsets.push((later, after));
        }
        from = to;
    }
    offsets.into()
}

fn system_offset_at(second: i64) -> i32 {
    DateTime::from_timestamp(second, 0)
        .map_or(0, |time| Local.offset_from_utc_datetime(&time.naive_utc()).fix().local_minus_utc())
}

#[cfg(test)]
mod tests {
    use chrono::{Local, NaiveDateTime, Offset, TimeDelta, TimeZone};

    use super::{LocalTime, SPAN_S};

    /// Moments in three decades, dense around whole hours.
    fn moments() -> impl Iterator<Item = NaiveDateTime> {
        let start =
            NaiveDateTime::parse_from_str("2004-12-31 23:30:00", "%Y-%m-%d %H:%M:%S").unwrap();
        (0..30 * 366 * 2).flat_map(move |half_day| {
            [-1, 0, 1, 1799].map(|second| {
                start + TimeDelta::hours(12 * half_day + half_day % 12) + TimeDelta::seconds(second)
            })
        })
    }

    /// In the machine's zone, which `TZ` can change.
    #[test]
    fn the_clock_shows_what_chrono_says_and_is_read_as_the_moments_at_which_it_shows_that() {
        for moment in moments() {
            let offset = Local.offset_from_utc_datetime(&moment).fix();
            let shown = LocalTime.from_utc_datetime(&moment);
            assert_eq!(*shown.offset(), offset, "{moment} UTC");
            // Not compared with `Local`, which takes the second moment for the first at times.
            let read = LocalTime.from_local_datetime(&shown.naive_local());
            let moments: Vec<_> = [read.earliest(), read.latest()].into_iter().flatten().collect();
            assert!(moments.contains(&shown) && moments.is_sorted(), "{shown}: {moments:?}");

            let wall = moment;
            let read = LocalTime.from_local_datetime(&wall);
            for moment in [read.earliest(), read.latest()].into_iter().flatten() {
                let shown = LocalTime.from_utc_datetime(&moment.naive_utc()).naive_local();
                assert_eq!(shown, wall, "{moment}");
            }
        }
    }

    #[test]
    fn the_ends_of_time_are_no_trouble() {
        for moment in [NaiveDateTime::MIN, NaiveDateTime::MAX] {
            LocalTime.offset_from_utc_datetime(&moment);
            LocalTime.offset_from_local_datetime(&moment);
        }
        super::offset_at(i64::MAX / SPAN_S * SPAN_S);
    }
}
