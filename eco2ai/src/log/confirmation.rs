//! Rows in a log that another program rewrites as a whole, as Eco2AI does each period. Rows that
//! were added between its reading and its writing are lost there, and are written again.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::Result;
use crate::log::frames::{Found, Kind};
use crate::log::identity::End;
use crate::log::record::Record;
use crate::log::recovery;
use crate::log::rewriting::{REWRITE_TIME, is_within};

/// A log that was written within this time may be rewritten at any moment: Eco2AI rewrites it every
/// ten seconds.
const RECENT: Duration = Duration::from_secs(60);
/// The maximum number of rows that are remembered before the log is checked for them.
const MAX_ROWS: usize = 1000;

/// The rows of this process that may still be overwritten, in a log that is shared with other
/// programs.
#[derive(Debug, Default)]
pub(crate) struct Confirmation {
    rows: Vec<(Instant, Record)>,
    /// Whether there is a sign of another program that writes the log.
    others_write: bool,
}

impl Confirmation {
    /// Checks for signs of another program, before we write.
    pub(crate) fn attach(&mut self, path: &Path) {
        let modified = path.metadata().and_then(|found| found.modified());
        self.others_write = modified.is_ok_and(|modified| is_within(modified, RECENT));
    }

    /// Whether it is time to check the log, so that no row is forgotten.
    pub(crate) fn is_full(&self) -> bool {
        self.rows.len() >= MAX_ROWS
    }

    /// Remembers rows that have just been written.
    pub(crate) fn add(&mut self, records: &[Record]) {
        let now = Instant::now();
        self.rows.extend(records.iter().map(|record| (now, record.clone())));
    }

    /// The rows that are gone from the log, which ended at `end` when we last wrote. They are not
    /// remembered any more.
    ///
    /// # Errors
    /// [`Error::Read`](crate::Error::Read).
    pub(crate) fn gone(&mut self, path: &Path, end: Option<End>) -> Result<Vec<Record>> {
        if self.rows.is_empty() {
            return Ok(Vec::new());
        }
        let mut gone = Vec::new();
        if end != Some(End::current(path)) {
            self.others_write = true;
            let rows = self.rows.iter().map(|(_, record)| record.clone()).collect();
            gone = recovery::missing(path, &Found::from_own(rows), Kind::Waiting)?;
        }
        self.rows
            .retain(|(since, record)| since.elapsed() < REWRITE_TIME && !gone.contains(record));
        // Rows that come so fast are forgotten after one check, the oldest first.
        let excess = self.rows.len().saturating_sub(MAX_ROWS / 2);
        self.rows.drain(..excess);
        Ok(gone)
    }

    /// The rows that the next process must check, because this one ends. None where no other
    /// program seems to write the log.
    pub(crate) fn take(&mut self) -> Vec<Record> {
        let rows = std::mem::take(&mut self.rows);
        if self.others_write {
            rows.into_iter().map(|(_, record)| record).collect()
        } else {
            Vec::new()
        }
    }
}
