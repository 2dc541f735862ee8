//! `--live`: the progress of a command in the title of the terminal.
//!
//! The screen belongs to the command, which may prompt, draw, or end a line later. The title is the
//! only place of a terminal that the command's own output cannot share.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::Builder;
use std::time::Duration;

use eco2ai::Run;

use crate::live::{RunPower, clock};
use crate::text_table::name_cell;

const UPDATE_PERIOD: Duration = Duration::from_secs(1);

/// Saves the title on the terminal's stack of titles, and restores it (xterm's `CSI 22 ; 2 t` and
/// `CSI 23 ; 2 t`). A terminal without that stack ignores both.
const SAVE: &str = "\x1b[22;2t";
const RESTORE: &str = "\x1b[23;2t";

/// The beginnings of the values of `TERM` for terminals that have a title which `OSC 2` sets. Others,
/// such as the Linux console, may show the sequence as text.
const WITH_TITLE: [&str; 15] = [
    "xterm",
    "screen",
    "tmux",
    "alacritty",
    "contour",
    "foot",
    "ghostty",
    "gnome",
    "kitty",
    "konsole",
    "mintty",
    "putty",
    "rxvt",
    "vte",
    "wezterm",
];

/// The title of the terminal that controls this process.
pub(super) struct Title {
    terminal: File,
}

impl Title {
    /// Opens the terminal.
    ///
    /// # Errors
    /// Returns why there is no title.
    pub(super) fn open() -> Result<Self, String> {
        let term = std::env::var("TERM").unwrap_or_default();
        if !cfg!(windows) && !WITH_TITLE.iter().any(|name| term.starts_with(name)) {
            return Err(match term.as_str() {
                "" => "TERM is not set, so the kind of the terminal is unknown".to_owned(),
                term => format!("a terminal of the kind {term} is not known to have a title"),
            });
        }
        let name = if cfg!(windows) { "CONOUT$" } else { "/dev/tty" };
        let terminal = OpenOptions::new().write(true).open(name);
        let terminal = terminal.map_err(|_| "there is no terminal".to_owned())?;
        Ok(Self { terminal })
    }

    /// Updates the title every second while `work` runs, then restores the previous one. `name` says
    /// in the title what runs.
    pub(super) fn show_while<T>(&self, name: &str, run: &Run, work: impl FnOnce() -> T) -> T {
        std::thread::scope(|scope| {
            let (working, ended) = channel();
            // If no thread can be started, the title stays as it is.
            let _ = Builder::new().spawn_scoped(scope, move || self.update(name, run, &ended));
            let done = work();
            drop(working);
            done
        })
    }

    /// Updates the title until the other end of `ended` is dropped.
    fn update(&self, name: &str, run: &Run, ended: &Receiver<()>) {
        let name = name_cell(name);
        let mut power = RunPower::default();
        let mut is_saved = false;
        while ended.recv_timeout(UPDATE_PERIOD) == Err(RecvTimeoutError::Timeout) {
            let record = run.snapshot();
            let (energy, co2) = (record.energy, record.co2);
            let (time, power) = (clock(record.duration), power.update(record.duration, energy));
            let save = if is_saved { "" } else { SAVE };
            is_saved |=
                self.write(&format!("{save}\x1b]2;{name}: {time}, {power}, {energy}, {co2}\x1b\\"));
        }
        if is_saved {
            self.write(RESTORE);
        }
    }

    /// Writes at once, so that the text does not mix with output of the command. Writes nothing and
    /// returns false if that would stop or block this process: in the background, or while the user
    /// holds the terminal with Ctrl-S.
    fn write(&self, text: &str) -> bool {
        self.is_writable() && (&self.terminal).write_all(text.as_bytes()).is_ok()
    }

    #[cfg(unix)]
    fn is_writable(&self) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        use rustix::process::getpgrp;
        use rustix::termios::tcgetpgrp;

        // A command such as an interactive shell takes the terminal for itself.
        let is_foreground = tcgetpgrp(&self.terminal).is_ok_and(|group| group == getpgrp());
        let mut terminal = [PollFd::new(&self.terminal, PollFlags::OUT)];
        is_foreground
            && poll(&mut terminal, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
    }

    #[cfg(not(unix))]
    #[allow(clippy::unused_self, reason = "Unix needs it")]
    fn is_writable(&self) -> bool {
        true
    }
}
