//! Random programs of processes: the CPU time of each is charged once, in whatever order they start,
//! work, end, and are waited for.

use std::collections::BTreeMap;

use eco2ai_tests::fake_tree::{FakeProcess, FakeTree};
use proptest::prelude::*;

use super::process_tree::ProcessTree;

const INIT: u32 = 1;
const OWN: u32 = 100;

/// One step. Numbers name processes, modulo how many there are.
#[derive(Clone, Debug)]
enum Step {
    Fork { parent: usize },
    Work { process: usize, ticks: u64 },
    End { process: usize },
    Wait { zombie: usize },
    Read,
    Search,
}

fn steps(max: usize) -> impl Strategy<Value = Vec<Step>> {
    let any = 0_usize..1000;
    let step = prop_oneof![
        4 => any.clone().prop_map(|parent| Step::Fork { parent }),
        4 => (any.clone(), 1_u64..100).prop_map(|(process, ticks)| Step::Work { process, ticks }),
        2 => any.clone().prop_map(|process| Step::End { process }),
        2 => any.prop_map(|zombie| Step::Wait { zombie }),
        2 => Just(Step::Read),
        2 => Just(Step::Search),
    ];
    prop::collection::vec(step, 1..max)
}

/// A process that exists.
#[derive(Clone, Copy)]
struct Process {
    shown: FakeProcess,
    is_zombie: bool,
}

/// What the kernel does, and a tree that watches it.
struct Kernel {
    files: FakeTree,
    processes: BTreeMap<u32, Process>,
    /// Who gets the children of a process that ends.
    reaper: u32,
    /// Each process whose number is a multiple of this ignores `SIGCHLD`.
    ignoring: Option<u32>,
    next: u32,
    /// Ticks of all descendants of `OWN`.
    used: u64,
    tree: ProcessTree,
}

impl Kernel {
    fn new(reaper: u32, ignoring: Option<u32>, is_limited: bool) -> Self {
        let files = FakeTree::new();
        files.process(FakeProcess { pid: INIT, ..FakeProcess::default() });
        files.process(FakeProcess { pid: OWN, parent: INIT, ..FakeProcess::default() });
        let mut kernel = Self {
            tree: ProcessTree::new(&files.proc(), OWN, false),
            files,
            processes: BTreeMap::new(),
            reaper,
            ignoring,
            next: OWN,
            used: 0,
        };
        kernel.add(INIT);
        // Children that have worked before anything is measured.
        for _ in 0..3 {
            let child = kernel.add(OWN);
            kernel.work(child, 1000);
        }
        kernel.used = 0;
        kernel.tree.search();
        if is_limited {
            kernel.tree.time_limit = std::time::Duration::ZERO;
        }
        kernel
    }

    fn add(&mut self, parent: u32) -> u32 {
        let pid = self.next;
        self.next += 1;
        let ignores_sigchld = self.ignoring.is_some_and(|each| pid.is_multiple_of(each));
        let shown = FakeProcess { pid, parent, ignores_sigchld, ..FakeProcess::default() };
        self.processes.insert(pid, Process { shown, is_zombie: false });
        self.files.process(shown);
        pid
    }

    fn change(&mut self, pid: u32, change: impl FnOnce(&mut Process)) {
        if let Some(process) = self.processes.get_mut(&pid) {
            change(process);
            self.files.process(process.shown);
        }
    }

    fn work(&mut self, pid: u32, ticks: u64) {
        self.change(pid, |process| process.shown.own += ticks);
        if pid != OWN {
            self.used += ticks;
        }
    }

    /// Ends a process. Its children get another parent.
    fn end(&mut self, pid: u32) {
        let orphans: Vec<u32> = self
            .processes
            .values()
            .map(|it| it.shown)
            .filter(|it| it.parent == pid)
            .map(|it| it.pid)
            .collect();
        let reaper = self.reaper;
        for orphan in orphans {
            self.change(orphan, |process| process.shown.parent = reaper);
            self.settle(orphan);
        }
        self.change(pid, |process| process.is_zombie = true);
        self.settle(pid);
    }

