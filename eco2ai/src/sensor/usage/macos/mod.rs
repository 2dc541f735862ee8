//! Usage on macOS. What is computed here is compiled elsewhere too, for its tests.

mod busy_time;
#[cfg(target_os = "macos")]
mod mac_usage;
mod tree_time;

#[cfg(target_os = "macos")]
pub use mac_usage::MacUsage;
