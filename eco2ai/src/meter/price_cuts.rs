//! Changes of prices as cuts in the virtual clocks, and the energy of each run on either side.
//!
//! A change of a price is one entry here, whatever the number of runs. A run is cut at the changes
//! since the last time only when it is read, when it ends, or just before it starts or stops to
//! receive energy by a clock: until then, its energy at each change follows from the clocks. So an
//! edge costs the same with many open runs, and a change is forgotten as soon as all runs that were
//! active at it have been cut.

use std::collections::VecDeque;

use slotmap::SecondaryMap;

use super::energies::Energies;
use super::keys::RunKey;
use crate::scope::Scope;

/// Names the prices of all tariffs at a moment. The same prices again have the same name, so what is
/// kept of a run is bounded by the number of prices, not by the number of changes.
pub(super) type PriceState = u32;

/// The values of the virtual clocks of a pool.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clocks {
    /// Joules per thread that has an innermost run.
    pub(super) on: Energies,
    /// Joules per run without active children.
    pub(super) leaf: Energies,
}

/// The clocks of both pools.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ClocksByScope {
    pub(super) process: Clocks,
    pub(super) machine: Clocks,
}

impl ClocksByScope {
    pub(super) fn get(&self, scope: Scope) -> &Clocks {
        match scope {
            Scope::Process => &self.process,
            Scope::Machine => &self.machine,
        }
    }
}

/// The energy of a run during one state of the prices.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Account {
    pub(super) own: Energies,
    /// The energy of its descendants: of those that have ended, or of all.
    pub(super) received: Energies,
    /// The energy that is part of an earlier parent, which ended before this run.
    pub(super) counted: Energies,
}

impl Account {
    pub(super) fn inclusive(&self) -> Energies {
        self.own + self.received
    }
}

/// The energy of a run by the states of the prices that have ended, the earliest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Accounts(pub(super) Vec<(PriceState, Account)>);

impl Accounts {
    pub(super) fn at(&mut self, state: PriceState) -> &mut Account {
        let known = self.0.iter().position(|(known, _)| *known == state);
        let place = known.unwrap_or_else(|| {
            self.0.push((state, Account::default()));
            self.0.len() - 1
        });
        &mut self.0[place].1
    }

    pub(super) fn sum(&self) -> Account {
        self.0.iter().fold(Account::default(), |sum, (_, account)| Account {
            own: sum.own + account.own,
            received: sum.received + account.received,
            counted: sum.counted + account.counted,
        })
    }
}

/// A change of prices.
#[derive(Debug)]
struct Cut {
    /// The prices until then.
    state: PriceState,
    clocks: ClocksByScope,
    /// The runs that this is the first cut for.
    runs: usize,
}

/// The changes of prices that a run may still have to be cut at.
#[derive(Debug, Default)]
pub(super) struct PriceCuts {
    /// The number of changes so far.
    number: u64,
    /// The last of them.
    cuts: VecDeque<Cut>,
    /// The runs that were cut at all of them.
    up_to_date: usize,
    /// The accounts of runs that were active at a change.
    pub(super) accounts: SecondaryMap<RunKey, Accounts>,
}

impl PriceCuts {
    /// Returns the number of changes so far.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Notes a change of prices, which were those of `state` until then.
    pub(super) fn push(&mut self, state: PriceState, clocks: ClocksByScope) {
        let runs = std::mem::take(&mut self.up_to_date);
        self.cuts.push_back(Cut { state, clocks, runs });
        self.number += 1;
        self.forget();
    }

    /// Adds a run that starts. Returns the number of changes so far.
    pub(super) fn add(&mut self) -> u64 {
        self.up_to_date += 1;
        self.number
    }

    /// Removes a run that was cut at the first `number` changes.
    pub(super) fn remove(&mut self, number: u64) {
        if number == self.number {
            self.up_to_date = self.up_to_date.saturating_sub(1);
        } else if let Some(at) = self.place(number)
            && let Some(cut) = self.cuts.get_mut(at)
        {
            cut.runs = cut.runs.saturating_sub(1);
            self.forget();
        }
    }

    /// Returns the changes after the first `number`, with the prices until each.
    pub(super) fn after(&self, number: u64) -> impl Iterator<Item = (PriceState, &ClocksByScope)> {
        let from = self.place(number).unwrap_or(self.cuts.len()).min(self.cuts.len());
        self.cuts.range(from..).map(|cut| (cut.state, &cut.clocks))
    }

    fn place(&self, number: u64) -> Option<usize> {
        let first = self.number - self.cuts.len() as u64;
        number.checked_sub(first).and_then(|at| usize::try_from(at).ok())
    }

    /// Forgets the changes that no run needs.
    fn forget(&mut self) {
        while self.cuts.front().is_some_and(|cut| cut.runs == 0) {
            self.cuts.pop_front();
        }
    }

    /// The number of changes that are kept.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.cuts.len()
    }
}
