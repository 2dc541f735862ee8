//! From energy to CO2 and money: the place, its carbon intensity, the price.
//!
//! All figures are in tables inside the library, with their sources; nothing here opens a
//! connection.

mod cloud;
pub(crate) mod equivalents;
mod name;
pub(crate) mod place;
mod pricing;
mod table;
pub(crate) mod tariff;
mod time_zone;

pub use equivalents::{Equivalent, equivalents};
pub use place::{Place, WORLD_AVERAGE};
pub use pricing::Pricing;
pub use tariff::Tariff;
