//! CPU time and memory of a process and its children.
#![cfg(target_os = "linux")]

use std::process::{Command, Stdio};
use std::time::Duration;

use eco2ai::sensor::{LinuxUsage, UsageSource};
use eco2ai_tests::fake_tree::{FakeProcess, FakeTree};
use eco2ai_tests::program::wait_until;

const OWN: u32 = 100;

/// A process with the given own and reaped ticks.
fn process(pid: u32, parent: u32, own: u64, reaped: u64) -> FakeProcess {
    FakeProcess { pid, parent, own, reaped, pages: 10, ..FakeProcess::default() }
}

/// A machine on which the process runs beside a stranger.
fn machine() -> FakeTree {
    let tree = FakeTree::new();
    tree.machine(1000, 3_000_000);
    tree.process(process(1, 0, 5, 5));
    tree.process(process(OWN, 1, 50, 30));
    tree.process(process(999, 1, 777, 0));
    tree
}

/// Milliseconds of CPU time charged so far; a tick is 10 ms.
fn own(usage: &mut LinuxUsage) -> u128 {
    usage.read().own_cpu.unwrap().as_millis()
}

/// The process reads itself and its children by their parents' ids.
fn start(tree: &FakeTree) -> (LinuxUsage, u128) {
    let mut usage = LinuxUsage::at(&tree.proc(), OWN);
    let base = own(&mut usage);
    (usage, base)
}

/// Looks for children until this one is found: searches have a share of the time only.
fn search_until_found(usage: &mut LinuxUsage, child: u32) {
    wait_until("the child is found", || {
        usage.refresh();
        usage.processes().contains(&child)
    });
}

#[test]
fn machine_and_memory_figures_are_those_of_the_kernel() {
    let tree = machine();
    tree.process(process(101, OWN, 0, 0));
    let (mut usage, _) = start(&tree);
    let read = usage.read();
    assert_eq!(read.busy_cpu, Some(Duration::from_secs(10)));
    assert!((read.cpus - 2.0).abs() < f64::EPSILON);
    assert_eq!(read.used_memory, Some(3_000_000 * 1024));
    assert_eq!(read.own_memory.unwrap() % 20, 0, "ten pages of its own, ten of the child");
    assert_eq!(usage.processes(), [OWN, 101]);
}

#[test]
fn a_child_is_charged_while_it_lives_and_not_again_when_it_is_reaped() {
    let tree = machine();
    tree.process(process(101, OWN, 400, 0));
    let (mut usage, base) = start(&tree);
    tree.process(process(101, OWN, 450, 0));
    assert_eq!(own(&mut usage) - base, 500, "not what it had used before");
    // It uses 20 ticks more, ends, and is waited for.
    tree.end(101);
    tree.process(process(OWN, 1, 50, 30 + 470));
    assert_eq!(own(&mut usage) - base, 700);
}

#[test]
fn a_child_that_came_and_went_between_two_looks_is_charged() {
    let tree = machine();
    let (mut usage, base) = start(&tree);
    tree.process(process(OWN, 1, 50, 30 + 25));
    assert_eq!(own(&mut usage) - base, 250);
}

#[test]
fn a_new_child_is_charged_from_its_birth() {
    let tree = machine();
    let (mut usage, base) = start(&tree);
    tree.process(process(101, OWN, 40, 2));
    tree.process(process(102, 101, 7, 0));
    search_until_found(&mut usage, 102);
    assert_eq!(own(&mut usage) - base, 490);
    assert_eq!(usage.processes().len(), 3, "with the child of the child");
}

/// A process that ignores `SIGCHLD`, with ticks of its own.
fn ignoring(own: u64) -> FakeProcess {
    FakeProcess { ignores_sigchld: true, ..process(OWN, 1, own, 30) }
}

#[test]
fn a_child_whose_time_the_kernel_discards_hides_no_progress_of_another() {
    let tree = machine();
    tree.process(ignoring(50));
    tree.process(process(101, OWN, 400, 0));
    tree.process(process(102, OWN, 0, 0));
    let (mut usage, base) = start(&tree);
    // The first vanishes without a trace while the second works.
    tree.end(101);
    tree.process(process(102, OWN, 60, 0));
    assert_eq!(own(&mut usage) - base, 600);
    tree.process(FakeProcess { reaped: 30 + 8, ..ignoring(50) });
    assert_eq!(own(&mut usage) - base, 680, "and what is reaped later is charged");
}

