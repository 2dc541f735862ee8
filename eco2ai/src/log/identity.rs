//! The identity of the file at a path, and the end of a log.

use std::fs::{File, Metadata};
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
        let end =
            |log: Metadata| Self { identity: Identity::from_metadata(&log), offset: log.len() };
        path.metadata().map(end).unwrap_or_default()
    }
}