    /// Removes a zombie for which its parent does not have to wait.
    fn settle(&mut self, pid: u32) {
        let Some(process) = self.processes.get(&pid).copied().filter(|it| it.is_zombie) else {
            return;
        };
        let parent = process.shown.parent;
        let ignores = self.processes.get(&parent).is_some_and(|it| it.shown.ignores_sigchld);
        if parent == INIT || ignores {
            self.remove(pid);
        }
    }

    fn wait(&mut self, pid: u32) {
        let Some(process) = self.processes.get(&pid).copied() else { return };
        let ticks = process.shown.own + process.shown.reaped;
        self.change(process.shown.parent, |parent| parent.shown.reaped += ticks);
        self.remove(pid);
    }

    fn remove(&mut self, pid: u32) {
        self.processes.remove(&pid);
        self.files.end(pid);
    }

    fn zombies(&self) -> Vec<u32> {
        self.processes.values().filter(|it| it.is_zombie).map(|it| it.shown.pid).collect()
    }

    fn living(&self) -> Vec<u32> {
        self.processes.values().filter(|it| !it.is_zombie).map(|it| it.shown.pid).collect()
    }

    fn search(&mut self) {
        self.tree.search_from = Some(std::time::Instant::now());
        self.tree.search();
    }

    fn step(&mut self, step: &Step) {
        let pick = |ids: Vec<u32>, number: usize| ids.get(number % ids.len().max(1)).copied();
        match *step {
            Step::Fork { parent } => {
                if let Some(parent) = pick(self.living(), parent) {
                    self.add(parent);
                }
            }
            Step::Work { process, ticks } => {
                if let Some(process) = pick(self.living(), process) {
                    self.work(process, ticks);
                }
            }
            Step::End { process } => {
                if let Some(process) = pick(self.living(), process).filter(|&it| it != OWN) {
                    self.end(process);
                }
            }
            Step::Wait { zombie } => {
                if let Some(zombie) = pick(self.zombies(), zombie) {
                    self.wait(zombie);
                }
            }
            Step::Read => {
                self.tree.read();
            }
            Step::Search => self.search(),
        }
    }

    /// Takes all steps, and ends. At no time may more be charged than was used, or less than before.
    fn run(&mut self, steps: &[Step]) -> Result<(), TestCaseError> {
        for step in steps {
            let before = self.tree.charged();
            self.step(step);
            prop_assert!(self.tree.charged() >= before);
            prop_assert!(self.tree.charged() <= self.used);
        }
        self.finish();
        Ok(())
    }

    /// Ends all processes and waits for them, then reads all of it.
    fn finish(&mut self) {
        for pid in self.living() {
            if pid != OWN {
                self.end(pid);
            }
        }
        while let Some(zombie) = self.zombies().first().copied() {
            self.wait(zombie);
        }
        self.tree.read();
        while self.tree.is_incomplete() {
            self.tree.read();
            self.search();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Where the process adopts orphans and no time is discarded, all of it is charged.
    #[test]
    fn everything_is_charged_exactly_once(steps in steps(150), is_limited in any::<bool>()) {
        let mut kernel = Kernel::new(OWN, None, is_limited);
        kernel.run(&steps)?;
        prop_assert_eq!(kernel.tree.charged(), kernel.used);
    }

    /// Where time is lost, because init adopts orphans or `SIGCHLD` is ignored, the rest is charged
    /// once.
    #[test]
    fn nothing_is_charged_twice(
        steps in steps(150),
        ignoring in prop::option::of(2_u32..5),
        is_limited in any::<bool>(),
    ) {
        let mut kernel = Kernel::new(INIT, ignoring, is_limited);
        kernel.run(&steps)?;
        prop_assert!(kernel.tree.charged() <= kernel.used);
    }
}
