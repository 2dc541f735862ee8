//! Advisory locks of files, which are never waited for long.

use std::fs::{File, TryLockError};
use std::io;
use std::time::{Duration, Instant};

/// Holds the lock of a file until it is dropped.
#[derive(Debug)]
pub(crate) struct FileLock<'a> {
    /// The lock, or why there is none: file systems may have none. One write at the end of a file is
    /// whole without, too.
    lock: Result<system::Lock<'a>, io::Error>,
}

impl FileLock<'_> {
    /// Why nothing is locked, where the file system has no locks.
    pub(crate) fn missing(&self) -> Option<&io::Error> {
        self.lock.as_ref().err()
    }

    /// Leaves the file locked for as long as it is open.
    pub(crate) fn keep(self) {
        std::mem::forget(self);
    }
}

/// Locks `file`, waiting for at most `timeout`; `None` where another held it all the while.
pub(crate) fn lock_within(file: &File, timeout: Duration) -> Option<FileLock<'_>> {
    lock_with(file, timeout, system::try_lock)
}

/// Same as [`lock_within`], but with a lock that other readers can share.
pub(crate) fn lock_shared_within(file: &File, timeout: Duration) -> Option<FileLock<'_>> {
    lock_with(file, timeout, system::try_lock_shared)
}

#[cfg(not(windows))]
mod system {
    use std::fs::{File, TryLockError};

    #[derive(Debug)]
    pub(super) struct Lock<'a>(&'a File);

    impl Drop for Lock<'_> {
        fn drop(&mut self) {
            // Closing alone would leave the lock to a process forked meanwhile.
            let _ = self.0.unlock();
        }
    }

    pub(super) fn try_lock(file: &File) -> Result<Lock<'_>, TryLockError> {
        file.try_lock().map(|()| Lock(file))
    }

    pub(super) fn try_lock_shared(file: &File) -> Result<Lock<'_>, TryLockError> {
        file.try_lock_shared().map(|()| Lock(file))
    }
}

/// On Windows, others cannot read or write what is locked. So the lock is that of one byte which no
/// file reaches.
#[cfg(windows)]
mod system {
    use std::fs::{File, TryLockError};
    use std::io::{Error, ErrorKind};

    use file_guard::{FileGuard, Lock as Kind};

    /// Well below 2^63, from which on Wine refuses a lock.
    const BYTE: usize = usize::MAX / 4;

    pub(super) type Lock<'a> = FileGuard<&'a File>;

    pub(super) fn try_lock(file: &File) -> Result<Lock<'_>, TryLockError> {
        file_guard::try_lock(file, Kind::Exclusive, BYTE, 1).map_err(of_lock)
    }

    pub(super) fn try_lock_shared(file: &File) -> Result<Lock<'_>, TryLockError> {
        file_guard::try_lock(file, Kind::Shared, BYTE, 1).map_err(of_lock)
    }

    fn of_lock(error: Error) -> TryLockError {
        match error.kind() {
            ErrorKind::WouldBlock => TryLockError::WouldBlock,
            _ => TryLockError::Error(error),
        }
    }
}

fn lock_with<'a>(
    file: &'a File,
    timeout: Duration,
    try_lock: fn(&'a File) -> Result<system::Lock<'a>, TryLockError>,
) -> Option<FileLock<'a>> {
    // Holders write one row: a few yields outlast most of them.
    const YIELDS: u32 = 16;
    const MAX_BACKOFF: Duration = Duration::from_millis(2);
    let mut tries = 0_u32;
    let mut since = None;
    let mut backoff = Duration::from_micros(20);
    loop {
        match try_lock(file) {
            Ok(lock) => return Some(FileLock { lock: Ok(lock) }),
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            // The error differs between systems: ENOSYS, EOPNOTSUPP, ENOLCK, EINVAL.
            Err(TryLockError::Error(error)) => {
                return Some(FileLock { lock: Err(error) });
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
