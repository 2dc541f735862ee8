//! CPU time and memory from `/proc`.
//!
//! CPU time of children is kept per process id, because the kernel tells it twice: under the child
//! while it lives, and in its parent's `cutime` and `cstime` once it has been waited for.

use std::fs::{File, read_dir};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{WaitId, WaitIdOptions, waitid};
use rustix::time::{ClockId, clock_gettime};

use super::{CpuClock, Usage, UsageSource};
use crate::sensor::kept_file::KeptFile;

/// Long enough for the fields of `/proc/<pid>/stat` up to the resident set.
const STAT_BUFFER: usize = 512;
/// A search for children may take this part of the time.
const SEARCH_SHARE: u32 = 100;
/// Children whose file stays open; more than that would eat up the program's open files.
const MOST_CHILDREN: usize = 256;

/// Reads the usage of this process, or of another one, from `/proc`.
#[derive(Debug)]
pub struct LinuxUsage {
    root: PathBuf,
    own: u32,
    /// Whether `own` is this very process, whose clock tells nanoseconds.
    is_this_process: bool,
    stat: Option<KeptFile>,
    own_stat: Option<KeptFile>,
    memory_info: Option<KeptFile>,
    /// The kernel lists children (`CONFIG_PROC_CHILDREN`).
    lists_children: bool,
    ticks_per_second: u64,
    page_bytes: u64,
    cpus: f64,
    children: Vec<Child>,
    processes: Vec<u32>,
    /// Ticks of reaped children of the process itself, at the last reading.
    own_reaped: Option<u64>,
    /// Ticks that children have been charged with so far; never falls.
    charged: u64,
    own_memory: Option<u64>,
    used_memory: Option<u64>,
    /// When the next search for children may begin.
    next_search: Option<Instant>,
    searched: bool,
}

/// A descendant that was alive at the last reading.
#[derive(Debug)]
struct Child {
    pid: u32,
    parent: u32,
    stat: KeptFile,
    /// Its own ticks and those of its reaped children, as charged so far.
    own: u64,
    reaped: u64,
    /// Ticks of children of its own that have just vanished: its `reaped` is about to hold them.
    vanished: u64,
    memory: u64,
    is_gone: bool,
}

/// What `/proc/<pid>/stat` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ProcessStat {
    parent: u32,
    /// `utime` + `stime` in ticks.
    own: u64,
    /// `cutime` + `cstime` in ticks.
    reaped: u64,
    resident_pages: u64,
}

impl ProcessStat {
    /// Reads the line; the name in it may hold blanks and brackets, so the fields are counted from
    /// its last bracket.
    fn parse(line: &[u8]) -> Option<Self> {
        let name_end = line.iter().rposition(|&byte| byte == b')')?;
        let rest = std::str::from_utf8(line.get(name_end + 1..)?).ok()?;
        // Field 3 (state) is the first; `nth` counts on from the field after the last one taken.
        let mut fields = rest.split_ascii_whitespace();
        let parent = fields.nth(1)?.parse().ok()?;
        let mut ticks = [0_u64; 4];
        let mut skip = 9;
        for tick in &mut ticks {
            // `cutime` and `cstime` are signed in the kernel.
            *tick = u64::try_from(fields.nth(skip)?.parse::<i64>().ok()?).unwrap_or(0);
            skip = 0;
        }
        let [user, system, children_user, children_system] = ticks;
        let resident = fields.nth(6)?.parse::<i64>().ok()?;
        Some(Self {
            parent,
            own: user.saturating_add(system),
            reaped: children_user.saturating_add(children_system),
            resident_pages: u64::try_from(resident).unwrap_or(0),
        })
    }

    fn read(file: &KeptFile) -> Option<Self> {
        let mut buffer = [0; STAT_BUFFER];
        Self::parse(file.read(&mut buffer).ok()?)
    }
}

impl LinuxUsage {
    /// Reads this process.
    pub fn new() -> Self {
        let root = Path::new("/proc");
        // The id as this `/proc` counts it, which in a container may be another one.
        let own = std::fs::read_link(root.join("self"))
            .ok()
            .and_then(|link| link.to_str()?.parse().ok())
            .unwrap_or_else(std::process::id);
        let mut usage = Self::at(root, own);
        usage.is_this_process = true;
        usage
    }

