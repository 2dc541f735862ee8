//! What this process writes: one entry per log, with its open file and its journals.

use std::collections::{HashMap, VecDeque};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, FixedOffset};

use crate::error::{Error, Result};
use crate::locks::{Lock, Locked, Rank};
use crate::log::confirmation::Confirmation;
use crate::log::file::{End, LogFile};
use crate::log::frames::{self, Found, Kind};
use crate::log::header::{FileKind, Header};
use crate::log::journal::{Journal, Place};
use crate::log::lock::Identity;
use crate::log::record::Record;
use crate::log::recovery::{missing, recover_orphans, report_others_of_that_name};
use crate::log::row::rows_of;
use crate::own_code;
use crate::process::PerProcess;
use crate::report::{quietly, warn_once};

/// Prepares a log for runs that start: the first time in this process, takes over what dead
/// processes left in its journals. A file that is no emission log is reported: the rows of the runs
/// will wait.
///
/// `quiet`: the runs want no warnings.
pub(crate) fn attach(path: &Path, quiet: bool) {
    with(path, |log| {
        // One run that wants warnings is enough.
        log.quiet = quiet && (log.quiet || !log.attached);
        if !log.attached {
            log.attached = true;
            log.attach();
        }
    });
}

/// Keeps the state of all runs on a log that have lasted longer than a period: if this process is
/// killed, each becomes a row. Called once a period; never fails, only warns.
///
/// `states` is called under the lock of the log's entry, so that no run that it tells has finished
/// yet: what it locks must not be held by a caller of [`finish`]. A run that was kept before and
/// is not told any more stays kept until it finishes.
pub(crate) fn keep(path: &Path, states: impl FnOnce() -> Vec<Record>) {
    with(path, |log| {
        // Its failure was reported when the rows began to wait.
        let _ = log.write_waiting();
        log.confirm();
        log.running.extend(states().into_iter().map(|state| (RunId::of(&state), state)));
        log.write_running();
    });
}

/// Appends the row of a run that has ended, and forgets its state in the journal. A row that the
/// log cannot take waits in a journal, or in memory, and is tried again with the next.
pub(crate) fn finish(path: &Path, record: &Record) {
    with(path, |log| {
        match log.append(std::slice::from_ref(record)) {
            Ok(()) => {
                log.forget(record);
                // What waits was reported before.
                let _ = log.write_waiting();
                // Else once a period, and at the end: it takes a look at the whole log.
                if log.confirmation.is_full() {
                    log.confirm();
                }
            }
            Err(error) => log.wait(record, &error),
        }
    });
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
        result = result.and(with_log(&log, |log| {
            log.confirm();
            log.write_waiting()
        }));
    }
    result
}

/// Tries for the last time, because the process ends, and prints the rows that are lost with it.
pub(crate) fn close() {
    // That these rows cannot be written was reported when they began to wait.
    let _ = flush();
    let logs: Vec<_> = logs().values().cloned().collect();
    for log in logs {
        with_log(&log, Log::close);
    }
}

/// Writes the rows of runs whose process was killed, with status `interrupted`, and rows that
/// could not be written when their runs ended. Says how many rows were written.
///
/// A tracker does this by itself when it starts on a log; call it to see the rows without one. The
/// runs of living processes are left alone, on whatever machine they are. Each row is written once.
///
/// Rows that wait in this user's state folder for another log of the same name are left there, and
/// reported as a warning: their log may have been moved.
///
/// # Errors
/// Where the log cannot be read or written; the rows stay where they are then. A journal that cannot
/// be used is reported as a warning, and keeps no other waiting.
pub fn recover(path: impl AsRef<Path>) -> Result<usize> {
    let path = path.as_ref();
    let path = std::path::absolute(path)
        .map_err(|source| Error::Io { path: path.to_path_buf(), source })?;
    with(&path, |log| {
        log.write_waiting()?;
        let recovered = recover_orphans(&mut log.file);
        report_others_of_that_name(&path);
        recovered
    })
}

/// A log of this process.
#[derive(Debug)]
struct Log {
    file: LogFile,
    /// The states in `journal`.
    running: HashMap<RunId, Record>,
    journal: Option<Journal>,
    /// Journals with rows that the log could not take.
    waiting: Vec<Journal>,
    /// Rows that could be written nowhere.
    in_memory: VecDeque<Record>,
    /// Rows that another program may have written over.
    confirmation: Confirmation,
    /// Where the log ended when we last wrote.
    end: Option<End>,
    attached: bool,
    /// Whether it was reported at the start that the file is no emission log.
    is_refused: bool,
    /// Whether all runs on it want no warnings.
    quiet: bool,
}

/// So many rows are kept in memory.
const MAX_IN_MEMORY: usize = 1000;

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
    start_time: Option<DateTime<FixedOffset>>,
}

impl RunId {
    fn of(record: &Record) -> Self {
        Self { id: record.id.clone(), start_time: record.start_time }
    }
}

