//! Advisory locks that are never waited for long, and which file is at a path.

use std::fs::{File, Metadata, TryLockError};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

/// Holds the lock of a file until it is dropped.
#[derive(Debug)]
pub(crate) struct Locked<'a> {
    file: &'a File,
    /// Why there is no lock: file systems may have none. One write at the end of a file is whole
    /// without, too.
    missing: Option<io::Error>,
}

impl Locked<'_> {
    /// Why nothing is locked, where the file system has no locks.
    pub(crate) fn missing(&self) -> Option<&io::Error> {
        self.missing.as_ref()
    }

    /// Leaves the file locked for as long as it is open.
    pub(crate) fn keep(self) {
        std::mem::forget(self);
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        if self.missing.is_none() {
            // Closing alone would leave the lock to a process forked meanwhile.
            let _ = self.file.unlock();
        }
    }
}

/// Locks `file`, waiting for at most `timeout`; `None` where another held it all the while.
pub(crate) fn lock_within(file: &File, timeout: Duration) -> Option<Locked<'_>> {
    lock_with(file, timeout, File::try_lock)
}

/// As [`lock_within`], beside others that only read.
pub(crate) fn lock_shared_within(file: &File, timeout: Duration) -> Option<Locked<'_>> {
    lock_with(file, timeout, File::try_lock_shared)
}

fn lock_with(
    file: &File,
    timeout: Duration,
    try_lock: fn(&File) -> Result<(), TryLockError>,
) -> Option<Locked<'_>> {
    // Holders write one row: a few yields outlast most of them.
    const YIELDS: u32 = 16;
    const MAX_BACKOFF: Duration = Duration::from_millis(2);
    let mut tries = 0_u32;
    let mut since = None;
    let mut backoff = Duration::from_micros(20);
    loop {
        match try_lock(file) {
            Ok(()) => return Some(Locked { file, missing: None }),
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            // Systems differ in the error that says so: ENOSYS, EOPNOTSUPP, ENOLCK, EINVAL.
            Err(TryLockError::Error(error)) => return Some(Locked { file, missing: Some(error) }),
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

/// Tells one file from another, whatever their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) device: u64,
    pub(crate) number: u64,
}

impl Identity {
    /// `None` where the system does not tell.
    #[cfg(unix)]
    #[allow(clippy::unnecessary_wraps)]
    pub(crate) fn of(metadata: &Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        Some(Self { device: metadata.dev(), number: metadata.ino() })
    }

    /// `None` where the system does not tell.
    #[cfg(not(unix))]
    pub(crate) fn of(_: &Metadata) -> Option<Self> {
        None
    }
}

/// Whether `file` is still what is found at `path`, as far as the system tells.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), path.metadata()) {
        (Ok(open), Ok(there)) => Identity::of(&open) == Identity::of(&there),
        _ => false,
    }
}
