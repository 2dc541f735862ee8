//! The split of energy between runs, against a plain reference that divides each portion among all
//! sharers by hand.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;

use super::energies::Energies;
use super::forecast::{Forecast, Prices};
use super::keys::RunKey;
use super::ledger::Ledger;
use super::run_energy::RunEnergy;
use super::start::Start;
use super::used_energy::UsedEnergy;
use crate::scope::Scope;
use crate::sensor::Component;
use crate::status::Status;

const THREADS: usize = 3;

/// A run whose price does not change.
const NO_TARIFF: usize = usize::MAX;

/// A price that changes to the next one, and to the first after the last, each time that this many
/// milliseconds have passed.
#[derive(Debug)]
struct Cycle {
    period_ms: u64,
    prices: Vec<f64>,
}

impl Prices for Cycle {
    fn price_at(&self, time: SystemTime) -> f64 {
        let turn = millis(time) / self.period_ms;
        self.prices[usize::try_from(turn).unwrap() % self.prices.len()]
    }

    fn next_change(&self, time: SystemTime) -> Option<SystemTime> {
        Some(at_ms((millis(time) / self.period_ms + 1) * self.period_ms))
    }
}

fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}

fn at_ms(ms: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(ms)
}

fn cycle(period_ms: u64, prices: &[f64]) -> Arc<dyn Prices> {
    Arc::new(Cycle { period_ms, prices: prices.to_vec() })
}

/// One of them changes when another does.
fn tariffs() -> [Arc<dyn Prices>; 3] {
    [cycle(700, &[1.0, 2.0]), cycle(1400, &[2.0, 3.0, 5.0]), cycle(137, &[4.0, 1.0, 7.0])]
}

