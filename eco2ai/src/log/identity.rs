//! Which file is at a path, and where a log ended.

use std::fs::{File, Metadata};
use std::path::Path;

/// Which file it is, whatever its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) device: u64,
    pub(crate) number: u64,
}

impl Identity {
    /// `None` where the system does not say.
    #[cfg(unix)]
    #[allow(clippy::unnecessary_wraps)]
    pub(crate) fn from_metadata(metadata: &Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        Some(Self { device: metadata.dev(), number: metadata.ino() })
    }

    /// `None` where the system does not say.
    #[cfg(not(unix))]
    pub(crate) fn from_metadata(_: &Metadata) -> Option<Self> {
        None
    }
}

/// Whether `file` is still the file at `path`, as far as the system can say.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), path.metadata()) {
        (Ok(open), Ok(there)) => Identity::from_metadata(&open) == Identity::from_metadata(&there),
        _ => false,
    }
}

/// Where a log ended at some moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) identity: Option<Identity>,
    pub(crate) offset: u64,
}

impl End {
    /// The end of the file at `path` now; the default where there is no file.
    pub(crate) fn current(path: &Path) -> Self {
        let end =
            |log: Metadata| Self { identity: Identity::from_metadata(&log), offset: log.len() };
        path.metadata().map(end).unwrap_or_default()
    }
}
