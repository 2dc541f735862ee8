//! A log of this process: its file, the journals beside it, and the rows that wait.

use std::collections::VecDeque;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::log::confirmation::Confirmation;
use crate::log::file::LogFile;
use crate::log::frames::{self, Found, Kind};
use crate::log::header::{FileKind, Header};
use crate::log::identity::End;
use crate::log::inspect::existing_header;
use crate::log::journal::{Folder, Journal};
use crate::log::record::Record;
use crate::log::recovery::{missing, recover_orphans, report_others_of_that_name};
use crate::log::row::{CommonCells, rows_in_full, rows_of};
use crate::log::run_states::RunStates;
use crate::report::warn_once;

/// The maximum number of rows that are kept in memory.
const MAX_IN_MEMORY: usize = 1000;

/// A log of this process.
#[derive(Debug)]
pub(crate) struct LogEntry {
    file: LogFile,
    /// The states in `journal`.
    states: RunStates,
    journal: Option<Journal>,
    /// Journals with rows that the log could not take.
    waiting: Vec<Journal>,
    /// Rows that could not be written anywhere.
    in_memory: VecDeque<Record>,
    /// Rows that another program may have overwritten.
    confirmation: Confirmation,
    /// The end of the log after the last write.
    end: Option<End>,
    attached: bool,
    /// Whether the user was warned that the file is not an emission log.
    is_refused: bool,
    /// Whether all runs on it want no warnings.
    quiet: bool,
}

/// What became of the states of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// There is nothing to write.
    Unchanged,
    /// So many are written.
    States(usize),
    /// The journal is a new one, in which the states of the other groups are missing.
    InNewJournal,
    /// They cannot be written.
    Failed,
}

impl LogEntry {
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            file: LogFile::new(path.to_path_buf(), FileKind::Log),
            states: RunStates::new(),
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

