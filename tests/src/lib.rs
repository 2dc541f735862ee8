//! Rigs for the integration tests.

pub mod curve;
pub mod scripted;
