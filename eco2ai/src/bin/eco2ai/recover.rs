//! `eco2ai recover`: rows of runs whose process was killed.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::failure::Result;
use crate::output::{error, print};

/// Writes the rows of runs whose process was killed, with the status `interrupted`
///
/// A tracker does so by itself when it starts on a log; this needs none. Runs of living processes
/// are left alone, and each row is written once.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Logs to look after
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  eco2ai recover emission.csv";

pub(crate) fn recover(arguments: &Arguments) -> Result {
    let mut code = ExitCode::SUCCESS;
    for file in &arguments.files {
        match recover_one(file.clone()) {
            Ok(rows) => {
                let rows = if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") };
                print(format_args!("{}: {rows} recovered", file.display()))?;
            }
            // The other logs get their rows all the same.
            Err(failed) => {
                error(failed.with_causes());
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}

fn recover_one(file: PathBuf) -> eco2ai::Result<usize> {
    let rows = eco2ai::recover(&file)?;
    if rows == 0
        && let Err(source) = file.metadata()
    {
        return Err(eco2ai::Error::Read { path: file, source });
    }
    Ok(rows)
}
