//! The child on Linux: signals go to it, and orphans of its stay ours.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};

use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, set_child_subreaper, wait};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::origin::WithOrigin;
use signal_hook::low_level::siginfo::Cause;

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
        Ok(Self { signals: SignalsInfo::new(passed_on.chain([&SIGCHLD]))? })
    }

    /// Passes on signals until the command itself ends; whoever else becomes our child is only
    /// reaped. All in one thread, so that no signal can go to a process that has been reaped.
    pub(super) fn wait(mut self, child: &mut Child) -> io::Result<ExitStatus> {
        let child = Pid::from_child(child);
        loop {
            for origin in self.signals.wait() {
                // What the terminal sends goes to the whole group: the command has it already.
                if origin.signal != SIGCHLD
                    && origin.cause != Cause::Kernel
                    && let Some(signal) = Signal::from_named_raw(origin.signal)
                {
                    // It fails where the child has just ended, or is another user's.
                    let _ = kill_process(child, signal);
                }
            }
            while let Some((ended, status)) = wait(WaitOptions::NOHANG)? {
                if ended == child {
                    return Ok(ExitStatus::from_raw(status.as_raw()));
                }
            }
        }
    }
}

/// A bit for each signal that this process was started with as ignored: signal 1 is bit 0.
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
