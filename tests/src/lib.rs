//! Rigs for the integration tests.

#![allow(clippy::must_use_candidate)]

#[cfg(unix)]
pub mod fake_nvml;
pub mod fake_tree;
