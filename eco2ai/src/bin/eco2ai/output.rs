//! Writing to the user: results to standard output, all else to standard error.

use std::fmt::Display;
use std::io::{ErrorKind, Write};

use anstyle::{AnsiColor, Style};

use crate::failure::{Failure, Result};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();

/// Writes a result, with a new line, to standard output.
pub(crate) fn print(text: impl Display) -> Result<()> {
    write(|to| writeln!(to, "{text}"))
}

/// Has `write` write to standard output.
pub(crate) fn write(write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<()> {
    let mut output = anstream::stdout().lock();
    write(&mut output).and_then(|()| output.flush()).map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => Failure::closed_pipe(),
        _ => Failure::new(format!("standard output: {error}")),
    })
}

/// Tells of an error on standard error.
pub(crate) fn error(message: impl Display) {
    tell(ERROR, message);
}

/// Tells on standard error of something that the command went on after.
pub(crate) fn warning(message: impl Display) {
    tell(WARNING, message);
}

/// Writes to standard error, where anybody listens.
pub(crate) fn note(text: impl Display) {
    // Not `eprintln!`: it panics where standard error is closed.
    let _ = writeln!(anstream::stderr(), "{text}");
}

fn tell(style: Style, message: impl Display) {
    note(format_args!("{style}eco2ai:{style:#} {message}"));
}

/// Has the library's warnings told on standard error, or kept silent.
pub(crate) fn tell_warnings(tell: bool) {
    static LOGGER: Logger = Logger;
    if log::set_logger(&LOGGER).is_ok() {
        log::set_max_level(if tell { log::LevelFilter::Warn } else { log::LevelFilter::Error });
    }
}

struct Logger;

impl log::Log for Logger {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            warning(record.args());
        }
    }

    fn flush(&self) {}
}
