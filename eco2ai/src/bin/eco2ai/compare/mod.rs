//! `eco2ai compare`: what changed from one log, or period, to another.

mod comparison;
mod samples;
mod table;
mod welch;

use std::path::PathBuf;

use chrono::{DateTime, FixedOffset};
use clap::ValueEnum;
use eco2ai::read_logs;
use eco2ai::units::Percent;

use crate::failure::{ExitCode, Failure, Result, WORSE_THAN_ALLOWED};
use crate::log_files::logs_of;
use crate::moment::Moment;
use crate::output::{error, print, warning, write_data};
use comparison::{FunctionChanges, Verdict, compare as compare_runs};
use samples::{Runs, read};
use table::table;

/// Compares the energy, time and CO2 of each function between two logs, or before and after a time
///
/// The figures are means per call, with the standard deviation over the runs; energy and CO2 are own
/// ones, without those of nested runs. A verdict needs three runs on both sides, and a difference that
/// stands out of their noise: Welch's t test, with at most one wrong verdict in twenty comparisons,
/// however many functions each has. A training is one run. Runs that failed are left out.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CompareArgs {
    /// The log before, a folder of logs, or a pattern such as 'before/*.csv'
    before: PathBuf,
    /// The log after; not needed with --split
    #[arg(required_unless_present = "split", conflicts_with = "split")]
    after: Option<PathBuf>,
    /// Compares the runs of one log that started before this date, time or age with the later ones
    #[arg(long, value_name = "TIME")]
    split: Option<Moment>,
    /// Leaves out runs that started before this year, month, day, time or age: 2026-01, 7d
    #[arg(long, value_name = "TIME")]
    since: Option<Moment>,
    /// Leaves out runs that started later; a day or month itself is included
    #[arg(long, value_name = "TIME")]
    until: Option<Moment>,
    /// Exits with code 4 if a function needs more energy by more than this, such as 10%, and the
    /// verdict is not noise
    #[arg(long, value_name = "PERCENT", value_parser = parse_percent)]
    fail_above: Option<f64>,
    /// Sets the output format
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
}

const EXAMPLES: &str = "\
Examples:
  eco2ai compare main.csv branch.csv --fail-above 10%
  eco2ai compare emission.csv --split 2026-02-01
  eco2ai compare emission.csv --since 14d --split 7d
  eco2ai compare --format json before/ after/ | jq '.functions[].own_energy_kwh.relative_change'

Exit codes:
  1  failure; with --fail-above also if no function has enough runs to compare
  2  wrong usage
  4  a function needs more energy than --fail-above allows";

#[derive(Clone, Copy, Default, ValueEnum)]
enum OutputFormat {
    /// A table with readable units
    #[default]
    Table,
    /// One object
    Json,
}

/// The object that is printed as JSON.
#[derive(serde::Serialize)]
struct Comparison<'a> {
    functions: &'a [FunctionChanges],
    fail_above_percent: Option<f64>,
    failed_runs_before: u64,
    failed_runs_after: u64,
}

pub(crate) fn compare(arguments: &CompareArgs) -> Result {
    let (before, after) = sides(arguments)?;
    for (failed, when) in [(before.failed, "before"), (after.failed, "after")] {
        if failed > 0 {
            let rows = if failed == 1 { "row of a run" } else { "rows of runs" };
            warning(format_args!("{when}: {failed} {rows} that failed left out"));
        }
    }
    let functions = compare_runs(&before, &after);
    match arguments.format {
        OutputFormat::Table if functions.is_empty() => print("no runs to compare")?,
        OutputFormat::Table => print(table(&functions))?,
        OutputFormat::Json => {
            let comparison = Comparison {
                functions: &functions,
                fail_above_percent: arguments.fail_above,
                failed_runs_before: before.failed,
                failed_runs_after: after.failed,
            };
            write_data(|to| {
                serde_json::to_writer_pretty(&mut *to, &comparison)?;
                writeln!(to)
            })?;
        }
    }
    match arguments.fail_above {
        None => Ok(ExitCode::SUCCESS),
        Some(percent) => judge(&functions, percent),
    }
}

/// Returns the runs of both sides.
fn sides(arguments: &CompareArgs) -> Result<(Runs, Runs)> {
    let (mut before, mut after) = (Runs::default(), Runs::default());
    let CompareArgs { since, until, split, .. } = arguments;
    let mut undated = 0_u64;
    let mut is_selected = |start: Option<DateTime<FixedOffset>>| {
        if since.is_none() && until.is_none() && split.is_none() {
            return true;
        }
        undated += u64::from(start.is_none());
        start.is_some_and(|start| {
            since.is_none_or(|since| start >= since.first)
                && until.is_none_or(|until| start < until.end)
        })
    };
    let records = read_logs(logs_of(&arguments.before)?)?;
    read(records, |record| {
        if !is_selected(record.start_time) {
            return;
        }
        match split {
            Some(split) if record.start_time >= Some(split.first) => after.add(record),
            _ => before.add(record),
        }
    })?;
    if let Some(path) = &arguments.after {
        read(read_logs(logs_of(path)?)?, |record| {
            if is_selected(record.start_time) {
                after.add(record);
            }
        })?;
    }
    if undated > 0 {
        warning("rows without a known date are left out of a period");
    }
    before.finish();
    after.finish();
    Ok((before, after))
}

/// Returns the exit code: whether a function needs more energy by more than `percent`.
///
/// # Errors
/// Returns an error if nothing could be compared, so that a check in CI cannot pass without runs.
fn judge(functions: &[FunctionChanges], percent: f64) -> Result {
    let verdicts = functions.iter().map(|function| function.own_energy_kwh.verdict);
    let is_judged =
        |verdict| matches!(verdict, Verdict::More | Verdict::Less | Verdict::WithinNoise);
    if !verdicts.into_iter().any(is_judged) {
        return Err(Failure::new(
            "--fail-above: no function has three successful runs both before and after; repeat \
             the work, as by a loop in CI",
        ));
    }
    let mut code = ExitCode::SUCCESS;
    for function in functions {
        let change = function.own_energy_kwh.relative.unwrap_or(0.0) * 100.0;
        if function.own_energy_kwh.verdict == Verdict::More && change > percent {
            let name =
                [&function.function, &function.project].into_iter().find(|it| !it.is_empty());
            let name = name.map_or("-", String::as_str);
            let (more, allowed) = (Percent(change / 100.0), Percent(percent / 100.0));
            error(format_args!("{name}: {more} more energy per call, {allowed} allowed"));
            code = WORSE_THAN_ALLOWED;
        }
    }
    Ok(code)
}

fn parse_percent(text: &str) -> std::result::Result<f64, &'static str> {
    match text.strip_suffix('%').unwrap_or(text).trim().parse() {
        Ok(percent) if (0.0..f64::INFINITY).contains(&percent) => Ok(percent),
        _ => Err("use a percentage, 0 or more, such as 10%"),
    }
}