    /// Reads the process `own` in the tree under `root`, in ticks of usually 10 ms.
    pub fn at(root: &Path, own: u32) -> Self {
        let keep = |path: &str| KeptFile::open(root.join(path)).ok();
        let mut usage = Self {
            root: root.into(),
            own,
            is_this_process: false,
            stat: keep("stat"),
            own_stat: keep(&format!("{own}/stat")),
            memory_info: keep("meminfo"),
            lists_children: root.join(format!("{own}/task/{own}/children")).exists(),
            ticks_per_second: rustix::param::clock_ticks_per_second().max(1),
            page_bytes: rustix::param::page_size() as u64,
            cpus: count_cpus(root),
            children: Vec::new(),
            processes: vec![own],
            own_reaped: None,
            charged: 0,
            own_memory: None,
            used_memory: None,
            next_search: None,
            searched: false,
        };
        usage.refresh();
        usage
    }

    fn ticks(&self, ticks: u64) -> Duration {
        // 10 ms ticks reach past the age of the universe before this saturates.
        Duration::from_nanos(ticks.saturating_mul(1_000_000_000 / self.ticks_per_second))
    }

    /// Charges what children have used since the last reading, and returns the process's own stat.
    fn read_tree(&mut self) -> Option<ProcessStat> {
        let mut before = ProcessStat::read(self.own_stat.as_ref()?)?;
        if self.children.is_empty() {
            self.charge_reaped(before.reaped, 0);
            return Some(before);
        }
        // A child that is reaped between the two looks would be seen alive and reaped: look again.
        let mut vanished = 0;
        for _ in 0..3 {
            vanished += self.read_children();
            let after = ProcessStat::read(self.own_stat.as_ref()?)?;
            let is_stable = after.reaped == before.reaped;
            before = after;
            if is_stable {
                break;
            }
        }
        self.charge_reaped(before.reaped, vanished);
        Some(before)
    }

    /// Charges the process's newly reaped children, less what was charged while they lived.
    fn charge_reaped(&mut self, reaped: u64, vanished: u64) {
        let last = self.own_reaped.replace(reaped).unwrap_or(reaped);
        self.charged += reaped.saturating_sub(last).saturating_sub(vanished);
    }

    /// Charges the living children; returns the ticks that were charged for children of the
    /// process which have vanished.
    fn read_children(&mut self) -> u64 {
        let mut of_own = 0;
        for index in 0..self.children.len() {
            let Some(child) = self.children.get_mut(index) else { break };
            if child.is_gone || ProcessStat::read(&child.stat).is_some() {
                continue;
            }
            child.is_gone = true;
            let mut ticks = child.own + child.reaped + std::mem::take(&mut child.vanished);
            let mut parent = child.parent;
            // The parent may have vanished too: then its own parent gets the ticks with it.
            for _ in 0..self.children.len() {
                if parent == self.own {
                    of_own += ticks;
                    break;
                }
                let Some(holder) = self.children.iter_mut().find(|other| other.pid == parent)
                else {
                    break;
                };
                if !holder.is_gone {
                    holder.vanished += ticks;
                    break;
                }
                ticks += std::mem::take(&mut holder.vanished);
                parent = holder.parent;
            }
        }
        for child in &mut self.children {
            if child.is_gone {
                continue;
            }
            let Some(stat) = ProcessStat::read(&child.stat) else { continue };
            self.charged += stat.own.saturating_sub(child.own);
            self.charged += stat.reaped.saturating_sub(child.reaped).saturating_sub(child.vanished);
            child.vanished = 0;
            child.own = child.own.max(stat.own);
            child.reaped = child.reaped.max(stat.reaped);
            child.parent = stat.parent;
            child.memory = stat.resident_pages;
        }
        self.children.retain(|child| !child.is_gone);
        of_own
    }

    /// Finds descendants that are not known yet.
    fn search(&mut self) {
        let begun = Instant::now();
        if self.next_search.is_some_and(|next| begun < next) {
            return;
        }
        if self.is_this_process && self.children.is_empty() && has_no_child() {
            // The kernel knows it at once.
        } else if self.lists_children {
            self.search_lists();
        } else {
            self.search_all();
        }
        self.searched = true;
        self.next_search = begun.checked_add(begun.elapsed() * SEARCH_SHARE);
    }

