//! CPU time and memory through the `sysinfo` crate, for systems without `/proc`.

use std::collections::HashMap;
use std::time::Duration;

use ::sysinfo::{CpuRefreshKind, Pid, ProcessRefreshKind, ProcessesToUpdate};

use super::process_tree::{ProcessTree, resident_memory};
use super::source::{Usage, UsageSource};

/// Reads the usage of this process and its children through the `sysinfo` crate.
///
/// The CPU time that a child uses between the last refresh and its end is lost. The busy time of
/// the machine is not known, so the whole energy of a measured processor is counted, and marked
/// `:unshared`.
#[derive(Debug)]
pub struct SysinfoUsage {
    tree: ProcessTree,
    /// CPU milliseconds of each process at the last refresh.
    seen: HashMap<Pid, u64>,
    /// CPU milliseconds that have been charged; never falls.
    charged: u64,
    is_first: bool,
}

impl SysinfoUsage {
    /// Makes a source for this process.
    pub fn new() -> Self {
        let mut usage = Self {
            tree: ProcessTree::new(CpuRefreshKind::nothing()),
            seen: HashMap::new(),
            charged: 0,
            is_first: true,
        };
        usage.refresh();
        usage
    }

    /// Charges what the processes of the last refresh have used since they were last read.
    fn charge(&mut self) {
        for &pid in &self.tree.processes {
            let pid = Pid::from_u32(pid);
            let Some(process) = self.tree.system.process(pid) else { continue };
            let now = process.accumulated_cpu_time();
            let last = self.seen.insert(pid, now);
            // A child that is new since the last refresh has used all of it since then.
            let last = last.unwrap_or(if self.is_first { now } else { 0 });
            self.charged = self.charged.saturating_add(now.saturating_sub(last));
        }
    }
}

impl Default for SysinfoUsage {
    fn default() -> Self {
        Self::new()
    }
}

impl UsageSource for SysinfoUsage {
    fn read(&mut self) -> Usage {
        let pids: Vec<Pid> = self.tree.processes.iter().copied().map(Pid::from_u32).collect();
        self.tree.system.refresh_processes_specifics(
            ProcessesToUpdate::Some(&pids),
            false,
            ProcessRefreshKind::nothing().with_cpu(),
        );
        self.charge();
        self.tree.usage(Duration::from_millis(self.charged), None)
    }

    fn refresh(&mut self) {
        self.tree.refresh(resident_memory);
        self.charge();
        self.is_first = false;
        let processes = &self.tree.processes;
        self.seen.retain(|pid, _| processes.contains(&pid.as_u32()));
    }

    fn processes(&self) -> &[u32] {
        &self.tree.processes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_is_found_and_its_cpu_time_never_falls() {
        let mut usage = SysinfoUsage::new();
        let before = usage.read();
        let mut after = usage.read();
        // The system may count in coarse steps; a clock that stands still is waited for in vain.
        while after.own_cpu == before.own_cpu {
            after = usage.read();
        }
        assert!(after.own_cpu > before.own_cpu);
        assert_eq!(usage.processes().first(), Some(&std::process::id()));
        assert!(after.own_memory.unwrap() > 100_000);
        assert_eq!(after.busy_cpu, None, "what the platform does not report is missing, not 0");
    }
}
