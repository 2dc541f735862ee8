//! The energy counters of processors (RAPL), which Linux provides under `powercap`, for Intel and
//! AMD. Source for the names and files: Linux, Documentation/power/powercap/powercap.rst.

mod advice;
mod counters;
mod search;
mod time;
mod zone;

pub(super) use advice::{Substitutes, detect};
pub use counters::Rapl;
