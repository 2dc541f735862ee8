//! Recognizes the same rows in several logs, such as a log and its copy.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

use crate::log::columns::Column;
use crate::log::row::LogRow;

/// The rows that were already read: 16 bytes for each.
#[derive(Default)]
pub(super) struct SeenRows {
    /// The log that had the row first.
    first: HashMap<u64, usize>,
    hasher: RandomState,
}

impl SeenRows {
    /// Returns a number for the row, which is the same for the same row in another log. `None` for a
    /// row without an id, which is never recognized.
    pub(super) fn key(&self, row: &LogRow<'_>) -> Option<u64> {
        let [id, epoch, function, start] =
            [Column::Id, Column::Epoch, Column::Function, Column::StartTime]
                .map(|column| row.bytes(column));
        (!id.is_empty()).then(|| self.hasher.hash_one((id, epoch, function, start)))
    }

    /// Returns whether a log other than `log` had the row with this key.
    pub(super) fn is_in_another(&self, key: u64, log: usize) -> bool {
        self.first.get(&key).is_some_and(|first| *first != log)
    }

    /// Notes that `log` has the row with this key.
    pub(super) fn insert(&mut self, key: u64, log: usize) {
        self.first.entry(key).or_insert(log);
    }

    /// Returns whether another log had the row before; otherwise the row is noted for `log`.
    pub(super) fn is_repeated(&mut self, row: &LogRow<'_>, log: usize) -> bool {
        let Some(key) = self.key(row) else { return false };
        *self.first.entry(key).or_insert(log) != log
    }
}
