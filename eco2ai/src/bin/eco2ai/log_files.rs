//! The logs that a command works on: those that its arguments name, or the one in force.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsStr;
use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};

use eco2ai::{get_params, read_log};

use crate::failure::{ExitCode, Failure, Result};
use crate::output::{print, report_failure};

// Not a doc comment: it would become the help text of each command.
// The logs of a command that takes any number of them.
#[derive(Clone, clap::Args)]
pub(crate) struct LogFiles {
    /// Logs, folders of logs, or patterns such as 'logs/*.csv' [default: the log of `eco2ai params
    /// get file`]
    files: Vec<PathBuf>,
}

impl LogFiles {
    /// Returns the arguments; if there are none, the log in force, or a pattern for it.
    pub(crate) fn arguments(&self) -> Vec<PathBuf> {
        match self.files.as_slice() {
            [] => vec![pattern(&log_in_force()).into()],
            files => files.to_vec(),
        }
    }

    /// Returns the paths of the logs, each once, in the order of the arguments. Of folders and
    /// patterns, logs without a row yet are left out.
    pub(crate) fn paths(&self) -> Result<Vec<PathBuf>> {
        self.paths_where(Path::exists)
    }

    /// Same as [`paths`](Self::paths), and whether `-` is among the arguments: standard input.
    pub(crate) fn paths_and_standard_input(&self) -> Result<(Vec<PathBuf>, bool)> {
        let is_path = |file: &&PathBuf| file.as_os_str() != "-";
        let files = self.files.iter().filter(is_path).cloned().collect::<Vec<_>>();
        let standard_input = files.len() < self.files.len();
        if standard_input && files.is_empty() {
            return Ok((Vec::new(), true));
        }
        Ok((Self { files }.paths()?, standard_input))
    }

    /// Same as [`paths`](Self::paths), also logs that have only runs in progress, or nothing yet.
    pub(crate) fn paths_from_now_on(&self) -> Result<Vec<PathBuf>> {
        Self { files: self.arguments() }.paths_where(|_| true)
    }

    fn paths_where(&self, is_wanted: impl Fn(&Path) -> bool) -> Result<Vec<PathBuf>> {
        let mut logs = Vec::new();
        for argument in &self.arguments() {
            let mut found = logs_of(argument)?;
            found.retain(|log| log == argument || is_wanted(log));
            if found.is_empty() {
                return Err(Failure::new(format!("{}: no emission log found", argument.display())));
            }
            logs.extend(found);
        }
        if self.files.is_empty()
            && let [log] = logs.as_slice()
            && !log.exists()
            && eco2ai::Unwritten::from_log(log)?.is_empty()
        {
            return Err(Failure::new(format!(
                "{}: no such file, and no log was named; a tracked program or `eco2ai run` creates it",
                log.display()
            )));
        }
        let mut seen = HashSet::new();
        logs.retain(|log| seen.insert(log.clone()));
        Ok(logs)
    }

    /// Calls `work` on each log and prints what it returns. A failure is printed and does not keep
    /// `work` from the other logs.
    pub(crate) fn for_each<T: Display>(&self, work: impl Fn(&Path) -> eco2ai::Result<T>) -> Result {
        let mut code = ExitCode::SUCCESS;
        for file in &self.paths_where(|_| true)? {
            match work(file) {
                Ok(done) => print(format_args!("{}: {done}", file.display()))?,
                Err(failed) => {
                    report_failure(failed.into());
                    code = ExitCode::FAILURE;
                }
            }
        }
        Ok(code)
    }
}

/// Returns the paths of the logs that an argument names, of a folder or a pattern those that exist
/// now. A path to something that exists is never a pattern.
pub(crate) fn logs_of(argument: &Path) -> Result<Vec<PathBuf>> {
    let pattern = argument.to_string_lossy();
    if argument.is_dir() {
        return logs_in(argument);
    }
    if !pattern.contains(['*', '?', '[']) || argument.exists() {
        return Ok(vec![argument.to_owned()]);
    }
    // Hidden files are only looked at to find logs of which there are only journals so far.
    let name = argument.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let journals = argument.with_file_name(format!(".{name}.*.journal"));
    let mut logs = BTreeSet::new();
    for pattern in [pattern, journals.to_string_lossy()] {
        let matches = glob::glob(&pattern).map_err(|error| {
            Failure::usage(format!("{pattern}: no such file, and not a pattern: {}", error.msg))
        })?;
        for path in matches {
            let path = path.map_err(Failure::new)?;
            let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
            if name.starts_with('.') {
                logs.extend(log_of_journal(name).map(|log| path.with_file_name(log)));
            } else if path.is_dir() {
                logs.extend(logs_in(&path)?);
            } else {
                logs.insert(path);
            }
        }
    }
    Ok(logs.into_iter().collect())
}

/// Returns the logs in a folder: the files `*.csv` that are emission logs, and those of which there
/// are only journals so far. Obfuscated copies are not logs.
fn logs_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |error| Failure::new(format!("{}: {error}", folder.display()));
    let mut logs = BTreeSet::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        if let Some(log) = log_of_journal(name) {
            logs.insert(folder.join(log));
        } else if path.extension().is_some_and(|it| it == "csv")
            && !name.starts_with("encoded_")
            && read_log(&path).is_ok()
        {
            logs.insert(path);
        }
    }
    Ok(logs.into_iter().collect())
}

/// Returns the name of the log that the journal of this name belongs to. The journals of logs with
/// very long names do not contain the whole name.
fn log_of_journal(name: &str) -> Option<&str> {
    let name = name.strip_prefix('.')?.strip_suffix(".journal")?;
    let end = name.find(".csv.")? + ".csv".len();
    name.get(..end)
}

/// Returns the log in force: of the environment or the saved parameters, or else `emission.csv`.
pub(crate) fn log_in_force() -> String {
    get_params().get("file").and_then(|file| file.value.clone()).unwrap_or_default()
}

/// Returns a pattern for the logs that a path with placeholders stands for.
fn pattern(file: &str) -> String {
    let mut parts = file.split('{');
    let mut pattern = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once('}') {
            Some((name, rest)) if name.chars().all(|c| c.is_ascii_alphabetic()) => {
                pattern.push('*');
                pattern.push_str(rest);
            }
            _ => {
                pattern.push('{');
                pattern.push_str(part);
            }
        }
    }
    pattern
}
