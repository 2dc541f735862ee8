//! The changes of a price of electricity, asked for ahead of time.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::time::{Duration, SystemTime};

/// A price of electricity that changes with the time.
pub(crate) trait Prices: Send + Sync + Debug {
    /// The price per kWh.
    fn price_at(&self, time: SystemTime) -> f64;

    /// The first moment after `time` at which the price changes; none where it never does.
    fn next_change(&self, time: SystemTime) -> Option<SystemTime>;
}

/// A difference between the calendar and the time that passed which is no setting of the clock.
const CLOCK_SLACK: Duration = Duration::from_secs(1);

/// How far ahead the changes of a price are found, unless there are very many.
const AHEAD: Duration = Duration::from_secs(2 * 86_400);
const MAX_CHANGES_AHEAD: usize = 256;

/// The changes of a price from a moment on, as far as they were asked for.
#[derive(Debug)]
pub(crate) struct Forecast {
    /// Since when the price holds, at least.
    pub(super) since: SystemTime,
    pub(super) price: f64,
    /// Later changes, with the price from there on.
    pub(super) changes: VecDeque<(SystemTime, f64)>,
    /// Up to when no other change comes; none for ever.
    until: Option<SystemTime>,
}

impl Forecast {
    /// Asks `prices` for the changes from `from` until some time after `now`.
    pub(crate) fn new(prices: &dyn Prices, from: SystemTime, now: SystemTime) -> Self {
        let mut changes = VecDeque::new();
        let mut reached = from;
        let mut ahead = 0;
        let until = loop {
            // Never twice the same moment, whatever the prices say.
            let next = prices.next_change(reached).filter(|next| *next > reached);
            let Some(next) = next else { break None };
            let is_far = next.duration_since(now).is_ok_and(|ahead| ahead > AHEAD);
            if is_far || ahead == MAX_CHANGES_AHEAD {
                break next.checked_sub(Duration::from_nanos(1));
            }
            ahead += usize::from(next > now);
            changes.push_back((next, prices.price_at(next)));
            reached = next;
        };
        Self { since: from, price: prices.price_at(from), changes, until }
    }

    /// Advances to `now`.
    pub(super) fn pass(&mut self, now: SystemTime) {
        while let Some((at, price)) = self.changes.front().copied()
            && at <= now
        {
            (self.since, self.price) = (at, price);
            self.changes.pop_front();
        }
    }

    /// Whether it says nothing of the time from `began` to `now`.
    pub(super) fn is_outdated(&self, began: SystemTime, now: SystemTime) -> bool {
        Horizon::default().with(self).is_outdated(began, now)
    }
}

/// What is known of several forecasts together.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Horizon {
    /// The first moment up to which one of them is known; none for ever.
    until: Option<SystemTime>,
    /// The first change of a price.
    next: Option<SystemTime>,
    /// The last moment since when a price holds.
    since: Option<SystemTime>,
}

impl Horizon {
    fn with(mut self, forecast: &Forecast) -> Self {
        self.add(forecast);
        self
    }

    /// Adds a forecast.
    pub(super) fn add(&mut self, forecast: &Forecast) {
        let first = |known: Option<SystemTime>, other: Option<SystemTime>| {
            known.map_or(other, |known| Some(other.map_or(known, |other| known.min(other))))
        };
        self.until = first(self.until, forecast.until);
        self.next = first(self.next, forecast.changes.front().map(|(at, _)| *at));
        self.since = self.since.max(Some(forecast.since));
    }

    /// Whether a price changes up to `now`.
    pub(super) fn has_change_until(&self, now: SystemTime) -> bool {
        self.next.is_some_and(|next| next <= now)
    }

    /// Whether a forecast says nothing of the time from `began` to `now`: because that is too far
    /// ahead, or because the calendar was set, forwards over the next change or backwards behind the
    /// last.
    pub(super) fn is_outdated(&self, began: SystemTime, now: SystemTime) -> bool {
        let is_after = |later: SystemTime, earlier| {
            later.duration_since(earlier).is_ok_and(|by| by > CLOCK_SLACK)
        };
        self.until.is_some_and(|until| now > until)
            || self.next.is_some_and(|next| is_after(began, next))
            || self.since.is_some_and(|since| is_after(since, began))
    }
}
