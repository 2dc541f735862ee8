//! `eco2ai recover`: the rows of runs whose process was killed.

use std::path::Path;

use eco2ai::Unwritten;

use crate::failure::Result;
use crate::log_files::LogFiles;

/// Writes the rows of runs whose process was killed, with the status `interrupted`
///
/// A tracker also does this when it starts to use a log. Runs of living processes are not touched,
/// and each row is written once.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RecoverArgs {
    #[command(flatten)]
    logs: LogFiles,
}

const EXAMPLES: &str = "\
Examples:
  eco2ai recover emission.csv
  eco2ai recover logs/";

pub(crate) fn recover(arguments: &RecoverArgs) -> Result {
    arguments.logs.for_each(|file| match recover_one(file)? {
        1 => Ok("1 row recovered".to_owned()),
        rows => Ok(format!("{rows} rows recovered")),
    })
}

fn recover_one(file: &Path) -> eco2ai::Result<usize> {
    let rows = eco2ai::recover(file)?;
    // A log whose only run was killed does not exist before it is recovered, and one whose only run
    // is in progress does not exist yet.
    if rows == 0
        && let Err(source) = file.metadata()
        && Unwritten::from_log(file)?.is_empty()
    {
        return Err(eco2ai::Error::Read { path: file.to_owned(), source });
    }
    Ok(rows)
}
