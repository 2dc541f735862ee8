//! The line on a terminal that tells of a command while it runs.

use std::io::{IsTerminal, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::Builder;
use std::time::Duration;

use eco2ai::Run;
use eco2ai::units::KilowattHours;

use super::clock;
use crate::watch::average;

const PERIOD: Duration = Duration::from_secs(1);
const CLEAR: &str = "\r\x1b[K";

/// Whether standard error shows a line that is drawn over and over.
pub(super) fn can_be_seen() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Draws the line each second while `work` goes on, then takes it away.
pub(super) fn while_there_is_one<T>(run: &Run, work: impl FnOnce() -> T) -> T {
    std::thread::scope(|scope| {
        let (working, ended) = channel();
        // Where there is no thread for it, there is no line.
        let _ = Builder::new().spawn_scoped(scope, move || draw(run, &ended));
        let done = work();
        drop(working);
        done
    })
}

/// Draws the line until the other end of `ended` is dropped.
fn draw(run: &Run, ended: &Receiver<()>) {
    let (mut since, mut before) = (Duration::ZERO, KilowattHours::ZERO);
    while ended.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
        let record = run.snapshot();
        let (time, energy) = (record.duration, record.power_consumption);
        let power = average(energy - before, time.saturating_sub(since));
        (since, before) = (time, energy);
        let co2 = record.co2_emissions;
        // The cursor goes back, so that what the command prints covers the line.
        show(&format!("{CLEAR}{}  {power}  {energy}  {co2}\r", clock(time)));
    }
    if since > Duration::ZERO {
        show(CLEAR);
    }
}

/// One write, so that it does not mix with what the command writes.
fn show(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}
