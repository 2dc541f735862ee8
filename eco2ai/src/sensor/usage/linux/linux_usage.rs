//! CPU time and memory from `/proc`.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::cgroup::Cgroup;
use super::charged_time::ChargedTime;
use super::machine::{BusyTime, busy_ticks};
use super::memory::{MachineMemory, UsedMemory};
use super::process_tree::ProcessTree;
use crate::sensor::cpu_info::CpuInfo;
use crate::sensor::kept_file::KeptFile;
use crate::sensor::roots::Roots;
use crate::sensor::usage::process_clock::process_cpu_time;
use crate::sensor::usage::source::{CpuClock, Usage, UsageSource};

/// How old the used memory of the machine may be while nobody needs it: it only bounds that of the
/// process. Reading it takes a tenth of what the meter's thread needs in a second.
const MAX_MEMORY_AGE: Duration = Duration::from_secs(10);

/// Reads the usage of this process and its children from `/proc`.
///
/// ```
/// use eco2ai::sensor::{LinuxUsage, UsageSource};
///
/// let usage = LinuxUsage::new().read();
/// assert!(usage.cpus >= 1.0 && usage.own_cpu.is_some());
/// ```
#[derive(Debug)]
pub struct LinuxUsage {
    tree: ProcessTree,
    stat: Option<KeptFile>,
    memory: MachineMemory,
    ticks_per_second: u64,
    page_bytes: u64,
    busy: BusyTime,
    cpus: f64,
    /// Whether the figures of the machine are only those of this container.
    of_container: bool,
    processes: Vec<u32>,
    /// Whether a refresh has been made since the last reading.
    is_refreshed: bool,
    /// The CPU time charged so far; `None` if there is no such process.
    charged: Option<ChargedTime>,
    used_memory: UsedMemory,
    /// When `used_memory` was read.
    memory_read: Option<Instant>,
    needs_machine_memory: bool,
}

impl LinuxUsage {
    /// Makes a source for this process.
    pub fn new() -> Self {
        let Roots { proc, sys, .. } = Roots::default();
        Self::on(&CpuInfo::read(&proc, &sys))
    }

    /// Makes a source for this process on a machine with the processors `cpu`.
    pub(crate) fn on(cpu: &CpuInfo) -> Self {
        let root = Roots::default().proc;
        // In a container, this `/proc` may know the process by another id.
        let own = std::fs::read_link(root.join("self"))
            .ok()
            .and_then(|link| link.to_str()?.parse().ok())
            .unwrap_or_else(std::process::id);
        Self::open(&root, own, true, cpu)
    }

    /// Makes a source for the process `own` in the tree `proc`, on the machine of the tree `sys`
    /// beside it. The CPU time is then in ticks of usually 10 ms. Only with the feature
    /// `test-util`.
    #[cfg(feature = "test-util")]
    pub fn at(proc: &Path, own: u32) -> Self {
        Self::open(proc, own, false, &CpuInfo::read(proc, &proc.with_file_name("sys")))
    }

    fn open(root: &Path, own: u32, is_this_process: bool, cpu: &CpuInfo) -> Self {
        let keep = |path: &str| KeptFile::open(root.join(path)).ok();
        let mut usage = Self {
            tree: ProcessTree::new(root, own, is_this_process),
            stat: keep("stat"),
            memory: MachineMemory::open(root),
            ticks_per_second: rustix::param::clock_ticks_per_second().max(1),
            page_bytes: rustix::param::page_size() as u64,
            busy: BusyTime::default(),
            cpus: f64::from(cpu.logical),
            of_container: cpu.shows_container,
            processes: Vec::new(),
            is_refreshed: false,
            charged: None,
            used_memory: UsedMemory::default(),
            memory_read: None,
            needs_machine_memory: true,
        };
        if let Some((_, of_tree)) = usage.time_of_tree() {
            usage.charged = Some(ChargedTime::new(of_tree, Cgroup::find(root, own)));
        }
        usage.refresh();
        usage
    }

    /// Reads the CPU time of the process, without and with its descendants. `None` if there is no such
    /// process.
    fn time_of_tree(&mut self) -> Option<(Duration, Duration)> {
        let own = self.tree.read();
        let ticks = ticks(self.ticks_per_second);
        // This process has a clock of nanoseconds, even where no `/proc` is mounted.
        let own = if self.tree.is_this_process { process_cpu_time() } else { ticks(own?.own) };
        Some((own, own.saturating_add(ticks(self.tree.charged()))))
    }

