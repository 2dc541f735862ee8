//! A tariff by the wall clock, through changes of summer time, against a walk second by second.

#![allow(clippy::float_cmp, reason = "prices are taken over, not computed")]

use chrono::{DateTime, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;
use eco2ai::carbon::{Pricing, Tariff};
use eco2ai::units::KilowattHours;
use proptest::prelude::*;

/// Days on which the clocks change, in zones that change them in unlike ways: by an hour, by half
/// an hour, at midnight, by a whole day.
const CHANGES: [(Tz, &str); 9] = [
    (Tz::Europe__Berlin, "2026-03-29"),
    (Tz::Europe__Berlin, "2026-10-25"),
    (Tz::America__New_York, "2026-03-08"),
    (Tz::America__New_York, "2026-11-01"),
    (Tz::Australia__Lord_Howe, "2026-04-05"),
    (Tz::Australia__Lord_Howe, "2026-10-04"),
    (Tz::America__Santiago, "2026-09-06"),
    (Tz::Pacific__Apia, "2011-12-30"),
    (Tz::Asia__Kolkata, "2026-03-29"),
];

/// A tariff with an interval from each of these minutes of the day to the next, and its text.
fn tariff(starts: &[u32]) -> Tariff {
    let clock = |minute: u32| format!("{}:{:02}", minute / 60, minute % 60);
    let next = starts.iter().cycle().skip(1);
    let intervals = starts.iter().zip(next).zip(1_u32..);
    let intervals = intervals.map(|((start, end), price)| {
        (format!("{}-{}", clock(*start), clock(*end)), f64::from(price))
    });
    Tariff::new(&Pricing::Intervals(intervals.collect())).unwrap()
}

/// What the price must be: that of the last start that the clock on the wall has passed.
fn expected(starts: &[u32], time: DateTime<Tz>) -> f64 {
    let wall = time.naive_local().time().signed_duration_since(NaiveTime::MIN).num_minutes();
    let passed = starts.iter().filter(|start| i64::from(**start) <= wall).count();
    let index = if passed == 0 { starts.len() } else { passed };
    u32::try_from(index).unwrap().into()
}

fn starts() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::btree_set(0..24_u32 * 60, 2..7).prop_map(|set| set.into_iter().collect())
}

/// A moment within a day and a half of a change of the clock.
fn moment() -> impl Strategy<Value = DateTime<Tz>> {
    (prop::sample::select(&CHANGES), -36 * 3600..36 * 3600_i64, 0..1_000_000_000_i64).prop_map(
        |((zone, day), seconds, nanos)| {
            let noon = day.parse::<chrono::NaiveDate>().unwrap().and_hms_opt(12, 0, 0).unwrap();
            let moment = zone.from_utc_datetime(&noon);
            moment + TimeDelta::seconds(seconds) + TimeDelta::nanoseconds(nanos)
        },
    )
}

proptest! {
    #[test]
    fn the_price_is_that_of_the_clock_on_the_wall(starts in starts(), time in moment()) {
        prop_assert_eq!(tariff(&starts).price_at(time), expected(&starts, time));
    }

    #[test]
    fn until_the_next_edge_the_price_stays_and_there_it_changes(
        starts in starts(),
        time in moment(),
    ) {
        let tariff = tariff(&starts);
        let price = tariff.price_at(time);
        let edge = tariff.next_edge(time).unwrap();
        prop_assert!(edge > time && edge - time < TimeDelta::hours(51));
        prop_assert_ne!(tariff.price_at(edge), price, "at {}", edge);
        let just_before = edge - TimeDelta::nanoseconds(1);
        prop_assert_eq!(tariff.price_at(just_before), price, "before {}", edge);
        let mut between = time;
        while between < edge {
            prop_assert_eq!(tariff.price_at(between), price, "at {}", between);
            between += TimeDelta::seconds(59);
        }
    }

    #[test]
    fn the_cost_is_the_sum_of_every_second_at_its_price(
        starts in starts(),
        from in moment(),
        seconds in 1..2 * 86_400_i64,
    ) {
        let tariff = tariff(&starts);
        let to = from + TimeDelta::seconds(seconds);
        // Whole seconds, as all edges are.
        let from = from - TimeDelta::nanoseconds(from.timestamp_subsec_nanos().into());
        let to = to - TimeDelta::nanoseconds(to.timestamp_subsec_nanos().into());
        let prices = (0..seconds).map(|second| expected(&starts, from + TimeDelta::seconds(second)));
        let mean = prices.sum::<f64>() / f64::from(i32::try_from(seconds).unwrap());
        let cost = tariff.cost(KilowattHours(2.0), from, to);
        prop_assert!((cost - 2.0 * mean).abs() < 1e-9 * cost, "{} {}", cost, 2.0 * mean);
    }

    #[test]
    fn the_text_form_reads_back_as_the_same_tariff(starts in starts()) {
        let tariff = tariff(&starts);
        prop_assert_eq!(Tariff::new(&Pricing::Text(tariff.to_string())).unwrap(), tariff);
    }
}

#[test]
fn an_edge_in_the_skipped_hour_comes_with_the_change_of_the_clock() {
    let tariff = Tariff::new(&Pricing::Text("2:30-12:00=1, 12:00-2:30=2".into())).unwrap();
    let one = Tz::Europe__Berlin.with_ymd_and_hms(2026, 3, 29, 1, 0, 0).unwrap();
    let edge = tariff.next_edge(one).unwrap();
    assert_eq!(edge.to_rfc3339(), "2026-03-29T03:00:00+02:00");
}

#[test]
fn an_edge_in_the_repeated_hour_comes_twice() {
    let tariff = Tariff::new(&Pricing::Text("2:30-12:00=1, 12:00-2:30=2".into())).unwrap();
    let one = Tz::Europe__Berlin.with_ymd_and_hms(2026, 10, 25, 1, 0, 0).unwrap();
    let first = tariff.next_edge(one).unwrap();
    let back = tariff.next_edge(first).unwrap();
    let second = tariff.next_edge(back).unwrap();
    assert_eq!(first.to_rfc3339(), "2026-10-25T02:30:00+02:00");
    assert_eq!(back.to_rfc3339(), "2026-10-25T02:00:00+01:00");
    assert_eq!(second.to_rfc3339(), "2026-10-25T02:30:00+01:00");
}