#[test]
fn time_of_children_that_the_kernel_discards_is_reported_as_missing() {
    let tree = machine();
    tree.process(ignoring(50));
    let (mut usage, _) = start(&tree);
    assert!(!usage.read().is_partial, "no child, nothing lost");
    tree.process(process(101, OWN, 0, 0));
    search_until_found(&mut usage, 101);
    assert!(usage.read().is_partial);
    tree.process(process(OWN, 1, 50, 30));
    assert!(!usage.read().is_partial, "it no longer ignores them");
}

/// Puts the process into a control group that has used `micros`, with these processes.
fn group(tree: &FakeTree, micros: u64, processes: &str) {
    let place = tree.root().join("cgroup");
    tree.write("proc/100/cgroup", "0::/job");
    let mount = format!("29 23 0:26 / {} rw - cgroup2 cgroup2 rw", place.display());
    tree.write("proc/100/mountinfo", mount);
    tree.write("cgroup/job/cpu.stat", format!("usage_usec {micros}\nuser_usec 1\nsystem_usec 2"));
    tree.write("cgroup/job/cgroup.procs", processes);
}

#[test]
fn a_control_group_of_its_own_knows_the_time_that_the_kernel_discards() {
    let tree = machine();
    tree.process(ignoring(50));
    group(&tree, 1_000_000, "100");
    let (mut usage, base) = start(&tree);
    tree.process(process(101, OWN, 3, 0));
    group(&tree, 1_700_000, "100\n101\n102");
    // A child of the child that the search did not find.
    tree.process(process(102, 101, 0, 0));
    search_until_found(&mut usage, 101);
    assert_eq!(own(&mut usage) - base, 700);
    tree.end(101);
    group(&tree, 2_900_000, "100");
    assert_eq!(own(&mut usage) - base, 1900);
    assert!(!usage.read().is_partial);
    // A stranger comes: from now on the tree counts, and what it does not see is missing.
    group(&tree, 3_000_000, "100\n999");
    usage.refresh();
    usage.read();
    tree.process(ignoring(53));
    group(&tree, 9_000_000, "100\n999");
    assert_eq!(own(&mut usage) - base, 1930);
    assert!(usage.read().is_partial);
}

/// Nobody watched the group before, so what the kernel has discarded by then is in no account.
#[test]
fn time_that_is_discarded_before_anybody_watches_is_reported_as_missing() {
    let tree = machine();
    group(&tree, 1_000_000, "100\n101");
    tree.process(process(101, OWN, 0, 0));
    let (mut usage, _) = start(&tree);
    assert!(!usage.read().is_partial);
    // Within one period it begins to ignore `SIGCHLD`, and a child works and ends.
    tree.process(ignoring(50));
    tree.end(101);
    group(&tree, 1_900_000, "100");
    usage.refresh();
    assert!(usage.read().is_partial);
    usage.refresh();
    assert!(!usage.read().is_partial, "the group has it now");
}

#[test]
fn time_of_a_shell_that_waits_is_not_that_of_the_process() {
    let tree = machine();
    tree.process(process(90, 1, 100, 0));
    tree.write("proc/90/cgroup", "0::/job");
    tree.process(FakeProcess { parent: 90, ..ignoring(50) });
    tree.process(process(101, OWN, 0, 0));
    group(&tree, 1_000_000, "90\n100\n101");
    let (mut usage, base) = start(&tree);
    tree.process(process(90, 1, 120, 10));
    group(&tree, 1_900_000, "90\n100\n101");
    assert_eq!(own(&mut usage) - base, 600, "900 ms less 300 ms");
}

