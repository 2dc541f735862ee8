//! CPU time and memory through the `sysinfo` crate, for systems without `/proc`.

use std::collections::HashMap;
use std::time::Duration;

use ::sysinfo::{CpuRefreshKind, Pid, ProcessRefreshKind, ProcessesToUpdate, RefreshKind, System};

use super::descendants::refresh_with_descendants;
use super::source::{Usage, UsageSource};

/// Reads the usage of this process and its children through the `sysinfo` crate.
///
/// The CPU time that a child uses between the last refresh and its end is lost. The busy time of
/// the machine is not known, so the whole energy of a measured processor is counted, and marked
/// `:unshared`.
#[derive(Debug)]
pub struct SysinfoUsage {
    system: System,
    own: Pid,
    processes: Vec<u32>,
    /// CPU milliseconds of each process at the last refresh.
    seen: HashMap<Pid, u64>,
    /// CPU milliseconds that have been charged; never falls.
    charged: u64,
    own_memory: Option<u64>,
    used_memory: Option<u64>,
    cpus: f64,
    is_first: bool,
}

impl SysinfoUsage {
    /// Makes a source for this process.
    pub fn new() -> Self {
        let own = Pid::from_u32(std::process::id());
        let kind = RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing());
        let system = System::new_with_specifics(kind);
        let mut usage = Self {
            cpus: system.cpus().len().max(1) as f64,
            system,
            own,
            processes: vec![own.as_u32()],
            seen: HashMap::new(),
            charged: 0,
            own_memory: None,
            used_memory: None,
            is_first: true,
        };
        usage.refresh();
        usage
    }

    /// Charges what the processes of the last refresh have used since they were last read.
    fn charge(&mut self) {
        for &pid in &self.processes {
            let pid = Pid::from_u32(pid);
            let Some(process) = self.system.process(pid) else { continue };
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
        let pids: Vec<Pid> = self.processes.iter().copied().map(Pid::from_u32).collect();
        self.system.refresh_processes_specifics(
            ProcessesToUpdate::Some(&pids),
            false,
            ProcessRefreshKind::nothing().with_cpu(),
        );
        self.charge();
        Usage {
            own_cpu: Some(Duration::from_millis(self.charged)),
            busy_cpu: None,
            cpus: self.cpus,
            own_memory: self.own_memory,
            used_memory: self.used_memory,
            is_partial: false,
            of_container: false,
            process_cpu: None,
        }
    }

    fn refresh(&mut self) {
        self.processes = refresh_with_descendants(&mut self.system, self.own);
        self.charge();
        self.is_first = false;
        let processes = &self.processes;
        self.seen.retain(|pid, _| processes.contains(&pid.as_u32()));
        self.own_memory = Some(
            processes
                .iter()
                .filter_map(|&pid| Some(self.system.process(Pid::from_u32(pid))?.memory()))
                .sum(),
        );
        self.used_memory = Some(self.system.used_memory());
    }

    fn processes(&self) -> &[u32] {
        &self.processes
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
