//! The machine's local time, known to the whole process.
//!
//! On Unix, `chrono::Local` keeps the time zone in a thread-local value, and panics if it is used
//! while the thread ends. A tracked function may be called at that time, by a destructor or an exit
//! handler. So this module reads the zone once per process, and does not notice later changes of
//! it.

#[cfg(unix)]
mod posix_tz;

use std::time::SystemTime;

use chrono::{
    DateTime, FixedOffset, MappedLocalTime, NaiveDate, NaiveDateTime, Offset, TimeZone, Utc,
};

const DAY_S: i64 = 86_400;

/// Converts a moment to the machine's time zone.
pub(crate) fn local(time: SystemTime) -> DateTime<FixedOffset> {
    LocalTime.from_utc_datetime(&DateTime::<Utc>::from(time).naive_utc()).fixed_offset()
}

/// Returns the moment at which the machine's clock shows `wall`. If the clock shows it twice,
/// returns the earlier moment; if the clock skips it, takes `wall` for Coordinated Universal Time.
pub(crate) fn from_wall(wall: &NaiveDateTime) -> DateTime<FixedOffset> {
    let found = LocalTime.from_local_datetime(wall).earliest();
    found.map_or_else(|| Utc.fix().from_utc_datetime(wall), |time| time.fixed_offset())
}

/// The machine's time zone.
#[derive(Clone, Copy, Debug)]
pub struct LocalTime;

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

/// The offset at a second since 1970, in seconds east of Greenwich.
#[cfg(unix)]
fn offset_at(second: i64) -> i32 {
    use crate::process::PerProcess;

    static ZONE: PerProcess<tz::TimeZone> = PerProcess::new();
    let _section = crate::own_code::enter();
    let zone = ZONE.get_or_init(|| match std::env::var_os("TZ") {
        Some(tz) => posix_tz::zone(&tz.to_string_lossy()),
        None => tz::TimeZone::local().unwrap_or_else(|_| tz::TimeZone::utc()),
    });
    zone.find_local_time_type(second).map_or(0, tz::LocalTimeType::ut_offset)
}

/// The offset at a second since 1970, in seconds east of Greenwich. 0 if the system does not know its
/// zone.
#[cfg(not(unix))]
fn offset_at(second: i64) -> i32 {
    let time = DateTime::from_timestamp(second, 0).map(|time| time.naive_utc());
    time.filter(|time| has_rules_of(chrono::Datelike::year(time)))
        .map_or(0, |time| chrono::Local.offset_from_utc_datetime(&time).fix().local_minus_utc())
}

/// Whether the system knows the offsets of its zone in a year. Where it does not, chrono panics when it
/// converts to local time; from local time it returns none.
#[cfg(not(unix))]
fn has_rules_of(year: i32) -> bool {
    use std::sync::atomic::{AtomicI32, Ordering::Relaxed};

    static LAST_KNOWN: AtomicI32 = AtomicI32::new(i32::MIN);
    // Clocks are not changed at both.
    let mut noons = [1, 7].into_iter().filter_map(|month| {
        NaiveDate::from_ymd_opt(year, month, 15).and_then(|day| day.and_hms_opt(12, 0, 0))
    });
    let is_known = LAST_KNOWN.load(Relaxed) == year
        || noons.any(|noon| chrono::Local.offset_from_local_datetime(&noon).earliest().is_some());
    if is_known {
        LAST_KNOWN.store(year, Relaxed);
    }
    is_known
}

#[cfg(test)]
mod tests {
    use chrono::{Local, NaiveDateTime, Offset, TimeDelta, TimeZone};

    use super::LocalTime;

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
    fn local_time_agrees_with_chrono_in_both_directions() {
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
    }
}
