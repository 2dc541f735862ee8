//! The energy of a run and its descendants, also by price.

use slotmap::SparseSecondaryMap;

use super::energies::Energies;
use super::keys::RunKey;
use super::node::Node;
use super::price_cuts::{Accounts, ClocksByScope, PriceState};
use super::tree::RunTree;

/// The energy of a run and its descendants.
#[derive(Clone, Debug, Default)]
pub(super) struct Whole {
    pub(super) inclusive: Energies,
    /// The same by the states of the prices that have ended; that of the descendants is received.
    pub(super) accounts: Accounts,
}

impl Whole {
    /// Adds a child, of which `counted` is part of an earlier parent.
    fn add(&mut self, child: &Self, counted: Energies) {
        self.inclusive += child.inclusive - counted;
        for (state, account) in &child.accounts.0 {
            self.accounts.at(*state).received += account.inclusive() - account.counted;
        }
    }
}

/// The energies of runs with children; `None` where none was needed, since an empty map costs a few
/// nanoseconds.
#[derive(Debug, Default)]
pub(super) struct Inner(Option<SparseSecondaryMap<RunKey, Whole>>);

impl RunTree {
    /// Returns the clocks of both pools.
    pub(super) fn clocks(&self) -> ClocksByScope {
        let (process, machine) = (self.pools.process.clocks, self.pools.machine.clocks);
        ClocksByScope { process, machine }
    }

    /// Returns the energy of a run and its descendants. `known` is kept for several runs, so that each
    /// run below them is looked at once.
    #[inline]
    pub(super) fn whole(&mut self, key: RunKey, known: &mut Inner) -> Option<Whole> {
        self.cut(key);
        let node = self.nodes.get(key)?;
        if node.is_leaf() {
            return Some(self.alone(key, node));
        }
        let known = known.0.get_or_insert_default();
        self.add_up(key, known);
        known.get(key).cloned()
    }

    /// The energy of a run without its active descendants.
    #[inline]
    fn alone(&self, key: RunKey, node: &Node) -> Whole {
        let inclusive = self.own(node) + node.received;
        let accounts = match node.cuts {
            Some(_) => self.cuts.accounts.get(key).cloned().unwrap_or_default(),
            None => Accounts::default(),
        };
        Whole { inclusive, accounts }
    }

    /// Adds up the energies of the runs at and below a run, from below.
    fn add_up(&mut self, first: RunKey, known: &mut SparseSecondaryMap<RunKey, Whole>) {
        let mut open = vec![first];
        while let Some(&key) = open.last() {
            self.cut(key);
            let node = self.nodes.get(key).filter(|_| !known.contains_key(key));
            let Some(node) = node else {
                open.pop();
                continue;
            };
            let (mut whole, mut child) = (self.alone(key, node), node.first_child);
            let above = open.len();
            while let Some(key) = child {
                self.cut(key);
                let Some(node) = self.nodes.get(key) else { break };
                if let Some(inner) = known.get(key) {
                    whole.add(inner, node.counted);
                } else if node.is_leaf() {
                    whole.add(&self.alone(key, node), node.counted);
                } else {
                    open.push(key);
                }
                child = node.next_sibling;
            }
            if open.len() == above {
                known.insert(key, whole);
                open.pop();
            }
        }
    }

    /// A run has ended: adds to the parent's energy what it received during the states of the prices
    /// that have ended. `total` is what it received in all.
    pub(super) fn pass_up(&mut self, parent: RunKey, total: Energies, accounts: &Accounts) {
        self.cut(parent);
        let Some(node) = self.nodes.get_mut(parent) else { return };
        node.received += total;
        if node.cuts.is_some() && !accounts.0.is_empty() {
            let Some(of_parent) = self.cuts.accounts.get_mut(parent) else { return };
            for (state, account) in &accounts.0 {
                of_parent.at(*state).received += account.inclusive() - account.counted;
            }
        }
    }

    /// The parent of a run has ended: what the run received so far is part of that one.
    pub(super) fn set_counted(&mut self, key: RunKey, known: &mut Inner) {
        let Some(whole) = self.whole(key, known) else { return };
        if let Some(node) = self.nodes.get_mut(key) {
            node.counted = whole.inclusive;
        }
        if let Some(own) = self.cuts.accounts.get_mut(key) {
            for (state, account) in whole.accounts.0 {
                own.at(state).counted = account.inclusive();
            }
        }
    }

    /// Notes a change of the prices, which were those of `state` until `clocks`.
    pub(super) fn change_prices(&mut self, state: PriceState, clocks: ClocksByScope) {
        self.cuts.push(state, clocks);
    }
}
