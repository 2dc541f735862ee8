//! The tree of active runs, and the energy of each.

use slotmap::SlotMap;

use super::energies::Energies;
use super::keys::RunKey;
use super::node::{Node, Pools, RowOf};
use super::price_cuts::{Account, PriceCuts};
use crate::scope::Scope;

/// The active runs as a tree, and the pools of energy that they share.
#[derive(Default)]
pub(super) struct RunTree {
    pub(super) nodes: SlotMap<RunKey, Node>,
    pub(super) pools: Pools,
    pub(super) cuts: PriceCuts,
}

impl RunTree {
    /// Cuts a run at the changes of prices since the last time. To be called before the run changes.
    #[inline]
    pub(super) fn cut(&mut self, key: RunKey) {
        let number = self.cuts.number();
        if number == 0 {
            return;
        }
        let is_behind = |known: u64| known != number;
        if self.nodes.get(key).is_some_and(|node| node.cuts.is_some_and(is_behind)) {
            self.cut_now(key);
        }
    }

    fn cut_now(&mut self, key: RunKey) {
        let Some(node) = self.nodes.get_mut(key) else { return };
        let Some(known) = node.cuts.replace(self.cuts.number()) else { return };
        let mut accounts = self.cuts.accounts.remove(key).unwrap_or_default();
        let mut before = accounts.sum();
        for (state, clocks) in self.cuts.after(known) {
            let clocks = clocks.get(node.scope);
            let (received, counted) = (node.received, node.counted);
            let now = Account { own: node.own(clocks), received, counted };
            let account = accounts.at(state);
            account.own += now.own - before.own;
            account.received += now.received - before.received;
            account.counted += now.counted - before.counted;
            before = now;
        }
        self.cuts.accounts.insert(key, accounts);
        self.cuts.remove(known);
        self.cuts.add();
    }

    /// Starts or stops to share by the clock of innermost runs of threads.
    #[inline]
    pub(super) fn set_on(&mut self, key: RunKey, on: bool) {
        self.cut(key);
        if let Some(node) = self.nodes.get_mut(key) {
            node.set_on(self.pools.get_mut(node.scope), on);
        }
    }

    /// Starts or stops to share by the clock of runs without active children.
    #[inline]
    pub(super) fn set_leaf(&mut self, key: RunKey, leaf: bool) {
        self.cut(key);
        if let Some(node) = self.nodes.get_mut(key) {
            node.set_leaf(self.pools.get_mut(node.scope), leaf);
        }
    }

    /// Returns the own energy of a run.
    #[inline]
    pub(super) fn own(&self, node: &Node) -> Energies {
        node.own(&self.pools.get(node.scope).clocks)
    }

    /// Puts a run under a parent.
    #[inline]
    pub(super) fn link(&mut self, key: RunKey, scope: Scope, parent: Option<RunKey>) {
        let Some(parent) = parent else {
            self.pools.get_mut(scope).roots += 1;
            return;
        };
        // As it is before it has a child.
        self.cut(parent);
        if self.link_child(key, parent) {
            self.set_leaf(parent, false);
        }
    }

    /// Makes a run the first child of another one. Returns whether it is the only one.
    #[inline]
    pub(super) fn link_child(&mut self, key: RunKey, parent: RunKey) -> bool {
        let Some(above) = self.nodes.get_mut(parent) else { return false };
        let next = above.first_child.replace(key);
        if let Some(next) = next.and_then(|next| self.nodes.get_mut(next)) {
            next.previous_sibling = Some(key);
        }
        if let Some(node) = self.nodes.get_mut(key) {
            node.parent = Some(parent);
            node.previous_sibling = None;
            node.next_sibling = next;
        }
        next.is_none()
    }

    /// Removes a run from its parent, which may then have no children.
    #[inline]
    pub(super) fn unlink(&mut self, key: RunKey) {
        let Some(node) = self.nodes.get(key) else { return };
        let (parent, previous, next) = (node.parent, node.previous_sibling, node.next_sibling);
        let scope = node.scope;
        let Some(parent) = parent else {
            let pool = self.pools.get_mut(scope);
            pool.roots = pool.roots.saturating_sub(1);
            return;
        };
        if let Some(next) = next.and_then(|next| self.nodes.get_mut(next)) {
            next.previous_sibling = previous;
        }
        if let Some(previous) = previous.and_then(|previous| self.nodes.get_mut(previous)) {
            previous.next_sibling = next;
        } else {
            // As it is before its last child is gone.
            self.cut(parent);
            if let Some(above) = self.nodes.get_mut(parent) {
                above.first_child = next;
                if next.is_none() {
                    self.set_leaf(parent, true);
                }
            }
        }
    }

    /// Returns the nearest of `key` and its enclosing runs that is the outermost call of a sum.
    #[inline]
    pub(super) fn summed_at_or_above(&self, key: Option<RunKey>) -> Option<RunKey> {
        let node = self.nodes.get(key?)?;
        if matches!(node.row, RowOf::Sum { outermost: true, .. }) {
            key
        } else {
            self.summed_above(node)
        }
    }

    /// Returns the nearest enclosing run that is the outermost call of a sum.
    #[inline]
    pub(super) fn summed_above(&self, node: &Node) -> Option<RunKey> {
        let known = node.summed_above?;
        if self.nodes.contains_key(known) {
            return Some(known);
        }
        // That run ended before the runs that it started. The next one is close.
        let mut above = node.parent;
        while let Some(node) = above.and_then(|key| self.nodes.get(key)) {
            if matches!(node.row, RowOf::Sum { outermost: true, .. }) {
                return above;
            }
            above = node.parent;
        }
        None
    }
}
