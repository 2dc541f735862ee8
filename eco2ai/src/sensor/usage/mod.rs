//! How much of the machine's processors and memory this process uses.

#[cfg(target_os = "linux")]
mod linux;
mod source;
// Elsewhere the only way; on Linux and Windows it is compiled for its tests.
#[cfg(any(test, not(any(target_os = "linux", windows))))]
#[cfg_attr(any(target_os = "linux", windows), allow(unreachable_pub, reason = "public elsewhere"))]
mod sysinfo;
#[cfg(windows)]
mod windows;

#[cfg(not(any(target_os = "linux", windows)))]
pub use self::sysinfo::SysinfoUsage;
#[cfg(windows)]
pub use self::windows::WindowsUsage;
#[cfg(target_os = "linux")]
pub use linux::LinuxUsage;
#[cfg(target_os = "linux")]
pub(crate) use linux::used_memory;
pub use source::{CpuClock, Usage, UsageSource};
