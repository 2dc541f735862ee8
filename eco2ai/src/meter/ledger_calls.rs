//! The ledger as calls that go to sums start and end: the shortest way through it.
//!
//! A call has no place in the tree until someone could look for it there. It becomes a run like any
//! other as soon as a run starts under it, or the ledger is locked for anything but the start or the
//! end of such a call.

use super::energies::Energies;
use super::keys::RunKey;
use super::leaf_calls::{LeafCall, Outside};
use super::ledger::Ledger;
use super::nanoseconds::Nanoseconds;
use super::node::{Node, RowOf};
use super::run_energy::{Received, RunEnergy};
use super::start::Start;
use crate::scope::Scope;
use crate::status::Status;

impl Ledger {
    /// Starts a call on a thread, with what `choose` returns for the number of the settings of the run
    /// above, if there is one. `None` if it must be a run: where a price changes with the time, where
    /// the energy is that of the machine, where runs on other threads are under the same run, or where
    /// the row of the sum has not begun.
    #[inline]
    pub(super) fn start_call<'a>(
        &mut self,
        thread: usize,
        now: Nanoseconds,
        choose: impl FnOnce(Option<u64>) -> Option<Start<'a>>,
    ) -> Option<LeafCall> {
        let slot = u32::try_from(thread).ok()?;
        if self.leaf_calls.is_any_outside()
            && let Some((number, above)) = self.leaf_calls.take_of_thread(thread)
        {
            self.place(thread, number, above);
        }
        let parent = self.parent(None, Some(thread));
        let above = parent.and_then(|key| self.tree.nodes.get(key));
        let start = choose(above.map(|node| node.settings))?;
        let scope = above.map_or(start.scope, |node| node.scope);
        let may_be_above = |node: &Node| node.on && node.is_leaf() && node.cuts.is_none();
        if scope != Scope::Process || !above.is_none_or(may_be_above) || self.needs_wall() {
            return None;
        }
        let (sum, outermost) = self.rows.begun(&self.tree, start.summed?, parent)?;
        let pool = &mut self.tree.pools.process;
        // No price changes.
        pool.advance_and_give(now);
        // Else it shares in place of the run above, until one of them is looked at.
        if parent.is_none() {
            pool.begin(now);
            pool.roots += 1;
            pool.on_sharers += 1;
            pool.leaf_sharers += 1;
        }
        let call = Outside {
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
        let number = self.leaf_calls.add(thread, call);
        Some(LeafCall { number, thread: slot, panicking: std::thread::panicking() })
    }

    /// Ends a call. Returns false if it is a run by now.
    #[inline]
    pub(super) fn end_call(&mut self, call: LeafCall, now: Nanoseconds, status: Status) -> bool {
        let Some(ended) = self.leaf_calls.take(call) else { return false };
        let pool = &mut self.tree.pools.process;
        pool.advance_and_give(now);
        let own = ended.base + pool.clocks.on + pool.clocks.leaf;
        if let Some(node) = ended.parent.and_then(|key| self.tree.nodes.get_mut(key)) {
            node.base = node.base - own;
            node.received += own;
        } else {
            pool.roots = pool.roots.saturating_sub(1);
            pool.on_sharers = pool.on_sharers.saturating_sub(1);
            pool.leaf_sharers = pool.leaf_sharers.saturating_sub(1);
        }
        let energy = RunEnergy {
            received: Received { own, inclusive: own, process: pool.given - ended.given_mark },
            priced: Vec::new(),
            scope: Scope::Process,
            since: ended.started,
            duration: pool.advanced().since(ended.started),
            overlap: pool.overlap.since(ended.overlap_mark),
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
            self.place_all();
        }
    }

    fn place_all(&mut self) {
        while let Some((thread, number, call)) = self.leaf_calls.take_any() {
            self.place(thread, number, call);
        }
    }

    /// Makes a call a run like others.
    fn place(&mut self, thread: usize, number: u64, call: Outside) {
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
            if let Some(node) = self.tree.nodes.get_mut(parent) {
                // It has shared up to the start of the call.
                node.on = false;
                node.base = node.base - call.base;
            }
        }
        self.stacks.push(thread, key);
        self.periods.add(period);
        self.rows.sums.begin(sum);
        self.leaf_calls.add_placed(thread, number, key);
    }

    /// Returns the run that a call has become, for its end. `None` if that has ended.
    pub(super) fn run_of(&mut self, call: LeafCall) -> Option<RunKey> {
        self.place_calls();
        self.leaf_calls.take_placed(call)
    }
}
