//! A command with what it takes to measure it: all that can be wrong before it starts, and each run.

use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use eco2ai::{Origin, Params, Rows, Run, Tracker, get_params};

use super::arguments::RunArgs;
use super::launchers::{self, Launcher};
use super::result::{code_of_signal, exit_code};
use super::title::Title;
#[cfg(unix)]
use super::unix::Supervisor;
#[cfg(windows)]
use super::windows::Supervisor;
use crate::failure::{ExitCode, Failure, Result};
use crate::log_files::log_in_force;
use crate::output::{hold_library_warnings, warning};

/// The command and what it takes to measure it.
pub(super) struct MeasuredCommand<'a> {
    pub(super) arguments: &'a RunArgs,
    program: &'a OsStr,
    rest: &'a [OsString],
    tracker: Tracker,
    pub(super) log: PathBuf,
    supervisor: Supervisor,
    title: Option<Title>,
}

impl<'a> MeasuredCommand<'a> {
    /// Checks everything that can be checked before the command starts.
    pub(super) fn new(arguments: &'a RunArgs) -> Result<Self> {
        let Some((program, rest)) = arguments.command.split_first() else {
            return Err(Failure::usage("missing command"));
        };
        if !eco2ai::is_disabled() {
            refuse_invalid(arguments.params())?;
            let pricing = &arguments.params().electricity_pricing;
            let has_pricing = || get_params().get("electricity_pricing")?.value.clone();
            arguments.budgets.check_cost(pricing.is_some() || has_pricing().is_some())?;
        }
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
        if !eco2ai::is_disabled() {
            check_log(&log, arguments.params())?;
        }
        if eco2ai::is_disabled() && !arguments.quiet {
            warning("tracking is off (ECO2AI_DISABLE); nothing is measured");
        } else if let Some(Launcher { name, instead }) = elsewhere.filter(|_| !arguments.quiet) {
            warning(format_args!(
                "{name} hands its work to other processes, which are not measured here; to measure \
                 them, run: {instead}"
            ));
        }
        let title = if arguments.live { open_title(arguments.quiet) } else { None };
        let supervisor =
            Supervisor::new().map_err(|error| Failure::new(format!("signals: {error}")))?;
        Ok(Self { arguments, program, rest, tracker, log, supervisor, title })
    }

    /// Runs the command once. `number` says in the title which run it is, if there are several.
    pub(super) fn run(&self, number: &str) -> Result<(Run, ExitStatus)> {
        let run = self.tracker.start()?;
        // The child keeps our process group and our standard streams.
        let mut command = Command::new(self.program);
        if eco2ai::is_disabled() {
            // This run has no row that could be the parent of another one.
            command.env_remove("ECO2AI_PARENT");
        }
        command.args(self.rest).envs(run.handle().environment());
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => {
                // Nothing ran, so there is no row.
                run.discard();
                return Err(not_started(self.program, &error));
            }
        };
        let mut wait = || self.supervisor.wait(&mut child);
        let status = hold_library_warnings(|| match &self.title {
            Some(title) => {
                let name = format!("{} {number}", self.name());
                title.show_while(name.trim_end(), &run, wait)
            }
            None => wait(),
        });
        Ok((run, status.map_err(|error| not_waited(&error))?))
    }

    /// Runs the command once without tracking it, nor what it would track itself.
    pub(super) fn warm_up(&self) -> Result<ExitStatus> {
        let mut command = Command::new(self.program);
        command.args(self.rest).env("ECO2AI_DISABLE", "1").env_remove("ECO2AI_PARENT");
        let mut child = command.spawn().map_err(|error| not_started(self.program, &error))?;
        self.supervisor.wait(&mut child).map_err(|error| not_waited(&error))
    }

    /// Returns the name of the program without its folders.
    pub(super) fn name(&self) -> String {
        program_name(self.program)
    }

    /// Returns the exit code if no further run is to follow: the command failed, or a signal asked
    /// this process to end.
    pub(super) fn ended_early(&self, status: ExitStatus) -> Option<ExitCode> {
        let signal = self.supervisor.ending_signal().map(code_of_signal);
        let code = exit_code(status).or(signal.unwrap_or(ExitCode::SUCCESS));
        (code != ExitCode::SUCCESS).then_some(code)
    }
}

/// Checks that the log is one, if it exists, and that its folder does. Folders of a path with
/// placeholders are created.
fn check_log(log: &Path, given: &Params) -> Result<()> {
    let file = given.text("file").unwrap_or_else(log_in_force);
    if log.is_dir() {
        let example = log.join("emission.csv");
        return Err(Failure::usage(format!(
            "{}: a folder; name a file in it, such as {}",
            log.display(),
            example.display()
        )));
    }
    if let Some(folder) = log.parent().filter(|folder| !folder.as_os_str().is_empty())
        && !folder.exists()
        && !file.contains('{')
    {
        return Err(Failure::usage(format!(
            "{}: no such folder; create it, or choose another log with --file",
            folder.display()
        )));
    }
    eco2ai::Unwritten::from_log(log)?;
    Ok(())
}

/// Refuses an invalid value in the environment or a file that no option replaces. Elsewhere it is
/// passed over with a warning, but here nothing has run yet, and another place or price would falsify
/// the result.
fn refuse_invalid(given: &Params) -> Result<()> {
    let names_place = given.country.is_some() || given.cloud.is_some();
    let is_replaced = |name: &str| {
        given.text(name).is_some() || names_place && ["country", "region", "cloud"].contains(&name)
    };
    match eco2ai::invalid_params().iter().find(|one| !one.parameter.is_some_and(is_replaced)) {
        Some(invalid) => Err(Failure::usage(format!("the command was not started: {invalid}"))),
        None => Ok(()),
    }
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

/// Opens the title of the terminal, or says why there is none.
fn open_title(quiet: bool) -> Option<Title> {
    match Title::open() {
        Ok(title) => return Some(title),
        Err(_) if quiet => {}
        Err(reason) => warning(format_args!(
            "--live: {reason}; `eco2ai watch` shows the progress on another terminal"
        )),
    }
    None
}

fn not_waited(error: &io::Error) -> Failure {
    Failure::new(format!("waiting for the command: {error}"))
}

/// Explains why the command did not start, with the exit code that shells use for it.
fn not_started(program: &OsStr, error: &io::Error) -> Failure {
    let is_folder = Path::new(program).is_dir();
    let program = program.display();
    match error.kind() {
        _ if is_folder => {
            Failure::new(format!("{program}: a folder, which cannot be executed")).with_code(ExitCode(126))
        }
        ErrorKind::NotFound if program.to_string().contains(char::is_whitespace) => {
            Failure::new(format!(
                "{program}: not found; write a command and its arguments as separate words, without \
                 quotes around all, or as sh -c \"…\""
            ))
            .with_code(ExitCode(127))
        }
        ErrorKind::NotFound => Failure::new(format!(
            "{program}: not found; check PATH, and the interpreter that a script names in its first line"
        ))
        .with_code(ExitCode(127)),
        ErrorKind::PermissionDenied => Failure::new(format!(
            "{program}: not executable; try chmod +x, or run it through its interpreter"
        ))
        .with_code(ExitCode(126)),
        _ => Failure::new(format!("{program}: cannot be executed: {error}")).with_code(ExitCode(126)),
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
