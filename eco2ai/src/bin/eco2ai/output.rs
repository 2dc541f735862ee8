//! Output to the user: results to standard output, messages to standard error.

use std::fmt::Display;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anstyle::{AnsiColor, Style};

use crate::failure::{ExitCode, Failure, Result};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();

/// Prints a result and a newline to standard output.
pub(crate) fn print(text: impl Display) -> Result<()> {
    write(|to| writeln!(to, "{text}"))
}

/// Calls `write` with standard output, then flushes it. Where it is no terminal, styles are left
/// out.
pub(crate) fn write(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    write_to(anstream::stdout().lock(), write)
}

/// Same as [`write`], but for programs: nothing is left out of the data.
pub(crate) fn write_data(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    write_to(io::stdout().lock(), write)
}

fn write_to(
    output: impl Write,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    // Standard output writes each line by itself.
    let mut output = BufWriter::new(output);
    write(&mut output).and_then(|()| output.flush()).map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => Failure::closed_pipe(),
        _ => Failure::new(format!("standard output: {error}")),
    })
}

/// Prints an error to standard error.
pub(crate) fn error(message: impl Display) {
    print_message(ERROR, message);
}

/// Prints a warning to standard error: something that did not stop the command.
pub(crate) fn warning(message: impl Display) {
    print_message(WARNING, message);
}

/// Prints a line without a prefix to standard error.
pub(crate) fn note(text: impl Display) {
    // Not `eprintln!`, which panics if standard error is closed.
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Prints an empty line to standard error if that is a terminal, on which the cursor may stand behind
/// the last output of another program.
pub(crate) fn separate() {
    if io::stderr().is_terminal() {
        note("");
    }
}

fn print_message(style: Style, message: impl Display) {
    note(format_args!("{style}eco2ai:{style:#} {message}"));
}

/// Prints the message of a failure, if it has one, and returns its exit code.
#[allow(clippy::needless_pass_by_value, reason = "a failure is reported once")]
pub(crate) fn report_failure(failure: Failure) -> ExitCode {
    if let Some(message) = failure.message() {
        error(message);
    }
    failure.exit_code()
}

/// Prints the library's warnings to standard error, or only its errors.
pub(crate) fn print_library_warnings(enabled: bool) {
    static LOGGER: Logger = Logger;
    if log::set_logger(&LOGGER).is_ok() {
        log::set_max_level(if enabled { log::LevelFilter::Warn } else { log::LevelFilter::Error });
    }
}

/// Runs `work`, whose own output has the terminal, and prints the library's warnings of that time
/// after it.
pub(crate) fn hold_library_warnings<T>(work: impl FnOnce() -> T) -> T {
    *held() = Some(Vec::new());
    let done = work();
    for text in held().take().unwrap_or_default() {
        warning(text);
    }
    done
}

/// Returns the warnings that are held; `None` if they are printed at once.
fn held() -> MutexGuard<'static, Option<Vec<String>>> {
    static HELD: Mutex<Option<Vec<String>>> = Mutex::new(None);
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Logger;

impl log::Log for Logger {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &log::Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        match &mut *held() {
            Some(texts) => texts.push(record.args().to_string()),
            None => warning(record.args()),
        }
    }

    fn flush(&self) {}
}
