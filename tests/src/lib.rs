//! Rigs for the integration tests.

#![allow(clippy::must_use_candidate)]

pub use ::fake_nvml::curve;

#[cfg(unix)]
pub mod fake_nvml;
pub mod fake_tree;
pub mod rows;
pub mod scripted;
