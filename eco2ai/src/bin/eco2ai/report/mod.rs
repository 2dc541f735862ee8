//! `eco2ai report`: one self-contained page about a log, or many.

use std::path::PathBuf;

use crate::failure::{Failure, Result};

/// Writes one self-contained HTML page about logs.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Logs to read.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Where the page goes.
    #[arg(short, long, default_value = "report.html")]
    output: PathBuf,
}

/// Reads the logs and writes the page.
pub(crate) fn report(arguments: &Arguments) -> Result {
    Err(Failure::new(format!(
        "no page about {} logs in {} yet",
        arguments.files.len(),
        arguments.output.display()
    )))
}
