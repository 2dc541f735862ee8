//! [`WindowsUsage`]: usage on Windows.

mod own_job;

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use winsafe::guard::CloseHandleGuard;
use winsafe::{
    FILETIME, GetSystemInfo, GetSystemTimes, GetTickCount64, GlobalMemoryStatusEx, HPROCESS,
    HPROCESSLIST, SysResult, co,
};

use self::own_job::OwnJob;
pub(crate) use self::own_job::enter_own_job;
use super::source::{Usage, UsageSource};
use crate::sensor::cpu_info::CpuInfo;

/// The unit of [`FILETIME`].
const TICK: Duration = Duration::from_nanos(100);

/// Reads the usage of this process and its children through the Windows API.
///
/// The process keeps a handle to each of its children until they have ended and their whole CPU time
/// is charged. What a child uses that starts and ends between two refreshes is lost, unless this
/// process has made a job object for itself and its children, as `eco2ai run` does. Windows counts CPU
/// time in ticks of the clock interrupt, usually 15.6 ms. The memory of a process is the smaller of
/// its working set and its private memory, so that libraries which processes share are not counted for
/// each of them.
#[derive(Debug)]
pub struct WindowsUsage {
    own: u32,
    /// The process and its children by id. Windows gives no id anew while a handle is open.
    members: HashMap<u32, Member>,
    /// The ids, that of the process first.
    processes: Vec<u32>,
    job: Option<OwnJob>,
    /// Ticks of CPU time of processes that are not in the job, or of all if there is none.
    outside: u64,
    /// Ticks of CPU time that have been charged; never falls.
    charged: u64,
    /// Ticks of the machine's busy time at the last reading.
    busy: Option<u64>,
    own_memory: Option<u64>,
    used_memory: Option<u64>,
    cpus: f64,
    has_whole_machine: bool,
    is_partial: bool,
}

struct Member {
    handle: CloseHandleGuard<HPROCESS>,
    created: u64,
    /// Ticks of its CPU time that are charged or that it used before.
    seen: u64,
    is_in_job: bool,
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member").field("seen", &self.seen).finish_non_exhaustive()
    }
}

impl Member {
    fn open(pid: u32) -> SysResult<Self> {
        let full = co::PROCESS::QUERY_INFORMATION | co::PROCESS::VM_READ;
        // Some processes let their memory be read by none.
        let limited = co::PROCESS::QUERY_LIMITED_INFORMATION;
        let handle = HPROCESS::OpenProcess(full, false, pid)
            .or_else(|_| HPROCESS::OpenProcess(limited, false, pid))?;
        let (created, ..) = handle.GetProcessTimes()?;
        Ok(Self { handle, created: created.into(), seen: 0, is_in_job: false })
    }

    /// Ticks of CPU time, also of a process that has ended.
    fn cpu_time(&self) -> Option<u64> {
        let (_, _, kernel, user) = self.handle.GetProcessTimes().ok()?;
        Some(u64::from(kernel).saturating_add(user.into()))
    }

    fn memory(&self) -> Option<u64> {
        let counters = self.handle.GetProcessMemoryInfo().ok()?;
        // 0 where it is not known.
        let private = counters.PagefileUsage;
        let own = counters.WorkingSetSize.min(if private > 0 { private } else { usize::MAX });
        u64::try_from(own).ok()
    }
}

/// An entry of the list of processes.
struct Listed {
    pid: u32,
    parent: u32,
    /// 0 for one that has ended while somebody has a handle to it.
    threads: u32,
}

impl WindowsUsage {
    /// Makes a source for this process.
    pub fn new() -> Self {
        let own = std::process::id();
        let cpus = CpuInfo::of_this_machine().logical;
        let mut usage = Self {
            own,
            members: HashMap::new(),
            processes: vec![own],
            job: OwnJob::entered(),
            outside: 0,
            charged: 0,
            busy: None,
            own_memory: None,
            used_memory: None,
            cpus: cpus.into(),
            has_whole_machine: times_are_of_all_groups(cpus),
            is_partial: false,
        };
        if let Ok(member) = Member::open(own) {
            usage.add(own, member);
        }
        usage.refresh();
        // What the children used before is not charged.
        usage.read_times();
        usage.outside = 0;
        if let Some(job) = &mut usage.job {
            job.start();
        }
        usage
    }

