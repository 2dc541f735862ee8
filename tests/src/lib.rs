//! Rigs for the integration tests.

#![allow(clippy::must_use_candidate)]
#![allow(missing_docs, reason = "fields of rigs say it by their names")]

use std::task::{Context, Poll, Waker};

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

/// Drives a future that needs no reactor.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}
