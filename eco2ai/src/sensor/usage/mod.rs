//! How much of the machine's processors and memory this process uses.

#[cfg(target_os = "linux")]
mod linux;
mod source;
// Elsewhere the only way; on Linux it is compiled for its tests.
#[cfg(any(test, not(target_os = "linux")))]
#[cfg_attr(target_os = "linux", allow(unreachable_pub, reason = "public elsewhere"))]
mod sysinfo;

#[cfg(not(target_os = "linux"))]
pub use self::sysinfo::SysinfoUsage;
#[cfg(target_os = "linux")]
pub use linux::LinuxUsage;
#[cfg(target_os = "linux")]
pub(crate) use linux::used_memory;
pub use source::{CpuClock, Usage, UsageSource};
