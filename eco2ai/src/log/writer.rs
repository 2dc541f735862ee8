//! What this process writes: one entry per log, with its open file and its journals.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, FixedOffset};

use crate::error::{Error, Result};
use crate::locks::{Lock, Locked, Rank};
use crate::log::file::{self, End, LogFile};
use crate::log::journal::{self, Journal, Kind, Stem};
use crate::log::lock::Identity;
use crate::log::record::Record;
use crate::log::recovery::recover_orphans;
use crate::log::row::rows_of;
use crate::log::upgrade;
use crate::own_code;
use crate::process::PerProcess;
use crate::report::{quietly, warn_once};

/// Prepares a log for runs that start: the first time in this process, takes over what dead
/// processes left in its journals.
///
/// `quiet`: the runs want no warnings.
///
/// # Errors
/// Where the file is no emission log.
pub(crate) fn attach(path: &Path, quiet: bool) -> Result<()> {
    with(path, |log| {
        // One run that wants warnings is enough.
        log.quiet = quiet && (log.quiet || !log.attached);
        if !log.attached {
            log.file.check()?;
            log.attached = true;
            if let Err(error) = recover_orphans(&mut log.file) {
                warn_once(&error);
            }
        }
        Ok(())
    })
}

/// Keeps the state of all runs on a log that have lasted longer than a period: if this process is
/// killed, each becomes a row. Called once a period; never fails, only warns.
///
/// `states` is called under the lock of the log's entry, so that no run that it tells has finished
/// yet: what it locks must not be held by a caller of [`finish`]. A run that was kept before and
/// is not told any more stays kept until it finishes.
pub(crate) fn keep(path: &Path, states: impl FnOnce() -> Vec<Record>) {
    with(path, |log| {
        // Its failure was told when the rows began to wait.
        let _ = log.write_waiting();
        log.running.extend(states().into_iter().map(|state| (RunId::of(&state), state)));
        log.write_running();
    });
}

/// Appends the row of a run that has ended, and forgets its state in the journal. A row that the
/// log cannot take waits in a journal, and is tried again with the next.
///
/// # Errors
/// Where the row could not be kept anywhere; it is on standard error then.
pub(crate) fn finish(path: &Path, record: &Record) -> Result<()> {
    with(path, |log| {
        let rows = rows_of([record]);
        match log.append(&rows) {
            // What waits was told before.
            Ok(()) => drop(log.write_waiting()),
            Err(error) => log.wait(&rows, error)?,
        }
        log.forget(record);
        Ok(())
    })
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
    upgrade::wait();
    let logs: Vec<_> = logs().values().cloned().collect();
    let mut result = Ok(());
    for log in logs {
        result = result.and(with_log(&log, |log| log.patiently(Log::write_waiting)));
    }
    result
}

/// Writes what dead processes left, and what waits of our own; says how many rows were found in
/// journals.
pub(crate) fn recover(path: &Path) -> Result<usize> {
    let path = std::path::absolute(path)
        .map_err(|source| Error::Io { path: path.to_path_buf(), source })?;
    upgrade::wait();
    with(&path, |log| {
        log.patiently(|log| {
            log.write_waiting()?;
            recover_orphans(&mut log.file)
        })
    })
}

/// A log of this process.
#[derive(Debug)]
struct Log {
    file: LogFile,
    stem: Stem,
    /// The states in `journal`.
    running: HashMap<RunId, Record>,
    journal: Option<Journal>,
    /// Journals with rows that the log could not take.
    waiting: Vec<Journal>,
    /// Where the log ended when we last wrote.
    end: Option<End>,
    attached: bool,
    /// Whether all runs on it want no warnings.
    quiet: bool,
}

/// A process's logs by their paths.
type Logs = HashMap<PathBuf, Arc<Lock<Log>>>;

/// All logs of this process: a forked child's journals are not its parent's.
fn logs() -> Locked<'static, Logs> {
    static LOGS: PerProcess<Lock<Logs>> = PerProcess::new();
    LOGS.get_or_init(|| Lock::new(Rank::Logs, HashMap::new())).lock()
}

/// The entry of the log at `path`, an absolute path.
fn log_of(path: &Path) -> Arc<Lock<Log>> {
    let mut logs = logs();
    if let Some(log) = logs.get(path) {
        return Arc::clone(log);
    }
    let log = Arc::new(Lock::new(Rank::Log, Log::new(path)));
    logs.insert(path.to_path_buf(), Arc::clone(&log));
    log
}

