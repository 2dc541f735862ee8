//! The child where nothing more is known than to start it and to wait for it. A signal that ends
//! this process leaves its row to the next tracker on the log.
#![allow(clippy::unnecessary_wraps, clippy::unused_self, reason = "there is more to do on Linux")]

use std::io;
use std::process::{Child, ExitStatus};

/// Stands between the command and who started us.
pub(super) struct Supervisor;

impl Supervisor {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self)
    }

    /// Waits until the command ends.
    pub(super) fn wait(self, child: &mut Child) -> io::Result<ExitStatus> {
        child.wait()
    }
}
