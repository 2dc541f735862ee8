//! The result of a command that has ended, and the exit code.

use std::borrow::Cow;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use eco2ai::units::{KilogramsCo2e, KilowattHours};
use eco2ai::{Record, Run};
use serde::Serialize;

use super::arguments::RunArgs;
use crate::failure::{Failure, Result};
use crate::output::{error, note, warning};

/// The command succeeded but exceeded a budget.
const BUDGET_EXCEEDED: u8 = 75;

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
    let record = if status.success() { run.stop() } else { run.fail() };
    // The code of the command takes precedence over ours.
    let code_or = |own: u8| if code == 0 { own } else { code };
    let record = record.map_err(|error| Failure::from(error).with_code(code_or(1)))?;
    let exceeded = exceeded_budgets(arguments, &record);
    let result = JsonResult {
        record: &record,
        command: arguments.command.iter().map(|word| word.to_string_lossy()).collect(),
        exit_code: code,
        budget_exceeded: !exceeded.is_empty(),
    };
    let json_text = || serde_json::to_string(&result).map_err(Failure::new);
    let written = json.map_or(Ok(()), |file| file.write(&json_text()?));
    if matches!(arguments.json, Some(None)) {
        note(json_text().map_err(|failure| failure.with_code(code_or(1)))?);
    } else if !arguments.quiet && !eco2ai::is_disabled() {
        note(format_args!("{record}\n  log   {}", log.display()));
    }
    for budget in &exceeded {
        error(budget);
    }
    written.map_err(|failure| failure.with_code(code_or(1)))?;
    Ok(code_or(if exceeded.is_empty() { 0 } else { BUDGET_EXCEEDED }).into())
}

/// Returns the exit code that a shell would return.
fn exit_code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal = None::<i32>;
    let code = status.code().or(signal.map(|signal| 128 + signal));
    // Windows also has larger codes, which are failures.
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// Returns a message for each exceeded budget.
fn exceeded_budgets(arguments: &RunArgs, record: &Record) -> Vec<String> {
    let energy = arguments.budget_kwh.map(KilowattHours);
    let co2 = arguments.budget_co2.map(KilogramsCo2e);
    if eco2ai::is_disabled() && (energy.is_some() || co2.is_some()) {
        warning("the budget is not checked because nothing was measured");
        return Vec::new();
    }
    let energy = energy
        .filter(|budget| record.energy > *budget)
        .map(|budget| format!("energy budget exceeded: {} used, {budget} allowed", record.energy));
    let co2 = co2
        .filter(|budget| record.co2 > *budget)
        .map(|budget| format!("CO2 budget exceeded: {} emitted, {budget} allowed", record.co2));
    energy.into_iter().chain(co2).collect()
}

/// The record, the command and its exit code, as `--json` prints them.
#[derive(Serialize)]
struct JsonResult<'a> {
    #[serde(flatten)]
    record: &'a Record,
    command: Vec<Cow<'a, str>>,
    exit_code: u8,
    budget_exceeded: bool,
}