/// Uses the entry of the log at `path`.
fn with<T>(path: &Path, f: impl FnOnce(&mut Log) -> T) -> T {
    with_log(&log_of(path), f)
}

/// Uses an entry.
fn with_log<T>(log: &Lock<Log>, f: impl FnOnce(&mut Log) -> T) -> T {
    let _section = own_code::enter();
    let mut log = log.lock();
    quietly(log.quiet, || f(&mut log))
}

/// What tells the states of runs apart: all epochs of a training have one id, but each its own
/// start.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct RunId {
    id: String,
    start_time: DateTime<FixedOffset>,
}

impl RunId {
    fn of(record: &Record) -> Self {
        Self { id: record.id.clone(), start_time: record.start_time }
    }
}

impl Log {
    fn new(path: &Path) -> Self {
        let mut file = LogFile::new(path.to_path_buf(), file::Kind::Log);
        file.may_take_long = false;
        Self {
            file,
            stem: Stem::new(path),
            running: HashMap::new(),
            journal: None,
            waiting: Vec::new(),
            end: None,
            attached: false,
            quiet: false,
        }
    }

    /// For callers that asked for what may take long, or the end of the process.
    fn patiently<T>(&mut self, f: impl FnOnce(&mut Self) -> T) -> T {
        self.file.may_take_long = true;
        let result = f(self);
        self.file.may_take_long = false;
        result
    }

    fn append(&mut self, rows: &[u8]) -> Result<()> {
        self.end = Some(self.file.append(rows)?);
        Ok(())
    }

    /// Rows of ours that the log has are before this, or it was replaced.
    fn end(&mut self) -> End {
        let path = self.file.path();
        *self.end.get_or_insert_with(|| {
            path.metadata()
                .map(|log| End { identity: Identity::of(&log), offset: log.len() })
                .unwrap_or_default()
        })
    }

    /// Puts rows aside until the log can take them.
    fn wait(&mut self, rows: &[u8], error: Error) -> Result<()> {
        let end = self.end();
        let path = self.file.path();
        let added = match self.waiting.last_mut() {
            Some(journal) => journal.write(path, end, rows),
            None => Err(std::io::ErrorKind::NotFound.into()),
        };
        let added = added.or_else(|_| {
            let journal = Journal::create(path, &self.stem, Kind::Waiting, end, rows)?;
            self.waiting.push(journal);
            Ok::<_, std::io::Error>(())
        });
        if let (Ok(()), Some(journal)) = (added, self.waiting.last()) {
            let place = journal.path().display();
            warn_once(&format!("{error}; rows wait in {place} and are written later"));
            return Ok(());
        }
        let text = String::from_utf8_lossy(rows);
        // Not `eprintln!`: it panics where standard error is closed.
        let _ = write!(std::io::stderr(), "eco2ai: {error}; the row is lost: {text}");
        Err(error)
    }

    /// Appends what waits, and takes its journals away.
    fn write_waiting(&mut self) -> Result<()> {
        while let Some(journal) = self.waiting.last() {
            let found = journal::read(journal.file(), Kind::Waiting)
                .map_err(|source| Error::Io { path: journal.path().to_path_buf(), source })?;
            if let Some(found) = found {
                self.append(&found.rows)?;
            }
            if let Some(journal) = self.waiting.pop() {
                journal.remove();
            }
        }
        Ok(())
    }

    /// Forgets the state of a run in the journal.
    fn forget(&mut self, record: &Record) {
        if !self.running.is_empty() {
            self.running.remove(&RunId::of(record));
        }
        if self.running.is_empty()
            && let Some(journal) = self.journal.take()
        {
            journal.remove();
        }
    }

