#![doc = include_str!("../README.md")]

mod argument;
mod carbon;
mod disable;
mod error;
mod function_name;
mod log;
mod report;
pub mod sensor;
mod settings;
mod tracker;
pub mod units;

#[doc(hidden)]
#[path = "track.rs"]
pub mod __private;

pub use argument::Argument;
pub use carbon::Pricing;
pub use eco2ai_macros::{set_params, track};
pub use error::{Error, Result};
pub use log::{Record, Status};
pub use settings::{CpuProcesses, EncodeFile, Params, Rows};
pub use tracker::{Run, RunHandle, Tracker, TrackerBuilder};
