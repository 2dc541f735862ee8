//! The price of electricity, which may depend on the time of the day.

use std::fmt;

use chrono::{DateTime, NaiveDateTime, Offset, TimeDelta, TimeZone, Timelike};

use super::pricing::{Clock, MINUTES_OF_A_DAY, Pricing, same};
use crate::error::{self, Error};
use crate::units::KilowattHours;

/// A checked electricity price, which is known for every minute of the day.
///
/// ```
/// use eco2ai::carbon::{Pricing, Tariff};
///
/// let tariff = Tariff::new(&Pricing::Text("8:30-19:00=5.2, 19:00-8:30=3".into()))?;
/// let noon = chrono::DateTime::parse_from_rfc3339("2026-01-05T12:00:00+01:00")?;
/// assert_eq!(tariff.price_at(noon), 5.2);
/// assert_eq!(tariff.next_edge(noon).map(|edge| edge.to_rfc3339()).as_deref(), Some("2026-01-05T19:00:00+01:00"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Intervals are in local wall-clock time, so they follow daylight saving time. Each includes its
/// start and excludes its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Tariff {
    /// The minutes of the day at which the price changes, with the new prices, in ascending order.
    /// There is at least one; the last price applies over midnight until the first minute.
    edges: Vec<(u16, f64)>,
}

impl Tariff {
    /// Checks a price and makes a tariff of it.
    ///
    /// # Errors
    /// Returns [`Error::Parameter`], which names the invalid price or interval, the two intervals that overlap,
    /// or the two with a gap between them.
    pub fn new(pricing: &Pricing) -> error::Result<Self> {
        Self::parse(pricing).map_err(|reason| Error::Parameter {
            parameter: "electricity_pricing",
            value: pricing.to_string(),
            reason,
        })
    }

    /// Same as [`new`](Self::new), but the error is only the reason.
    pub(crate) fn parse(pricing: &Pricing) -> Result<Self, String> {
        Ok(Self { edges: pricing.edges()? })
    }

    /// Returns the price per kWh, if it does not depend on the time.
    pub(crate) fn flat_price(&self) -> Option<f64> {
        match self.edges.as_slice() {
            [(_, price)] => Some(*price),
            _ => None,
        }
    }

    /// Returns the price per kWh at `time`, by the local time of its zone.
    #[allow(clippy::needless_pass_by_value, reason = "a moment is copied in every zone of chrono")]
    pub fn price_at<Tz: TimeZone>(&self, time: DateTime<Tz>) -> f64 {
        self.price_at_wall(wall_clock(&time))
    }

    /// Returns the first moment after `time` at which the price changes. `None` if it never
    /// changes.
    ///
    /// Clock changes are taken into account: if one skips the start of an interval, the price
    /// changes at that moment, and if one repeats an hour, the prices of that hour are repeated.
    pub fn next_edge<Tz: TimeZone>(&self, time: DateTime<Tz>) -> Option<DateTime<Tz>> {
        if self.edges.len() < 2 {
            return None;
        }
        let price = self.price_at(time.clone());
        let mut reached = time;
        // Each turn ends at an edge or at a change of the clock; the price is another one after
        // the first edge, or, where the clock jumps over edges, a few later.
        for _ in 0..self.edges.len() + 4 {
            let expected = reached.clone().checked_add_signed(self.until_edge(&reached))?;
            reached = if offset_s(&expected) == offset_s(&reached) {
                expected
            } else {
                let change = clock_change(&reached, &expected)?;
                // Before the change the clock may show an edge already.
                if change < expected { change } else { expected }
            };
            if !same(self.price_at(reached.clone()), price) {
                return Some(reached);
            }
        }
        None
    }

    /// Returns the price of `energy` that is used evenly between two moments, with each part
    /// charged at the price of its time.
    #[allow(clippy::needless_pass_by_value, reason = "a moment is copied in every zone of chrono")]
    pub fn cost<Tz: TimeZone>(
        &self,
        energy: KilowattHours,
        from: DateTime<Tz>,
        to: DateTime<Tz>,
    ) -> f64 {
        let seconds = |span: TimeDelta| span.as_seconds_f64();
        let whole = seconds(to.clone().signed_duration_since(from.clone()));
        if whole <= 0.0 {
            return energy.0 * self.price_at(from);
        }
        let mut cost = 0.0;
        let mut start = from;
        while start < to {
            let edge = self.next_edge(start.clone()).filter(|edge| *edge < to);
            let end = edge.unwrap_or_else(|| to.clone());
            let part = seconds(end.clone().signed_duration_since(start.clone())) / whole;
            cost += energy.0 * part * self.price_at(start);
            start = end;
        }
        cost
    }

