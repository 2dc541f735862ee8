//! The child on Linux: signals go to it, and orphans of its stay ours.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::thread::{Builder, scope};

use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, getpid, kill_process, pidfd_open, pidfd_send_signal,
    set_child_subreaper, wait,
};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::origin::WithOrigin;
use signal_hook::low_level::siginfo::Cause;

use crate::output::warning;

/// What somebody may send to us and mean the command.
const PASSED_ON: [i32; 6] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2];

/// Stands between the command and who started us.
pub(super) struct Supervisor {
    signals: SignalsInfo<WithOrigin>,
}

impl Supervisor {
    /// To be made before the child is: a signal that comes in between waits for it.
    pub(super) fn new() -> io::Result<Self> {
        // A descendant that loses its parent becomes our child, and so is measured on. Where the
        // kernel refuses, only these are lost.
        let _ = set_child_subreaper(Some(getpid()));
        // What was ignored stays so, for the child too: `nohup`, or a shell's background job.
        let ignored = ignored_signals();
        let passed_on = PASSED_ON.iter().filter(|&&signal| ignored >> (signal - 1) & 1 == 0);
        // Where SIGCHLD is ignored, the kernel forgets how children end.
        Ok(Self { signals: SignalsInfo::new(passed_on.chain([&SIGCHLD]))? })
    }

    /// Passes on signals until the command itself ends; whoever else becomes our child is only
    /// reaped.
    pub(super) fn wait(mut self, child: &mut Child) -> io::Result<ExitStatus> {
        let command = Command::of(child);
        let handle = self.signals.handle();
        scope(|scope| {
            // Not here, between two looks for children: SIGCHLD may be blocked.
            let passing_on =
                Builder::new().name("eco2ai-signals".into()).spawn_scoped(scope, || {
                    for origin in self.signals.forever() {
                        // What the terminal sends goes to the whole group: the command has it already.
                        if origin.signal != SIGCHLD && origin.cause != Cause::Kernel {
                            command.signal(origin.signal);
                        }
                    }
                });
            if let Err(error) = passing_on {
                warning(format_args!("signals are not passed on: {error}"));
            }
            let status = loop {
                match wait(WaitOptions::empty()) {
                    Ok(Some((ended, status))) if ended == command.pid => {
                        break Ok(ExitStatus::from_raw(status.as_raw()));
                    }
                    Ok(_) | Err(Errno::INTR) => {}
                    Err(error) => break Err(error.into()),
                }
            };
            handle.close();
            status
        })
    }
}

/// The command's process.
struct Command {
    pid: Pid,
    /// Names no other process once this one has been reaped. Linux 5.3 has it.
    file: Option<OwnedFd>,
}

impl Command {
    fn of(child: &Child) -> Self {
        let pid = Pid::from_child(child);
        Self { pid, file: pidfd_open(pid, PidfdFlags::empty()).ok() }
    }

    fn signal(&self, signal: i32) {
        let Some(signal) = Signal::from_named_raw(signal) else { return };
        // It fails where the command has just ended, or is another user's.
        let _ = match &self.file {
            Some(file) => pidfd_send_signal(file, signal),
            None => kill_process(self.pid, signal),
        };
    }
}

/// A bit for each signal that this process was started with as ignored: signal 1 is bit 0.
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
