//! What is told of a command once it has ended, and the exit code.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use eco2ai::units::{KilogramsCo2e, KilowattHours};
use eco2ai::{Record, Run};
use serde_json::Value;

use super::Arguments;
use crate::failure::{Failure, Result};
use crate::json;
use crate::output::{error, note, warning};
use crate::params::log_in_force;

/// The command succeeded, but a budget was exceeded.
const BUDGET_EXCEEDED: u8 = 75;

/// Where the result goes as JSON.
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

/// Ends the run, tells what it used, and gives the exit code.
pub(super) fn tell(
    arguments: &Arguments,
    run: Run,
    status: ExitStatus,
    json: Option<JsonFile>,
) -> Result {
    let code = code_of(status);
    let record = if status.success() { run.stop() } else { run.fail() };
    // The command's own code comes before any of ours.
    let or = |ours: u8| if code == 0 { ours } else { code };
    let record = record.map_err(|error| Failure::from(error).with_code(or(1)))?;
    let exceeded = exceeded(arguments, &record);
    let text = || object(arguments, &record, code, !exceeded.is_empty()).to_string();
    let to_file = json.map_or(Ok(()), |file| file.write(&text()));
    if matches!(arguments.json, Some(None)) {
        note(text());
    } else if !arguments.quiet && !eco2ai::is_disabled() {
        note(format_args!("{record}\n  log   {}", log(arguments)));
    }
    for budget in &exceeded {
        error(budget);
    }
    to_file.map_err(|failure| failure.with_code(or(1)))?;
    Ok(or(if exceeded.is_empty() { 0 } else { BUDGET_EXCEEDED }).into())
}

/// The exit code that tells how the command ended.
fn code_of(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal = None::<i32>;
    let code = status.code().or(signal.map(|signal| 128 + signal));
    // Windows has larger ones: they are failures all the same.
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// What is to be said of budgets that were exceeded.
fn exceeded(arguments: &Arguments, record: &Record) -> Vec<String> {
    let energy = arguments.budget_kwh.map(KilowattHours);
    let co2 = arguments.budget_co2.map(KilogramsCo2e);
    if eco2ai::is_disabled() && (energy.is_some() || co2.is_some()) {
        warning("the budget is not checked: nothing was measured");
        return Vec::new();
    }
    let energy = energy.filter(|budget| record.power_consumption > *budget).map(|budget| {
        format!("energy budget exceeded: {} used, {budget} allowed", record.power_consumption)
    });
    let co2 = co2.filter(|budget| record.co2_emissions > *budget).map(|budget| {
        format!("CO2 budget exceeded: {} emitted, {budget} allowed", record.co2_emissions)
    });
    energy.into_iter().chain(co2).collect()
}

/// The record, the command and how it ended.
fn object(arguments: &Arguments, record: &Record, code: u8, budget_exceeded: bool) -> Value {
    let words = arguments.command.iter().map(|word| word.to_string_lossy());
    let mut object = json::record(record);
    object.insert("command".into(), words.collect());
    object.insert("exit_code".into(), code.into());
    object.insert("budget_exceeded".into(), budget_exceeded.into());
    Value::Object(object)
}

/// The log, as it was named.
fn log(arguments: &Arguments) -> String {
    arguments.parameters.0.text("file").unwrap_or_else(log_in_force)
}
