//! An electricity price as the user gives it.

use std::fmt;

pub(super) const MINUTES_OF_A_DAY: u16 = 24 * 60;

/// An electricity price as the user gives it: one price per kWh, or prices per kWh for intervals of
/// the day, in any currency.
///
/// Prices must be 0 or more; [`Tariff::new`](super::Tariff::new) checks them.
///
/// ```
/// use eco2ai::carbon::{Pricing, Tariff};
///
/// let nights = Pricing::Intervals(vec![("20:00-8:00".into(), 0.2), ("8:00-20:00".into(), 0.3)]);
/// assert!(Tariff::new(&nights).is_ok());
/// let gap = Pricing::Intervals(vec![("20:00-8:00".into(), 0.2)]);
/// assert!(Tariff::new(&gap).is_err(), "the day is not covered");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Pricing {
    /// One price per kWh at any time.
    Flat(f64),
    /// Prices per kWh by interval, as in `("8:30-19:00", 5.2)`. The intervals must cover the day
    /// without overlaps.
    Intervals(Vec<(String, f64)>),
    /// One price or prices by interval, as text: `0.3`, or `8:30-19:00=5.2, 19:00-8:30=3`.
    Text(String),
}

impl fmt::Display for Pricing {
    /// Writes the text form, unchecked.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flat(price) => write!(f, "{price}"),
            Self::Text(text) => f.write_str(text),
            Self::Intervals(intervals) => {
                let mut separator = "";
                for (times, price) in intervals {
                    write!(f, "{separator}{times}={price}")?;
                    separator = ", ";
                }
                Ok(())
            }
        }
    }
}

impl Pricing {
    /// Returns the minutes of the day at which the price changes, with the new prices, in ascending
    /// order. There is at least one; the last price applies over midnight until the first minute.
    ///
    /// # Errors
    /// Returns a text that names the invalid interval, the two that overlap, or the two with a gap
    /// between them.
    pub(super) fn edges(&self) -> Result<Vec<(u16, f64)>, String> {
        match self {
            Self::Flat(price) => Ok(vec![(0, checked(*price)?)]),
            Self::Intervals(intervals) => edges_of_intervals(intervals),
            Self::Text(text) => match text.trim().parse() {
                Ok(price) => Ok(vec![(0, checked(price)?)]),
                Err(_) => edges_of_intervals(&parse_intervals(text)?),
            },
        }
    }
}

/// An interval of the day in minutes; the end may be on the next day.
struct Interval<'a> {
    start: u16,
    end: u16,
    times: &'a str,
    price: f64,
}

/// A minute of the day, displayed as `8:30`.
pub(super) struct Clock(pub(super) u16);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{:02}", self.0 / 60, self.0 % 60)
    }
}

fn edges_of_intervals(given: &[(String, f64)]) -> Result<Vec<(u16, f64)>, String> {
    let mut intervals = Vec::with_capacity(given.len());
    for (times, price) in given {
        let (start, end) = parse_interval(times.trim())?;
        intervals.push(Interval { start, end, times: times.trim(), price: checked(*price)? });
    }
    intervals.sort_by_key(|interval| interval.start);
    cover_the_day_once(&intervals)?;
    let mut edges: Vec<(u16, f64)> =
        intervals.iter().map(|interval| (interval.start, interval.price)).collect();
    edges.dedup_by(|next, previous| same(next.1, previous.1));
    // The same over midnight: there the first edge is the one that changes nothing.
    if edges.len() > 1 && edges.first().zip(edges.last()).is_some_and(|(a, b)| same(a.1, b.1)) {
        edges.remove(0);
    }
    if let [(start, _)] = edges.as_mut_slice() {
        *start = 0;
    }
    Ok(edges)
}

/// Checks that each interval ends where the next one starts, the last one on the next day.
fn cover_the_day_once(sorted: &[Interval<'_>]) -> Result<(), String> {
    let Some(first) = sorted.first() else {
        return Err("it has no price; write `0.3` or `8:30-19:00=5.2, 19:00-8:30=3`".to_owned());
    };
    let tomorrow = Interval { start: first.start + MINUTES_OF_A_DAY, ..*first };
    for (interval, next) in sorted.iter().zip(sorted.iter().skip(1).chain([&tomorrow])) {
        if interval.end > next.start {
            let (a, b) = (interval.times, next.times);
            return Err(format!("the intervals {a} and {b} overlap"));
        }
        if interval.end < next.start {
            let (end, start) = (Clock(interval.end), Clock(next.start % MINUTES_OF_A_DAY));
            let (a, b) = (interval.times, next.times);
            return Err(format!("there is no price from {end} to {start}, between {a} and {b}"));
        }
    }
    Ok(())
}

/// Reads `8:30-19:00=5.2, 19:00-8:30=3`.
fn parse_intervals(text: &str) -> Result<Vec<(String, f64)>, String> {
    text.split(',')
        .map(|part| {
            let (times, price) = part.split_once('=').ok_or_else(|| {
                let part = part.trim();
                format!("{part:?} is neither a price nor an interval like 8:30-19:00=5.2")
            })?;
            let price = price.trim();
            let number = price.parse().map_err(|_| format!("{price:?} is not a price"))?;
            Ok((times.trim().to_owned(), number))
        })
        .collect()
}

/// Reads `8:30-19:00` as minutes; an end that is not after its start is on the next day.
fn parse_interval(times: &str) -> Result<(u16, u16), String> {
    let Some((start, end)) = times.split_once('-') else {
        return Err(format!("{times:?} is not an interval like 8:30-19:00"));
    };
    let (start, end) = (parse_clock(start)?, parse_clock(end)?);
    if start == end {
        return Err(format!("{times:?} starts where it ends; the whole day is 0:00-24:00"));
    }
    if start == MINUTES_OF_A_DAY {
        return Err(format!("{times:?} starts at 24:00; write 0:00"));
    }
    Ok((start, if end > start { end } else { end + MINUTES_OF_A_DAY }))
}

/// Reads `8:30` as a minute of the day, up to `24:00`.
fn parse_clock(text: &str) -> Result<u16, String> {
    let text = text.trim();
    let digits = |part: &str, most: usize| -> Option<u16> {
        let plain = part.bytes().all(|byte| byte.is_ascii_digit());
        (plain && (1..=most).contains(&part.len())).then(|| part.parse().ok())?
    };
    text.split_once(':')
        .and_then(|(hours, minutes)| Some((digits(hours, 2)?, digits(minutes, 2)?)))
        .filter(|(hours, minutes)| {
            *minutes < 60 && (*hours < 24 || (*hours == 24 && *minutes == 0))
        })
        .map(|(hours, minutes)| hours * 60 + minutes)
        .ok_or_else(|| format!("{text:?} is not a time like 8:30"))
}

fn checked(price: f64) -> Result<f64, String> {
    if price >= 0.0 && price.is_finite() {
        Ok(price)
    } else {
        Err(format!("a price per kWh is 0 or more, not {price}"))
    }
}

/// Returns whether two prices are equal. They are values given by the user, not results of
/// calculations.
pub(super) fn same(a: f64, b: f64) -> bool {
    a.total_cmp(&b).is_eq()
}
