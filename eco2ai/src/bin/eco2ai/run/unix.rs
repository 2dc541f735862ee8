//! The command as a child process on Unix: signals are passed on.

use std::io;
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;

use eco2ai::__private::is_ignored;
use rustix::process::Signal;
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};

#[cfg(target_os = "linux")]
use super::linux as system;
#[cfg(not(target_os = "linux"))]
use super::other as system;
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
        system::prepare();
        // The child must still ignore what we were started to ignore, as under `nohup`.
        let passed_on = PASSED_ON.iter().filter(|signal| !is_ignored(**signal));
        // If SIGCHLD were ignored, the kernel would discard the exit status of children.
        let mut signals = system::Signals::new(passed_on.chain([&SIGCHLD]))?;
        let passed_on = Arc::new(Mutex::new(PassedOn::default()));
        let state = Arc::clone(&passed_on);
        // On a thread of its own: SIGCHLD may be blocked, so waiting cannot rely on it. It ends with
        // this process.
        let passing_on = Builder::new().name("eco2ai-signals".into()).spawn(move || {
            for arrived in signals.forever() {
                let (signal, is_from_terminal) = system::origin(&arrived);
                if signal != SIGCHLD {
                    lock(&state).pass_on(signal, is_from_terminal);
                }
            }
        });
        if let Err(error) = passing_on {
            warning(format_args!("signals are not passed on: {error}"));
        }
        Ok(Self { passed_on })
    }

    /// Passes on signals until the command itself ends.
    pub(super) fn wait(&self, child: &mut Child) -> io::Result<ExitStatus> {
        lock(&self.passed_on).start(system::CommandProcess::new(child));
        system::wait_for_end(child, || lock(&self.passed_on).command = None)
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
    command: Option<system::CommandProcess>,
    early: Vec<Signal>,
    ending: Option<i32>,
}

impl PassedOn {
    fn pass_on(&mut self, signal: i32, is_from_terminal: bool) {
        if ENDING.contains(&signal) {
            self.ending = self.ending.or(Some(signal));
        }
        if is_from_terminal {
            return;
        }
        let Some(signal) = Signal::from_named_raw(signal) else { return };
        match &self.command {
            Some(command) => command.signal(signal),
            None => self.early.push(signal),
        }
    }

    fn start(&mut self, command: system::CommandProcess) {
        for signal in self.early.drain(..) {
            command.signal(signal);
        }
        self.command = Some(command);
    }
}
