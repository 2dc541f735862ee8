//! The price of electricity, which may depend on the time of the day.

use chrono::{DateTime, Local};

use crate::error::Result;

/// An electricity price as the user gives it: one price per kWh, or prices for intervals of the
/// day. The currency is the user's own.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Pricing {
    /// One price per kWh at any time.
    Flat(f64),
    /// Prices per kWh by interval, `("8:30-19:00", 5.2)`; together they cover the day once.
    Intervals(Vec<(String, f64)>),
    /// Either of them as text: `0.3`, or `8:30-19:00=5.2, 19:00-8:30=3`.
    Text(String),
}

/// A checked price.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tariff {
    /// The same at any time.
    Flat(f64),
}

impl Tariff {
    pub(crate) fn new(pricing: &Pricing) -> Result<Self> {
        let _ = pricing;
        Ok(Self::Flat(0.0))
    }

    /// The price, where it is the same at any time.
    pub(crate) fn flat(&self) -> Option<f64> {
        let Self::Flat(price) = self;
        Some(*price)
    }

    /// Price per kWh at `time`.
    pub(crate) fn price_at(&self, time: DateTime<Local>) -> f64 {
        let _ = time;
        let Self::Flat(price) = self;
        *price
    }

    /// The first moment after `time` at which the price changes; `None` where it never does.
    pub(crate) fn next_edge(&self, time: DateTime<Local>) -> Option<DateTime<Local>> {
        let _ = time;
        None
    }
}
