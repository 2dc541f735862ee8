//! The logs that a command works on: those of its arguments, or the one in force.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use eco2ai::get_params;

use crate::failure::Result;
use crate::output::{error, print};

// Not a doc comment: it would become the help text of each command.
// The logs of a command that takes one or more.
#[derive(clap::Args)]
pub(crate) struct LogFiles {
    /// One or more logs
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

impl LogFiles {
    /// Returns the paths, in the order of the arguments.
    pub(crate) fn paths(&self) -> &[PathBuf] {
        &self.files
    }

    /// Calls `work` on each log and prints what it returns. A failure is printed and does not keep
    /// `work` from the other logs.
    pub(crate) fn for_each<T: Display>(&self, work: impl Fn(&Path) -> eco2ai::Result<T>) -> Result {
        let mut code = ExitCode::SUCCESS;
        for file in &self.files {
            match work(file) {
                Ok(done) => print(format_args!("{}: {done}", file.display()))?,
                Err(failed) => {
                    error(failed.with_causes());
                    code = ExitCode::FAILURE;
                }
            }
        }
        Ok(code)
    }
}

/// Returns the log in force: of the environment or the saved parameters, or else `emission.csv`.
pub(crate) fn log_in_force() -> String {
    get_params().get("file").and_then(|file| file.value.clone()).unwrap_or_default()
}
