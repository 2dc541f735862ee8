//! Where an export or a report goes: a file that is replaced at once, or standard output.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};

/// What is written to.
pub(crate) type Output<'a> = &'a mut (dyn Write + Send);

fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Returns the failure of writing to `path`.
pub(crate) fn failed(path: &Path, error: &io::Error) -> Failure {
    if !is_stdout(path) {
        return Failure::new(format!(
            "{}: {error}; choose a writable file with --output",
            path.display()
        ));
    }
    match error.kind() {
        ErrorKind::BrokenPipe => Failure::closed_pipe(),
        _ => Failure::new(format!("standard output: {error}")),
    }
}

/// # Errors
/// Returns an error if the output is a terminal, which cannot show a binary format.
pub(crate) fn refuse_terminal(path: &Path) -> Result<()> {
    if is_stdout(path) && io::stdout().is_terminal() {
        return Err(Failure::usage(
            "a terminal cannot show this format; choose a file with --output",
        ));
    }
    Ok(())
}

/// Calls `write` with the destination. A reader of a file sees the old content or the new one; if
/// `write` fails, the old one remains.
///
/// # Errors
/// Returns the error of `write`, or an error if the file cannot be written or is an emission log.
pub(crate) fn write_to(path: &Path, write: impl FnOnce(Output<'_>) -> Result<()>) -> Result<()> {
    let failed = |error| failed(path, &error);
    if is_stdout(path) {
        let mut output = BufWriter::new(io::stdout());
        write(&mut output)?;
        return output.flush().map_err(failed);
    }
    refuse_log(path)?;
    // A device or a pipe is written to, not replaced.
    if path.metadata().is_ok_and(|there| !there.is_file()) {
        let mut output = BufWriter::new(OpenOptions::new().write(true).open(path).map_err(failed)?);
        write(&mut output)?;
        return output.flush().map_err(failed);
    }
    let neighbour = Neighbour::new(path).map_err(failed)?;
    let mut output = BufWriter::new(File::create_new(&neighbour.0).map_err(failed)?);
    write(&mut output)?;
    output
        .into_inner()
        .map_err(io::IntoInnerError::into_error)
        .and_then(|file| file.sync_all())
        .and_then(|()| fs::rename(&neighbour.0, path))
        .map_err(failed)
}

/// # Errors
/// Returns an error if `path` is an emission log, which would be replaced.
pub(crate) fn refuse_log(path: &Path) -> Result<()> {
    let is_file = path.metadata().is_ok_and(|file| file.is_file() && file.len() > 0);
    if !is_file || eco2ai::read_log(path).is_err() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{} is an emission log and is not overwritten; choose another file with --output",
        path.display()
    )))
}

/// A path beside another, which holds no file at the end.
struct Neighbour(PathBuf);

impl Neighbour {
    fn new(path: &Path) -> io::Result<Self> {
        // Hidden, and without the ending by which others find their files. The name is random, so it
        // cannot be a link that someone has placed there.
        let name = path.file_name().ok_or(ErrorKind::IsADirectory)?.to_string_lossy();
        let name = format!(".{name}.{}.tmp", uuid::Uuid::new_v4().simple());
        Ok(Self(path.with_file_name(name)))
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        // It was renamed if all went well.
        let _ = fs::remove_file(&self.0);
    }
}