/// One step of a random program. Numbers name runs and threads, modulo how many there are.
#[derive(Clone, Debug)]
enum Step {
    /// A run starts on a thread, under its innermost run.
    Nested {
        thread: usize,
        tariff: usize,
    },
    /// A run starts on a thread, under a run of choice.
    Under {
        thread: usize,
        parent: usize,
        tariff: usize,
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
    // One in four has no price that changes.
    let tariff = 0..4_usize;
    let energy = || prop_oneof![1 => Just(0.0), 4 => 0.0..50.0_f64];
    let step = prop_oneof![
        4 => (thread.clone(), tariff.clone())
            .prop_map(|(thread, tariff)| Step::Nested { thread, tariff }),
        2 => (thread.clone(), run.clone(), tariff)
            .prop_map(|(thread, parent, tariff)| Step::Under { thread, parent, tariff }),
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
    prices: Option<Arc<dyn Prices>>,
    /// Own and inclusive energy by the bits of the price.
    priced: BTreeMap<u64, (Energies, Energies)>,
}

impl Plain {
    fn add_at(&mut self, time: SystemTime, component: Component, own: f64, inclusive: f64) {
        self.own[component] += own;
        self.inclusive[component] += inclusive;
        if let Some(prices) = &self.prices {
            let priced = self.priced.entry(bits(prices.price_at(time))).or_default();
            priced.0[component] += own;
            priced.1[component] += inclusive;
        }
    }
}

fn bits(price: f64) -> u64 {
    price.to_bits()
}

/// The ledger, and beside it the reference.
#[derive(Default)]
struct Both {
    ledger: Ledger,
    now: Duration,
    active: BTreeMap<RunKey, Plain>,
    stacks: [Vec<RunKey>; THREADS],
    tariffs: Vec<Arc<dyn Prices>>,
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

    fn wall(&self) -> SystemTime {
        at_ms(1_000_000) + self.now
    }

    /// Divides what the ledger gave out since a moment by hand, evenly over the time.
    fn divide(&mut self, energy: Energies, from: SystemTime) {
        let to = self.wall();
        let length = to.duration_since(from).unwrap();
        if length.is_zero() {
            self.divide_at(energy, to);
            return;
        }
        let next = |at| self.tariffs.iter().filter_map(|prices| prices.next_change(at)).min();
        let mut ends = vec![from];
        while let Some(change) = next(*ends.last().unwrap()).filter(|change| *change < to) {
            ends.push(change);
        }
        ends.push(to);
        for pair in ends.windows(2) {
            let part = pair[1].duration_since(pair[0]).unwrap();
            self.divide_at(energy * part.div_duration_f64(length), pair[0]);
        }
    }

    fn divide_at(&mut self, energy: Energies, time: SystemTime) {
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
                    let own = if above == Some(*sharer) { part } else { 0.0 };
                    run.add_at(time, component, own, part);
                    above = run.parent;
                }
            }
        }
    }

    /// The calendar's time, where the ledger wants it and has been told of the prices.
    fn wall_for_ledger(&mut self) -> Option<SystemTime> {
        let wall = self.wall();
        if !self.ledger.needs_wall() {
            return None;
        }
        let (began, outdated) = self.ledger.outdated_prices(self.now, wall);
        for prices in outdated {
            let forecast = Forecast::new(&*prices, began, wall);
            self.ledger.update_prices(prices, forecast);
        }
        Some(wall)
    }

    fn pass(&mut self, ms: u64, reading: Option<Energies>) {
        let (before, from) = (self.given(), self.wall());
        self.now += Duration::from_millis(ms);
        let wall = self.wall_for_ledger();
        match reading {
            None => self.ledger.advance(self.now, wall),
            Some(used) => {
                let seconds = ms as f64 / 1000.0;
                let reading = UsedEnergy {
                    process: used,
                    process_power: used * (1.0 / seconds),
                    ..UsedEnergy::default()
                };
                self.ledger.read(self.now, wall, &reading);
            }
        }
        let given = self.given() - before;
        self.divide(given, from);
    }

    fn start(&mut self, thread: usize, parent: Option<RunKey>, tariff: usize) {
        let prices = self.tariffs.get(tariff).cloned();
        if let Some(prices) = prices.as_ref().filter(|prices| !self.ledger.knows(prices)) {
            let forecast = Forecast::new(&**prices, self.wall(), self.wall());
            self.ledger.update_prices(Arc::clone(prices), forecast);
        }
        let key = self.ledger.start(
            Start {
                summed: None,
                parent,
                detached: false,
                scope: Scope::Process,
                period: Duration::from_secs(1),
                prices: prices.as_ref(),
                settings: 0,
            },
            Some(thread),
            self.now,
        );
        let key = key.key;
        let parent = parent.or_else(|| self.stacks[thread].last().copied());
        self.active.insert(key, Plain { parent, prices, ..Plain::default() });
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

/// Whether a run received at each price what division by hand gives it.
fn prices_agree(energy: &RunEnergy, plain: &Plain, scale: f64) -> bool {
    let mut rest = plain.priced.clone();
    let agree = energy.priced.iter().all(|part| {
        let (own, inclusive) = rest.remove(&bits(part.price)).unwrap_or_default();
        close(part.own, own, scale) && close(part.inclusive, inclusive, scale)
    });
    let nothing = |part: &Energies| close(*part, Energies::ZERO, scale);
    agree && rest.values().all(|(own, inclusive)| nothing(own) && nothing(inclusive))
}

fn total(energies: Energies) -> f64 {
    energies.total(false).0
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn each_run_receives_what_division_by_hand_gives_it(steps in steps()) {
        let mut both = Both { tariffs: tariffs().into(), ..Both::default() };
        for thread in 0..THREADS {
            assert_eq!(both.ledger.add_thread(), thread);
        }
        let mut ended = Vec::new();
        for step in steps {
            match step {
                Step::Nested { thread, tariff } => both.start(thread, None, tariff),
                Step::Under { thread, parent, tariff } => {
                    let parent = both.nth(parent);
                    both.start(thread, parent, tariff);
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
            prop_assert!(prices_agree(energy, plain, scale), "{energy:?} {plain:?}");
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

    /// However often the prices change, and whether the runs are read meanwhile or not.
    #[test]
    fn runs_that_stay_open_keep_no_more_than_there_are_prices(
        turns in prop::collection::vec((1..5_usize, 1..3000_u64), 1..60),
    ) {
        let mut both = Both { tariffs: tariffs().into(), ..Both::default() };
        both.ledger.add_thread();
        for tariff in [0, 1, 0, 2] {
            both.start(0, None, tariff);
        }
        let open: Vec<RunKey> = both.active.keys().copied().collect();
        for (read, ms) in turns {
            both.pass(ms, Some(energies(5.0, 3.0, 1.0)));
            for key in open.iter().take(read) {
                let energy = both.ledger.energy(*key).expect("it is active");
                let scale = total(both.given());
                prop_assert!(prices_agree(&energy, &both.active[key], scale));
            }
            for key in &open {
                // Two times three prices, and three at another beat.
                let kept = both.ledger.tree.cuts.accounts.get(*key).map_or(0, |it| it.0.len());
                prop_assert!(kept <= 18, "{kept}");
            }
        }
        for key in open {
            both.ledger.energy(key);
        }
        prop_assert_eq!(both.ledger.tree.cuts.kept(), 0);
    }

    #[test]
    fn where_each_edge_is_read_the_runs_get_all_that_was_used(
        portions in prop::collection::vec((1..2000_u64, 0.0..50.0_f64, 0.0..50.0_f64), 1..60),
    ) {
        let mut both = Both::default();
        both.ledger.add_thread();
        both.start(0, None, NO_TARIFF);
        let mut used = Energies::ZERO;
        for (ms, cpu, gpu) in portions {
            // Each portion is a nested run, with a reading at its start and its stop.
            both.start(0, None, NO_TARIFF);
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
            both.start(0, None, NO_TARIFF);
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
