//! The command as a child process on Windows: Ctrl-C and Ctrl-Break are left to it. If this process
//! is ended, the next tracker on the log writes the row.
#![allow(clippy::unused_self, reason = "Linux needs it")]

use std::io;
use std::process::{Child, ExitStatus};

/// Waits for the end of the command.
pub(super) struct Supervisor;

impl Supervisor {
    /// Must be called before anything is measured and the child is started.
    pub(super) fn new() -> io::Result<Self> {
        eco2ai::__private::enter_own_job();
        // The console sends them to every process on it. The command decides what they mean, and
        // this process must outlive it to write the row.
        ctrlc::set_handler(|| {}).map_err(io::Error::other)?;
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
