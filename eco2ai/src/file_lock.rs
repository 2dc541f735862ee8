//! Advisory locks of files, which are never waited for long.

use std::fs::{File, TryLockError};
use std::io;
use std::time::{Duration, Instant};

/// Holds the lock of a file until it is dropped.
#[derive(Debug)]
pub(crate) struct FileLock<'a> {
    file: &'a File,
    /// Why there is no lock: file systems may have none. One write at the end of a file is whole
    /// without, too.
    missing: Option<io::Error>,
}

impl FileLock<'_> {
    /// Why nothing is locked, where the file system has no locks.
    pub(crate) fn missing(&self) -> Option<&io::Error> {
        self.missing.as_ref()
    }

    /// Leaves the file locked for as long as it is open.
    pub(crate) fn keep(self) {
        std::mem::forget(self);
    }
}

impl Drop for FileLock<'_> {
    fn drop(&mut self) {
        if self.missing.is_none() {
            // Closing alone would leave the lock to a process forked meanwhile.
            let _ = self.file.unlock();
        }
    }
}

/// Locks `file`, waiting for at most `timeout`; `None` where another held it all the while.
pub(crate) fn lock_within(file: &File, timeout: Duration) -> Option<FileLock<'_>> {
    lock_with(file, timeout, File::try_lock)
}

/// Same as [`lock_within`], but with a lock that other readers can share.
pub(crate) fn lock_shared_within(file: &File, timeout: Duration) -> Option<FileLock<'_>> {
    lock_with(file, timeout, File::try_lock_shared)
}

fn lock_with(
    file: &File,
    timeout: Duration,
    try_lock: fn(&File) -> Result<(), TryLockError>,
) -> Option<FileLock<'_>> {
    // Holders write one row: a few yields outlast most of them.
    const YIELDS: u32 = 16;
    const MAX_BACKOFF: Duration = Duration::from_millis(2);
    let mut tries = 0_u32;
    let mut since = None;
    let mut backoff = Duration::from_micros(20);
    loop {
        match try_lock(file) {
            Ok(()) => return Some(FileLock { file, missing: None }),
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            // The error differs between systems: ENOSYS, EOPNOTSUPP, ENOLCK, EINVAL.
            Err(TryLockError::Error(error)) => {
                return Some(FileLock { file, missing: Some(error) });
            }
            Err(TryLockError::WouldBlock) => {}
        }
        if since.get_or_insert_with(Instant::now).elapsed() >= timeout {
            return None;
        }
        tries += 1;
        if tries <= YIELDS {
            std::thread::yield_now();
        } else {
            std::thread::sleep(backoff);
            backoff = (backoff * 2).min(MAX_BACKOFF);
        }
    }
}
