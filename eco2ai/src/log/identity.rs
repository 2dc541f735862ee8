//! The identity of the file at a path, and the end of a log.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

/// The identity of a file, independent of its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) device: u64,
    pub(crate) number: u64,
}

impl Identity {
    /// `None` if the system does not report it.
    #[cfg(unix)]
    #[allow(clippy::unnecessary_wraps)]
    pub(crate) fn from_metadata(metadata: &Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        Some(Self { device: metadata.dev(), number: metadata.ino() })
    }

    /// `None` if the system does not report it.
    #[cfg(not(unix))]
    pub(crate) fn from_metadata(_: &Metadata) -> Option<Self> {
        None
    }
}

/// Returns whether `file` is still the file at `path`, as far as the system reports it.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), path.metadata()) {
        (Ok(open), Ok(there)) => Identity::from_metadata(&open) == Identity::from_metadata(&there),
        _ => false,
    }
}

/// The end of a log at some moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) identity: Option<Identity>,
    pub(crate) offset: u64,
}

impl End {
    /// Returns the current end of the file at `path`; the default if there is no file.
    pub(crate) fn current(path: &Path) -> Self {
        Self::find(path).unwrap_or_default()
    }

    /// Returns the current end of the file at `path`.
    ///
    /// # Errors
    /// Returns the system's error; `NotFound` if there is no file.
    pub(crate) fn find(path: &Path) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        if let Some(end) = Self::without_times(path)? {
            return Ok(end);
        }
        let found = path.metadata()?;
        Ok(Self { identity: Identity::from_metadata(&found), offset: found.len() })
    }

    /// Asks for nothing else: a file whose times were asked for gets new ones at its next write,
    /// which then takes half as long again. `None` if the system has no such call.
    #[cfg(target_os = "linux")]
    fn without_times(path: &Path) -> io::Result<Option<Self>> {
        use rustix::fs::{AtFlags, CWD, StatxFlags, makedev, statx};
        use rustix::io::Errno;

        let asked = StatxFlags::INO | StatxFlags::SIZE;
        match statx(CWD, path, AtFlags::empty(), asked) {
            Ok(found) if StatxFlags::from_bits_retain(found.stx_mask).contains(asked) => {
                let device = makedev(found.stx_dev_major, found.stx_dev_minor);
                let identity = Some(Identity { device, number: found.stx_ino });
                Ok(Some(Self { identity, offset: found.stx_size }))
            }
            // Kernels before 4.11, and filters of system calls that do not know it.
            Ok(_) | Err(Errno::NOSYS | Errno::PERM) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
