//! What is running now, as the journals of a log tell it.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;

use crate::error::{Error, Result};
use crate::log::file::{self, LogFile};
use crate::log::journal::{self, Kind};
use crate::log::record::Record;
use crate::log::recovery::records_of;

/// The runs on a log that are running now, in whatever process and on whatever machine that sees
/// the log's folder: those that have lasted longer than their measuring period, each as of the end
/// of its last one, in the order of their start.
///
/// # Errors
/// Where the file is no emission log. A log that is not there yet is none.
pub fn live_runs(path: impl AsRef<Path>) -> Result<Vec<Record>> {
    let path = path.as_ref();
    let path = std::path::absolute(path)
        .map_err(|source| Error::Io { path: path.to_path_buf(), source })?;
    LogFile::new(path.clone(), file::Kind::Log).check()?;
    let mut runs = Vec::new();
    for (journal, _, kind) in journal::journals_of(&path) {
        let Some(file) = File::open(&journal).ok().filter(|_| kind == Kind::Running) else {
            continue;
        };
        // Its owner holds the lock for life. Shared, so that two who look do not meet each other.
        match file.try_lock_shared() {
            Ok(()) => {
                let _ = file.unlock();
                continue;
            }
            // Without locks the owner may be alive.
            Err(TryLockError::Error(error)) if error.kind() != ErrorKind::Unsupported => continue,
            Err(_) => {}
        }
        let Ok(Some(found)) = journal::read(&file, kind) else { continue };
        // The user's folder has the journals of all logs of that name.
        let elsewhere = journal.parent() != path.parent();
        if elsewhere && found.log != path.to_string_lossy() {
            continue;
        }
        runs.extend(records_of(&found.rows).unwrap_or_default());
    }
    runs.sort_by(|one, other| (one.start_time, &one.id).cmp(&(other.start_time, &other.id)));
    Ok(runs)
}
