#![doc = include_str!("../README.md")]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod argument;
pub mod carbon;
mod disable;
mod error;
mod exit;
mod file_lock;
mod foreign_functions;
mod function_name;
mod host;
mod job;
mod local_time;
mod locks;
mod log;
pub mod meter;
mod method;
#[cfg(any(feature = "metrics", feature = "opentelemetry"))]
mod metric_names;
#[cfg(feature = "metrics")]
pub mod metrics;
#[cfg(any(feature = "tower", feature = "tracing"))]
mod named_trackers;
#[cfg(feature = "opentelemetry")]
pub mod opentelemetry;
mod own_code;
mod process;
mod regular_file;
mod report;
mod run_sinks;
mod scope;
pub mod sensor;
mod settings;
mod status;
mod text_table;
#[cfg(feature = "tower")]
pub mod tower;
#[cfg(feature = "tracing")]
pub mod tracing;
mod tracker;
pub mod units;
mod user;
mod uuid;

#[doc(hidden)]
#[path = "track/mod.rs"]
pub mod __private;

pub use argument::Argument;
pub use carbon::Pricing;
pub use disable::is_disabled;
#[doc = include_str!("../docs/set_params.md")]
pub use eco2ai_macros::set_params;
#[doc = include_str!("../docs/track.md")]
pub use eco2ai_macros::track;
pub use error::{Error, InvalidArgument, Result};
pub use log::{
    Converted, Group, GroupBy, LogFollower, Problem, Record, Records, Summary, SummaryOptions,
    Totals, Unwritten, convert, live_runs, read_log, read_logs, recover, summary,
};
pub use meter::available_devices;
pub use method::{Method, ShareMark};
pub use scope::Scope;
pub use sensor::{CpuPower, Devices};
pub use settings::{
    CpuProcesses, EncodeFile, InvalidParam, Origin, Parameter, ParameterInForce, ParametersInForce,
    Params, Rows, get_params, invalid as invalid_params, save as save_params,
    saved_path as saved_params_path, unset as unset_params,
};
pub use status::Status;
pub use tracker::{
    ComponentEnergy, DetachedRun, EnergyCounter, EnergyTotals, Entered, Run, RunHandle, Tracker,
    TrackerBuilder, Training, flush,
};
