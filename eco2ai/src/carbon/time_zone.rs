//! The country of a time zone, and the time zone of this machine.

use crate::carbon::table::Table;

pub(crate) const TIME_ZONES: &str = include_str!("../../data/time_zones.csv");

/// Returns the alpha-2 code of the country of an IANA time zone. `None` for zones without a
/// country, such as `UTC` and `CET`.
pub(crate) fn country_of(zone: &str) -> Option<&'static str> {
    Some(Table::<1>::new(TIME_ZONES).find([zone])?.cell(1))
}

/// Returns the IANA name of this machine's time zone: that of the variable `TZ`, else the system's.
pub(crate) fn machine_zone() -> Option<String> {
    match std::env::var("TZ") {
        Ok(tz) if names_a_zone(&tz) => Some(name_in(&tz).to_owned()),
        _ => iana_time_zone::get_timezone().ok(),
    }
}

/// Returns whether a value of `TZ` names a zone. An empty one does not, and neither does the path of
/// the system's own zone, which programs are given to save them a look at that file.
fn names_a_zone(tz: &str) -> bool {
    !matches!(name_in(tz), "" | "localtime" | "/etc/localtime")
}

/// Returns the name of the zone in a value of `TZ`, which may begin with a colon and may be the
/// path of a file.
fn name_in(tz: &str) -> &str {
    let tz = tz.trim();
    let tz = tz.strip_prefix(':').unwrap_or(tz);
    let name = tz.split_once("zoneinfo/").map_or(tz, |(_, name)| name);
    let name = name.strip_prefix("posix/").unwrap_or(name);
    name.strip_prefix("right/").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_has_its_country_also_under_an_old_name() {
        assert_eq!(country_of("Europe/Paris"), Some("FR"));
        assert_eq!(country_of("Africa/Windhoek"), Some("NA"));
        assert_eq!(country_of("Asia/Calcutta"), Some("IN"));
        assert_eq!(country_of("Etc/UTC"), None);
        assert_eq!(country_of("Europe/Pari"), None);
    }

    #[test]
    fn every_form_of_the_variable_names_its_zone() {
        for tz in [
            "Europe/Paris",
            ":Europe/Paris",
            " Europe/Paris\n",
            "/usr/share/zoneinfo/Europe/Paris",
            ":/usr/share/zoneinfo/right/Europe/Paris",
            "/usr/share/zoneinfo/posix/Europe/Paris",
        ] {
            assert_eq!(name_in(tz), "Europe/Paris", "{tz:?}");
        }
    }

    #[test]
    fn a_rule_is_of_no_country() {
        for tz in [
            "CET-1CEST",
            ":CET-1CEST,M3.5.0,M10.5.0/3",
            "EST5EDT",
            "<+03>-3",
            "UTC0",
            "Japan-9",
            "GB0BST,M3.5.0/1,M10.5.0",
        ] {
            assert!(names_a_zone(tz), "{tz:?}");
            assert_eq!(country_of(name_in(tz)), None, "{tz:?}");
        }
        assert_eq!(country_of(name_in("Japan")), Some("JP"), "an old name of a zone");
    }

    #[test]
    fn the_path_of_the_systems_zone_names_none() {
        for tz in ["", " ", ":", ":/etc/localtime", "/etc/localtime", "localtime"] {
            assert!(!names_a_zone(tz), "{tz:?}");
        }
    }
}