    /// The memory of the process and its descendants in bytes. `None` if it could never be read.
    fn own_memory(&mut self, is_refreshed: bool) -> Option<u64> {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let own = (self.tree.memory_pages() * self.page_bytes as f64) as u64;
        // Pages of files count as available although processes have mapped them.
        let bounded = |usage: &Self| usage.used_memory.visible.map_or(own, |used| own.min(used));
        if is_refreshed && bounded(self) < own {
            // Both may have grown since.
            self.read_machine_memory();
        }
        (own > 0).then(|| bounded(self))
    }

    fn read_machine_memory(&mut self) {
        self.used_memory = self.memory.read();
        self.memory_read = Some(Instant::now());
    }
}

/// Converts ticks.
fn ticks(per_second: u64) -> impl Fn(u64) -> Duration + Copy {
    // Ticks of 10 ms reach past the age of the universe before this saturates.
    move |ticks| Duration::from_nanos(ticks.saturating_mul(1_000_000_000 / per_second))
}

impl Default for LinuxUsage {
    fn default() -> Self {
        Self::new()
    }
}

impl UsageSource for LinuxUsage {
    fn read(&mut self) -> Usage {
        let (process, of_tree) = self.time_of_tree().unzip();
        let ticks = ticks(self.ticks_per_second);
        let discards = self.tree.discards_children();
        let is_refreshed = std::mem::take(&mut self.is_refreshed);
        let own_cpu = of_tree.zip(self.charged.as_mut()).map(|(of_tree, charged)| {
            if is_refreshed && self.tree.ignores_sigchld() {
                charged.refresh(of_tree, ticks, discards, |id| self.tree.contains(id));
            } else if is_refreshed {
                charged.use_tree();
            }
            charged.read(of_tree, ticks)
        });
        let is_discarded =
            discards && !self.charged.as_ref().is_some_and(ChargedTime::has_discarded);
        let mut buffer = [0; 256];
        let busy = self.stat.as_ref().and_then(|stat| busy_ticks(stat.read(&mut buffer).ok()?));
        let busy_cpu = busy.map(|busy| ticks(self.busy.advance(busy)));
        Usage {
            own_cpu,
            busy_cpu,
            cpus: self.cpus,
            own_memory: self.own_memory(is_refreshed),
            used_memory: self.used_memory.machine,
            is_partial: self.tree.is_incomplete() || is_discarded,
            of_container: self.of_container,
            process_cpu: process.filter(|_| self.tree.is_this_process),
        }
    }

    fn refresh(&mut self) {
        self.tree.search();
        self.processes.clear();
        self.processes.extend(self.tree.ids());
        let is_fresh = self.memory_read.is_some_and(|at| at.elapsed() < MAX_MEMORY_AGE);
        if self.needs_machine_memory || !is_fresh {
            self.read_machine_memory();
        }
        self.is_refreshed = true;
    }

    fn need_machine_memory(&mut self, is_needed: bool) {
        if is_needed && !self.needs_machine_memory {
            // It may be older than the last refresh.
            self.read_machine_memory();
        }
        self.needs_machine_memory = is_needed;
    }

    fn refresh_shared_memory(&mut self) {
        self.tree.refresh_proportions();
    }

    fn processes(&self) -> &[u32] {
        &self.processes
    }

    fn cpu_clock(&self) -> Option<CpuClock> {
        self.tree.is_this_process.then(|| -> CpuClock { Arc::new(process_cpu_time) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_read_to_the_nanosecond() {
        let mut usage = LinuxUsage::new();
        let readings: Vec<Usage> = (0..100).map(|_| usage.read()).collect();
        let own = |reading: &Usage| reading.own_cpu.unwrap();
        let steps = readings.windows(2).map(|pair| own(&pair[1]).saturating_sub(own(&pair[0])));
        let smallest = steps.filter(|step| !step.is_zero()).min().unwrap();
        assert!(smallest < Duration::from_millis(10), "{smallest:?}: not finer than a tick");
    }

    #[test]
    fn the_memory_of_this_process_is_a_part_of_that_in_use() {
        let usage = LinuxUsage::new().read();
        assert!(usage.own_memory.unwrap() > 100_000);
        assert!(usage.used_memory.unwrap() > usage.own_memory.unwrap());
    }
}
