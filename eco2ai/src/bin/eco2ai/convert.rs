//! `eco2ai convert`: the columns of this version for a log that lacks some.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::failure::Result;
use crate::output::{error, print};

/// Adds this version's columns to a log, which no run ever does
///
/// For logs of Eco2AI and of earlier versions. What is there stays, with the file's owner and mode;
/// the old file is kept beside it. Eco2AI for Python cannot write to the log afterwards.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Logs to convert
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  eco2ai convert emission.csv";

pub(crate) fn convert(arguments: &Arguments) -> Result {
    let mut code = ExitCode::SUCCESS;
    for file in &arguments.files {
        let name = file.display();
        match eco2ai::convert(file) {
            Ok(None) => print(format_args!("{name}: has all columns; nothing was done"))?,
            Ok(Some(done)) => {
                let left_out = match done.left_out {
                    0 => String::new(),
                    1 => "; 1 line of it is no row and is only there".into(),
                    lines => format!("; {lines} lines of it are no rows and are only there"),
                };
                print(format_args!(
                    "{name}: {} columns added to {} rows; the old file is {}{left_out}",
                    done.columns.len(),
                    done.rows,
                    done.old.display()
                ))?;
            }
            // The other logs are converted all the same.
            Err(failed) => {
                error(failed.with_causes());
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}
