//! Converts energy to CO2 and money: places, their carbon intensities, and prices.
//!
//! All figures come from tables inside the library, which name their sources. This module does not
//! use the network.

mod cloud;
pub(crate) mod equivalents;
mod fold;
mod name;
pub(crate) mod place;
mod place_table;
mod pricing;
pub(crate) mod table;
pub(crate) mod tariff;
mod time_zone;

pub use equivalents::{Equivalent, EquivalentBasis, equivalents};
pub use place::{Place, WORLD_AVERAGE};
pub use pricing::Pricing;
pub use tariff::Tariff;
