#![doc = include_str!("../README.md")]

pub mod carbon;
mod error;
mod log;
pub mod meter;
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
pub use log::{Record, Status};
pub use sensor::{Devices, available_devices};
pub use settings::{
    CpuProcesses, EncodeFile, Origin, ParameterInForce, ParametersInForce, Params, Rows,
    get_params, save as save_params,
};
pub use tracker::{Run, RunHandle, Tracker, TrackerBuilder, Training};
