//! The split of energy between runs, against a plain reference that divides each portion among all
//! sharers by hand.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::energies::Energies;
use super::keys::RunKey;
use super::ledger::Ledger;
use super::run_energy::RunEnergy;
use super::start::Start;
use super::used_energy::UsedEnergy;
use crate::scope::Scope;
use crate::sensor::Component;
use crate::status::Status;

const THREADS: usize = 3;

/// One step of a random program. Numbers name runs and threads, modulo how many there are.
#[derive(Clone, Debug)]
enum Step {
    /// A run starts on a thread, under its innermost run.
    Nested {
        thread: usize,
    },
    /// A run starts on a thread, under a run of choice.
    Under {
        thread: usize,
        parent: usize,
    },
    /// A future is polled by a thread, or ceases to be.
    Enter {
        thread: usize,
        run: usize,
    },
    Exit {
        run: usize,
    },
    Stop {
        run: usize,
    },
    /// Time passes without a reading.
    Pass {
        ms: u64,
    },
    /// Time passes and a reading is taken.
    Read {
        ms: u64,
        cpu: f64,
        gpu: f64,
        ram: f64,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let thread = 0..THREADS;
    let run = 0..64_usize;
    let energy = || prop_oneof![1 => Just(0.0), 4 => 0.0..50.0_f64];
    let step = prop_oneof![
        4 => thread.clone().prop_map(|thread| Step::Nested { thread }),
        2 => (thread.clone(), run.clone())
            .prop_map(|(thread, parent)| Step::Under { thread, parent }),
        2 => (thread, run.clone()).prop_map(|(thread, run)| Step::Enter { thread, run }),
        2 => run.clone().prop_map(|run| Step::Exit { run }),
        4 => run.prop_map(|run| Step::Stop { run }),
        3 => (0..400_u64).prop_map(|ms| Step::Pass { ms }),
        4 => (1..2000_u64, energy(), energy(), energy())
            .prop_map(|(ms, cpu, gpu, ram)| Step::Read { ms, cpu, gpu, ram }),
    ];
    prop::collection::vec(step, 1..120)
}

/// A run as the reference sees it.
#[derive(Clone, Debug, Default)]
struct Plain {
    parent: Option<RunKey>,
    own: Energies,
    inclusive: Energies,
}

/// The ledger, and beside it the reference.
#[derive(Default)]
struct Both {
    ledger: Ledger,
    now: Duration,
    active: BTreeMap<RunKey, Plain>,
    stacks: [Vec<RunKey>; THREADS],
    /// Own energies of all runs that have ended, as the ledger reported them.
    ended: Energies,
}

/// This part of the processor's energy is idle power.
const IDLE_PART: f64 = 0.3;

fn energies(cpu: f64, gpu: f64, ram: f64) -> Energies {
    let mut energies = Energies::ZERO;
    energies[Component::Cpu] = cpu;
    energies[Component::Gpu] = gpu;
    energies[Component::Ram] = ram;
    *energies.idle_mut() = cpu * IDLE_PART;
    energies
}

impl Both {
    fn given(&mut self) -> Energies {
        self.ledger.given_and_carry(Scope::Process).0
    }

    fn nth(&self, n: usize) -> Option<RunKey> {
        let runs = self.active.len().max(1);
        self.active.keys().nth(n % runs).copied()
    }

    /// Divides what the ledger gave out by hand.
    fn divide(&mut self, energy: Energies) {
        let leaves: Vec<RunKey> = self
            .active
            .keys()
            .filter(|key| self.active.values().all(|run| run.parent != Some(**key)))
            .copied()
            .collect();
        let innermost: Vec<RunKey> =
            self.stacks.iter().filter_map(|stack| stack.last().copied()).collect();
        for &component in Component::ALL {
            let on_cpu = matches!(component, Component::Cpu | Component::Ram);
            let sharers = if on_cpu && !innermost.is_empty() { &innermost } else { &leaves };
            for sharer in sharers {
                let part = energy[component] / sharers.len() as f64;
                let mut above = Some(*sharer);
                while let Some(run) = above.and_then(|key| self.active.get_mut(&key)) {
                    if above == Some(*sharer) {
                        run.own[component] += part;
                    }
                    run.inclusive[component] += part;
                    above = run.parent;
                }
            }
        }
    }

    fn pass(&mut self, ms: u64, reading: Option<Energies>) {
        let before = self.given();
        self.now += Duration::from_millis(ms);
        match reading {
            None => self.ledger.advance(self.now, None),
            Some(used) => {
                let seconds = ms as f64 / 1000.0;
                let reading = UsedEnergy {
                    process: used,
                    process_power: used * (1.0 / seconds),
                    ..UsedEnergy::default()
                };
                self.ledger.read(self.now, None, &reading);
            }
        }
        let given = self.given() - before;
        self.divide(given);
    }

    fn start(&mut self, thread: usize, parent: Option<RunKey>) {
        let key = self.ledger.start(
            Start {
                summed: None,
                parent,
                detached: false,
                scope: Scope::Process,
                period: Duration::from_secs(1),
                prices: None,
                settings: 0,
            },
            Some(thread),
            self.now,
        );
        let key = key.key;
        let parent = parent.or_else(|| self.stacks[thread].last().copied());
        self.active.insert(key, Plain { parent, ..Plain::default() });
        self.stacks[thread].push(key);
    }

    fn exit(&mut self, key: RunKey) {
        self.ledger.exit(key);
        for stack in &mut self.stacks {
            stack.retain(|other| *other != key);
        }
    }

