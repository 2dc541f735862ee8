//! The energy of a run and its descendants by price.

use super::energies::Energies;
use super::keys::RunKey;
use super::price_cuts::{Accounts, ClocksByScope, PriceState};
use super::tree::RunTree;

impl RunTree {
    /// Returns the clocks of both pools.
    pub(super) fn clocks(&self) -> ClocksByScope {
        let (process, machine) = (self.pools.process.clocks, self.pools.machine.clocks);
        ClocksByScope { process, machine }
    }

    /// Returns the energy of a run by the states of the prices that have ended; that of its
    /// descendants, ended or not, is received.
    pub(super) fn accounts(&mut self, key: RunKey) -> Accounts {
        self.cut(key);
        let mut accounts = match self.cuts.accounts.get(key) {
            // It has started since, and so have its descendants.
            None => return Accounts::default(),
            Some(accounts) => accounts.clone(),
        };
        let mut open: Vec<RunKey> = Vec::new();
        open.extend(self.nodes.get(key).and_then(|node| node.first_child));
        while let Some(key) = open.pop() {
            self.cut(key);
            let Some(node) = self.nodes.get(key) else { continue };
            open.extend(node.next_sibling);
            if let Some(inner) = self.cuts.accounts.get(key) {
                open.extend(node.first_child);
                for (state, inner) in &inner.0 {
                    accounts.get_mut(*state).received += inner.inclusive() - inner.counted;
                }
            }
        }
        accounts
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
                of_parent.get_mut(*state).received += account.inclusive() - account.counted;
            }
        }
    }

    /// The parent of a run has ended: what the run received so far is part of that one.
    pub(super) fn set_counted(&mut self, key: RunKey) {
        let accounts = self.accounts(key);
        let Some(node) = self.nodes.get(key) else { return };
        let counted = self.inclusive(node);
        if let Some(node) = self.nodes.get_mut(key) {
            node.counted = counted;
        }
        if let Some(own) = self.cuts.accounts.get_mut(key) {
            for (state, account) in accounts.0 {
                own.get_mut(state).counted = account.inclusive();
            }
        }
    }

    /// Notes a change of the prices, which were those of `state` until `clocks`.
    pub(super) fn change_prices(&mut self, state: PriceState, clocks: ClocksByScope) {
        self.cuts.push(state, clocks);
    }
}
