//! CPU time and memory from `/proc`.

mod cgroup;
#[cfg(test)]
mod charge_test;
mod charged_time;
mod cpu_limit;
mod ended_children;
mod leading_number;
mod linux_usage;
mod machine;
mod memory;
mod own_process;
mod process_stat;
mod process_tree;
mod proportion;
mod tree_member;
mod tree_memory;
mod tree_search;

pub use linux_usage::LinuxUsage;
pub(crate) use memory::used_memory;
