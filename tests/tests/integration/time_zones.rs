//! Every zone of the IANA database leads to a country, or is known to lead to none.

use chrono_tz::TZ_VARIANTS;
use eco2ai::carbon::Place;

/// Zones that are of no country: abbreviations and offsets.
fn has_no_country(zone: &str) -> bool {
    let abbreviations = [
        "CET",
        "CST6CDT",
        "EET",
        "EST",
        "EST5EDT",
        "Factory",
        "GMT",
        "GMT+0",
        "GMT-0",
        "GMT0",
        "Greenwich",
        "HST",
        "MET",
        "MST",
        "MST7MDT",
        "PST8PDT",
        "UCT",
        "UTC",
        "Universal",
        "WET",
        "Zulu",
    ];
    zone.starts_with("Etc/") || abbreviations.contains(&zone)
}

#[test]
fn every_zone_resolves() {
    let unresolved: Vec<_> = TZ_VARIANTS
        .iter()
        .map(|zone| zone.name())
        .filter(|zone| Place::from_time_zone(zone).is_none() != has_no_country(zone))
        .collect();
    assert!(unresolved.is_empty(), "{unresolved:?}");
    assert!(TZ_VARIANTS.len() > 590, "{} zones", TZ_VARIANTS.len());
}
