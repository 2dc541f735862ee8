//! A log of this process that runs write to, found without a search for its path.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::locks::{Lock, Rank};
use crate::log::entry::LogEntry;
use crate::log::record::Record;
use crate::log::row::CommonCells;
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

    /// Uses the entry of the log.
    pub(super) fn with<T>(&self, f: impl FnOnce(&mut LogEntry) -> T) -> T {
        let _section = own_code::enter();
        let mut log = self.entry.lock();
        quietly(log.is_quiet(), || f(&mut log))
    }
}
