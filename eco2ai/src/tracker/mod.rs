//! Trackers and runs: a [`Tracker`] holds parameters, a [`Run`] is one tracked piece of work.

mod active;
mod active_call;
mod builder;
mod config;
mod context;
mod detached;
mod energy_counter;
#[cfg(any(feature = "metrics", feature = "opentelemetry"))]
mod energy_series;
mod handle;
mod held;
mod journal_groups;
mod open_runs;
mod run;
mod sums;
#[expect(clippy::module_inception, reason = "the type that the module is about")]
mod tracker;
mod training;
#[cfg(any(feature = "metrics", feature = "opentelemetry"))]
mod under_way;
mod upkeep;

pub(crate) use active::ActiveRun;
pub(crate) use active_call::ActiveCall;
pub use builder::TrackerBuilder;
pub(crate) use config::RunConfig;
pub use detached::{DetachedRun, Entered};
pub use energy_counter::{ComponentEnergy, EnergyCounter, EnergyTotals};
#[cfg(any(feature = "metrics", feature = "opentelemetry"))]
pub(crate) use energy_series::EnergySeries;
#[cfg(feature = "opentelemetry")]
pub(crate) use energy_series::SeriesNow;
pub use handle::RunHandle;
pub use run::Run;
pub use tracker::Tracker;
pub use training::Training;
#[cfg(any(feature = "metrics", feature = "opentelemetry"))]
pub(crate) use under_way::records_under_way;
pub use upkeep::flush;
