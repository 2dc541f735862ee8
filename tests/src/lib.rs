//! Rigs for the integration tests.

#![allow(clippy::must_use_candidate)]
#![allow(missing_docs, reason = "fields of rigs say it by their names")]

pub use ::fake_nvml::curve;

pub mod bench;
pub mod countries;
#[cfg(unix)]
pub mod fake_nvml;
pub mod fake_tree;
pub mod hard_runs;
pub mod program;
pub mod rows;
pub mod scripted;
#[cfg(target_os = "linux")]
pub mod worker;
