//! `eco2ai summary`: the totals of logs.

use std::process::ExitCode;

use clap::ValueEnum;
use eco2ai::{GroupBy, Summary};

use crate::failure::{Failure, Result};
use crate::log_files::LogFiles;
use crate::output::{print, warning, write};

/// Prints the totals of logs, of this tool and of Eco2AI, as if they were one
///
/// Energy, CO2 and cost are counted once, even if runs nest. Invalid rows are left out; the first 20
/// are reported on standard error with their lines.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SummaryArgs {
    #[command(flatten)]
    logs: LogFiles,
    /// Groups the rows by this property
    #[arg(long, value_enum, default_value_t, value_name = "GROUP")]
    by: Grouping,
    /// Sets the output format
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
}

const EXAMPLES: &str = "\
Examples:
  eco2ai summary emission.csv
  eco2ai summary --by day node*/emission.csv
  eco2ai summary --by job logs/
  eco2ai summary --by function --format csv emission.csv > functions.csv
  eco2ai summary --format json emission.csv | jq .total.energy_kwh";

#[derive(Clone, Copy, Default, ValueEnum)]
enum Grouping {
    /// The project
    #[default]
    Project,
    /// The tracked function, or the program of `eco2ai run`
    Function,
    /// The day of the start, in the time zone of the run
    Day,
    /// The machine
    Host,
    /// The job of a cluster, such as slurm:1234
    Job,
    /// The rank of the process in its job
    Rank,
    /// The user who ran the process
    User,
    /// The status: ok, error, panicked, interrupted
    Status,
}

impl From<Grouping> for GroupBy {
    fn from(grouping: Grouping) -> Self {
        match grouping {
            Grouping::Project => Self::Project,
            Grouping::Function => Self::Function,
            Grouping::Day => Self::Day,
            Grouping::Host => Self::Host,
            Grouping::Job => Self::Job,
            Grouping::Rank => Self::Rank,
            Grouping::User => Self::User,
            Grouping::Status => Self::Status,
        }
    }
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum OutputFormat {
    /// A table with readable units
    #[default]
    Table,
    /// Eco2AI's columns, in kWh, kg and seconds
    Csv,
    /// One object
    Json,
}

/// The rest is counted.
const MAX_PRINTED_PROBLEMS: usize = 20;

pub(crate) fn summary(arguments: &SummaryArgs) -> Result {
    let mut summary = Summary::read(&arguments.logs.paths()?, arguments.by.into())?;
    for problem in summary.problems.iter().take(MAX_PRINTED_PROBLEMS) {
        warning(format_args!("{problem}; row left out"));
    }
    let printed = summary.problems.len().min(MAX_PRINTED_PROBLEMS);
    let more = summary.unusable_rows - printed as u64;
    if more > 0 {
        warning(format_args!("{more} more rows left out"));
    }
    // The notes are only to contain what is not reported yet.
    let unusable_rows = std::mem::take(&mut summary.unusable_rows);
    match arguments.format {
        OutputFormat::Table => print(&summary)?,
        OutputFormat::Csv => {
            print_notes(&summary);
            write(|to| summary.write_csv_to(to))?;
        }
        OutputFormat::Json => {
            print_notes(&summary);
            summary.unusable_rows = unusable_rows;
            print(serde_json::to_string_pretty(&summary).map_err(Failure::new)?)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the notes for a format that does not contain them.
fn print_notes(summary: &Summary) {
    for note in summary.notes() {
        warning(note);
    }
}
