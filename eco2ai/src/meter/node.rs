//! One active run in the ledger.

use std::time::Duration;

use super::energies::Energies;
use super::keys::{RunKey, SumKey};
use super::nanoseconds::Nanoseconds;
use super::pool::Pool;
use super::price_cuts::Clocks;
use super::tariffs::TariffId;
use crate::scope::Scope;
use crate::uuid::Uuid;

/// The row that a run belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) enum RowOf {
    Own(Uuid),
    Sum {
        sum: SumKey,
        /// Whether no other call of the same sum encloses this one.
        outermost: bool,
    },
}

/// An active run. It is small and plain data, because a short call creates and drops nothing else.
pub(super) struct Node {
    pub(super) row: RowOf,
    /// The nearest enclosing run that is the outermost call of a sum, when this one started.
    pub(super) summed_above: Option<RunKey>,
    pub(super) scope: Scope,
    pub(super) parent: Option<RunKey>,
    pub(super) first_child: Option<RunKey>,
    pub(super) previous_sibling: Option<RunKey>,
    pub(super) next_sibling: Option<RunKey>,
    /// The thread whose stack contains the run.
    pub(super) thread: Option<usize>,
    /// Whether it is the innermost run of that thread.
    pub(super) on: bool,
    /// The own energy, minus the current value of each clock by which the run receives energy. Adding
    /// the values of those clocks gives the own energy at any time.
    pub(super) base: Energies,
    /// The energy of its descendants that have ended.
    pub(super) received: Energies,
    pub(super) started: Nanoseconds,
    /// The energy that is part of an earlier parent, which ended before this run.
    pub(super) counted: Energies,
    pub(super) readings_mark: u64,
    pub(super) overlap_mark: Nanoseconds,
    pub(super) given_mark: Energies,
    pub(super) period: Duration,
    /// The number of its settings, which runs under it inherit.
    pub(super) settings: u64,
    /// The price of its energy, where that changes with the time.
    pub(super) tariff: Option<TariffId>,
    /// How many changes of prices it was cut at. `None` if neither it nor a run above it has a price
    /// that changes.
    pub(super) cuts: Option<u64>,
}

impl Node {
    pub(super) fn is_leaf(&self) -> bool {
        self.first_child.is_none()
    }

    /// Returns the own energy when the clocks show this.
    #[inline]
    pub(super) fn own(&self, clocks: &Clocks) -> Energies {
        let mut own = self.base;
        if self.on {
            own += clocks.on;
        }
        if self.is_leaf() {
            own += clocks.leaf;
        }
        own
    }

    /// Starts or stops to share by the clock of innermost runs of threads.
    pub(super) fn set_on(&mut self, pool: &mut Pool, on: bool) {
        if self.on == on {
            return;
        }
        self.on = on;
        if on {
            pool.on_sharers += 1;
            self.base = self.base - pool.clocks.on;
        } else {
            pool.on_sharers = pool.on_sharers.saturating_sub(1);
            self.base += pool.clocks.on;
        }
    }

    /// Starts or stops to share by the clock of runs without active children.
    pub(super) fn set_leaf(&mut self, pool: &mut Pool, leaf: bool) {
        if leaf {
            pool.leaf_sharers += 1;
            self.base = self.base - pool.clocks.leaf;
        } else {
            pool.leaf_sharers = pool.leaf_sharers.saturating_sub(1);
            self.base += pool.clocks.leaf;
        }
    }
}

/// The pools of both scopes.
#[derive(Default)]
pub(super) struct Pools {
    pub(super) process: Pool,
    pub(super) machine: Pool,
}

impl Pools {
    pub(super) fn get(&self, scope: Scope) -> &Pool {
        match scope {
            Scope::Process => &self.process,
            Scope::Machine => &self.machine,
        }
    }

    pub(super) fn get_mut(&mut self, scope: Scope) -> &mut Pool {
        match scope {
            Scope::Process => &mut self.process,
            Scope::Machine => &mut self.machine,
        }
    }
}
