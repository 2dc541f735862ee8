//! Calls that go to sums, outside the tree and in it: a ledger in which they are outside whenever that
//! is possible, beside one in which each is a run.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;

use super::plain_division::{THREADS, at_ms, close, energies, tariffs, total};
use crate::meter::forecast::{Forecast, Prices};
use crate::meter::keys::RunKey;
use crate::meter::leaf_calls::LeafCall;
use crate::meter::ledger::Ledger;
use crate::meter::run_energy::RunEnergy;
use crate::meter::start::Start;
use crate::meter::sums::SummedFunction;
use crate::meter::used_energy::UsedEnergy;
use crate::scope::Scope;
use crate::status::Status;

/// One step of a random program.
#[derive(Clone, Debug)]
enum Step {
    /// A function is called whose calls go to a sum.
    Call { thread: usize, function: usize },
    /// The innermost call of a thread ends.
    End { thread: usize },
    /// A run with a row of its own starts, perhaps with a price that changes.
    Start { thread: usize, tariff: usize },
    /// One of them ends, in any order.
    Stop { run: usize },
    /// Somebody asks for the rows of sums.
    Look,
    /// Time passes without a reading.
    Pass { ms: u64 },
    /// Time passes and a reading is taken.
    Read { ms: u64, cpu: f64, gpu: f64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let thread = 0..THREADS;
    let step = prop_oneof![
        6 => (thread.clone(), 0..3_usize)
            .prop_map(|(thread, function)| Step::Call { thread, function }),
        6 => thread.clone().prop_map(|thread| Step::End { thread }),
        // One in six has a price that changes.
        1 => (thread, 0..18_usize).prop_map(|(thread, tariff)| Step::Start { thread, tariff }),
        1 => (0..8_usize).prop_map(|run| Step::Stop { run }),
        1 => Just(Step::Look),
        4 => (0..400_u64).prop_map(|ms| Step::Pass { ms }),
        2 => (1..2000_u64, 0.0..50.0_f64, 0.0..50.0_f64)
            .prop_map(|(ms, cpu, gpu)| Step::Read { ms, cpu, gpu }),
    ];
    prop::collection::vec(step, 1..150)
}

/// A call or a run that is active.
#[derive(Clone, Copy, Debug)]
enum Active {
    Outside(LeafCall),
    Run(RunKey),
}

/// A ledger, and whether calls are outside its tree.
#[derive(Default)]
struct One {
    ledger: Ledger,
    outside: bool,
    /// The number of calls that ended outside the tree.
    never_placed: usize,
    calls: [Vec<Active>; THREADS],
    runs: Vec<RunKey>,
    ended: Vec<RunEnergy>,
}

/// Both ledgers, and what they have in common.
struct Both {
    ledgers: [One; 2],
    now: Duration,
    functions: [Arc<SummedFunction>; 3],
    tariffs: [Arc<dyn Prices>; 3],
}

impl One {
    /// What the lock of the ledger does, and gives out the energy up to now.
    fn advance(&mut self, now: Duration) {
        self.ledger.place_calls();
        let wall = self.wall(now);
        self.ledger.advance(now.into(), wall);
    }

    fn wall(&mut self, now: Duration) -> Option<SystemTime> {
        let wall = at_ms(1_000_000) + now;
        if !self.ledger.needs_wall() {
            return None;
        }
        let (began, outdated) = self.ledger.outdated_prices(now.into(), wall);
        for prices in outdated {
            let forecast = Forecast::new(&*prices, began, wall);
            self.ledger.update_prices(prices, forecast);
        }
        Some(wall)
    }

    fn call(&mut self, start: Start<'_>, thread: usize, now: Duration) {
        if self.outside
            && let Some(call) = self.ledger.start_call(thread, now.into(), |_| Some(start))
        {
            self.calls[thread].push(Active::Outside(call));
            return;
        }
        self.advance(now);
        let started = self.ledger.start(start, Some(thread), now.into());
        if let crate::meter::start::StartedRow::Sum(called) = started.row
            && called.begins
        {
            self.ledger.set_start(called.key, at_ms(1_000_000) + now);
        }
        self.calls[thread].push(Active::Run(started.key));
    }

    fn end(&mut self, thread: usize, now: Duration) {
        let key = match self.calls[thread].pop() {
            None => return,
            Some(Active::Run(key)) => key,
            Some(Active::Outside(call)) => {
                if self.ledger.end_call(call, now.into(), Status::Ok) {
                    self.never_placed += 1;
                    return;
                }
                self.ledger.run_of(call).expect("it is active")
            }
        };
        self.advance(now);
        self.ledger.stop(key, Status::Ok).expect("it is active");
    }

    fn stop(&mut self, run: usize, now: Duration) {
        if !self.runs.is_empty() {
            let key = self.runs.remove(run % self.runs.len());
            self.advance(now);
            self.ended.push(self.ledger.stop(key, Status::Ok).expect("it is active").energy);
        }
    }
}

impl Both {
    fn new() -> Self {
        let mut ledgers = [true, false].map(|outside| One { outside, ..One::default() });
        for one in &mut ledgers {
            for thread in 0..THREADS {
                assert_eq!(one.ledger.add_thread(), thread);
            }
        }
        let functions = std::array::from_fn(|_| SummedFunction::new());
        Self { ledgers, now: Duration::from_secs(1), functions, tariffs: tariffs() }
    }

