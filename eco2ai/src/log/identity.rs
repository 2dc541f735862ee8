//! Which file is at a path, and where a log ended.

use std::fs::{File, Metadata};
use std::path::Path;

/// Distinguishes one file from another, whatever their names.
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

/// Whether `file` is still what is found at `path`, as far as the system says.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), path.metadata()) {
        (Ok(open), Ok(there)) => Identity::from_metadata(&open) == Identity::from_metadata(&there),
        _ => false,
    }
}

/// Where a log ended when this process last looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) identity: Option<Identity>,
    pub(crate) offset: u64,
}

impl End {
    /// Where the file at `path` ends now; nowhere where there is none.
    pub(crate) fn current(path: &Path) -> Self {
        let end =
            |log: Metadata| Self { identity: Identity::from_metadata(&log), offset: log.len() };
        path.metadata().map(end).unwrap_or_default()
    }
}
