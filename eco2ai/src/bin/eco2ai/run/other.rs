//! The child where nothing more is known than to start it and to wait for it. A signal that ends
//! this process leaves its row to the next tracker on the log.

use std::io;
use std::process::{Child, Command, ExitStatus};

/// Stands between the command and who started us.
pub(super) struct Supervisor;

impl Supervisor {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self)
    }

    /// Starts the command, with our standard streams.
    pub(super) fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        command.spawn()
    }

    /// Waits until the command ends.
    pub(super) fn wait(self, child: &mut Child) -> io::Result<ExitStatus> {
        child.wait()
    }
}