    /// Walks down the lists of children.
    fn search_lists(&mut self) {
        let mut queue: Vec<u32> =
            std::iter::once(self.own).chain(self.children.iter().map(|child| child.pid)).collect();
        let mut text = String::new();
        while let Some(pid) = queue.pop() {
            let Ok(tasks) = read_dir(self.root.join(format!("{pid}/task"))) else { continue };
            for task in tasks.flatten() {
                text.clear();
                let file = File::open(task.path().join("children"));
                if file.and_then(|mut file| file.read_to_string(&mut text)).is_err() {
                    continue;
                }
                for child in text.split_ascii_whitespace().filter_map(|id| id.parse().ok()) {
                    if self.adopt(child) {
                        queue.push(child);
                    }
                }
            }
        }
    }

    /// Looks at every process of the machine and follows the parents' ids.
    fn search_all(&mut self) {
        let Ok(entries) = read_dir(&self.root) else { return };
        let mut buffer = [0; STAT_BUFFER];
        let mut parents: Vec<(u32, u32)> = entries
            .flatten()
            .filter_map(|entry| {
                let pid = entry.file_name().to_str()?.parse().ok()?;
                let mut file = File::open(entry.path().join("stat")).ok()?;
                let length = file.read(&mut buffer).ok()?;
                Some((pid, ProcessStat::parse(buffer.get(..length)?)?.parent))
            })
            .collect();
        // Each pass finds one more generation.
        loop {
            let known = parents.len();
            parents.retain(|&(pid, parent)| {
                let is_ours =
                    parent == self.own || self.children.iter().any(|child| child.pid == parent);
                if is_ours {
                    self.adopt(pid);
                }
                !is_ours
            });
            if parents.len() == known {
                break;
            }
        }
    }

    /// Takes up a child; what it has used so far is charged, unless it was there before the first
    /// search. Returns whether it is new.
    fn adopt(&mut self, pid: u32) -> bool {
        if self.children.len() >= MOST_CHILDREN
            || self.children.iter().any(|child| child.pid == pid)
        {
            return false;
        }
        let Ok(stat) = KeptFile::open(self.root.join(format!("{pid}/stat"))) else { return false };
        let Some(now) = ProcessStat::read(&stat) else { return false };
        if self.searched {
            self.charged += now.own + now.reaped;
        }
        self.children.push(Child {
            pid,
            parent: now.parent,
            stat,
            own: now.own,
            reaped: now.reaped,
            vanished: 0,
            memory: now.resident_pages,
            is_gone: false,
        });
        true
    }

    /// Resident memory of the children in bytes.
    fn children_memory(&self) -> u64 {
        let pages = self.children.iter().map(|child| child.memory).sum::<u64>();
        pages.saturating_mul(self.page_bytes)
    }
}

impl Default for LinuxUsage {
    fn default() -> Self {
        Self::new()
    }
}

impl UsageSource for LinuxUsage {
    fn read(&mut self) -> Usage {
        let own = self.read_tree();
        let own_cpu = if self.is_this_process {
            Some(process_cpu_time())
        } else {
            own.map(|own| self.ticks(own.own))
        };
        if let Some(own) = own {
            self.own_memory = Some(own.resident_pages.saturating_mul(self.page_bytes));
        }
        let mut buffer = [0; 256];
        let busy = self.stat.as_ref().and_then(|stat| busy_ticks(stat.read(&mut buffer).ok()?));
        Usage {
            own_cpu: own_cpu.map(|own| own + self.ticks(self.charged)),
            busy_cpu: busy.map(|busy| self.ticks(busy)),
            cpus: self.cpus,
            own_memory: self.own_memory.map(|own| own.saturating_add(self.children_memory())),
            used_memory: self.used_memory,
        }
    }

    fn refresh(&mut self) {
        // The ticks of known children first, so that one which has vanished since is settled.
        if !self.children.is_empty() {
            self.read_tree();
        }
        self.search();
        self.processes.clear();
        self.processes.push(self.own);
        self.processes.extend(self.children.iter().map(|child| child.pid));
        let mut buffer = [0; 512];
        self.used_memory =
            self.memory_info.as_ref().and_then(|file| used_memory(file.read(&mut buffer).ok()?));
    }

    fn processes(&self) -> &[u32] {
        &self.processes
    }

