//! `eco2ai report`: a self-contained page about one or more logs.

mod breakdown;
mod call_tree;
mod chart;
mod flame;
mod format;
mod index;
mod interner;
mod log_totals;
mod logs;
mod page;
mod timeline;

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::failure::{Failure, Result};
use crate::log_files::LogFiles;
use crate::output::{note, warning, write};

/// Writes a self-contained HTML page about logs
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ReportArgs {
    #[command(flatten)]
    logs: LogFiles,
    /// Writes the page to this file; `-` is standard output
    #[arg(short, long, default_value = "report.html", value_name = "FILE")]
    output: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  eco2ai report emission.csv
  eco2ai report logs/ --output june.html";

pub(crate) fn report(arguments: &ReportArgs) -> Result {
    let output = &arguments.output;
    // Fails before a long log is read.
    if is_log(output) {
        return Err(Failure::new(format!(
            "{} is an emission log and is not overwritten; choose another file with --output",
            output.display()
        )));
    }
    let files = &arguments.logs.paths()?;
    let logs = logs::Logs::read(files)?;
    for remark in &logs.notes {
        warning(remark);
    }
    let page = page::page(files, &logs)?;
    if output.as_os_str() == "-" {
        write(|to| to.write_all(page.as_bytes()))?;
        return Ok(ExitCode::SUCCESS);
    }
    replace_file(output, page.as_bytes()).map_err(|error| {
        Failure::new(format!("{}: {error}; choose a writable file with --output", output.display()))
    })?;
    note(format_args!("{}: {} KiB", output.display(), page.len().div_ceil(1024)));
    Ok(ExitCode::SUCCESS)
}

/// Whether the page would replace a log.
fn is_log(path: &Path) -> bool {
    path.metadata().is_ok_and(|file| file.is_file() && file.len() > 0)
        && eco2ai::read_log(path).is_ok()
}

/// Replaces a file at once: a reader sees the old content or the new one.
fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A device or a pipe is written to, not replaced.
    if path.metadata().is_ok_and(|there| !there.is_file()) {
        return fs::write(path, bytes);
    }
    let mut name = path.file_name().ok_or(ErrorKind::IsADirectory)?.to_owned();
    name.push(format!(".{}.tmp", uuid::Uuid::new_v4().simple()));
    let neighbour = path.with_file_name(name);
    // The name is random, so it cannot be a link that someone has placed there.
    let written = fs::File::create_new(&neighbour)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| fs::rename(&neighbour, path));
    if written.is_err() {
        // The file may not exist.
        let _ = fs::remove_file(&neighbour);
    }
    written
}
