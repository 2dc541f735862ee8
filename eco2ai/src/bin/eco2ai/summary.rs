//! `eco2ai summary`: the totals of logs.

use clap::ValueEnum;
use eco2ai::units::Price;
use eco2ai::{GroupBy, Summary, Totals};

use crate::budget::{Budgets, Spent};
use crate::failure::{ExitCode, OVER_BUDGET, Result};
use crate::log_files::LogFiles;
use crate::moment::Moment;
use crate::output::{error, print, warning, write_data};

/// Prints the totals of logs, of this tool and of Eco2AI, as if they were one
///
/// Energy, CO2 and cost are those of the runs' own energies, so they are counted once, even if runs
/// nest. By function and by run, the inclusive energy, with the runs under it, stands beside them.
/// Power is the average while a run was active. A log that is named twice and a row that is in
/// several logs are counted once. Invalid rows are left out; the first 20 are reported on standard
/// error with their lines. The file `-` is standard input.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SummaryArgs {
    #[command(flatten)]
    logs: LogFiles,
    /// Groups the rows by this property, or by several: project,month
    #[arg(
        long,
        value_enum,
        default_value = "project",
        value_name = "GROUP",
        value_delimiter = ','
    )]
    by: Vec<Grouping>,
    /// Leaves out runs that started before this year, month, day, time or age: 2026-01, 7d
    #[arg(long, value_name = "TIME")]
    since: Option<Moment>,
    /// Leaves out runs that started later; a day or month itself is included
    #[arg(long, value_name = "TIME")]
    until: Option<Moment>,
    /// Shows only the N groups with the largest energies, and the sum of the others
    #[arg(long, value_name = "N")]
    top: Option<usize>,
    #[command(flatten)]
    budgets: Budgets,
    /// Sets the output format
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
}

const EXAMPLES: &str = "\
Examples:
  eco2ai summary emission.csv
  eco2ai summary --by project,month node*/emission.csv
  eco2ai summary --by job --since 7d logs/
  eco2ai summary --since 2026-01 --until 2026-01 --budget-kwh 50 emission.csv
  eco2ai summary --by function --top 20 --format csv emission.csv > functions.csv
  zcat old.csv.gz | eco2ai summary --format json - | jq .total.energy_kwh

Exit codes:
  1  failure, such as a file that is not a log
  2  wrong usage
  3  a budget is exceeded";

#[derive(Clone, Copy, ValueEnum)]
enum Grouping {
    /// The project
    Project,
    /// The tracked function, or the program of `eco2ai run`
    Function,
    /// The description of the experiment
    Description,
    /// The run, by its id
    Run,
    /// The day of the start, in the time zone of the run
    Day,
    /// The week of the start, by ISO 8601
    Week,
    /// The month of the start
    Month,
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
            Grouping::Description => Self::Description,
            Grouping::Run => Self::Run,
            Grouping::Day => Self::Day,
            Grouping::Week => Self::Week,
            Grouping::Month => Self::Month,
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
    /// All figures in kWh, kg, seconds and watts, with Eco2AI's columns first
    Csv,
    /// One object
    Json,
}

/// The rest is counted.
const MAX_PRINTED_PROBLEMS: usize = 20;

pub(crate) fn summary(arguments: &SummaryArgs) -> Result {
    let (paths, standard_input) = arguments.logs.paths_and_standard_input()?;
    let mut options = Summary::options()
        .by(arguments.by.iter().map(|by| (*by).into()))
        .standard_input(standard_input);
    if let Some(since) = arguments.since {
        options = options.since(since.first);
    }
    if let Some(until) = arguments.until {
        options = options.until(until.end);
    }
    if let Some(top) = arguments.top {
        options = options.top(top);
    }
    let mut summary = options.read(&paths)?;
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
            write_data(|to| summary.write_csv_to(to))?;
        }
        OutputFormat::Json => {
            print_notes(&summary);
            summary.unusable_rows = unusable_rows;
            write_data(|to| {
                serde_json::to_writer_pretty(&mut *to, &summary)?;
                writeln!(to)
            })?;
        }
    }
    let Totals { energy, co2, cost, .. } = summary.total;
    arguments.budgets.check_cost(cost.is_some())?;
    let spent = Spent { energy, co2, cost: Price(cost.unwrap_or_default()) };
    let exceeded = arguments.budgets.exceeded(spent);
    for message in &exceeded {
        error(message);
    }
    Ok(if exceeded.is_empty() { ExitCode::SUCCESS } else { OVER_BUDGET })
}

/// Prints the notes for a format that does not contain them.
fn print_notes(summary: &Summary) {
    for note in summary.notes() {
        warning(note);
    }
}
