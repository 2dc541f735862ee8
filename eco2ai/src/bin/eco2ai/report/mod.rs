//! `eco2ai report`: one self-contained page about a log, or many.

mod chart;
mod flame;
mod logs;
mod names;
mod page;
mod parts;
mod text;
mod timeline;
mod tree;

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::failure::{Failure, Result};

/// Writes one self-contained HTML page about logs.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  eco2ai report emission.csv
  eco2ai report node-*/emission.csv --output june.html")]
pub(crate) struct Arguments {
    /// Logs to read.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Where the page goes; `-` for standard output.
    #[arg(short, long, default_value = "report.html")]
    output: PathBuf,
}

/// Reads the logs and writes the page.
pub(crate) fn report(arguments: &Arguments) -> Result {
    let output = &arguments.output;
    // Said before a long log is read.
    if is_log(output) {
        return Err(Failure::new(format!(
            "{} is an emission log and stays as it is; name another file with --output",
            output.display()
        )));
    }
    let logs = logs::Logs::read(&arguments.files)?;
    for note in &logs.notes {
        crate::output::warning(note);
    }
    let page = page::page(&arguments.files, &logs)?;
    if output.as_os_str() == "-" {
        let mut stdout = io::stdout().lock();
        return match stdout.write_all(page.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Failure::new(format!("standard output: {error}")))
            }
            _ => Ok(ExitCode::SUCCESS),
        };
    }
    write(output, page.as_bytes()).map_err(|error| {
        Failure::new(format!(
            "{}: {error}; name a file that can be written with --output",
            output.display()
        ))
    })?;
    anstream::eprintln!("{}: {} KiB", output.display(), page.len().div_ceil(1024));
    Ok(ExitCode::SUCCESS)
}

/// Whether there is a log that the page would replace.
fn is_log(path: &Path) -> bool {
    path.metadata().is_ok_and(|file| file.is_file() && file.len() > 0)
        && eco2ai::read_log(path).is_ok()
}

/// Writes a file as a whole: whoever reads it sees the old one or the new one.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A device or a pipe stays what it is.
    if path.metadata().is_ok_and(|there| !there.is_file()) {
        return fs::write(path, bytes);
    }
    let mut name = path.file_name().ok_or(ErrorKind::IsADirectory)?.to_owned();
    name.push(format!(".{}.tmp", uuid::Uuid::new_v4().simple()));
    let neighbour = path.with_file_name(name);
    // Nobody can have planted a link under that name.
    let written = fs::File::create_new(&neighbour)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| fs::rename(&neighbour, path));
    if written.is_err() {
        // Best effort: it may never have been there.
        let _ = fs::remove_file(&neighbour);
    }
    written
}