#[test]
fn each_of_many_children_is_charged() {
    let tree = machine();
    let (mut usage, base) = start(&tree);
    for child in 1000..1400 {
        tree.process(process(child, OWN, 1, 0));
    }
    search_until_found(&mut usage, 1399);
    assert_eq!(own(&mut usage) - base, 4000);
    for child in 1000..1400 {
        tree.process(process(child, OWN, 3, 0));
    }
    assert_eq!(own(&mut usage) - base, 12_000);
    for child in 1000..1400 {
        tree.end(child);
    }
    tree.process(process(OWN, 1, 50, 30 + 1201));
    assert_eq!(own(&mut usage) - base, 12_010);
    assert!(!usage.read().is_partial);
}

#[test]
fn another_process_that_gets_the_id_of_a_child_is_not_charged() {
    let tree = machine();
    for child in 1000..1100 {
        tree.process(process(child, OWN, 5, 0));
    }
    let (mut usage, base) = start(&tree);
    tree.end(1099);
    tree.process(FakeProcess { started: 77_777, ..process(1099, 1, 500, 0) });
    assert_eq!(own(&mut usage), base);
    usage.refresh();
    assert!(!usage.processes().contains(&1099));
}

#[test]
fn pages_that_processes_share_count_once() {
    let tree = machine();
    for pid in [OWN, 101, 102, 103] {
        tree.process(FakeProcess {
            pages: 1000,
            ..process(pid, if pid == OWN { 1 } else { OWN }, 0, 0)
        });
        tree.write(&format!("proc/{pid}/smaps_rollup"), "Rss: 4000 kB\nPss: 1000 kB");
    }
    let (mut usage, _) = start(&tree);
    let resident = usage.read().own_memory.unwrap();
    usage.refresh_shared_memory();
    assert_eq!(usage.read().own_memory, Some(resident / 4));
}

#[test]
fn processes_use_no_more_memory_than_the_machine() {
    let tree = machine();
    // They map files, whose pages are available.
    tree.process(FakeProcess { pages: 1 << 40, ..process(OWN, 1, 0, 0) });
    let read = start(&tree).0.read();
    assert_eq!(read.own_memory, read.used_memory);
}

/// While nobody needs the memory of the machine, it only bounds that of the process.
#[test]
fn memory_of_the_machine_is_read_again_when_it_is_needed() {
    let tree = machine();
    let used = |kib: u64| Some(kib * 1024);
    let pages = |pages| tree.process(FakeProcess { pages, ..process(OWN, 1, 0, 0) });
    let (mut usage, _) = start(&tree);
    let mut read = |is_needed| {
        usage.need_machine_memory(is_needed);
        usage.refresh();
        usage.read()
    };
    tree.machine(1000, 4_000_000);
    assert_eq!(read(true).used_memory, used(4_000_000));
    tree.machine(1000, 5_000_000);
    assert_eq!(read(false).used_memory, used(4_000_000), "it is a moment old");
    assert_eq!(read(true).used_memory, used(5_000_000));
    // The process has grown beyond what was used the last time.
    tree.machine(1000, 6_000_000);
    pages(5_500_000 / 4);
    if rustix::param::page_size() == 4096 {
        assert_eq!(read(false).own_memory, used(5_500_000));
    }
}

#[test]
fn a_grandchild_reaped_by_its_parent_is_charged_once() {
    let tree = machine();
    tree.process(process(101, OWN, 10, 0));
    tree.process(process(102, 101, 20, 0));
    let (mut usage, base) = start(&tree);
    tree.process(process(102, 101, 50, 0));
    assert_eq!(own(&mut usage) - base, 300);
    tree.end(102);
    tree.process(process(101, OWN, 10, 55));
    assert_eq!(own(&mut usage) - base, 350);
    // Both gone at once: the process gets all of it.
    tree.end(101);
    tree.process(process(OWN, 1, 50, 30 + 65));
    assert_eq!(own(&mut usage) - base, 350);
}

#[test]
fn a_whole_branch_that_ends_between_two_readings_is_charged_once() {
    let tree = machine();
    tree.process(process(101, OWN, 10, 0));
    tree.process(process(102, 101, 20, 0));
    let (mut usage, base) = start(&tree);
    tree.process(process(101, OWN, 30, 0));
    tree.process(process(102, 101, 60, 0));
    assert_eq!(own(&mut usage) - base, 600);
    tree.end(101);
    tree.end(102);
    tree.process(process(OWN, 1, 50, 30 + 30 + 60 + 5));
    assert_eq!(own(&mut usage) - base, 650);
}

