//! The parameters: where each value comes from, and what they amount to.
//!
//! A parameter is an argument, else a variable `ECO2AI_*` of the environment, else saved, else the
//! default. Environment and saved file are read once per process; what this process saves itself
//! counts from then on. A wrong value in either is reported once and the next source serves, but a
//! wrong argument is an error.

mod choices;
mod in_force;
mod kind;
mod params;
mod resolve;
mod saved;
mod sources;
#[cfg(test)]
#[allow(clippy::float_cmp, reason = "values are taken over, not computed")]
mod tests;

pub use choices::{CpuProcesses, EncodeFile, Rows};
pub use in_force::{Origin, ParameterInForce, ParametersInForce, get_params};
pub use params::{Parameter, Params};
pub(crate) use resolve::Settings;
pub(crate) use sources::{generation, ignore_warnings, remember};
pub use sources::{save, saved_path, unset};
