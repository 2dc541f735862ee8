//! From energy to CO2 and money: the place, its carbon intensity, the price.

pub(crate) mod place;
pub(crate) mod tariff;

pub use tariff::Pricing;
