//! `eco2ai run`: measures a command.

mod arguments;
#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod child;
#[cfg(windows)]
#[path = "windows.rs"]
mod child;
#[cfg(not(any(target_os = "linux", windows)))]
#[path = "other.rs"]
mod child;
mod launchers;
mod live_line;
mod result;
mod tracker_options;

use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use eco2ai::{Origin, Params, Rows, Tracker, get_params};

pub(crate) use self::arguments::RunArgs;
use self::child::Supervisor;
use self::launchers::Launcher;
use self::result::JsonFile;
use crate::failure::{Failure, Result};
use crate::output::warning;

pub(crate) fn run(arguments: &RunArgs) -> Result {
    let Some((program, rest)) = arguments.command.split_first() else {
        return Err(Failure::usage("missing command"));
    };
    let elsewhere = launchers::find(&arguments.command);
    let mut builder = Tracker::builder()
        .params(&tracker_params(arguments))
        .function(program_name(program))
        // The options of one command are not saved for the next.
        .forget();
    if elsewhere.is_some() {
        builder = builder.partial();
    }
    let tracker = builder.build()?;
    // Fails now rather than after an hour if the log cannot be used.
    let log = tracker.file();
    eco2ai::Unwritten::from_log(&log)?;
    let json = match &arguments.json {
        Some(Some(file)) => Some(JsonFile::create(file)?),
        _ => None,
    };
    if eco2ai::is_disabled() && !arguments.quiet {
        warning("tracking is off (ECO2AI_DISABLE); nothing is measured");
    } else if let Some(Launcher { name, instead }) = elsewhere.filter(|_| !arguments.quiet) {
        warning(format_args!(
            "{name} hands its work to other processes, which are not measured here; to measure them, \
             run: {instead}"
        ));
    }
    let supervisor =
        Supervisor::new().map_err(|error| Failure::new(format!("signals: {error}")))?;
    let run = tracker.start()?;
    let mut command = Command::new(program);
    if eco2ai::is_disabled() {
        // This run has no row that could be the parent of another one.
        command.env_remove("ECO2AI_PARENT");
    }
    command.args(rest).envs(run.handle().environment());
    // The child keeps our process group and our standard streams.
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            // Nothing ran, so there is no row.
            run.discard();
            return Err(not_started(program, &error));
        }
    };
    let status = if arguments.quiet || !live_line::is_supported() {
        supervisor.wait(&mut child)
    } else {
        live_line::with_live_line(&run, || supervisor.wait(&mut child))
    };
    let status =
        status.map_err(|error| Failure::new(format!("waiting for the command: {error}")))?;
    result::finish(arguments, run, status, json, &log)
}

/// Returns the given parameters; the command line is the description if nothing else sets one.
fn tracker_params(arguments: &RunArgs) -> Params {
    let mut params = arguments.params().clone();
    // A command is one run, whatever is saved for tracked functions.
    params.rows = Some(Rows::Each);
    let in_force = get_params();
    let is_default = in_force.get("description").is_some_and(|it| it.origin == Origin::Default);
    if params.description.is_none() && is_default {
        params.description = Some(command_line(&arguments.command));
    }
    params
}

/// Returns the name of a program without its folders.
fn program_name(program: &OsStr) -> String {
    Path::new(program).file_name().unwrap_or(program).to_string_lossy().into_owned()
}

/// Quotes a command line for a shell.
fn command_line(command: &[OsString]) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    let words = command.iter().map(|word| match word.to_string_lossy() {
        word if !word.is_empty() && word.chars().all(is_plain) => word.into_owned(),
        word => format!("'{}'", word.replace('\'', r"'\''")),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Explains why the command did not start, with the exit code that shells use for it.
fn not_started(program: &OsStr, error: &std::io::Error) -> Failure {
    let program = program.display();
    match error.kind() {
        ErrorKind::NotFound => Failure::new(format!(
            "{program}: not found; check PATH, and the interpreter that a script names in its first line"
        ))
        .with_code(127),
        ErrorKind::PermissionDenied => Failure::new(format!(
            "{program}: not executable; try chmod +x, or run it through its interpreter"
        ))
        .with_code(126),
        _ => Failure::new(format!("{program}: cannot be executed: {error}")).with_code(126),
    }
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
}
