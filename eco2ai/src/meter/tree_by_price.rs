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
    /// The run's own part of `inclusive`.
    own: Energies,
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

/// The energies of runs with children, at the moment at which each was first needed. Kept for some
/// milliseconds, it makes the cost of all runs of a deep tree that of one of them.
#[derive(Debug, Default)]
pub(crate) struct Inner {
    /// `None` where none was needed, since an empty map costs a few nanoseconds.
    known: Option<SparseSecondaryMap<RunKey, Whole>>,
    /// The number of changes of prices by then.
    cuts: u64,
}

impl RunTree {
    /// Returns the clocks of both pools.
    pub(super) fn clocks(&self) -> ClocksByScope {
        let (process, machine) = (self.pools.process.clocks, self.pools.machine.clocks);
        ClocksByScope { process, machine }
    }

    /// Returns the energy of a run and its descendants. `inner` is kept for several runs, so that each
    /// run below them is looked at once.
    #[inline]
    pub(super) fn whole(&mut self, key: RunKey, inner: &mut Inner) -> Option<Whole> {
        self.cut(key);
        let node = self.nodes.get(key)?;
        if node.is_leaf() {
            return Some(self.alone(key, node));
        }
        if inner.cuts != self.cuts.number() {
            // They would lack what was received before the change.
            *inner = Inner { known: None, cuts: self.cuts.number() };
        }
        let known = inner.known.get_or_insert_default();
        self.add_up(key, known);
        let mut whole = known.get(key)?.clone();
        // What a run received itself since then, so that it has never more than with its descendants.
        whole.inclusive += self.own(self.nodes.get(key)?) - whole.own;
        Some(whole)
    }

    /// The energy of a run without its active descendants.
    #[inline]
    fn alone(&self, key: RunKey, node: &Node) -> Whole {
        let own = self.own(node);
        let accounts = match node.cuts {
            Some(_) => self.cuts.accounts.get(key).cloned().unwrap_or_default(),
            None => Accounts::default(),
        };
        Whole { own, inclusive: own + node.received, accounts }
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
    pub(super) fn set_counted(&mut self, key: RunKey, inner: &mut Inner) {
        let Some(whole) = self.whole(key, inner) else { return };
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
