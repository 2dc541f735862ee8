//! The arguments of `eco2ai run`.

use std::ffi::OsString;
use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::ValueHint;
use eco2ai::Params;

use super::tracker_options::TrackerOptions;
use crate::budget::Budgets;

/// Measures a command and every process it starts, and adds a row to the log
///
/// The command runs as it would without eco2ai: with the same streams, on the same terminal, and with
/// signals passed on. Nothing is printed before it ends. Measuring ends when the command itself ends; a
/// process that it leaves running is counted up to that moment.
///
/// If the command tracks itself, its runs are children of this one, and the own energy of this run is
/// without theirs.
///
/// Linux reports the CPU time of other processes in steps of 10 ms, so a very short command may
/// appear to use none.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES_AND_CODES)]
pub(crate) struct RunArgs {
    /// Prints errors only: no result, no warnings
    #[arg(short, long)]
    pub(super) quiet: bool,
    /// Writes the result as JSON to FILE, or else as the last line of standard error
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    #[allow(clippy::option_option, reason = "clap's form of an optional value")]
    pub(super) json: Option<Option<PathBuf>>,
    #[command(flatten)]
    pub(super) budgets: Budgets,
    /// Runs the command N times and prints mean, standard deviation and range of the figures
    ///
    /// Each run has a row of its own in the log. A run that fails is the last one. Budgets are for the
    /// mean of the runs.
    #[arg(short = 'n', long, value_name = "N", default_value = "1", value_parser = parse_runs)]
    pub(super) runs: NonZeroU32,
    /// Runs the command N times before, with all tracking turned off, so without rows
    #[arg(
        long,
        value_name = "N",
        default_value = "0",
        value_parser = parse_warmup,
        allow_negative_numbers = true
    )]
    pub(super) warmup: u32,
    /// Shows the progress in the title of the terminal
    ///
    /// The screen belongs to the command. `eco2ai watch` in another terminal shows more.
    #[arg(long)]
    pub(super) live: bool,
    /// The command and its arguments, which become the row's description
    #[arg(
        trailing_var_arg = true,
        required = true,
        value_name = "COMMAND",
        value_hint = ValueHint::CommandWithArguments
    )]
    pub(super) command: Vec<OsString>,
    #[command(flatten)]
    options: TrackerOptions,
}

const EXAMPLES_AND_CODES: &str = "\
Examples:
  eco2ai run -- ./train --epochs 10
  eco2ai run --project MNIST --country FR -- python train.py
  eco2ai run -n 10 --warmup 2 -- ./bench
  eco2ai run --budget-kwh 0.05 -- cargo test
  eco2ai run --quiet --json=energy.json -- make -j8

Exit codes:
  the code of the command; 128 + N if signal N ended it
  1    eco2ai failed: the command was not started, or its row is lost
  2    wrong usage, or an invalid parameter in the environment or a file
  3    the command succeeded but is over a budget; if the command itself
       returned 3, a message says so
  126  the command cannot be executed
  127  the command was not found";

fn parse_runs(text: &str) -> Result<NonZeroU32, &'static str> {
    text.parse().map_err(|_| "expected a whole number, 1 or more")
}

fn parse_warmup(text: &str) -> Result<u32, &'static str> {
    text.parse().map_err(|_| "expected a whole number, 0 or more")
}

impl RunArgs {
    /// Whether only errors are printed.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Returns the parameters that were given as options.
    pub(super) fn params(&self) -> &Params {
        &self.options.0
    }
}
