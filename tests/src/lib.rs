//! Rigs for the integration tests.

#![allow(clippy::must_use_candidate)]

pub mod curve;
pub mod fake_tree;