    /// Whether all runs on it want no warnings.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Prepares the log for runs that start; `quiet` suppresses their warnings.
    pub(crate) fn attach(&mut self, quiet: bool) {
        // One run that wants warnings is enough.
        self.quiet = quiet && (self.quiet || !self.attached);
        if std::mem::replace(&mut self.attached, true) {
            return;
        }
        match existing_header(self.file.path()) {
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
                    "{}; rows wait in a journal; move that file away and run \
                     `eco2ai recover {path}` to write them",
                    error.with_causes()
                ));
            }
        }
    }

    /// Writes the states of a group of runs to the journal, with one write if the journal exists.
    /// `add_states` returns false to leave the states of the group as they are.
    pub(crate) fn keep(
        &mut self,
        group: u32,
        add_states: impl FnOnce(&mut RunStates) -> bool,
    ) -> Kept {
        self.states.begin();
        if !add_states(&mut self.states) {
            return Kept::Unchanged;
        }
        // They were in the group of some run, and are nowhere else.
        for record in &self.in_memory {
            self.states.add_ended(record);
        }
        if self.states.is_none_running() {
            if let Some(journal) = self.journal.take() {
                journal.remove();
            }
            return Kept::States(0);
        }
        let end = self.end();
        if let Some(journal) = &mut self.journal
            && journal.write(group, end, self.states.rows()).is_ok()
        {
            return Kept::States(self.states.count());
        }
        // Where the old one is full, another can stand elsewhere; then the old one may go.
        let path = self.file.path();
        let rows = self.states.rows();
        let created = Journal::create(path, Folder::BesideLog, Kind::Running, group, end, rows);
        match created {
            Ok(journal) => match self.journal.replace(journal) {
                Some(old) => {
                    old.remove();
                    Kept::InNewJournal
                }
                None => Kept::States(self.states.count()),
            },
            Err(error) => {
                warn_once(&format!(
                    "{}: no journal can be written ({error}); if the program is killed, its runs \
                     are lost",
                    path.display()
                ));
                Kept::Failed
            }
        }
    }

    /// Appends the row of a run that has ended, or puts it aside.
    pub(crate) fn finish(&mut self, record: &Record, common: Option<&CommonCells>) {
        if let Err(error) = self.append(std::slice::from_ref(record), common) {
            self.wait(record, &error);
            return;
        }
        self.forget(record);
        // What waits was reported before.
        let _ = self.write_waiting();
        // Else once a period, and at the end: it reads the whole log.
        if self.confirmation.is_full() {
            self.confirm();
        }
    }

    /// Tries again to write rows that wait, and rows that were overwritten.
    pub(crate) fn flush(&mut self) -> Result<()> {
        self.confirm();
        self.write_waiting()
    }

    /// Writes rows that wait, and rows that dead processes left. Returns the number of the latter.
    pub(crate) fn recover(&mut self) -> Result<usize> {
        self.write_waiting()?;
        let recovered = recover_orphans(&mut self.file);
        report_others_of_that_name(self.file.path());
        recovered
    }

    fn append(&mut self, records: &[Record], common: Option<&CommonCells>) -> Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        self.end = Some(self.file.append(records, common)?);
        if self.file.is_shared_with_other_programs() {
            self.confirmation.add(records);
        }
        Ok(())
    }

    /// Returns the place of the log before which our rows are, unless the log was replaced.
    fn end(&mut self) -> End {
        let path = self.file.path();
        *self.end.get_or_insert_with(|| End::current(path))
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
            "no journal can be written either, so rows wait in memory".into()
        };
        let is_known = self.is_refused && matches!(error, Error::NotALog { .. });
        if !is_known {
            warn_once(&format!("{}; {place} and are written later", error.with_causes()));
        }
    }

    /// Adds a row to a journal of rows that wait. Returns the path of the journal.
    fn put_into_journal(&mut self, record: &Record, error: &Error) -> std::io::Result<PathBuf> {
        let rows = rows_in_full([record]);
        let end = self.end();
        if let Some(journal) = self.waiting.last_mut()
            && journal.write(0, end, &rows).is_ok()
        {
            return Ok(journal.path().to_path_buf());
        }
        let create = |place| Journal::create(self.file.path(), place, Kind::Waiting, 0, end, &rows);
        let journal = match error {
            Error::NotALog { .. } => create(Folder::State).or_else(|_| create(Folder::BesideLog)),
            _ => create(Folder::BesideLog),
        }?;
        let path = journal.path().to_path_buf();
        self.waiting.push(journal);
        Ok(path)
    }

    /// Appends the rows that wait, and removes their journals.
    fn write_waiting(&mut self) -> Result<()> {
        while let Some(journal) = self.waiting.last() {
            let found =
                frames::read(journal.file(), Kind::Waiting).map_err(Error::read(journal.path()))?;
            if let Some(found) = found {
                let records = self.not_written_yet(found)?;
                self.append(&records, None)?;
            }
            if let Some(journal) = self.waiting.pop() {
                journal.remove();
            }
        }
        if !self.in_memory.is_empty() {
            let records: Vec<_> = self.in_memory.iter().cloned().collect();
            let found = Found::from_own(records.clone());
            let not_written = self.not_written_yet(found)?;
            self.append(&not_written, None)?;
            self.in_memory.clear();
            for record in &records {
                self.forget(record);
            }
        }
        Ok(())
    }

    /// Writes again the rows that another program has overwritten. If the log cannot be read now,
    /// because that program is writing it, the next call checks again.
    fn confirm(&mut self) {
        let gone = self.confirmation.gone(self.file.path(), self.end).unwrap_or_default();
        if let Err(error) = self.append(&gone, None) {
            for record in &gone {
                self.wait(record, &error);
            }
        }
    }

    /// Returns the rows that were refused, without those that are in the log nevertheless.
    fn not_written_yet(&self, found: Found) -> Result<Vec<Record>> {
        if self.file.may_have_refused_rows() {
            return missing(self.file.path(), &found, Kind::Waiting);
        }
        Ok(found.records)
    }

    /// Leaves rows that may still be overwritten to the next process, and prints rows that are
    /// lost.
    pub(crate) fn close(&mut self) {
        let end = self.end();
        let unconfirmed = self.confirmation.take();
        if !unconfirmed.is_empty() {
            let path = self.file.path();
            // Not removed: the next process checks whether the rows are still in the log.
            let rows = rows_in_full(&unconfirmed);
            let _ = Journal::create(path, Folder::BesideLog, Kind::Waiting, 0, end, &rows);
        }
        for record in self.in_memory.drain(..) {
            print_lost(self.file.path(), &record);
        }
    }

    /// Removes the state of a run from the journal.
    pub(crate) fn forget(&mut self, record: &Record) {
        self.states.forget(record);
        if self.states.is_none_running()
            && let Some(journal) = self.journal.take()
        {
            journal.remove();
        }
    }
}

/// Prints a row that could not be stored anywhere.
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
    use crate::log::read_log;
    use crate::log::record::tests::record;

    #[test]
    fn rows_that_cannot_be_written_are_kept_in_memory_and_retried() {
        let folder = tempfile::tempdir().unwrap();
        // No folder, and so no log and no journal beside it.
        let path = folder.path().join("missing").join("unit_test.csv");
        let mut log = LogEntry::new(&path);
        let error = log.append(&[record("1")], None).unwrap_err();
        log.in_memory.push_back(record("1"));
        assert!(log.write_waiting().is_err(), "{error}");
        std::fs::create_dir(folder.path().join("missing")).unwrap();
        log.write_waiting().unwrap();
        let rows = read_log(&path).unwrap().map(|row| row.unwrap().id);
        assert_eq!(rows.collect::<Vec<_>>(), ["1"]);
        assert!(log.in_memory.is_empty());
    }
}