    fn take(&mut self, step: &Step) {
        if let Step::Pass { ms } | Step::Read { ms, .. } = step {
            self.now += Duration::from_millis(*ms);
        }
        let now = self.now;
        for one in &mut self.ledgers {
            let start = |summed, prices| Start {
                summed,
                parent: None,
                detached: false,
                scope: Scope::Process,
                period: Duration::from_secs(1),
                prices,
                settings: 0,
            };
            match *step {
                Step::Call { thread, function } => {
                    one.call(start(Some(&self.functions[function]), None), thread, now);
                }
                Step::End { thread } => one.end(thread, now),
                Step::Start { thread, tariff } => {
                    one.advance(now);
                    let prices = self.tariffs.get(tariff);
                    if let Some(prices) = prices.filter(|prices| !one.ledger.knows(prices)) {
                        let wall = at_ms(1_000_000) + now;
                        let forecast = Forecast::new(&**prices, wall, wall);
                        one.ledger.update_prices(Arc::clone(prices), forecast);
                    }
                    let started = one.ledger.start(start(None, prices), Some(thread), now.into());
                    one.runs.push(started.key);
                }
                Step::Stop { run } => one.stop(run, now),
                Step::Look => one.advance(now),
                Step::Pass { .. } => {}
                Step::Read { ms, cpu, gpu } => {
                    one.ledger.place_calls();
                    let used = energies(cpu, gpu, 0.0);
                    let process_power = used * (1000.0 / ms as f64);
                    let wall = one.wall(now);
                    let reading =
                        UsedEnergy { process: used, process_power, ..UsedEnergy::default() };
                    one.ledger.read(now.into(), wall, &reading);
                }
            }
        }
    }

    fn end_all(&mut self) {
        for one in &mut self.ledgers {
            for thread in 0..THREADS {
                while !one.calls[thread].is_empty() {
                    one.end(thread, self.now);
                }
            }
            while !one.runs.is_empty() {
                one.stop(0, self.now);
            }
            assert!(one.ledger.is_idle() && one.ledger.wants_no_readings());
        }
    }
}

fn same(one: &RunEnergy, other: &RunEnergy, scale: f64) -> bool {
    let priced = one.priced.iter().zip(&other.priced).all(|(one, other)| {
        one.price.total_cmp(&other.price).is_eq()
            && close(one.own, other.own, scale)
            && close(one.inclusive, other.inclusive, scale)
    });
    priced
        && one.priced.len() == other.priced.len()
        && close(one.received.own, other.received.own, scale)
        && close(one.received.inclusive, other.received.inclusive, scale)
        && close(one.received.process, other.received.process, scale)
        && (one.since, one.duration, one.overlap, one.read)
            == (other.since, other.duration, other.overlap, other.read)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn calls_outside_the_tree_receive_what_they_would_as_runs(steps in steps()) {
        let mut both = Both::new();
        // The rows of all functions begin, so that calls can be outside the tree.
        for function in 0..3 {
            both.take(&Step::Call { thread: 0, function });
            both.take(&Step::End { thread: 0 });
        }
        for step in &steps {
            both.take(step);
        }
        both.end_all();
        let now = at_ms(1_000_000) + both.now;
        let [outside, inside] = &mut both.ledgers;
        let given = outside.ledger.given_and_carry(Scope::Process);
        let scale = total(given.0);
        let plain = inside.ledger.given_and_carry(Scope::Process);
        prop_assert!(close(given.0, plain.0, scale) && close(given.1, plain.1, scale));
        prop_assert_eq!(outside.ended.len(), inside.ended.len());
        for (one, other) in outside.ended.iter().zip(&inside.ended) {
            prop_assert!(same(one, other, scale), "{one:?} {other:?}");
        }
        let rows = outside.ledger.take_sums(now);
        let plain = inside.ledger.take_sums(now);
        prop_assert_eq!(rows.len(), plain.len());
        let mut own = energies(0.0, 0.0, 0.0);
        for (one, other) in rows.iter().zip(&plain) {
            prop_assert_eq!((one.key, one.start), (other.key, other.start));
            prop_assert_eq!(one.tally.calls, other.tally.calls);
            let (one, other) = (&one.tally.energy, &other.tally.energy);
            prop_assert!(same(one, other, scale), "{one:?} {other:?}");
            own += one.received.own;
        }
        // Nothing is lost where no row was closed before with a run that stood above it.
        if outside.ended.is_empty() {
            prop_assert!(close(own, given.0, scale), "{own:?} {given:?}");
        }
        prop_assert_eq!(inside.never_placed, 0);
    }
}

#[test]
fn a_call_under_which_and_beside_which_nothing_happens_is_never_in_the_tree() {
    let mut both = Both::new();
    both.take(&Step::Call { thread: 0, function: 0 });
    both.take(&Step::End { thread: 0 });
    for _ in 0..3 {
        both.take(&Step::Call { thread: 0, function: 0 });
        both.take(&Step::Call { thread: 1, function: 0 });
        both.take(&Step::Pass { ms: 10 });
        both.take(&Step::End { thread: 0 });
        both.take(&Step::End { thread: 1 });
    }
    assert_eq!(both.ledgers[0].never_placed, 6);
}
