//! A plain reference of the split: divides each portion of energy among all sharers by hand, beside a
//! ledger that takes the same steps.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;

use crate::meter::energies::Energies;
use crate::meter::forecast::{Forecast, Prices};
use crate::meter::keys::RunKey;
use crate::meter::ledger::Ledger;
use crate::meter::run_energy::RunEnergy;
use crate::meter::start::Start;
use crate::meter::used_energy::UsedEnergy;
use crate::scope::Scope;
use crate::sensor::Component;
use crate::status::Status;

pub(super) const THREADS: usize = 3;

/// A run whose price does not change.
pub(super) const NO_TARIFF: usize = usize::MAX;

/// A price that changes to the next one, and to the first after the last, each time that this many
/// milliseconds have passed.
#[derive(Debug)]
pub(super) struct Cycle {
    pub(super) period_ms: u64,
    pub(super) prices: Vec<f64>,
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

pub(super) fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}

pub(super) fn at_ms(ms: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(ms)
}

pub(super) fn cycle(period_ms: u64, prices: &[f64]) -> Arc<dyn Prices> {
    Arc::new(Cycle { period_ms, prices: prices.to_vec() })
}

/// One of them changes when another does.
pub(super) fn tariffs() -> [Arc<dyn Prices>; 3] {
    [cycle(700, &[1.0, 2.0]), cycle(1400, &[2.0, 3.0, 5.0]), cycle(137, &[4.0, 1.0, 7.0])]
}

/// One step of a random program. Numbers name runs and threads, modulo how many there are.
#[derive(Clone, Debug)]
pub(super) enum Step {
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

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
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
pub(super) struct Plain {
    pub(super) parent: Option<RunKey>,
    pub(super) own: Energies,
    pub(super) inclusive: Energies,
    pub(super) prices: Option<Arc<dyn Prices>>,
    /// Own and inclusive energy by the bits of the price.
    pub(super) priced: BTreeMap<u64, (Energies, Energies)>,
}

impl Plain {
    pub(super) fn add_at(
        &mut self,
        time: SystemTime,
        component: Component,
        own: f64,
        inclusive: f64,
    ) {
        self.own[component] += own;
        self.inclusive[component] += inclusive;
        if let Some(prices) = &self.prices {
            let priced = self.priced.entry(bits(prices.price_at(time))).or_default();
            priced.0[component] += own;
            priced.1[component] += inclusive;
        }
    }
}

pub(super) fn bits(price: f64) -> u64 {
    price.to_bits()
}

/// The ledger, and beside it the reference.
#[derive(Default)]
pub(super) struct Both {
    pub(super) ledger: Ledger,
    pub(super) now: Duration,
    pub(super) active: BTreeMap<RunKey, Plain>,
    pub(super) stacks: [Vec<RunKey>; THREADS],
    pub(super) tariffs: Vec<Arc<dyn Prices>>,
    /// Own energies of all runs that have ended, as the ledger reported them.
    pub(super) ended: Energies,
}

/// This part of the processor's energy is idle power.
pub(super) const IDLE_PART: f64 = 0.3;

pub(super) fn energies(cpu: f64, gpu: f64, ram: f64) -> Energies {
    let mut energies = Energies::ZERO;
    energies[Component::Cpu] = cpu;
    energies[Component::Gpu] = gpu;
    energies[Component::Ram] = ram;
    *energies.idle_mut() = cpu * IDLE_PART;
    energies
}

impl Both {
    pub(super) fn given(&mut self) -> Energies {
        self.ledger.given_and_carry(Scope::Process).0
    }

    pub(super) fn nth(&self, n: usize) -> Option<RunKey> {
        let runs = self.active.len().max(1);
        self.active.keys().nth(n % runs).copied()
    }

    pub(super) fn wall(&self) -> SystemTime {
        at_ms(1_000_000) + self.now
    }

    /// Divides what the ledger gave out since a moment by hand, evenly over the time.
    pub(super) fn divide(&mut self, energy: Energies, from: SystemTime) {
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

    pub(super) fn divide_at(&mut self, energy: Energies, time: SystemTime) {
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
    pub(super) fn wall_for_ledger(&mut self) -> Option<SystemTime> {
        let wall = self.wall();
        if !self.ledger.needs_wall() {
            return None;
        }
        let (began, outdated) = self.ledger.outdated_prices(self.now.into(), wall);
        for prices in outdated {
            let forecast = Forecast::new(&*prices, began, wall);
            self.ledger.update_prices(prices, forecast);
        }
        Some(wall)
    }

    pub(super) fn pass(&mut self, ms: u64, reading: Option<Energies>) {
        let (before, from) = (self.given(), self.wall());
        self.now += Duration::from_millis(ms);
        let wall = self.wall_for_ledger();
        match reading {
            None => self.ledger.advance(self.now.into(), wall),
            Some(used) => {
                let seconds = ms as f64 / 1000.0;
                let reading = UsedEnergy {
                    process: used,
                    process_power: used * (1.0 / seconds),
                    ..UsedEnergy::default()
                };
                self.ledger.read(self.now.into(), wall, &reading);
            }
        }
        let given = self.given() - before;
        self.divide(given, from);
    }

    pub(super) fn start(&mut self, thread: usize, parent: Option<RunKey>, tariff: usize) {
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
            self.now.into(),
        );
        let key = key.key;
        let parent = parent.or_else(|| self.stacks[thread].last().copied());
        self.active.insert(key, Plain { parent, prices, ..Plain::default() });
        self.stacks[thread].push(key);
    }

    pub(super) fn exit(&mut self, key: RunKey) {
        self.ledger.exit(key);
        for stack in &mut self.stacks {
            stack.retain(|other| *other != key);
        }
    }

    pub(super) fn stop(&mut self, key: RunKey) -> (RunEnergy, Plain) {
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

pub(super) fn close(left: Energies, right: Energies, scale: f64) -> bool {
    Component::ALL.iter().all(|&c| (left[c] - right[c]).abs() <= 1e-9 * scale.max(1.0))
}

/// Whether a run received at each price what division by hand gives it.
pub(super) fn prices_agree(energy: &RunEnergy, plain: &Plain, scale: f64) -> bool {
    let mut rest = plain.priced.clone();
    let agree = energy.priced.iter().all(|part| {
        let (own, inclusive) = rest.remove(&bits(part.price)).unwrap_or_default();
        close(part.own, own, scale) && close(part.inclusive, inclusive, scale)
    });
    let nothing = |part: &Energies| close(*part, Energies::ZERO, scale);
    agree && rest.values().all(|(own, inclusive)| nothing(own) && nothing(inclusive))
}

pub(super) fn total(energies: Energies) -> f64 {
    energies.total(false).0
}
