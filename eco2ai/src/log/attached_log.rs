//! A log of this process that runs write to, found without a search for its path.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::locks::{Lock, Rank};
use crate::log::entry::{Kept, LogEntry};
use crate::log::record::Record;
use crate::log::row::CommonCells;
use crate::log::run_states::RunStates;
use crate::own_code;
use crate::report::quietly;

/// A log of this process.
#[derive(Clone, Debug)]
pub(crate) struct AttachedLog {
    path: PathBuf,
    entry: Arc<Lock<LogEntry>>,
}

impl AttachedLog {
    /// Returns the log at `path`, an absolute path; each process has one per path.
    pub(super) fn new(path: &Path) -> Self {
        let entry = Arc::new(Lock::new(Rank::Log, LogEntry::new(path)));
        Self { path: path.to_path_buf(), entry }
    }

    /// The absolute path of the log.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends the row of a run that has ended, and removes its state from the journal. A row that
    /// cannot be written is reported, waits in a journal or in memory, and is tried again with the
    /// next row.
    pub(crate) fn finish(&self, record: &Record, common: Option<&CommonCells>) {
        self.with(|log| log.finish(record, common));
    }

    /// Returns a number that distinguishes the log from all others of this process.
    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.entry).addr()
    }

    /// Writes the states of a group of runs to a journal. If this process is killed, each state
    /// becomes a row. Never fails, only warns.
    ///
    /// `add_states` is called under the lock of the log's entry, so that no run that it adds has
    /// finished yet. The caller of [`finish`](Self::finish) must not hold a lock that `add_states`
    /// takes. It adds the states of all runs of the group that had one before, except those that have
    /// finished; or returns false to leave the states of the group as they are.
    pub(crate) fn keep(&self, group: u32, add_states: impl FnOnce(&mut RunStates) -> bool) -> Kept {
        self.with(|log| log.keep(group, add_states))
    }

    /// Tries again to write the rows that wait, and rows that another program has overwritten. Their
    /// failure was reported when they began to wait.
    pub(crate) fn retry(&self) {
        let _ = self.with(LogEntry::flush);
    }

    /// Uses the entry of the log.
    pub(super) fn with<T>(&self, f: impl FnOnce(&mut LogEntry) -> T) -> T {
        let _section = own_code::enter();
        let mut log = self.entry.lock();
        quietly(log.is_quiet(), || f(&mut log))
    }
}