#[test]
fn a_grandchild_whose_parent_has_ended_is_charged_on() {
    let tree = machine();
    tree.process(process(101, OWN, 10, 0));
    tree.process(process(102, 101, 20, 0));
    let (mut usage, base) = start(&tree);
    // The first process of the machine adopts it.
    tree.end(101);
    tree.process(process(OWN, 1, 50, 30 + 10));
    tree.process(process(102, 1, 60, 0));
    assert_eq!(own(&mut usage) - base, 400);
    tree.process(process(102, 1, 90, 0));
    // A search that finds another child does not lose this one.
    tree.process(process(103, OWN, 0, 0));
    search_until_found(&mut usage, 103);
    assert_eq!(own(&mut usage) - base, 700);
    tree.end(102);
    assert_eq!(own(&mut usage) - base, 700, "and reaped by another one");
}

#[test]
fn children_are_found_through_the_kernels_list_too() {
    let tree = machine();
    tree.process(FakeProcess { more_threads: 1, ..process(OWN, 1, 50, 30) });
    tree.write(&format!("proc/{OWN}/task/{OWN}/children"), "101");
    tree.write(&format!("proc/{OWN}/task/105/children"), "103");
    tree.write("proc/101/task/101/children", "102");
    for (pid, parent) in [(101, OWN), (102, 101), (103, OWN)] {
        tree.process(process(pid, parent, 0, 0));
    }
    let (usage, _) = start(&tree);
    let mut found = usage.processes().to_vec();
    found.sort_unstable();
    assert_eq!(found, [OWN, 101, 102, 103]);
}

#[test]
fn a_machine_that_tells_nothing_gives_missing_figures() {
    let tree = FakeTree::new();
    let mut usage = LinuxUsage::at(&tree.proc(), OWN);
    usage.refresh();
    let read = usage.read();
    assert_eq!((read.own_cpu, read.busy_cpu), (None, None));
    assert_eq!((read.own_memory, read.used_memory), (None, None));
}

/// The real thing: a shell that works is charged while it lives and once after.
#[test]
fn a_real_child_is_charged_once() {
    // Ticks of 10 ms: of the child's user and system time, and of those that it hands on.
    const ROUNDING: Duration = Duration::from_millis(40);
    let mut usage = LinuxUsage::new();
    let (own_before, children_before) = kernels_account();
    let before = usage.read().own_cpu.unwrap();
    let mut child = Command::new("sh")
        .args(["-c", "i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while child.try_wait().unwrap().is_none() {
        usage.refresh();
        usage.read();
        std::thread::sleep(Duration::from_millis(20));
    }
    usage.read();
    // Later readings add nothing of the dead child.
    usage.refresh();
    let charged = usage.read().own_cpu.unwrap().checked_sub(before).unwrap();
    let (own, children) = kernels_account();
    let (own, children) =
        (own.saturating_sub(own_before), children.saturating_sub(children_before));
    assert!(children > 3 * ROUNDING, "{children:?}: too little to tell once from twice");
    assert!(charged + ROUNDING >= children, "{charged:?} of {children:?}");
    assert!(charged <= own + children + ROUNDING, "{charged:?} of {own:?} and {children:?}");
}

/// CPU time of this process, and of its children that have ended.
fn kernels_account() -> (Duration, Duration) {
    let used = |who| {
        // SAFETY: all zeros are a value of this type.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: `usage` is there for it to write to.
        assert_eq!(unsafe { libc::getrusage(who, &raw mut usage) }, 0);
        [usage.ru_utime, usage.ru_stime].map(|time| {
            let micros = u64::try_from(time.tv_usec).expect("not below zero");
            Duration::from_secs(u64::try_from(time.tv_sec).expect("not below zero"))
                + Duration::from_micros(micros)
        })
    };
    let sum = |times: [Duration; 2]| times[0] + times[1];
    (sum(used(libc::RUSAGE_SELF)), sum(used(libc::RUSAGE_CHILDREN)))
}
