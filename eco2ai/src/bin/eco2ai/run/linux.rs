//! What only Linux has for the command as a child process: who sent a signal, a handle to a process,
//! and orphans that become ours.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};

use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, getpid, kill_process, pidfd_open, pidfd_send_signal,
    set_child_subreaper, wait,
};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::origin::WithOrigin;
use signal_hook::low_level::siginfo::{Cause, Origin};

/// The signals that arrive.
pub(super) type Signals = SignalsInfo<WithOrigin>;

/// Returns the number of a signal that arrived, and whether the terminal sent it. That goes to the
/// whole process group, so the command has it already.
pub(super) fn origin(arrived: &Origin) -> (i32, bool) {
    (arrived.signal, arrived.cause == Cause::Kernel)
}

/// Must be called before the first child is started. A descendant that loses its parent becomes our
/// child, so it is still measured.
pub(super) fn prepare() {
    // If the kernel refuses, only such orphans are lost.
    let _ = set_child_subreaper(Some(getpid()));
}

/// The process of the command.
pub(super) struct CommandProcess {
    pid: Pid,
    /// Never refers to another process, even once this one is reaped. Requires Linux 5.3.
    file: Option<OwnedFd>,
}

impl CommandProcess {
    pub(super) fn new(child: &Child) -> Self {
        let pid = Pid::from_child(child);
        Self { pid, file: pidfd_open(pid, PidfdFlags::empty()).ok() }
    }

    pub(super) fn signal(&self, signal: Signal) {
        // Fails if the command has just ended or runs as another user.
        let _ = match &self.file {
            Some(file) => pidfd_send_signal(file, signal),
            None => kill_process(self.pid, signal),
        };
    }
}

/// Waits for the end of the command, and then calls `forget`. Other children, which were orphans, are
/// only reaped.
pub(super) fn wait_for_end(child: &mut Child, forget: impl FnOnce()) -> io::Result<ExitStatus> {
    let pid = Pid::from_child(child);
    let status = loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((ended, status))) if ended == pid => {
                break Ok(ExitStatus::from_raw(status.as_raw()));
            }
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => break Err(error.into()),
        }
    };
    forget();
    status
}
