//! This process with its descendants, and the memory they use, through the `sysinfo` crate.

use std::time::Duration;

use sysinfo::{CpuRefreshKind, Pid, RefreshKind, System};

use super::descendants::refresh_with_descendants;
use super::source::Usage;

/// What the `sysinfo` crate says of this process, its descendants and the machine.
#[derive(Debug)]
pub(super) struct ProcessTree {
    pub(super) system: System,
    /// The ids of this process and its descendants at the last refresh; its own is the first.
    pub(super) processes: Vec<u32>,
    own: Pid,
    cpus: f64,
    own_memory: Option<u64>,
    used_memory: Option<u64>,
}

impl ProcessTree {
    /// Makes the tree of this process, without its descendants. `kind` is what to read of the CPUs.
    pub(super) fn new(kind: CpuRefreshKind) -> Self {
        let system = System::new_with_specifics(RefreshKind::nothing().with_cpu(kind));
        let own = Pid::from_u32(std::process::id());
        Self {
            cpus: system.cpus().len().max(1) as f64,
            system,
            processes: vec![own.as_u32()],
            own,
            own_memory: None,
            used_memory: None,
        }
    }

    pub(super) fn cpus(&self) -> f64 {
        self.cpus
    }

    /// Searches for descendants and reads memory: `memory` returns that of one process, in bytes.
    pub(super) fn refresh(&mut self, memory: impl Fn(&System, u32) -> Option<u64>) {
        self.processes = refresh_with_descendants(&mut self.system, self.own);
        self.own_memory =
            Some(self.processes.iter().filter_map(|&id| memory(&self.system, id)).sum());
        self.used_memory = Some(self.system.used_memory());
    }

    /// Returns the usage with these CPU times, and memory as of the last refresh.
    pub(super) fn usage(&self, own_cpu: Duration, busy_cpu: Option<Duration>) -> Usage {
        Usage {
            own_cpu: Some(own_cpu),
            busy_cpu,
            cpus: self.cpus,
            own_memory: self.own_memory,
            used_memory: self.used_memory,
            is_partial: false,
            of_container: false,
            process_cpu: None,
        }
    }
}

/// Returns the resident memory of a process in bytes; `None` if it has ended.
pub(super) fn resident_memory(system: &System, id: u32) -> Option<u64> {
    system.process(Pid::from_u32(id)).map(sysinfo::Process::memory)
}
