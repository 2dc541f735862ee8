//! The split of energy between runs, against a plain reference.

mod calls;
mod plain_division;

use std::time::Duration;

use proptest::prelude::*;

use super::energies::Energies;
use super::keys::RunKey;
use super::tree_by_price::Inner;
use super::used_energy::UsedEnergy;
use crate::scope::Scope;
use crate::sensor::Component;
use crate::status::Status;
use plain_division::*;

/// What was added up some steps ago is too little by what runs under others received since; the rest is
/// as of now, and prices divide it.
fn known_energies_are_those_of_a_moment_ago(
    both: &mut Both,
    inner: &mut Inner,
) -> Result<(), TestCaseError> {
    let keys: Vec<RunKey> = both.active.keys().copied().collect();
    let known = both.ledger.energies(&keys, inner);
    let now = both.ledger.energies(&keys, &mut Inner::default());
    let scale = total(both.given());
    for (known, now) in known.iter().flatten().zip(now.iter().flatten()) {
        let (received, of_now) = (&known.received, &now.received);
        prop_assert!(close(received.own, of_now.own, scale));
        let rounding = 1e-9 * scale.max(1.0);
        for &component in Component::ALL {
            let inclusive = received.inclusive[component];
            prop_assert!(inclusive <= of_now.inclusive[component] + rounding);
            prop_assert!(inclusive >= received.own[component] - rounding);
        }
        for part in &known.priced {
            let at_price =
                now.priced.iter().filter(|of_now| of_now.price.to_bits() == part.price.to_bits());
            let of_now = at_price.fold(Energies::ZERO, |sum, of_now| sum + of_now.inclusive);
            for &component in Component::ALL {
                prop_assert!(part.inclusive[component] <= of_now[component] + rounding);
            }
        }
    }
    Ok(())
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
        let mut inner = Inner::default();
        for (number, step) in steps.into_iter().enumerate() {
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
            if number % 4 == 0 {
                inner = Inner::default();
            }
            known_energies_are_those_of_a_moment_ago(&mut both, &mut inner)?;
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
            both.ledger.read(both.now.into(), None, &reading);
            // What was given too early is taken off what follows.
            let follow = UsedEnergy { process: energies(200.0, 0.0, 0.0), ..UsedEnergy::default() };
            both.now += Duration::from_secs(1);
            both.ledger.read(both.now.into(), None, &follow);
            let key = both.nth(0).expect("one is active");
            let energy = both.ledger.stop(key, Status::Ok).expect("it is active").energy;
            sums.push(energy.received.own[Component::Cpu]);
        }
        prop_assert!((sums[0] - sums[1]).abs() < 1e-9 * sums[0].max(1.0), "{sums:?}");
    }
}
