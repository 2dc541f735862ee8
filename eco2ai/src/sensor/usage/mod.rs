//! How much of the machine's processors and memory this process uses.

// What is used on other systems is compiled on Linux for its tests.
#[cfg(any(test, not(any(target_os = "linux", windows))))]
mod descendants;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(any(test, target_os = "macos"))]
#[cfg_attr(not(target_os = "macos"), allow(dead_code, reason = "used on macOS"))]
mod macos;
#[cfg(any(target_os = "linux", target_os = "macos"))]
mod process_clock;
#[cfg(any(test, not(any(target_os = "linux", windows))))]
#[cfg_attr(not(target_os = "macos"), allow(dead_code, reason = "used on macOS"))]
mod process_tree;
mod source;
// Elsewhere the only way; on these systems it is compiled for its tests.
#[cfg(any(test, not(any(target_os = "linux", target_os = "macos", windows))))]
#[cfg_attr(
    any(target_os = "linux", target_os = "macos", windows),
    allow(unreachable_pub, reason = "public elsewhere")
)]
mod sysinfo;
#[cfg(windows)]
mod windows;

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
pub use self::sysinfo::SysinfoUsage;
#[cfg(windows)]
pub use self::windows::WindowsUsage;
#[cfg(windows)]
pub(crate) use self::windows::enter_own_job;
#[cfg(target_os = "linux")]
pub use linux::LinuxUsage;
#[cfg(target_os = "linux")]
pub(crate) use linux::used_memory;
#[cfg(target_os = "macos")]
pub use macos::MacUsage;
pub use source::{CpuClock, Usage, UsageSource};
