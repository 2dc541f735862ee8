//! The command as a child process on Linux: signals are passed on, and its orphans become ours.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;

use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, getpid, kill_process, pidfd_open, pidfd_send_signal,
    set_child_subreaper, wait,
};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::origin::WithOrigin;
use signal_hook::low_level::siginfo::{Cause, Origin};

use crate::output::warning;

/// Signals that a user sends to this process but means for the command.
const PASSED_ON: [i32; 6] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2];

/// Those after which no further run of the command starts.
const ENDING: [i32; 4] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];

/// Passes on signals to the command and waits for its end, for one command after another.
pub(super) struct Supervisor {
    passed_on: Arc<Mutex<PassedOn>>,
}

impl Supervisor {
    /// Must be called before the first child is started: a signal that arrives in between is kept.
    pub(super) fn new() -> io::Result<Self> {
        // A descendant that loses its parent becomes our child, so it is still measured. If the
        // kernel refuses, only such orphans are lost.
        let _ = set_child_subreaper(Some(getpid()));
        // The child must still ignore what we were started to ignore, as under `nohup`.
        let ignored = ignored_signals();
        let passed_on = PASSED_ON.iter().filter(|&&signal| ignored >> (signal - 1) & 1 == 0);
        // If SIGCHLD were ignored, the kernel would discard the exit status of children.
        let mut signals = SignalsInfo::<WithOrigin>::new(passed_on.chain([&SIGCHLD]))?;
        let passed_on = Arc::new(Mutex::new(PassedOn::default()));
        let state = Arc::clone(&passed_on);
        // On a thread of its own: SIGCHLD may be blocked, so waiting cannot rely on it. It ends with
        // this process.
        let passing_on = Builder::new().name("eco2ai-signals".into()).spawn(move || {
            for origin in signals.forever().filter(|origin| origin.signal != SIGCHLD) {
                lock(&state).pass_on(&origin);
            }
        });
        if let Err(error) = passing_on {
            warning(format_args!("signals are not passed on: {error}"));
        }
        Ok(Self { passed_on })
    }

    /// Passes on signals until the command itself ends. Other children, which were orphans, are only
    /// reaped.
    pub(super) fn wait(&self, child: &mut Child) -> io::Result<ExitStatus> {
        let command = CommandProcess::new(child);
        let pid = command.pid;
        lock(&self.passed_on).start(command);
        let status = loop {
            match wait(WaitOptions::empty()) {
                Ok(Some((ended, status))) if ended == pid => {
                    break Ok(ExitStatus::from_raw(status.as_raw()));
                }
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => break Err(error.into()),
            }
        };
        lock(&self.passed_on).command = None;
        status
    }

    /// Returns the signal that asked this process to end, if one did.
    pub(super) fn ending_signal(&self) -> Option<i32> {
        lock(&self.passed_on).ending
    }
}

fn lock(state: &Mutex<PassedOn>) -> MutexGuard<'_, PassedOn> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The command that gets the signals, and those that arrived before it started.
#[derive(Default)]
struct PassedOn {
    command: Option<CommandProcess>,
    early: Vec<i32>,
    ending: Option<i32>,
}

impl PassedOn {
    fn pass_on(&mut self, origin: &Origin) {
        let signal = origin.signal;
        if ENDING.contains(&signal) {
            self.ending = self.ending.or(Some(signal));
        }
        // The terminal signals the whole group, so the command already has those.
        if origin.cause == Cause::Kernel {
            return;
        }
        match &self.command {
            Some(command) => command.signal(signal),
            None => self.early.push(signal),
        }
    }

    fn start(&mut self, command: CommandProcess) {
        for signal in self.early.drain(..) {
            command.signal(signal);
        }
        self.command = Some(command);
    }
}

/// The process of the command.
struct CommandProcess {
    pid: Pid,
    /// Never refers to another process, even once this one is reaped. Requires Linux 5.3.
    file: Option<OwnedFd>,
}

impl CommandProcess {
    fn new(child: &Child) -> Self {
        let pid = Pid::from_child(child);
        Self { pid, file: pidfd_open(pid, PidfdFlags::empty()).ok() }
    }

    fn signal(&self, signal: i32) {
        let Some(signal) = Signal::from_named_raw(signal) else { return };
        // Fails if the command has just ended or runs as another user.
        let _ = match &self.file {
            Some(file) => pidfd_send_signal(file, signal),
            None => kill_process(self.pid, signal),
        };
    }
}

/// Returns the signals that this process was started to ignore, as bits: signal 1 is bit 0.
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
