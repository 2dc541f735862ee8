//! What this process writes: one entry per log.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::locks::{Lock, Locked, Rank};
use crate::log::entry::LogEntry;
use crate::log::record::Record;
use crate::log::sink::{FinishedRun, RunSink};
use crate::own_code;
use crate::process::PerProcess;
use crate::report::quietly;

/// Prepares a log for runs that start: the first time in this process, takes over what dead
/// processes left in its journals. A file that is no emission log is reported: the rows of the runs
/// will wait.
///
/// `quiet`: the runs want no warnings.
pub(crate) fn attach(path: &Path, quiet: bool) {
    with(path, |log| log.attach(quiet));
}

/// Keeps the state of all runs on a log that have lasted longer than a period: if this process is
/// killed, each becomes a row. Called once a period; never fails, only warns.
///
/// `states` is called under the lock of the log's entry, so that no run in it has finished yet: what
/// it locks must not be held by a caller of [`finish`]. A run that was kept before and is not in it
/// any more stays kept until it finishes.
pub(crate) fn keep(path: &Path, states: impl FnOnce() -> Vec<Record>) {
    with(path, |log| log.keep(states));
}

/// The log: the rows of runs that have ended.
pub(crate) struct LogSink;

impl RunSink for LogSink {
    /// Never fails: a row that the log cannot take is reported, and waits.
    fn finish(&self, run: &FinishedRun<'_>) -> Result<()> {
        finish(run.log, run.record);
        Ok(())
    }
}

/// Appends the row of a run that has ended, and forgets its state in the journal. A row that the
/// log cannot take waits in a journal, or in memory, and is tried again with the next.
fn finish(path: &Path, record: &Record) {
    with(path, |log| log.finish(record));
}

/// Forgets the state of a run that has ended without a row.
pub(crate) fn discard(path: &Path, record: &Record) {
    with(path, |log| log.forget(record));
}

/// Tries again to write the rows that wait, on all logs.
///
/// # Errors
/// The first log that still cannot take them; they go on waiting.
pub(crate) fn flush() -> Result<()> {
    let logs: Vec<_> = logs().values().cloned().collect();
    let mut result = Ok(());
    for log in logs {
        result = result.and(with_entry(&log, LogEntry::flush));
    }
    result
}

/// Tries for the last time, because the process ends, and prints the rows that are lost with it.
pub(crate) fn close() {
    // That these rows cannot be written was reported when they began to wait.
    let _ = flush();
    let logs: Vec<_> = logs().values().cloned().collect();
    for log in logs {
        with_entry(&log, LogEntry::close);
    }
}

/// Writes the rows of runs whose process was killed, with status `interrupted`, and rows that
/// could not be written when their runs ended. Returns how many rows were written.
///
/// A tracker does this by itself when it starts on a log; call it to see the rows without one. The
/// runs of living processes are left alone, on whatever machine they are. Each row is written once.
///
/// Rows that wait in this user's state folder for another log of the same name are left there, and
/// reported as a warning: their log may have been moved.
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
/// [`Error::NotALog`]; [`Error::Read`] and [`Error::Write`] of the log or a journal. The rows stay
/// where they are then. A journal that cannot be used is reported as a warning, and keeps no other
/// waiting.
pub fn recover(path: impl AsRef<Path>) -> Result<usize> {
    let path = path.as_ref();
    let path = std::path::absolute(path).map_err(Error::read(path))?;
    with(&path, LogEntry::recover)
}

/// A process's logs by their paths.
type Logs = HashMap<PathBuf, Arc<Lock<LogEntry>>>;

/// All logs of this process: a forked child's journals are not its parent's.
fn logs() -> Locked<'static, Logs> {
    static LOGS: PerProcess<Lock<Logs>> = PerProcess::new();
    LOGS.get_or_init(|| Lock::new(Rank::Logs, HashMap::new())).lock()
}

/// The entry of the log at `path`, an absolute path.
fn entry(path: &Path) -> Arc<Lock<LogEntry>> {
    let mut logs = logs();
    if let Some(log) = logs.get(path) {
        return Arc::clone(log);
    }
    let log = Arc::new(Lock::new(Rank::Log, LogEntry::new(path)));
    logs.insert(path.to_path_buf(), Arc::clone(&log));
    log
}

/// Uses the entry of the log at `path`.
fn with<T>(path: &Path, f: impl FnOnce(&mut LogEntry) -> T) -> T {
    with_entry(&entry(path), f)
}

/// Uses an entry.
fn with_entry<T>(log: &Lock<LogEntry>, f: impl FnOnce(&mut LogEntry) -> T) -> T {
    let _section = own_code::enter();
    let mut log = log.lock();
    quietly(log.is_quiet(), || f(&mut log))
}

#[cfg(test)]
mod tests;
