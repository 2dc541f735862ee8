#![doc = include_str!("../README.md")]

mod carbon;
mod error;
mod log;
mod report;
pub mod sensor;
mod settings;
mod tracker;
pub mod units;

#[doc(hidden)]
#[path = "track.rs"]
pub mod __private;

pub use carbon::Pricing;
pub use eco2ai_macros::track;
pub use error::{Error, Result};
pub use log::{Problem, Record, Records, Status, Summary, Totals, read_log, recover, summary};
pub use settings::{CpuProcesses, EncodeFile, Params, Rows};
pub use tracker::{Run, RunHandle, Tracker, TrackerBuilder};