    /// Writes the states of the runs to their journal, one write where it is there.
    fn write_running(&mut self) {
        if self.running.is_empty() {
            if let Some(journal) = self.journal.take() {
                journal.remove();
            }
            return;
        }
        let end = self.end();
        let path = self.file.path();
        let rows = rows_of(self.running.values());
        if let Some(journal) = &mut self.journal
            && journal.write(path, end, &rows).is_ok()
        {
            return;
        }
        // Where the old one is full, another can stand elsewhere; then the old one may go.
        match Journal::create(path, &self.stem, Kind::Running, end, &rows) {
            Ok(journal) => {
                if let Some(old) = self.journal.replace(journal) {
                    old.remove();
                }
            }
            Err(error) => warn_once(&format!(
                "{}: no journal can be written ({error}); if the program is killed, its runs leave no row",
                path.display()
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::read_log;
    use crate::log::record::tests::record;
    use crate::status::Status;
    use std::fs;

    fn rows(path: &Path) -> Vec<(String, Status)> {
        read_log(path).unwrap().map(|row| row.map(|r| (r.id, r.status)).unwrap()).collect()
    }

    fn journals(path: &Path) -> usize {
        journal::journals_of(path).len()
    }

    /// As if the process had died: its locks are gone, its files are there.
    fn die(path: &Path) {
        let log = log_of(path);
        *log.lock() = Log::new(path);
    }

    #[test]
    fn a_run_that_finishes_leaves_one_row_and_no_journal() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("unit_test.csv");
        keep(&path, || vec![record("a"), record("b")]);
        assert_eq!(journals(&path), 1);
        finish(&path, &record("a")).unwrap();
        keep(&path, Vec::new);
        assert_eq!(journals(&path), 1, "b has not finished");
        finish(&path, &record("b")).unwrap();
        assert_eq!(journals(&path), 0);
        assert_eq!(rows(&path), [("a".into(), Status::Ok), ("b".into(), Status::Ok)]);
    }

    #[test]
    fn what_a_dead_process_left_becomes_a_row_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("unit_test.csv");
        finish(&path, &record("before")).unwrap();
        keep(&path, || vec![record("a"), record("b")]);
        assert_eq!(recover(&path).unwrap(), 0, "a living owner's journal is left alone");
        // Killed after the append of `b`, before it was forgotten.
        finish(&path, &record("b")).unwrap();
        die(&path);
        assert_eq!(recover(&path).unwrap(), 1);
        assert_eq!(recover(&path).unwrap(), 0);
        let expected = [("before", Status::Ok), ("b", Status::Ok), ("a", Status::Interrupted)];
        assert_eq!(rows(&path), expected.map(|(id, status)| (id.to_owned(), status)));
        assert_eq!(journals(&path), 0);
    }

    #[test]
    fn the_first_tracker_on_a_log_recovers_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("unit_test.csv");
        keep(&path, || vec![record("a")]);
        die(&path);
        attach(&path, false).unwrap();
        assert_eq!(rows(&path), [("a".into(), Status::Interrupted)]);
        fs::write(&path, "name\nx\n").unwrap();
        die(&path);
        assert!(matches!(attach(&path, false), Err(Error::NotALog { .. })));
    }

    #[test]
    fn an_epoch_is_not_taken_for_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("unit_test.csv");
        let epoch = |number: i64| {
            let mut record = record("training");
            record.start_time += chrono::TimeDelta::seconds(number);
            record
        };
        keep(&path, || vec![epoch(1)]);
        finish(&path, &epoch(1)).unwrap();
        keep(&path, || vec![epoch(2)]);
        die(&path);
        // Also where the place in the log is not known any more.
        let copy = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(folder.path().join("occupies the inode"), "").unwrap();
        fs::write(&path, copy).unwrap();
        assert_eq!(recover(&path).unwrap(), 1);
        let status = [Status::Ok, Status::Interrupted];
        assert_eq!(rows(&path), status.map(|status| ("training".to_owned(), status)));
    }

    #[test]
    fn rows_wait_while_the_log_is_locked_and_are_written_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("unit_test.csv");
        finish(&path, &record("0")).unwrap();
        let holder = fs::File::open(&path).unwrap();
        holder.lock().unwrap();
        keep(&path, || vec![record("1")]);
        finish(&path, &record("1")).unwrap();
        finish(&path, &record("2")).unwrap();
        assert_eq!(rows(&path).len(), 1);
        assert!(flush().is_err());
        holder.unlock().unwrap();
        finish(&path, &record("3")).unwrap();
        let ids: Vec<_> = rows(&path).into_iter().map(|(id, _)| id).collect();
        assert_eq!(ids, ["0", "3", "1", "2"]);
        assert_eq!(journals(&path), 0);
    }

    #[test]
    fn a_row_that_waits_is_recovered_with_its_own_status_and_only_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("unit_test.csv");
        finish(&path, &record("0")).unwrap();
        let holder = fs::File::open(&path).unwrap();
        holder.lock().unwrap();
        keep(&path, || vec![record("1"), record("2")]);
        finish(&path, &record("1")).unwrap();
        die(&path);
        assert!(recover(&path).is_err());
        holder.unlock().unwrap();
        assert_eq!(recover(&path).unwrap(), 2);
        let expected = [("0", Status::Ok), ("1", Status::Ok), ("2", Status::Interrupted)];
        assert_eq!(rows(&path), expected.map(|(id, status)| (id.to_owned(), status)));
        assert_eq!(journals(&path), 0);
    }
}