impl Log {
    fn new(path: &Path) -> Self {
        Self {
            file: LogFile::new(path.to_path_buf(), FileKind::Log),
            running: HashMap::new(),
            journal: None,
            waiting: Vec::new(),
            in_memory: VecDeque::new(),
            confirmation: Confirmation::default(),
            end: None,
            attached: false,
            is_refused: false,
            quiet: false,
        }
    }

    fn attach(&mut self) {
        match self.file.existing_header() {
            Ok(_) => {
                self.confirmation.attach(self.file.path());
                if let Err(error) = recover_orphans(&mut self.file) {
                    warn_once(&error);
                }
            }
            Err(error) => {
                self.is_refused = true;
                let path = self.file.path().display();
                warn_once(&format!(
                    "{error}; rows wait in a journal: move that file away, and \
                     `eco2ai recover {path}` writes them"
                ));
            }
        }
    }

    fn append(&mut self, records: &[Record]) -> Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        self.end = Some(self.file.append(records)?);
        if self.file.is_shared_with_other_programs() {
            self.confirmation.add(records);
        }
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

    /// Puts a row aside until the log can take it.
    fn wait(&mut self, record: &Record, error: &Error) {
        let place = if let Ok(place) = self.put_into_journal(record, error) {
            self.forget(record);
            format!("rows wait in {}", place.display())
        } else {
            // Its state in the journal stays: better than nothing, should the process be killed.
            self.in_memory.push_back(record.clone());
            if self.in_memory.len() > MAX_IN_MEMORY
                && let Some(oldest) = self.in_memory.pop_front()
            {
                print_lost(self.file.path(), &oldest);
            }
            "no journal can be written either: rows wait in memory".into()
        };
        let is_known = self.is_refused && matches!(error, Error::NotALog { .. });
        if !is_known {
            warn_once(&format!("{error}; {place} and are written later"));
        }
    }

    /// Adds a row to a journal of rows that wait; says where that is.
    fn put_into_journal(&mut self, record: &Record, error: &Error) -> std::io::Result<PathBuf> {
        let records = std::slice::from_ref(record);
        let end = self.end();
        if let Some(journal) = self.waiting.last_mut()
            && journal.write(end, records).is_ok()
        {
            return Ok(journal.path().to_path_buf());
        }
        let create = |place| Journal::create(self.file.path(), place, Kind::Waiting, end, records);
        let journal = match error {
            Error::NotALog { .. } => {
                create(Place::StateFolder).or_else(|_| create(Place::BesideLog))
            }
            _ => create(Place::BesideLog),
        }?;
        let path = journal.path().to_path_buf();
        self.waiting.push(journal);
        Ok(path)
    }

    /// Appends what waits, and takes its journals away.
    fn write_waiting(&mut self) -> Result<()> {
        while let Some(journal) = self.waiting.last() {
            let found = frames::read(journal.file(), Kind::Waiting)
                .map_err(|source| Error::Io { path: journal.path().to_path_buf(), source })?;
            if let Some(found) = found {
                let records = self.not_written_yet(found)?;
                self.append(&records)?;
            }
            if let Some(journal) = self.waiting.pop() {
                journal.remove();
            }
        }
        if !self.in_memory.is_empty() {
            let records: Vec<_> = self.in_memory.iter().cloned().collect();
            let found = Found::of_own(records.clone());
            let not_written = self.not_written_yet(found)?;
            self.append(&not_written)?;
            self.in_memory.clear();
            for record in &records {
                self.forget(record);
            }
        }
        Ok(())
    }

    /// Writes again what another program has written over. What cannot be read now, because that
    /// program is at work, is looked at the next time.
    fn confirm(&mut self) {
        let gone = self.confirmation.gone(self.file.path(), self.end).unwrap_or_default();
        if let Err(error) = self.append(&gone) {
            for record in &gone {
                self.wait(record, &error);
            }
        }
    }

    /// Rows that were refused, less those that are in the log all the same.
    fn not_written_yet(&self, found: Found) -> Result<Vec<Record>> {
        if self.file.may_have_refused_rows() {
            return missing(self.file.path(), &found, Kind::Waiting);
        }
        Ok(found.records)
    }

