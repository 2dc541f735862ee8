//! The command as a child process on Unix systems other than Linux, such as macOS. This has not been
//! run there.

use std::fs::File;
use std::io;
use std::process::{Child, ExitStatus};

use rustix::io::retry_on_intr;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, getpgrp, kill_process, waitid};
use rustix::termios::tcgetpgrp;
use signal_hook::consts::{SIGINT, SIGQUIT};
use signal_hook::iterator::SignalsInfo;

/// The signals that arrive.
pub(super) type Signals = SignalsInfo;

/// Returns the number of a signal that arrived, and whether the terminal sent it. That goes to the
/// whole process group, so the command has it already. macOS does not say who sent it, so a signal
/// that a key sends counts as sent by the terminal while this process group is in its foreground.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "on Linux there is more than a number")]
pub(super) fn origin(signal: &i32) -> (i32, bool) {
    let foreground = || tcgetpgrp(File::open("/dev/tty")?).map_err(io::Error::from);
    let is_key = [SIGINT, SIGQUIT].contains(signal);
    (*signal, is_key && foreground().is_ok_and(|group| group == getpgrp()))
}

/// A descendant that loses its parent is lost here.
pub(super) fn prepare() {}

/// The process of the command.
pub(super) struct CommandProcess(Pid);

impl CommandProcess {
    pub(super) fn new(child: &Child) -> Self {
        Self(Pid::from_child(child))
    }

    pub(super) fn signal(&self, signal: Signal) {
        // Fails if the command has ended or runs as another user.
        let _ = kill_process(self.0, signal);
    }
}

/// Waits for the end of the command, calls `forget`, and only then frees its id, which then may be
/// that of another process.
pub(super) fn wait_for_end(child: &mut Child, forget: impl FnOnce()) -> io::Result<ExitStatus> {
    let ended = || waitid(WaitId::Pid(Pid::from_child(child)), END);
    retry_on_intr(ended)?;
    if !eco2ai::is_disabled() {
        // The last moment at which macOS reports the energy of the command.
        eco2ai::meter::Meter::process().read();
    }
    forget();
    child.wait()
}

/// The end of a child, which remains to be waited for.
const END: WaitIdOptions = WaitIdOptions::EXITED.union(WaitIdOptions::NOWAIT);

#[cfg(test)]
mod tests {
    use std::process::Command;

    use rustix::process::test_kill_process;

    use super::*;

    #[test]
    fn the_command_is_forgotten_while_its_id_is_still_its_own() {
        let mut child = Command::new("sh").args(["-c", "exit 3"]).spawn().unwrap();
        let pid = Pid::from_child(&child);
        let mut was_its_own = false;
        let status = wait_for_end(&mut child, || was_its_own = test_kill_process(pid).is_ok());
        assert_eq!(status.unwrap().code(), Some(3));
        assert!(was_its_own && test_kill_process(pid).is_err());
    }

    #[test]
    fn only_a_key_can_be_from_the_terminal() {
        for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGUSR1] {
            assert_eq!(origin(&signal), (signal, false));
        }
    }
}
