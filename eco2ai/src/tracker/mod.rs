//! Trackers and runs: a [`Tracker`] holds parameters, a [`Run`] is one tracked piece of work.

mod active;
mod builder;
mod config;
mod context;
mod detached;
mod handle;
mod held;
mod journal_groups;
mod open_runs;
mod run;
mod sums;
#[expect(clippy::module_inception, reason = "the type that the module is about")]
mod tracker;
mod training;
mod upkeep;

pub(crate) use active::ActiveRun;
pub use builder::TrackerBuilder;
pub(crate) use config::RunConfig;
pub use detached::{DetachedRun, Entered};
pub use handle::RunHandle;
pub use run::Run;
pub use tracker::Tracker;
pub use training::Training;
pub use upkeep::flush;