    /// Leaves what is to be looked after by the next process, and prints what is lost.
    fn close(&mut self) {
        let end = self.end();
        let unconfirmed = self.confirmation.take();
        if !unconfirmed.is_empty() {
            let path = self.file.path();
            // Not removed: whoever comes next looks whether the rows are still in the log.
            let _ = Journal::create(path, Place::BesideLog, Kind::Waiting, end, &unconfirmed);
        }
        for record in self.in_memory.drain(..) {
            print_lost(self.file.path(), &record);
        }
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
        let states: Vec<_> = self.running.values().collect();
        if let Some(journal) = &mut self.journal
            && journal.write(end, &states).is_ok()
        {
            return;
        }
        // Where the old one is full, another can stand elsewhere; then the old one may go.
        let path = self.file.path();
        match Journal::create(path, Place::BesideLog, Kind::Running, end, &states) {
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

/// Says a row that could be kept nowhere.
fn print_lost(log: &Path, record: &Record) {
    let row = rows_of([record], &Header::full(), FileKind::Log);
    let row = String::from_utf8_lossy(&row);
    // Not `eprintln!`: it panics where standard error is closed.
    let _ = write!(
        std::io::stderr(),
        "eco2ai: {} cannot be written; the row is lost: {row}",
        log.display()
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::journal;
    use crate::log::read_log;
    use crate::log::record::tests::record;
    use crate::status::Status;
    use std::fs;

    fn rows(path: &Path) -> Vec<(String, Status)> {
        read_log(path).unwrap().map(|row| row.map(|r| (r.id, r.status)).unwrap()).collect()
    }

    fn journals(path: &Path) -> usize {
        journal::candidates(&journal::real_path(path)).len()
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
        finish(&path, &record("a"));
        keep(&path, Vec::new);
        assert_eq!(journals(&path), 1, "b has not finished");
        finish(&path, &record("b"));
        assert_eq!(journals(&path), 0);
        assert_eq!(rows(&path), [("a".into(), Status::Ok), ("b".into(), Status::Ok)]);
    }

    #[test]
    fn what_a_dead_process_left_becomes_a_row_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("unit_test.csv");
        finish(&path, &record("before"));
        keep(&path, || vec![record("a"), record("b")]);
        assert_eq!(recover(&path).unwrap(), 0, "a living owner's journal is left alone");
        // Killed after the append of `b`, before it was forgotten.
        finish(&path, &record("b"));
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
        attach(&path, false);
        assert_eq!(rows(&path), [("a".into(), Status::Interrupted)]);
    }

    #[test]
    fn an_epoch_is_not_taken_for_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("unit_test.csv");
        let epoch = |number: i64| {
            let mut record = record("training");
            record.start_time =
                record.start_time.map(|time| time + chrono::TimeDelta::seconds(number));
            record
        };
        keep(&path, || vec![epoch(1)]);
        finish(&path, &epoch(1));
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
        finish(&path, &record("0"));
        let holder = fs::File::open(&path).unwrap();
        holder.lock().unwrap();
        keep(&path, || vec![record("1")]);
        finish(&path, &record("1"));
        finish(&path, &record("2"));
        assert_eq!(rows(&path).len(), 1);
        assert!(flush().is_err());
        holder.unlock().unwrap();
        finish(&path, &record("3"));
        let ids: Vec<_> = rows(&path).into_iter().map(|(id, _)| id).collect();
        assert_eq!(ids, ["0", "3", "1", "2"]);
        assert_eq!(journals(&path), 0);
    }

    #[test]
    fn a_row_that_waits_is_recovered_with_its_own_status_and_only_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("unit_test.csv");
        finish(&path, &record("0"));
        let holder = fs::File::open(&path).unwrap();
        holder.lock().unwrap();
        keep(&path, || vec![record("1"), record("2")]);
        finish(&path, &record("1"));
        die(&path);
        assert!(recover(&path).is_err());
        holder.unlock().unwrap();
        assert_eq!(recover(&path).unwrap(), 2);
        let expected = [("0", Status::Ok), ("1", Status::Ok), ("2", Status::Interrupted)];
        assert_eq!(rows(&path), expected.map(|(id, status)| (id.to_owned(), status)));
        assert_eq!(journals(&path), 0);
    }

    /// Eco2AI for Python reads the whole log and writes it anew, each period.
    #[test]
    fn a_row_that_another_program_writes_over_is_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("unit_test.csv");
        let header = Header::eco2ai().line();
        fs::write(&path, &header).unwrap();
        attach(&path, false);
        finish(&path, &record("1"));
        let read_by_other = fs::read_to_string(&path).unwrap();
        finish(&path, &record("2"));
        fs::write(&path, read_by_other.replace("N/A", "") + "other,p,d,,x,1,1,1,,,,,\n").unwrap();
        keep(&path, Vec::new);
        let ids: Vec<_> = rows(&path).into_iter().map(|(id, _)| id).collect();
        assert_eq!(ids, ["1", "other", "2"]);
        keep(&path, Vec::new);
        assert_eq!(rows(&path).len(), 3, "once");
        // The process ends, and the row is written over after that.
        let read_by_other = fs::read_to_string(&path).unwrap();
        finish(&path, &record("3"));
        close();
        die(&path);
        fs::write(&path, read_by_other).unwrap();
        assert_eq!(recover(&path).unwrap(), 1);
        assert_eq!(recover(&path).unwrap(), 0);
        assert_eq!(rows(&path).len(), 4);
    }

    #[test]
    fn what_can_be_written_nowhere_is_kept_in_memory_and_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        // No folder, and so no log and no journal beside it.
        let path = folder.path().join("missing").join("unit_test.csv");
        let mut log = Log::new(&path);
        let error = log.append(&[record("1")]).unwrap_err();
        log.in_memory.push_back(record("1"));
        assert!(log.write_waiting().is_err(), "{error}");
        fs::create_dir(folder.path().join("missing")).unwrap();
        log.write_waiting().unwrap();
        assert_eq!(rows(&path), [("1".into(), Status::Ok)]);
        assert!(log.in_memory.is_empty());
    }
}
