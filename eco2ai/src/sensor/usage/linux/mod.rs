//! CPU time and memory from `/proc`.

mod linux_usage;
mod machine;
mod process_stat;
mod process_tree;

pub use linux_usage::LinuxUsage;