    fn price_at_wall(&self, wall: NaiveDateTime) -> f64 {
        let minute = wall.num_seconds_from_midnight() / 60;
        let next = self.edges.partition_point(|(start, _)| u32::from(*start) <= minute);
        // Before the first edge of the day the last one of the day before still holds.
        let current = next.checked_sub(1).and_then(|index| self.edges.get(index));
        current.or(self.edges.last()).map_or(0.0, |(_, price)| *price)
    }

    /// Returns the time from `time` to the next change of the price, if the clock is not changed.
    fn until_edge<Tz: TimeZone>(&self, time: &DateTime<Tz>) -> TimeDelta {
        let wall = wall_clock(time);
        let second = wall.num_seconds_from_midnight();
        let starts = || self.edges.iter().map(|(start, _)| u32::from(*start) * 60);
        let tomorrow = || starts().next().map(|start| start + u32::from(MINUTES_OF_A_DAY) * 60);
        let edge = starts().find(|start| *start > second).or_else(tomorrow).unwrap_or(second + 1);
        let nanos = i64::from(wall.nanosecond() % 1_000_000_000);
        TimeDelta::seconds(i64::from(edge) - i64::from(second)) - TimeDelta::nanoseconds(nanos)
    }
}

impl fmt::Display for Tariff {
    /// Writes the text form, which can be parsed again: `0.3`, or `8:30-19:00=5.2, 19:00-8:30=3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [(_, price)] = self.edges.as_slice() {
            return write!(f, "{price}");
        }
        let ends = self.edges.iter().cycle().skip(1);
        for (index, ((start, price), (end, _))) in self.edges.iter().zip(ends).enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{}-{}={price}", Clock(*start), Clock(*end))?;
        }
        Ok(())
    }
}

/// Returns the local time. `naive_local` would panic for the first and last dates of chrono.
fn wall_clock<Tz: TimeZone>(time: &DateTime<Tz>) -> NaiveDateTime {
    let utc = time.naive_utc();
    utc.checked_add_offset(time.offset().fix()).unwrap_or(utc)
}

fn offset_s<Tz: TimeZone>(time: &DateTime<Tz>) -> i32 {
    time.offset().fix().local_minus_utc()
}

/// Returns the first second whose offset differs from that of `before`; `after` has another offset.
fn clock_change<Tz: TimeZone>(before: &DateTime<Tz>, after: &DateTime<Tz>) -> Option<DateTime<Tz>> {
    let zone = before.timezone();
    let at = |second: i64| zone.timestamp_opt(second, 0).single();
    let (mut same, mut other) = (before.timestamp(), after.timestamp());
    while other - same > 1 {
        let middle = same + (other - same) / 2;
        if offset_s(&at(middle)?) == offset_s(before) {
            same = middle;
        } else {
            other = middle;
        }
    }
    at(other)
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "prices are taken over, not computed")]
mod tests {
    use chrono::{FixedOffset, Utc};

    use super::*;

    fn tariff(text: &str) -> Tariff {
        Tariff::new(&Pricing::Text(text.into())).unwrap()
    }

    fn intervals(pairs: &[(&str, f64)]) -> Pricing {
        Pricing::Intervals(pairs.iter().map(|(times, price)| ((*times).into(), *price)).collect())
    }

    fn at(text: &str) -> DateTime<FixedOffset> {
        DateTime::parse_from_rfc3339(text).unwrap()
    }

    #[test]
    fn an_interval_includes_its_start_and_not_its_end() {
        let day = tariff("8:30-19:00=5.2, 19:00-8:30=3");
        for (time, price) in [
            ("2026-01-05T08:29:59.999+02:00", 3.0),
            ("2026-01-05T08:30:00+02:00", 5.2),
            ("2026-01-05T18:59:59.999+02:00", 5.2),
            ("2026-01-05T19:00:00+02:00", 3.0),
            ("2026-01-05T00:00:00+02:00", 3.0),
            ("2026-01-05T23:59:59+02:00", 3.0),
        ] {
            assert_eq!(day.price_at(at(time)), price, "{time}");
        }
    }

