//! The logs that this process writes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::locks::{Lock, Locked, Rank};
use crate::log::attached_log::AttachedLog;
use crate::log::entry::LogEntry;
use crate::log::record::Record;
use crate::log::sink::{FinishedRun, RunSink};
use crate::process::PerProcess;

/// Prepares a log for runs that start. The first time in this process, recovers the rows that dead
/// processes left in its journals. Warns if the file is not an emission log; the rows of the runs
/// will then wait.
///
/// `quiet` suppresses the warnings of these runs.
pub(crate) fn attach(path: &Path, quiet: bool) -> AttachedLog {
    let log = find(path);
    log.with(|log| log.attach(quiet));
    log
}

/// The log, as the sink of runs that have ended.
pub(crate) struct LogSink;

impl RunSink for LogSink {
    /// Never fails: a row that cannot be written is reported, and waits.
    fn finish(&self, run: &FinishedRun<'_>) -> Result<()> {
        run.log.finish(run.record, run.common);
        Ok(())
    }
}

/// Removes the state of a run that has ended without a row.
pub(crate) fn discard(path: &Path, record: &Record) {
    with(path, |log| log.forget(record));
}

/// Tries again to write the rows that wait, on all logs.
///
/// # Errors
/// Returns the error of the first log that still cannot be written; its rows continue to wait.
pub(crate) fn flush() -> Result<()> {
    let logs: Vec<_> = logs().values().cloned().collect();
    let mut result = Ok(());
    for log in logs {
        result = result.and(log.with(LogEntry::flush));
    }
    result
}

/// Tries for the last time to write waiting rows, because the process ends, and prints the rows
/// that are lost.
pub(crate) fn close() {
    // That these rows cannot be written was reported when they began to wait.
    let _ = flush();
    let logs: Vec<_> = logs().values().cloned().collect();
    for log in logs {
        log.with(LogEntry::close);
    }
}

/// Writes the rows of runs whose process was killed, with the status `interrupted`, and rows that
/// could not be written when their runs ended. Returns the number of rows that were written.
///
/// The first run of a process on a log does this automatically; call this function to write the
/// rows without such a run. Runs of processes that are alive, on this or another machine, are not
/// touched. Each row is written once.
///
/// Rows that wait in this user's state folder for a log of the same name in another folder stay
/// there, and are reported as a warning, because that log may have been moved.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("emission.csv");
/// # let run = eco2ai::Tracker::builder().file(&file).forget().build()?.start()?;
/// # run.stop()?;
/// let rows = eco2ai::recover(&file)?;
/// println!("{rows} rows of processes that died");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Returns [`Error::NotALog`] if the file is not an emission log, and [`Error::Read`] or
/// [`Error::Write`] if the log or a journal cannot be read or written. The rows then stay in their
/// journals. A journal with invalid contents is reported as a warning; the other journals are
/// recovered.
pub fn recover(path: impl AsRef<Path>) -> Result<usize> {
    let path = path.as_ref();
    let path = std::path::absolute(path).map_err(Error::read(path))?;
    with(&path, LogEntry::recover)
}

/// The logs of a process, by their paths.
type Logs = HashMap<PathBuf, AttachedLog>;

/// All logs of this process: a forked child's journals are not its parent's.
fn logs() -> Locked<'static, Logs> {
    static LOGS: PerProcess<Lock<Logs>> = PerProcess::new();
    LOGS.get_or_init(|| Lock::new(Rank::Logs, HashMap::new())).lock()
}

/// Returns the log at `path`, an absolute path.
fn find(path: &Path) -> AttachedLog {
    let mut logs = logs();
    if let Some(log) = logs.get(path) {
        return log.clone();
    }
    let log = AttachedLog::new(path);
    logs.insert(path.to_path_buf(), log.clone());
    log
}

/// Uses the entry of the log at `path`.
fn with<T>(path: &Path, f: impl FnOnce(&mut LogEntry) -> T) -> T {
    find(path).with(f)
}

#[cfg(test)]
mod tests;
