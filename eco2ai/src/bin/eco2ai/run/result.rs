//! The result of a command that has ended, and the exit code.

use std::borrow::Cow;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use eco2ai::units::{Joules, Price, Watts};
use eco2ai::{Record, Run};
use serde::Serialize;
use serde_json::{Map, Value};

use super::arguments::RunArgs;
use crate::budget::Spent;
use crate::failure::{ExitCode, Failure, OVER_BUDGET, Result};
use crate::output::{error, note, separate, warning};

/// The file of `--json=FILE`.
pub(super) struct JsonFile {
    path: PathBuf,
    file: File,
}

impl JsonFile {
    pub(super) fn create(path: &Path) -> Result<Self> {
        let file = File::create(path)
            .map_err(|error| Failure::usage(format!("--json={}: {error}", path.display())))?;
        Ok(Self { path: path.to_owned(), file })
    }

    fn write(mut self, text: &str) -> Result<()> {
        writeln!(self.file, "{text}")
            .map_err(|error| Failure::new(format!("{}: {error}", self.path.display())))
    }
}

/// Ends the run, reports what it used, and returns the exit code.
pub(super) fn finish(
    arguments: &RunArgs,
    run: Run,
    status: ExitStatus,
    json: Option<JsonFile>,
    log: &Path,
) -> Result {
    let code = exit_code(status);
    let record = stop(run, status)?;
    let Record { energy, co2, .. } = record;
    let exceeded =
        exceeded_budgets(arguments, Some(Spent { energy, co2, cost: Price(record.cost) }));
    let result = JsonResult {
        record: record_json(&record)?,
        command: command_words(arguments),
        exit_code: code,
        budget_exceeded: exceeded.as_ref().map(|exceeded| !exceeded.is_empty()),
    };
    let written = write_json(arguments, json, &result);
    if prints_text(arguments) {
        separate();
        note(format_args!("{record}\n  log   {}", log.display()));
    }
    code_with_budgets(arguments, code, &exceeded.unwrap_or_default(), written)
}

/// Ends the run and returns its record. A failure has the code of the command, if that failed too.
pub(super) fn stop(run: Run, status: ExitStatus) -> Result<Record> {
    let record = if status.success() { run.stop() } else { run.fail() };
    record.map_err(|error| Failure::from(error).with_code(exit_code(status).or(ExitCode::FAILURE)))
}

/// Returns whether the result is printed for people.
pub(super) fn prints_text(arguments: &RunArgs) -> bool {
    !arguments.quiet && !matches!(arguments.json, Some(None)) && !eco2ai::is_disabled()
}

/// Returns the exit code that a shell would return.
pub(super) fn exit_code(status: ExitStatus) -> ExitCode {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal = None::<i32>;
    let code = status.code().map(ExitCode).or(signal.map(code_of_signal));
    code.unwrap_or(ExitCode::FAILURE)
}

/// Returns the exit code of what a signal ended.
pub(super) fn code_of_signal(signal: i32) -> ExitCode {
    ExitCode(128 + signal)
}

/// Returns a message for each exceeded budget; `None` if nothing was measured. `spent` is `None` if no
/// run succeeded.
pub(super) fn exceeded_budgets(arguments: &RunArgs, spent: Option<Spent>) -> Option<Vec<String>> {
    if eco2ai::is_disabled() {
        if arguments.budgets.is_any() {
            warning("the budget is not checked because nothing was measured");
        }
        return None;
    }
    Some(spent.map(|spent| arguments.budgets.exceeded(spent)).unwrap_or_default())
}

/// Prints the exceeded budgets and returns the exit code; or the failure to write the JSON.
pub(super) fn code_with_budgets(
    arguments: &RunArgs,
    code: ExitCode,
    exceeded: &[String],
    written: Result<()>,
) -> Result {
    for budget in exceeded {
        error(budget);
    }
    if code == OVER_BUDGET && arguments.budgets.is_any() {
        error(format_args!("code {code} is that of the command itself, not of a budget"));
    }
    written.map_err(|failure| failure.with_code(code.or(ExitCode::FAILURE)))?;
    // The code of the command takes precedence over ours.
    Ok(code.or(if exceeded.is_empty() { ExitCode::SUCCESS } else { OVER_BUDGET }))
}

/// Returns the average power of a run; `None` if it took no time.
pub(super) fn average_power(record: &Record) -> Option<Watts> {
    (!record.duration.is_zero()).then(|| Joules::from(record.energy) / record.duration)
}

/// Returns the words of the command, as JSON can contain them.
pub(super) fn command_words(arguments: &RunArgs) -> Vec<Cow<'_, str>> {
    arguments.command.iter().map(|word| word.to_string_lossy()).collect()
}

/// Writes a result as `--json` asks for: to its file, and to standard error.
pub(super) fn write_json(
    arguments: &RunArgs,
    file: Option<JsonFile>,
    result: &impl Serialize,
) -> Result<()> {
    let text = || serde_json::to_string(result).map_err(Failure::new);
    if matches!(arguments.json, Some(None)) {
        // On a line of its own, also if the command did not end its last one.
        note(format_args!("\n{}", text()?));
    }
    file.map_or(Ok(()), |file| file.write(&text()?))
}

/// Returns the cost of a run; `None` without a tariff.
pub(super) fn known_cost(record: &Record) -> Option<Price> {
    (record.cost != 0.0).then_some(Price(record.cost))
}

/// Returns a record as `--json` prints it: with its average power, and null for what is not known.
pub(super) fn record_json(record: &Record) -> Result<Map<String, Value>> {
    let mut json = match serde_json::to_value(record).map_err(Failure::new)? {
        Value::Object(json) => json,
        other => Map::from_iter([("record".to_owned(), other)]),
    };
    json.insert("average_power_watts".to_owned(), average_power(record).map(|it| it.0).into());
    let has_cost = known_cost(record).is_some();
    for (name, value) in &mut json {
        if eco2ai::is_disabled() && is_figure(name) || name.ends_with("cost") && !has_cost {
            *value = Value::Null;
        }
    }
    Ok(json)
}

/// Returns whether a key of a record is a result of measuring, rather than what is known without.
fn is_figure(name: &str) -> bool {
    const UNITS: [&str; 5] = ["_kwh", "_kg", "_s", "_watts", "cost"];
    ["id", "start_time", "calls"].contains(&name) || UNITS.iter().any(|unit| name.ends_with(unit))
}

/// The record, the command and its exit code, as `--json` prints them.
#[derive(Serialize)]
struct JsonResult<'a> {
    #[serde(flatten)]
    record: Map<String, Value>,
    command: Vec<Cow<'a, str>>,
    exit_code: ExitCode,
    budget_exceeded: Option<bool>,
}
