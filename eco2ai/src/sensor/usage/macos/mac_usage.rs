//! CPU time and memory on macOS.
//!
//! This compiles, and what it computes is tested elsewhere; it has not been run on a Mac.

use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use sysinfo::{
    CpuRefreshKind, MINIMUM_CPU_UPDATE_INTERVAL, Pid, ProcessRefreshKind, ProcessesToUpdate, System,
};

use super::busy_time::BusyTime;
use super::tree_time::TreeTime;
use crate::sensor::usage::process_clock::process_cpu_time;
use crate::sensor::usage::process_tree::{ProcessTree, resident_memory};
use crate::sensor::usage::source::{CpuClock, Usage, UsageSource};

/// The time between two readings of the machine's utilisation: more than `sysinfo` requires.
const UTILISATION_INTERVAL: Duration = MINIMUM_CPU_UPDATE_INTERVAL.saturating_mul(2);

/// Reads the usage of this process and its children on macOS.
///
/// The CPU time of the process is exact. That of its living descendants has steps of a millisecond;
/// that of children which have ended is exact once the process has waited for them. The busy time of
/// the machine is computed from its utilisation, which is read a few times a second at most.
///
/// Memory is the physical footprint with the feature `apple`, as Activity Monitor shows it, and the
/// resident memory without, which counts pages that processes share once for each of them.
#[derive(Debug)]
pub struct MacUsage {
    tree: ProcessTree,
    of_children: TreeTime,
    busy: BusyTime,
    started: Instant,
    utilisation_read: Instant,
}

impl MacUsage {
    /// Makes a source for this process.
    pub fn new() -> Self {
        let now = Instant::now();
        let mut usage = Self {
            tree: ProcessTree::new(CpuRefreshKind::nothing().with_cpu_usage()),
            of_children: TreeTime::default(),
            busy: BusyTime::default(),
            started: now,
            utilisation_read: now,
        };
        usage.refresh();
        usage
    }

    /// Returns the busy time of the machine.
    fn busy_time(&mut self) -> Duration {
        let now = Instant::now();
        if now.duration_since(self.utilisation_read) >= UTILISATION_INTERVAL {
            self.utilisation_read = now;
            let system = &mut self.tree.system;
            system.refresh_cpu_usage();
            let utilisation = f64::from(system.global_cpu_usage()) / 100.0;
            let busy_cpus = utilisation * self.tree.cpus();
            self.busy.read(now.duration_since(self.started), busy_cpus);
        }
        self.busy.at(now.duration_since(self.started))
    }
}

impl Default for MacUsage {
    fn default() -> Self {
        Self::new()
    }
}

impl UsageSource for MacUsage {
    fn read(&mut self) -> Usage {
        // First, so that a child which ends meanwhile is not in both.
        let waited_for = waited_for();
        let others = self.tree.processes.iter().skip(1);
        let others: Vec<Pid> = others.copied().map(Pid::from_u32).collect();
        let kind = ProcessRefreshKind::nothing().with_cpu();
        self.tree.system.refresh_processes_specifics(ProcessesToUpdate::Some(&others), true, kind);
        let living = others.iter().filter_map(|pid| {
            let time = self.tree.system.process(*pid)?.accumulated_cpu_time();
            Some((pid.as_u32(), Duration::from_millis(time)))
        });
        let of_children = self.of_children.read(living, waited_for);
        let busy_time = self.busy_time();
        let process_cpu = process_cpu_time();
        Usage {
            process_cpu: Some(process_cpu),
            ..self.tree.usage(process_cpu.saturating_add(of_children), Some(busy_time))
        }
    }

    fn refresh(&mut self) {
        self.tree.refresh(memory);
    }

    fn processes(&self) -> &[u32] {
        &self.tree.processes
    }

    fn cpu_clock(&self) -> Option<CpuClock> {
        Some(Arc::new(process_cpu_time))
    }
}

/// Returns the CPU time of the children that this process has waited for, with theirs. The system
/// reports it in microseconds, unlike the times of `proc_pid_rusage`, which are in units of Mach.
fn waited_for() -> Duration {
    let duration = |time: TimeVal| {
        let microseconds = u32::try_from(time.tv_usec()).unwrap_or(0);
        Duration::new(u64::try_from(time.tv_sec()).unwrap_or(0), 0)
            + Duration::from_micros(microseconds.into())
    };
    getrusage(UsageWho::RUSAGE_CHILDREN)
        .map_or(Duration::ZERO, |usage| duration(usage.user_time()) + duration(usage.system_time()))
}

/// Returns the memory of a process in bytes; `None` if it has ended.
fn memory(system: &System, id: u32) -> Option<u64> {
    #[cfg(all(feature = "apple", target_arch = "aarch64"))]
    if let Some(footprint) = footprint(id) {
        return Some(footprint);
    }
    resident_memory(system, id)
}

/// Returns the physical footprint of a process in bytes; `None` if it may not be read.
#[cfg(all(feature = "apple", target_arch = "aarch64"))]
fn footprint(id: u32) -> Option<u64> {
    use libproc::pid_rusage::{RUsageInfoV0, pidrusage};

    let usage: RUsageInfoV0 = pidrusage(i32::try_from(id).ok()?).ok()?;
    Some(usage.ri_phys_footprint)
}