    fn cpu_clock(&self) -> Option<CpuClock> {
        self.is_this_process.then(|| -> CpuClock { Arc::new(process_cpu_time) })
    }
}

/// Whether this process has no child, be it alive or not waited for yet. Leaves all as it is.
fn has_no_child() -> bool {
    let look_only = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    matches!(waitid(WaitId::All, look_only), Err(Errno::CHILD))
}

/// CPU time of this process alone.
fn process_cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    let nanoseconds = u32::try_from(now.tv_nsec).unwrap_or(0);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), nanoseconds)
}

/// User, nice, system, irq and softirq of all CPUs in ticks. `guest` is contained in `user`.
fn busy_ticks(stat: &[u8]) -> Option<u64> {
    let line = stat.split(|&byte| byte == b'\n').next()?;
    let mut fields = std::str::from_utf8(line).ok()?.strip_prefix("cpu ")?.split_ascii_whitespace();
    let mut next = || fields.next()?.parse::<u64>().ok();
    let (user, nice, system) = (next()?, next()?, next()?);
    let (_idle, _io_wait) = (next()?, next()?);
    let (irq, soft_irq) = (next().unwrap_or(0), next().unwrap_or(0));
    Some([nice, system, irq, soft_irq].into_iter().fold(user, u64::saturating_add))
}

/// `MemTotal` - `MemAvailable` in bytes.
fn used_memory(memory_info: &[u8]) -> Option<u64> {
    let field = |name: &[u8]| {
        let line = memory_info
            .split(|&byte| byte == b'\n')
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(b":"))?;
        std::str::from_utf8(line).ok()?.split_ascii_whitespace().next()?.parse::<u64>().ok()
    };
    let kibibytes = field(b"MemTotal")?.checked_sub(field(b"MemAvailable")?)?;
    kibibytes.checked_mul(1024)
}

/// Logical CPUs that are on line: the lines `cpuN` of `/proc/stat`.
fn count_cpus(root: &Path) -> f64 {
    let lines = std::fs::read_to_string(root.join("stat"))
        .map_or(0, |stat| stat.lines().skip(1).take_while(|line| line.starts_with("cpu")).count());
    if lines > 0 {
        lines as f64
    } else {
        std::thread::available_parallelism().map_or(1.0, |cpus| cpus.get() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_name_with_blanks_and_brackets_is_skipped() {
        let line = b"42 (a) b (c) S 7 1 1 0 -1 0 0 0 0 0 10 20 300 400 20 0 1 0 555 1000 77 0";
        let expected = ProcessStat { parent: 7, own: 30, reaped: 700, resident_pages: 77 };
        assert_eq!(ProcessStat::parse(line), Some(expected));
        assert_eq!(ProcessStat::parse(b"42 (short) S 7"), None);
    }

    #[test]
    fn busy_time_leaves_out_idle_iowait_steal_and_guest() {
        let stat = b"cpu  1 20 300 9 9 4000 50000 9 9 9\ncpu0 1 1 1 1 1 1 1 1 1 1\n";
        assert_eq!(busy_ticks(stat), Some(54_321));
        assert_eq!(busy_ticks(b"intr 5"), None);
    }

    #[test]
    fn used_memory_is_what_is_not_available() {
        let info = b"MemTotal:   1000 kB\nMemFree:   100 kB\nMemAvailable:  400 kB\n";
        assert_eq!(used_memory(info), Some(600 * 1024));
        assert_eq!(used_memory(b"MemTotal: 1000 kB\n"), None, "missing is not zero");
    }

    #[test]
    fn this_process_is_read_to_the_nanosecond() {
        let mut usage = LinuxUsage::new();
        let readings: Vec<Usage> = (0..100).map(|_| usage.read()).collect();
        let own = |reading: &Usage| reading.own_cpu.unwrap();
        let steps = readings.windows(2).map(|pair| own(&pair[1]).saturating_sub(own(&pair[0])));
        let smallest = steps.filter(|step| !step.is_zero()).min().unwrap();
        assert!(smallest < Duration::from_millis(10), "{smallest:?}: not finer than a tick");
        let last = &readings[99];
        assert!(last.own_memory.unwrap() > 100_000);
        assert!(last.used_memory.unwrap() > last.own_memory.unwrap());
    }
}