    #[test]
    fn the_next_edge_is_later_and_over_midnight_on_the_next_day() {
        let day = tariff("8:30-19:00=5.2, 19:00-8:30=3");
        let next = |time| day.next_edge(at(time)).unwrap().to_rfc3339();
        assert_eq!(next("2026-01-05T08:29:59.5+02:00"), "2026-01-05T08:30:00+02:00");
        assert_eq!(next("2026-01-05T08:30:00+02:00"), "2026-01-05T19:00:00+02:00");
        assert_eq!(next("2026-12-31T19:00:00+02:00"), "2027-01-01T08:30:00+02:00");
        let midnight = tariff("0:00-12:00=1, 12:00-24:00=2");
        let edge = midnight.next_edge(at("2026-01-05T23:59:59-05:00")).unwrap();
        assert_eq!(edge.to_rfc3339(), "2026-01-06T00:00:00-05:00");
    }

    #[test]
    fn a_price_that_never_changes_has_no_edge() {
        let now = at("2026-01-05T08:00:00+00:00");
        for text in ["0.3", "0:00-24:00=0.3", "6:00-22:00=0.3, 22:00-6:00=0.3", "0", "1e-3"] {
            assert_eq!(tariff(text).next_edge(now), None, "{text}");
        }
        assert_eq!(tariff("6:00-22:00=0.3, 22:00-6:00=0.3"), tariff("0:00-24:00=0.3"));
        assert_eq!(tariff(" 2 ").price_at(now), 2.0);
    }

    #[test]
    fn equal_neighbours_make_one_interval() {
        let text = "6:00-8:00=1, 8:00-22:00=2, 22:00-23:00=1, 23:00-6:00=1";
        assert_eq!(tariff(text), tariff("8:00-22:00=2, 22:00-8:00=1"));
        assert_eq!(tariff(text).to_string(), "8:00-22:00=2, 22:00-8:00=1");
    }

    #[test]
    fn every_way_of_giving_a_price_is_the_same_price() {
        let expected = tariff("8:30-19:00=5.2, 19:00-8:30=3");
        for pricing in [
            intervals(&[("8:30-19:00", 5.2), ("19:00-8:30", 3.0)]),
            intervals(&[("19:00-08:30", 3.0), ("08:30-19:00", 5.2)]),
            Pricing::Text(" 8:30 - 19:00 = 5.2 ,19:00-8:30=3".into()),
            Pricing::Text(expected.to_string()),
        ] {
            assert_eq!(Tariff::new(&pricing).unwrap(), expected, "{pricing}");
        }
        assert_eq!(Tariff::new(&Pricing::Flat(3.0)).unwrap(), tariff("3"));
    }

    #[test]
    fn prices_are_accepted_and_refused_as_by_the_macros() {
        let cases = include_str!("../../../eco2ai-macros/prices.txt");
        for case in cases.lines().filter_map(|line| line.strip_prefix('"')) {
            let (text, reason) = case.split_once('"').unwrap();
            let reason = reason.trim();
            let refusal = Tariff::new(&Pricing::Text(text.into())).err().map(|e| e.to_string());
            let refusal = refusal.unwrap_or_default();
            assert!(refusal.ends_with(reason), "{text:?}: {refusal}");
            assert_eq!(refusal.is_empty(), reason.is_empty(), "{text:?}: {refusal}");
            assert!(refusal.is_empty() || refusal.starts_with("electricity_pricing"), "{refusal}");
        }
        assert!(Tariff::new(&intervals(&[])).unwrap_err().to_string().contains("no price"));
    }

    #[test]
    fn energy_is_charged_at_the_price_of_its_moment() {
        let day = tariff("8:00-20:00=6, 20:00-8:00=2");
        let (from, to) = (at("2026-01-05T19:00:00+00:00"), at("2026-01-05T23:00:00+00:00"));
        // One hour at 6 and three at 2, a quarter of a kWh each.
        assert!((day.cost(KilowattHours(1.0), from, to) - 3.0).abs() < 1e-12);
        assert!((day.cost(KilowattHours(1.0), from, from) - 6.0).abs() < 1e-12);
    }

    #[test]
    fn the_ends_of_time_do_not_panic() {
        let day = tariff("8:00-20:00=6, 20:00-8:00=2");
        for end in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            for hours in [-12, 12] {
                let zone = FixedOffset::east_opt(hours * 3600).unwrap();
                let end = zone.from_utc_datetime(&end.naive_utc());
                assert!(day.price_at(end) > 0.0);
                let _ = day.next_edge(end);
            }
        }
    }
}
