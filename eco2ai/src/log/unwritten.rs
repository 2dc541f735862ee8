//! Rows that are in journals, but not in the log yet.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::file_lock::lock_shared_within;
use crate::log::frames::{self, Found, Kind};
use crate::log::inspect::existing_header;
use crate::log::journal_files::{self, JournalFile, Listing};
use crate::log::record::Record;
use crate::log::recovery;

/// Returns the runs of a log that are running now, in any process, and on any machine that shares
/// the log's folder. Only runs that have lasted longer than their measuring period are included.
/// Each record is as of the end of the run's last period. The runs are in the order of their start.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("emission.csv");
/// # let run = eco2ai::Tracker::builder().file(&file).forget().build()?.start()?;
/// # run.stop()?;
/// # std::fs::write(&file, "")?;
/// for run in eco2ai::live_runs(&file)? {
///     println!("{} has used {} so far", run.id, run.energy);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Returns [`Error::NotALog`] if the file is not an emission log, and [`Error::Read`] if reading it
/// fails. A log that does not exist yet is not an error.
pub fn live_runs(path: impl AsRef<Path>) -> Result<Vec<Record>> {
    live_runs_among(path.as_ref(), &mut Listing::default())
}

/// Same as [`live_runs`], with the journals that were or are now listed.
pub(super) fn live_runs_among(path: &Path, listing: &mut Listing) -> Result<Vec<Record>> {
    let path = checked(path)?;
    let running = journals(&path, listing)
        .into_iter()
        .filter(|(candidate, _, owned)| *owned && candidate.kind == Kind::Running);
    let mut runs: Vec<_> = running.flat_map(|(_, found, _)| found.records).collect();
    runs.sort_unstable_by(|one, other| {
        (one.start_time, &one.id).cmp(&(other.start_time, &other.id))
    });
    Ok(runs)
}

/// Returns the absolute path of a log.
fn checked(path: &Path) -> Result<PathBuf> {
    let path = std::path::absolute(path).map_err(Error::read(path))?;
    existing_header(&path)?;
    Ok(path)
}

/// The numbers of rows that are not in a log yet, but in journals beside it or in this user's state
/// folder. `Display` writes one sentence.
///
/// ```
/// let unwritten = eco2ai::Unwritten::from_log("emission.csv")?;
/// if !unwritten.is_empty() {
///     eprintln!("{unwritten}");
/// }
/// # Ok::<(), eco2ai::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Unwritten {
    /// Runs that have not ended, of processes that are, or may be, alive.
    pub running: u64,
    /// Runs of processes that have died: [`recover`](crate::recover) writes their rows.
    pub interrupted: u64,
    /// Finished rows that could not be written; the next run on the log writes them.
    pub waiting: u64,
}

impl Unwritten {
    /// Counts the rows in the journals of the log at `path`. Ignores journals that cannot be read.
    /// If the log does not exist yet, counts all rows of the journals.
    ///
    /// # Errors
    /// Returns [`Error::NotALog`] if the file is not an emission log, and [`Error::Read`] if
    /// reading it fails.
    pub fn from_log(path: impl AsRef<Path>) -> Result<Self> {
        Ok(Self::from_journals(&checked(path.as_ref())?))
    }

    /// Returns whether the log contains all rows.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Same as [`from_log`](Self::from_log), for a file that is known to be a log.
    pub(crate) fn from_journals(path: &Path) -> Self {
        let mut unwritten = Self::default();
        let Ok(path) = std::path::absolute(path) else { return unwritten };
        for (candidate, found, owned) in journals(&path, &mut Listing::default()) {
            let count = match (owned, candidate.kind) {
                (true, _) => Ok(found.records.len()),
                // A process may die between its row and the journal.
                (false, kind) => recovery::missing(&path, &found, kind).map(|rows| rows.len()),
            };
            let count = count.unwrap_or_default() as u64;
            match (owned, candidate.kind) {
                (true, Kind::Running) => unwritten.running += count,
                (false, Kind::Running) => unwritten.interrupted += count,
                (_, Kind::Waiting) => unwritten.waiting += count,
            }
        }
        unwritten
    }
}

impl std::ops::AddAssign for Unwritten {
    fn add_assign(&mut self, other: Self) {
        self.running += other.running;
        self.interrupted += other.interrupted;
        self.waiting += other.waiting;
    }
}

/// Writes one sentence without a full stop; nothing if the log contains all rows.
impl fmt::Display for Unwritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        for (count, one, many) in [
            (self.running, "run is still running", "runs are still running"),
            (self.interrupted, "run of a process that died", "runs of processes that died"),
            (self.waiting, "finished row waits", "finished rows wait"),
        ] {
            match count {
                0 => {}
                1 => parts.push(format!("1 {one}")),
                count => parts.push(format!("{count} {many}")),
            }
        }
        if parts.is_empty() {
            return Ok(());
        }
        write!(f, "not in the log yet: {}", parts.join(", "))?;
        if self.interrupted + self.waiting > 0 {
            write!(f, "; `eco2ai recover` of the log writes what can be written")?;
        }
        Ok(())
    }
}

/// Returns the journals of the log at `path`, with their contents, and whether their owner is, or
/// may be, alive.
fn journals(path: &Path, listing: &mut Listing) -> Vec<(JournalFile, Found, bool)> {
    let real = journal_files::real_path(path);
    let mut journals = Vec::new();
    for candidate in listing.find(&real) {
        let Ok(file) = candidate.open_to_read() else { continue };
        // Its owner holds the lock for life. A shared one, so that two readers do not see each
        // other's.
        let lock = lock_shared_within(&file, Duration::ZERO);
        let Ok(Some(found)) = frames::read(&file, candidate.kind) else { continue };
        if !found.belongs_to(&real, candidate.is_beside(&real)) {
            continue;
        }
        let owned = match &lock {
            None => true,
            Some(lock) => lock.missing().is_some() && !found.owner.is_surely_gone(),
        };
        drop(lock);
        journals.push((candidate, found, owned));
    }
    journals
}