    fn add(&mut self, pid: u32, mut member: Member) {
        if let Some(job) = &mut self.job {
            member.is_in_job = job.add(&member.handle);
        }
        self.members.insert(pid, member);
    }

    /// Adds what the processes have used since they were last read.
    fn read_times(&mut self) {
        for member in self.members.values_mut() {
            let now = member.cpu_time().unwrap_or(member.seen);
            let used = now.saturating_sub(member.seen);
            let sum = match &mut self.job {
                Some(job) if member.is_in_job => &mut job.found,
                _ => &mut self.outside,
            };
            *sum = sum.saturating_add(used);
            member.seen = now.max(member.seen);
        }
    }

    /// Takes in the processes that a known one has started.
    fn take_in(&mut self, listed: &[Listed]) {
        let mut found = true;
        while found {
            found = false;
            for process in listed {
                let Some(parent) = self.members.get(&process.parent) else { continue };
                if process.threads == 0 || self.members.contains_key(&process.pid) {
                    continue;
                }
                match Member::open(process.pid) {
                    // Else the id of its parent, which has ended, is used anew.
                    Ok(member) if member.created >= parent.created => {
                        self.add(process.pid, member);
                        found = true;
                    }
                    Ok(_) => {}
                    // It has ended, or is another user's.
                    Err(error) => {
                        self.is_partial |= error == co::ERROR::ACCESS_DENIED;
                    }
                }
            }
        }
    }
}

impl Default for WindowsUsage {
    fn default() -> Self {
        Self::new()
    }
}

impl UsageSource for WindowsUsage {
    fn read(&mut self) -> Usage {
        self.read_times();
        let in_job = self.job.as_ref().map(OwnJob::charged).unwrap_or_default();
        self.charged = self.charged.max(self.outside.saturating_add(in_job.ticks));
        if self.has_whole_machine {
            self.busy = machine_busy().max(self.busy);
        }
        Usage {
            own_cpu: self.members.contains_key(&self.own).then(|| duration(self.charged)),
            busy_cpu: self.busy.map(duration),
            cpus: self.cpus,
            own_memory: self.own_memory,
            used_memory: self.used_memory,
            is_partial: self.is_partial || in_job.is_partial,
            of_container: false,
            process_cpu: None,
        }
    }

    fn refresh(&mut self) {
        self.is_partial = false;
        let Ok(listed) = processes() else {
            self.is_partial = true;
            return;
        };
        // The children of one that has ended still name it, so it is removed only then.
        self.take_in(&listed);
        self.read_times();
        let own = self.own;
        let is_running = |pid: u32| listed.iter().any(|it| it.pid == pid && it.threads > 0);
        self.members.retain(|&pid, _| pid == own || is_running(pid));
        self.processes.clear();
        self.processes.push(own);
        self.processes.extend(self.members.keys().filter(|&&pid| pid != own));
        let memory: u64 = self.members.values().filter_map(Member::memory).sum();
        // A running process has some, so 0 is a figure that is missing.
        self.own_memory = (memory > 0).then_some(memory);
        self.used_memory = GlobalMemoryStatusEx()
            .ok()
            .and_then(|memory| memory.ullTotalPhys.checked_sub(memory.ullAvailPhys));
    }

    fn processes(&self) -> &[u32] {
        &self.processes
    }
}

/// Lists the processes of the machine.
fn processes() -> SysResult<Vec<Listed>> {
    let mut list = HPROCESSLIST::CreateToolhelp32Snapshot(co::TH32CS::SNAPPROCESS, None)?;
    list.iter_processes()
        .map(|entry| {
            entry.map(|entry| Listed {
                pid: entry.th32ProcessID,
                parent: entry.th32ParentProcessID,
                threads: entry.cntThreads,
            })
        })
        .collect()
}

/// Ticks of busy time and of all time of the machine's CPUs since its start.
fn machine_times() -> Option<(u64, u64)> {
    let (idle, kernel, user) = GetSystemTimes().ok()?;
    let [idle, kernel, user] = [idle, kernel, user].map(|time: FILETIME| u64::from(time));
    // The time of the kernel contains the idle time.
    let all = kernel.saturating_add(user);
    Some((all.saturating_sub(idle), all))
}

fn machine_busy() -> Option<u64> {
    machine_times().map(|(busy, _)| busy)
}

