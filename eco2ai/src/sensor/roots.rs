//! The paths under which devices are searched.

use std::ffi::OsString;
use std::path::PathBuf;

/// The paths under which to search for devices; tests use their own trees.
#[derive(Clone, Debug)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "no such trees there"))]
pub(crate) struct Roots {
    pub(crate) proc: PathBuf,
    pub(crate) sys: PathBuf,
    /// A path of NVML instead of the usual ones.
    #[cfg_attr(not(feature = "nvidia"), allow(dead_code, reason = "there is no NVML"))]
    pub(crate) nvml: Option<OsString>,
}

impl Default for Roots {
    fn default() -> Self {
        Self { proc: "/proc".into(), sys: "/sys".into(), nvml: None }
    }
}
