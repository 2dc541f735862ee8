//! The parameters: the sources of their values, and how they are resolved.
//!
//! The value of a parameter comes from an argument, else from the run under which a run starts, else
//! from a variable `ECO2AI_*` of the environment, else from what this program remembers, else from
//! the saved parameters of the user, else it is the default. The environment and the files are read
//! once per process; values that this process writes apply from then on. An invalid value in them is
//! reported once, and the next source is used. An invalid argument is an error.

mod choices;
mod environment;
mod in_force;
mod kind;
mod params;
mod placeholders;
mod program_file;
mod resolve;
mod saved;
mod sources;
mod tariffs;
#[cfg(test)]
#[allow(clippy::float_cmp, reason = "values are taken over, not computed")]
mod tests;

pub use choices::{CpuProcesses, EncodeFile, Rows};
pub use environment::InvalidParam;
pub use in_force::{Origin, ParameterInForce, ParametersInForce, get_params};
pub use params::{Parameter, Params};
pub(crate) use placeholders::replace as replace_placeholders;
pub(crate) use resolve::Settings;
pub(crate) use sources::{generation, given_power, ignore_warnings, remember};
pub use sources::{invalid, save, saved_path, unset};