/// Whether the machine's times are those of all its logical CPUs. Windows has groups of at most 64,
/// and on some of its versions counts one of them.
fn times_are_of_all_groups(cpus: u32) -> bool {
    if cpus <= GetSystemInfo().dwNumberOfProcessors {
        return true;
    }
    let Some((_, all)) = machine_times() else { return false };
    let uptime = Duration::from_millis(GetTickCount64()).as_secs_f64();
    duration(all).as_secs_f64() > 0.9 * f64::from(cpus) * uptime
}

fn duration(ticks: u64) -> Duration {
    // A tick has fewer nanoseconds than a u32.
    let seconds = Duration::from_secs(ticks / 10_000_000);
    seconds + TICK * u32::try_from(ticks % 10_000_000).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::windows::process::CommandExt;
    use std::process::{Command, Stdio};

    use super::*;

    /// Names the test whose other half a child runs.
    const CHILD: &str = "ECO2AI_TEST_CHILD";

    /// A child that runs the other half of a test.
    fn child(test: &str) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", &format!("sensor::usage::windows::tests::{test}")])
            .env(CHILD, test)
            .stdin(Stdio::piped())
            .stdout(Stdio::null());
        command
    }

    fn is_child(test: &str) -> bool {
        std::env::var_os(CHILD).is_some_and(|name| name == test)
    }

    /// What the child `work` uses, as it counts itself.
    const WORK: Duration = Duration::from_millis(300);

    #[test]
    fn work() {
        if is_child("work") {
            let own = Member::open(std::process::id()).unwrap();
            while duration(own.cpu_time().unwrap()) < WORK {
                std::hint::spin_loop();
            }
        }
    }

    /// Waits until its standard input ends.
    #[test]
    fn wait() {
        if is_child("wait") {
            std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        }
    }

    #[test]
    fn the_cpu_time_of_the_process_and_the_machine_grows() {
        let mut usage = WindowsUsage::new();
        let before = usage.read();
        let mut after = usage.read();
        while after.own_cpu == before.own_cpu || after.busy_cpu == before.busy_cpu {
            after = usage.read();
        }
        assert!(after.own_cpu > before.own_cpu && after.busy_cpu > before.busy_cpu);
        assert!(after.own_memory > Some(100_000), "{after:?}");
        assert!(after.used_memory.unwrap() > after.own_memory.unwrap());
        assert_eq!(usage.processes().first(), Some(&std::process::id()));
    }

    // Run it on Windows with `cargo test -- --ignored`.
    #[test]
    #[ignore = "Wine returns the times of the calling process for each process"]
    fn a_child_that_has_ended_is_charged_to_its_end() {
        let mut usage = WindowsUsage::new();
        let mut child = child("work").spawn().unwrap();
        usage.refresh();
        assert!(usage.processes().contains(&child.id()));
        child.wait().unwrap();
        // Other tests of this process use CPU time as well, so the child's own part is asked.
        let used = usage.members[&child.id()].cpu_time().unwrap();
        assert!(duration(used) >= WORK, "{used}");
        let before = usage.outside - usage.members[&child.id()].seen;
        usage.refresh();
        assert!(usage.outside >= before + used);
        assert!(!usage.processes().contains(&child.id()));
    }

    /// Only a process of its own may enter a job.
    #[test]
    fn in_a_job_no_child_is_missing_unnoticed() {
        const THIS: &str = "in_a_job_no_child_is_missing_unnoticed";
        const CREATE_BREAKAWAY_FROM_JOB: u32 = 0x0100_0000;
        if !is_child(THIS) {
            assert!(child(THIS).status().unwrap().success());
            return;
        }
        enter_own_job();
        let mut usage = WindowsUsage::new();
        while usage.read().own_cpu.unwrap().is_zero() {}
        assert!(!usage.read().is_partial);

        // Starts and ends between two searches for children.
        child("work").status().unwrap();
        let after = usage.read();
        // Wine does not count the times.
        let is_charged = after.own_cpu.unwrap() >= WORK;
        assert_eq!(after.is_partial, !is_charged, "{after:?}");

        let mut outside = child("wait").creation_flags(CREATE_BREAKAWAY_FROM_JOB).spawn().unwrap();
        let mut inside = child("wait").spawn().unwrap();
        usage.refresh();
        assert!(!usage.members[&outside.id()].is_in_job);
        assert!(usage.members[&inside.id()].is_in_job);
        outside.wait().unwrap();
        inside.wait().unwrap();
    }
}
