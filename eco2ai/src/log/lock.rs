//! Advisory locks that are never waited for long, and which file is at a path.

use std::fs::{File, Metadata, TryLockError};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

/// Holds the lock of a file until it is dropped.
#[derive(Debug)]
pub(crate) struct Locked<'a>(Option<&'a File>);

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        if let Some(file) = self.0 {
            // Closing alone would leave the lock to a process forked meanwhile.
            let _ = file.unlock();
        }
    }
}

/// Locks `file`, waiting for at most `patience`; `None` where another held it all the while.
pub(crate) fn lock_within(file: &File, patience: Duration) -> io::Result<Option<Locked<'_>>> {
    // Holders write one row: a few yields outlast most of them.
    const YIELDS: u32 = 16;
    const LONGEST_NAP: Duration = Duration::from_millis(2);
    let mut tries = 0_u32;
    let mut since = None;
    let mut nap = Duration::from_micros(20);
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(Locked(Some(file)))),
            // A file system without locks: one write at the end of a file is whole without, too.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                return Ok(Some(Locked(None)));
            }
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) => {}
        }
        if since.get_or_insert_with(Instant::now).elapsed() >= patience {
            return Ok(None);
        }
        tries += 1;
        if tries <= YIELDS {
            std::thread::yield_now();
        } else {
            std::thread::sleep(nap);
            nap = (nap * 2).min(LONGEST_NAP);
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
