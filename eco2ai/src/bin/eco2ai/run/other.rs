//! The command as a child process on other systems. If a signal ends this process, the next tracker
//! on the log writes the row.
#![allow(clippy::unnecessary_wraps, clippy::unused_self, reason = "Linux needs them")]

use std::io;
use std::process::{Child, ExitStatus};

/// Waits for the end of the command.
pub(super) struct Supervisor;

impl Supervisor {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self)
    }

    /// Waits until the command ends.
    pub(super) fn wait(&self, child: &mut Child) -> io::Result<ExitStatus> {
        child.wait()
    }

    /// Returns `None`: a signal that asks this process to end ends it.
    pub(super) fn ending_signal(&self) -> Option<i32> {
        None
    }
}
