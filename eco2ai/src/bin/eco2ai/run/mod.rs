//! `eco2ai run`: measures a command.

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod child;
#[cfg(not(target_os = "linux"))]
#[path = "other.rs"]
mod child;
mod live_line;
mod parameters;
mod result;

use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::ValueHint;
use eco2ai::{Origin, Params, Rows, Tracker, get_params};

use self::child::Supervisor;
use self::result::JsonFile;
use crate::failure::{Failure, Result};
use crate::output::warning;
use crate::params::log_in_force;

/// Measures a command and all that it starts, and adds a row to the log
///
/// The command runs as it would without: same streams, same terminal, signals passed on. It is
/// measured until it ends itself; of what it leaves running, that is counted which was used until
/// then.
///
/// Linux tells the CPU time of other processes in steps of 10 ms: a command that needs less may
/// seem to need none.
#[derive(clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Arguments {
    /// Print no result and no warnings, only errors
    #[arg(short, long)]
    quiet: bool,
    /// Print the result as JSON: to FILE, else as the last line of standard error
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    #[allow(clippy::option_option, reason = "clap's form of a value that may be left out")]
    json: Option<Option<PathBuf>>,
    /// Fail with code 75 where more energy was used, in kWh; the command is not stopped
    #[arg(long, value_name = "KWH", value_parser = budget)]
    budget_kwh: Option<f64>,
    /// Fail with code 75 where more CO2 was emitted, in kg; the command is not stopped
    #[arg(long, value_name = "KG", value_parser = budget)]
    budget_co2: Option<f64>,
    /// The command with its arguments, which the row keeps as its description
    #[arg(
        trailing_var_arg = true,
        required = true,
        value_name = "COMMAND",
        value_hint = ValueHint::CommandWithArguments
    )]
    command: Vec<OsString>,
    #[command(flatten)]
    parameters: parameters::Parameters,
}

const HELP: &str = "\
Examples:
  eco2ai run -- ./train --epochs 10
  eco2ai run --project MNIST --country FR -- python train.py
  eco2ai run --budget-kwh 0.05 -- cargo test
  eco2ai run --quiet --json=energy.json -- make -j8

Exit codes:
  the command's own; 128 + N where signal N ended it
  75   the command succeeded, but a budget was exceeded
  126  the command could not be executed
  127  the command was not found
  2    wrong usage
  1    eco2ai itself failed; nothing was run, or the command succeeded and its row was lost";

fn budget(text: &str) -> std::result::Result<f64, &'static str> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0);
    number.ok_or("it must be a number, 0 or more")
}

impl Arguments {
    /// Whether only errors are told.
    pub(crate) fn quiet(&self) -> bool {
        self.quiet
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result {
    let Some((program, rest)) = arguments.command.split_first() else {
        return Err(Failure::usage("there is no command"));
    };
    let tracker = Tracker::builder()
        .params(&params(arguments))
        .function(name(program))
        // Options of one command say nothing about what comes next.
        .forget()
        .build()?;
    // What cannot be written is better known before than after an hour.
    let log = arguments.parameters.0.file.clone().unwrap_or_else(|| log_in_force().into());
    eco2ai::Unwritten::from_log(&log)?;
    let json = match &arguments.json {
        Some(Some(file)) => Some(JsonFile::create(file)?),
        _ => None,
    };
    if eco2ai::is_disabled() && !arguments.quiet {
        warning("tracking is off (ECO2AI_DISABLE): nothing is measured");
    }
    let supervisor =
        Supervisor::new().map_err(|error| Failure::new(format!("signals: {error}")))?;
    let run = tracker.start()?;
    let mut command = Command::new(program);
    // In our process group and with our standard streams.
    let mut child = match command.args(rest).spawn() {
        Ok(child) => child,
        Err(error) => {
            // Nothing ran, so that there is nothing to have a row.
            run.discard();
            return Err(not_started(program, &error));
        }
    };
    let status = if arguments.quiet || !live_line::can_be_seen() {
        supervisor.wait(&mut child)
    } else {
        live_line::while_there_is_one(&run, || supervisor.wait(&mut child))
    };
    let status = status.map_err(|error| Failure::new(format!("waiting for it: {error}")))?;
    result::tell(arguments, run, status, json)
}

/// The parameters that were given, and the command line for the description where none is.
fn params(arguments: &Arguments) -> Params {
    let mut params = arguments.parameters.0.clone();
    // A command is one run, whatever is saved for functions.
    params.rows = Some(Rows::Each);
    let in_force = get_params();
    let is_default = in_force.get("description").is_some_and(|it| it.origin == Origin::Default);
    if params.description.is_none() && is_default {
        params.description = Some(command_line(&arguments.command));
    }
    params
}

/// The name of a program, without its folders.
fn name(program: &OsStr) -> String {
    Path::new(program).file_name().unwrap_or(program).to_string_lossy().into_owned()
}

/// The command line as a shell would read it.
fn command_line(command: &[OsString]) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    let words = command.iter().map(|word| match word.to_string_lossy() {
        word if !word.is_empty() && word.chars().all(is_plain) => word.into_owned(),
        word => format!("'{}'", word.replace('\'', r"'\''")),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Why the command could not be started, with the exit code that shells have for it.
fn not_started(program: &OsStr, error: &std::io::Error) -> Failure {
    let program = program.display();
    match error.kind() {
        ErrorKind::NotFound => Failure::new(format!(
            "{program}: not found; is it in PATH, and is the interpreter there that its first line names?"
        ))
        .with_code(127),
        ErrorKind::PermissionDenied => Failure::new(format!(
            "{program}: it may not be executed; `chmod +x` lets a file be, and a script can be given to its interpreter"
        ))
        .with_code(126),
        _ => Failure::new(format!("{program}: it cannot be executed: {error}")).with_code(126),
    }
}

/// Hours, minutes and seconds as a clock shows them.
pub(crate) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{hours}:{minutes:02}:{seconds:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_reads_as_a_shell_would_have_it() {
        let line = |words: &[&str]| command_line(&words.iter().map(Into::into).collect::<Vec<_>>());
        assert_eq!(line(&["./a.out", "--n=1"]), "./a.out --n=1");
        assert_eq!(line(&["sh", "-c", "echo $HOME; it's"]), r"sh -c 'echo $HOME; it'\''s'");
        assert_eq!(line(&["a", ""]), "a ''");
    }

    #[test]
    fn a_clock_counts_hours_beyond_a_day() {
        assert_eq!(clock(Duration::from_secs(59)), "0:00:59");
        assert_eq!(clock(Duration::from_secs(90_061)), "25:01:01");
    }
}
