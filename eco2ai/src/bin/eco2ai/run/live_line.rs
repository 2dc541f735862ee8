//! The line on a terminal that shows a command's power and energy while it runs.

use std::io::{IsTerminal, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::Builder;
use std::time::Duration;

use eco2ai::Run;

use crate::live::{RunPower, clock};

const REDRAW_PERIOD: Duration = Duration::from_secs(1);
const CLEAR_LINE: &str = "\r\x1b[K";

/// Whether standard error can show a line that is redrawn.
pub(super) fn is_supported() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Redraws the line every second while `work` runs, then clears it.
pub(super) fn with_live_line<T>(run: &Run, work: impl FnOnce() -> T) -> T {
    std::thread::scope(|scope| {
        let (working, ended) = channel();
        // If no thread can be started, there is no line.
        let _ = Builder::new().spawn_scoped(scope, move || draw(run, &ended));
        let done = work();
        drop(working);
        done
    })
}

/// Draws the line until the other end of `ended` is dropped.
fn draw(run: &Run, ended: &Receiver<()>) {
    let mut power = RunPower::default();
    let mut is_drawn = false;
    while ended.recv_timeout(REDRAW_PERIOD) == Err(RecvTimeoutError::Timeout) {
        let record = run.snapshot();
        let (energy, co2) = (record.energy, record.co2);
        let (time, power) = (clock(record.duration), power.update(record.duration, energy));
        // The cursor returns to the start, so that output of the command replaces the line.
        write_stderr(&format!("{CLEAR_LINE}{time}  {power}  {energy}  {co2}\r"));
        is_drawn = true;
    }
    if is_drawn {
        write_stderr(CLEAR_LINE);
    }
}

/// Writes at once, so that the text does not mix with output of the command.
fn write_stderr(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}
