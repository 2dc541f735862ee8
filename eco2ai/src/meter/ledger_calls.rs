//! The ledger as calls that go to sums start and end: the shortest way through it.
//!
//! A call has no place in the tree until someone could look for it there. It becomes a run like any
//! other as soon as a run starts under it, or the ledger is locked for anything but the start or the
//! end of such a call.

use std::time::Duration;

use super::energies::Energies;
use super::keys::RunKey;
use super::leaf_calls::{LeafCall, Outside};
use super::ledger::Ledger;
use super::node::{Node, RowOf};
use super::run_energy::{Received, RunEnergy};
use super::start::Start;
use crate::scope::Scope;
use crate::status::Status;

impl Ledger {
    /// Starts a call on a thread, with what `choose` returns for the number of the settings of the run
    /// above, if there is one. `None` if it must be a run: where a price changes with the time, where
    /// the energy is that of the machine, or where the row of the sum has not begun.
    #[inline]
    pub(super) fn start_call<'a>(
        &mut self,
        thread: usize,
        now: Duration,
        choose: impl FnOnce(Option<u64>) -> Option<Start<'a>>,
    ) -> Option<LeafCall> {
        if self.leaf_calls.is_any_outside() {
            self.place_call(thread);
        }
        let parent = self.parent(None, Some(thread));
        let above = parent.and_then(|key| self.tree.nodes.get(key));
        let start = choose(above.map(|node| node.settings))?;
        let scope = above.map_or(start.scope, |node| node.scope);
        let is_cut = above.is_some_and(|node| node.cuts.is_some());
        if scope != Scope::Process || is_cut || self.needs_wall() {
            return None;
        }
        let (sum, outermost) = self.rows.begun(&self.tree, start.summed?, parent)?;
        self.advance_process(now);
        let pool = &mut self.tree.pools.process;
        pool.begin(now);
        if let Some(node) = parent.and_then(|key| self.tree.nodes.get_mut(key)) {
            node.set_on(pool, false);
            if node.is_leaf() {
                node.set_leaf(pool, false);
            }
        } else {
            pool.roots += 1;
        }
        pool.on_sharers += 1;
        pool.leaf_sharers += 1;
        let number = self.leaf_calls.next_number();
        let call = Outside {
            number,
            parent,
            sum,
            outermost,
            period: start.period,
            settings: start.settings,
            started: now,
            base: Energies::ZERO - pool.clocks.on - pool.clocks.leaf,
            given_mark: pool.given,
            overlap_mark: pool.overlap,
        };
        self.leaf_calls.add(thread, call);
        Some(LeafCall { thread, number, started: now })
    }

    /// Ends a call. Returns false if it is a run by now.
    #[inline]
    pub(super) fn end_call(&mut self, call: LeafCall, now: Duration, status: Status) -> bool {
        let Some(ended) = self.leaf_calls.take(call.thread, call.number) else { return false };
        self.advance_process(now);
        let pool = &mut self.tree.pools.process;
        let own = ended.base + pool.clocks.on + pool.clocks.leaf;
        pool.on_sharers = pool.on_sharers.saturating_sub(1);
        pool.leaf_sharers = pool.leaf_sharers.saturating_sub(1);
        if let Some(node) = ended.parent.and_then(|key| self.tree.nodes.get_mut(key)) {
            node.set_on(pool, true);
            if node.is_leaf() {
                node.set_leaf(pool, true);
            }
            node.received += own;
        } else {
            pool.roots = pool.roots.saturating_sub(1);
        }
        let energy = RunEnergy {
            received: Received { own, inclusive: own, process: pool.given - ended.given_mark },
            priced: Vec::new(),
            scope: Scope::Process,
            since: ended.started,
            duration: pool.advanced().saturating_sub(ended.started),
            overlap: pool.overlap.saturating_sub(ended.overlap_mark),
            // A reading would have made it a run.
            read: false,
        };
        self.periods.note(ended.period);
        self.rows.sums.add(ended.sum, &energy, status, ended.outermost);
        true
    }

    /// Makes all calls outside the tree runs like others.
    #[inline]
    pub(super) fn place_calls(&mut self) {
        if self.leaf_calls.is_any_outside() {
            for thread in 0..self.leaf_calls.threads() {
                self.place_call(thread);
            }
        }
    }

    /// Makes the call of a thread that is outside the tree a run like others.
    fn place_call(&mut self, thread: usize) {
        let Some(call) = self.leaf_calls.take_any(thread) else { return };
        let Outside { sum, outermost, parent, period, .. } = call;
        let key = self.tree.nodes.insert(Node {
            row: RowOf::Sum { sum, outermost },
            summed_above: self.tree.summed_at_or_above(parent),
            scope: Scope::Process,
            parent: None,
            first_child: None,
            previous_sibling: None,
            next_sibling: None,
            thread: Some(thread),
            on: true,
            base: call.base,
            received: Energies::ZERO,
            counted: Energies::ZERO,
            given_mark: call.given_mark,
            overlap_mark: call.overlap_mark,
            readings_mark: self.tree.pools.process.readings,
            started: call.started,
            period,
            settings: call.settings,
            tariff: None,
            cuts: None,
        });
        if let Some(parent) = parent {
            self.tree.link_child(key, parent);
        }
        self.stacks.push(thread, key);
        self.periods.add(period);
        self.rows.sums.begin(sum);
        self.leaf_calls.add_placed(thread, call.number, key);
    }

    /// Returns the run that a call has become, for its end. `None` if that has ended.
    pub(super) fn run_of(&mut self, call: LeafCall) -> Option<RunKey> {
        self.place_calls();
        self.leaf_calls.take_placed(call)
    }
}