    fn stop(&mut self, key: RunKey) -> (RunEnergy, Plain) {
        let energy = self.ledger.stop(key, Status::Ok).expect("it is active").energy;
        for stack in &mut self.stacks {
            stack.retain(|other| *other != key);
        }
        let plain = self.active.remove(&key).expect("it is active");
        for run in self.active.values_mut().filter(|run| run.parent == Some(key)) {
            run.parent = plain.parent;
        }
        self.ended += energy.received.own;
        (energy, plain)
    }
}

fn close(left: Energies, right: Energies, scale: f64) -> bool {
    Component::ALL.iter().all(|&c| (left[c] - right[c]).abs() <= 1e-9 * scale.max(1.0))
}

fn total(energies: Energies) -> f64 {
    energies.total(false).0
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn each_run_receives_what_division_by_hand_gives_it(steps in steps()) {
        let mut both = Both::default();
        for thread in 0..THREADS {
            assert_eq!(both.ledger.add_thread(), thread);
        }
        let mut ended = Vec::new();
        for step in steps {
            match step {
                Step::Nested { thread } => both.start(thread, None),
                Step::Under { thread, parent } => {
                    let parent = both.nth(parent);
                    both.start(thread, parent);
                }
                Step::Enter { thread, run } => {
                    if let Some(key) = both.nth(run) {
                        let idle = both.stacks.iter().all(|stack| !stack.contains(&key));
                        both.ledger.enter(thread, key);
                        if idle {
                            both.stacks[thread].push(key);
                        }
                    }
                }
                Step::Exit { run } => {
                    if let Some(key) = both.nth(run) {
                        both.exit(key);
                    }
                }
                Step::Stop { run } => {
                    if let Some(key) = both.nth(run) {
                        ended.push(both.stop(key));
                    }
                }
                Step::Pass { ms } => both.pass(ms, None),
                Step::Read { ms, cpu, gpu, ram } => both.pass(ms, Some(energies(cpu, gpu, ram))),
            }
        }
        while let Some(key) = both.nth(0) {
            ended.push(both.stop(key));
        }
        let scale = total(both.given());
        for (energy, plain) in &ended {
            prop_assert!(close(energy.received.own, plain.own, scale), "{energy:?} {plain:?}");
            prop_assert!(close(energy.received.inclusive, plain.inclusive, scale));
            for received in [energy.received.own, energy.received.inclusive] {
                let idle = received[Component::Cpu] * IDLE_PART;
                prop_assert!((received.idle().0 - idle).abs() <= 1e-9 * scale.max(1.0));
            }
            let least = Component::ALL.iter().map(|&c| energy.received.own[c]).fold(0.0, f64::min);
            prop_assert!(least >= -1e-9 * scale, "below zero: {energy:?}");
        }
        // Nothing counted twice, nothing lost.
        let given = both.given();
        prop_assert!(close(both.ended, given, scale));
    }

    #[test]
    fn where_each_edge_is_read_the_runs_get_all_that_was_used(
        portions in prop::collection::vec((1..2000_u64, 0.0..50.0_f64, 0.0..50.0_f64), 1..60),
    ) {
        let mut both = Both::default();
        both.ledger.add_thread();
        both.start(0, None);
        let mut used = Energies::ZERO;
        for (ms, cpu, gpu) in portions {
            // Each portion is a nested run, with a reading at its start and its stop.
            both.start(0, None);
            both.pass(ms, Some(energies(cpu, gpu, 0.0)));
            used += energies(cpu, gpu, 0.0);
            let inner = *both.stacks[0].last().expect("one is on");
            let (energy, _) = both.stop(inner);
            prop_assert!(close(energy.received.own, energies(cpu, gpu, 0.0), 50.0));
        }
        let outer = both.nth(0).expect("one is active");
        let (energy, _) = both.stop(outer);
        let scale = total(used);
        prop_assert!(close(energy.received.inclusive, used, scale));
        prop_assert!(close(energy.received.process, used, scale));
        let (_, carry) = both.ledger.given_and_carry(Scope::Process);
        prop_assert!(close(carry, Energies::ZERO, scale));
    }

    #[test]
    fn readings_left_out_change_nothing_once_the_next_one_is_taken(
        parts in prop::collection::vec(1..500_u64, 1..20),
        cpu in 0.0..100.0_f64,
    ) {
        // The same energy over the same time, read once or with steps in between.
        let mut sums = Vec::new();
        for stepwise in [false, true] {
            let mut both = Both::default();
            both.ledger.add_thread();
            both.start(0, None);
            let all: u64 = parts.iter().sum();
            // A power to go on with, which is wrong for what comes.
            both.pass(1000, Some(energies(7.0, 0.0, 0.0)));
            if stepwise {
                let mut rest = all;
                for ms in &parts[..parts.len() - 1] {
                    both.pass(*ms, None);
                    rest -= ms;
                }
                both.now += Duration::from_millis(rest);
            } else {
                both.now += Duration::from_millis(all);
            }
            let reading = UsedEnergy {
                process: energies(cpu, 0.0, 0.0),
                process_power: energies(cpu, 0.0, 0.0) * (1000.0 / all as f64),
                ..UsedEnergy::default()
            };
            both.ledger.read(both.now, None, &reading);
            // What was given too early is taken off what follows.
            let follow = UsedEnergy { process: energies(200.0, 0.0, 0.0), ..UsedEnergy::default() };
            both.now += Duration::from_secs(1);
            both.ledger.read(both.now, None, &follow);
            let key = both.nth(0).expect("one is active");
            let energy = both.ledger.stop(key, Status::Ok).expect("it is active").energy;
            sums.push(energy.received.own[Component::Cpu]);
        }
        prop_assert!((sums[0] - sums[1]).abs() < 1e-9 * sums[0].max(1.0), "{sums:?}");
    }
}
