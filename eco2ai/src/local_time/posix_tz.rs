//! The time zone that a value of the variable `TZ` means: the name of a file, or a rule such as
//! `CET-1CEST,M3.5.0,M10.5.0/3`. As in the GNU C library, so that times agree with those of the
//! command `date`.

use tz::TimeZone;

/// The dates of daylight saving time of a rule that has none, from the second Sunday of March to
/// the first Sunday of November. POSIX leaves them to the system. Source: GNU C library,
/// `time/tzset.c`. (An old file `posixrules` makes the library change its clocks some hours
/// earlier or later on these days.)
const DEFAULT_DATES: &str = ",M3.2.0,M11.1.0";

/// Returns the zone that a value of `TZ` means; Coordinated Universal Time if it means none.
pub(super) fn zone(tz: &str) -> TimeZone {
    let tz = tz.strip_prefix(':').unwrap_or(tz);
    let file = if tz.is_empty() { None } else { TimeZone::from_posix_tz(&format!(":{tz}")).ok() };
    file.or_else(|| from_rule(tz)).unwrap_or_else(TimeZone::utc)
}

/// Reads a rule. Dates that are missing or wrong are replaced by the default ones.
fn from_rule(rule: &str) -> Option<TimeZone> {
    let without_dates = rule.split(',').next().unwrap_or(rule);
    from_complete_rule(rule)
        .or_else(|| from_complete_rule(&format!("{without_dates}{DEFAULT_DATES}")))
        .or_else(|| from_complete_rule(without_dates))
}

/// Reads a rule with its dates, or one without daylight saving time.
///
/// Times of day from -167 to 167 hours are an extension that `tz-rs` reads in a time zone file
/// only, version 3 and later. So the rule is made the last line of such a file, which is otherwise
/// empty (RFC 9636, section 3).
fn from_complete_rule(rule: &str) -> Option<TimeZone> {
    // Six counts: one local time type, one byte of names, nothing else.
    const HEADER: &[u8] =
        b"TZif3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\x01";
    // Offset, daylight saving time, index of the name; the empty name.
    const BODY: &[u8] = &[0; 7];

    // A zone without transitions follows the rule at all times.
    let file = [HEADER, BODY, HEADER, BODY, b"\n", rule.as_bytes(), b"\n"].concat();
    has_name(rule).then(|| TimeZone::from_tz_data(&file).ok())?
}

/// Returns whether a rule begins with the name of its time, which has three letters or more.
fn has_name(rule: &str) -> bool {
    let name = rule.strip_prefix('<').unwrap_or(rule);
    let is_part = |c: &char| c.is_ascii_alphabetic() || (name != rule && *c != '>');
    name.chars().take_while(is_part).count() >= 3
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use super::zone;

    /// What the command `date` shows as the offset in the zone `tz`, at each of the moments.
    fn by_date(tz: &str, moments: &[i64]) -> Vec<i32> {
        let mut date = Command::new("date")
            .args(["-f", "-", "+%::z"])
            .env("TZ", tz)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines: Vec<String> = moments.iter().map(|moment| format!("@{moment}")).collect();
        let mut input = date.stdin.take().unwrap();
        let writer = std::thread::spawn(move || input.write_all(lines.join("\n").as_bytes()));
        let output = date.wait_with_output().unwrap();
        writer.join().unwrap().unwrap();
        let seconds = |line: &str| {
            let sign = if line.starts_with('-') { -1 } else { 1 };
            let fields = line[1..].split(':').map(|field| field.parse::<i32>().unwrap());
            sign * fields.fold(0, |sum, field| sum * 60 + field)
        };
        String::from_utf8(output.stdout).unwrap().lines().map(seconds).collect()
    }

    /// Panics if the offset in the zone `tz` is not what `date` shows.
    fn check(tz: &str, moments: &[i64]) {
        let zone = zone(tz);
        let offset = |&moment| zone.find_local_time_type(moment).unwrap().ut_offset();
        let ours: Vec<i32> = moments.iter().map(offset).collect();
        assert!(ours == by_date(tz, moments), "{tz:?}");
    }

    #[test]
    fn the_offset_is_what_date_shows() {
        // Each 6 hours and 1 second of ten years, leap years included.
        let moments: Vec<i64> =
            (0..10 * 1461).map(|quarter| 1_672_531_200 + quarter * 21_601).collect();
        for tz in [
            "",
            ":",
            "UTC0",
            "CET-1",
            "CET-1CEST,M3.5.0,M10.5.0/3",
            ":CET-1CEST,M3.5.0,M10.5.0/3",
            "EST5EDT",
            "EST+5EDT,M3.2.0/2,M11.1.0/2",
            "EST5EDT4,M3.2.0,M11.1.0",
            "<+03>-3",
            "<-03>3<-02>,M3.5.0/-2,M10.5.0/-1",
            "<+0330>-3:30",
            "NZST-12NZDT,M9.5.0,M4.1.0/3",
            "IST-2IDT,M3.4.4/26,M10.5.0",
            "IST-1GMT0,M10.5.0,M3.5.0/1",
            "CET-1CEST,J60,J300",
            "CET-1CEST,59,299",
            ":Europe/Berlin",
            "Europe/Berlin",
            "/usr/share/zoneinfo/Asia/Kathmandu",
            "GMT+5",
            "UTC+3",
            "Europe/Pari",
            " Europe/Berlin",
            "foo",
            "A5",
            "<A>3",
        ] {
            check(tz, &moments);
        }
    }

    #[test]
    fn a_rule_without_dates_is_read_as_date_reads_it() {
        // The middle of each month: after the change of March, before or after that of November.
        let moments: Vec<i64> = (2007..2035)
            .flat_map(|year| (1..=12).map(move |month| (year, month)))
            .map(|(year, month)| {
                let noon =
                    chrono::NaiveDate::from_ymd_opt(year, month, 15)?.and_hms_opt(12, 0, 0)?;
                Some(noon.and_utc().timestamp())
            })
            .map(Option::unwrap)
            .collect();
        for tz in ["CET-1CEST", ":CET-1CEST", "AEST-10AEDT", "EST5EDT4", "CET-1CEST,"] {
            check(tz, &moments);
        }
    }
}
