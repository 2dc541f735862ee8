//! Where devices are looked for.

use std::ffi::OsString;
use std::path::PathBuf;

/// Where to look for devices; tests bring trees of their own.
#[derive(Clone, Debug)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "no such trees there"))]
pub(crate) struct Roots {
    pub(crate) proc: PathBuf,
    pub(crate) sys: PathBuf,
    /// A path of NVML instead of the usual ones.
    pub(crate) nvml: Option<OsString>,
}

impl Default for Roots {
    fn default() -> Self {
        Self { proc: "/proc".into(), sys: "/sys".into(), nvml: None }
    }
}
