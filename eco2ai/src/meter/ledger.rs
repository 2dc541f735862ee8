//! The ledger of a meter: gives the energy of a process to its active runs, and closes the account
//! of each.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use super::activity::Activities;
use super::energies::Energies;
use super::keys::{RunKey, SumKey};
use super::leaf_calls::LeafCalls;
use super::nanoseconds::Nanoseconds;
use super::node::{Node, RowOf};
use super::periods::Periods;
use super::rows::Rows;
use super::run_energy::{Received, RunEnergy};
use super::stacks::Stacks;
use super::start::{Enclosing, EnclosingRow, Start, Started, Stopped};
use super::sums::{ClosedSums, SumRow};
use super::tariffs::Change;
use super::tariffs::Tariffs;
use super::tree::RunTree;
use super::tree_by_price::{Inner, Whole};
use crate::status::Status;
use crate::uuid::Uuid;

/// The active runs of a process.
#[derive(Default)]
pub(super) struct Ledger {
    pub(super) tree: RunTree,
    pub(super) stacks: Stacks,
    pub(super) periods: Periods,
    /// The prices that change with the time.
    pub(super) tariffs: Tariffs,
    /// The changes of prices up to now, while energy is given out.
    pub(super) changes: Vec<Change>,
    pub(super) rows: Rows,
    /// The calls that may be outside the tree.
    pub(super) leaf_calls: LeafCalls,
}

impl Ledger {
    /// Returns the joules given out in a scope, and the joules due but not given out.
    #[cfg(test)]
    pub(super) fn given_and_carry(&mut self, scope: crate::scope::Scope) -> (Energies, Energies) {
        let pool = self.tree.pools.get_mut(scope);
        (pool.given, pool.carry())
    }

    /// The id of the row of an active run.
    pub(super) fn id(&self, key: RunKey) -> Option<Uuid> {
        match self.tree.nodes.get(key)?.row {
            RowOf::Own(id) => Some(id),
            RowOf::Sum { sum, .. } => self.rows.sums.id(sum),
        }
    }

    /// Whether a run without a parent is active that has started before a moment.
    pub(super) fn is_root(&self, key: RunKey, before: Nanoseconds) -> bool {
        self.tree.nodes.get(key).is_some_and(|it| it.parent.is_none() && it.started <= before)
    }

    /// Whether no run is active.
    pub(super) fn is_idle(&self) -> bool {
        self.tree.nodes.is_empty()
    }

    /// Whether nobody wants readings: no run is active, and no counter of the process's energy lives.
    pub(super) fn wants_no_readings(&self) -> bool {
        self.periods.is_empty()
    }

    /// A counter of the process's energy wants readings.
    pub(super) fn add_counter(&mut self, period: Duration) {
        self.periods.add(period);
    }

    /// A counter has ended.
    pub(super) fn remove_counter(&mut self, period: Duration) {
        self.periods.remove(period);
    }

    /// The shortest period that runs asked for which started since this was last called, if any
    /// did.
    pub(super) fn take_started(&mut self) -> Option<Duration> {
        self.periods.take_started()
    }

    /// The shortest period that an active run asks for; a second where none is active.
    pub(super) fn shortest_period(&self) -> Duration {
        self.periods.shortest()
    }

    /// When runs were active, up to `now`.
    pub(super) fn activities(&self, now: Nanoseconds) -> Activities {
        let (process, machine) = (&self.tree.pools.process, &self.tree.pools.machine);
        Activities {
            now: now.into(),
            process: process.activity(now),
            machine: machine.activity(now),
        }
    }

    /// Whether a run of the whole machine is active.
    pub(super) fn has_machine_run(&self) -> bool {
        self.tree.pools.machine.is_active()
    }

    /// A place for the stack of a new thread.
    pub(super) fn add_thread(&mut self) -> usize {
        self.stacks.add()
    }

    /// Gives back the place of a thread that has ended.
    pub(super) fn remove_thread(&mut self, thread: usize) {
        self.leaf_calls.remove_thread(thread);
        // A run that outlives the thread it began on is on no thread from here on.
        for key in self.stacks.remove(thread) {
            self.leave(key);
        }
    }

    /// Returns the parent of a run that starts: the given one, else the innermost run of the thread.
    pub(super) fn parent(&self, given: Option<RunKey>, thread: Option<usize>) -> Option<RunKey> {
        let innermost = || thread.and_then(|thread| self.stacks.innermost(thread));
        given.or_else(innermost).filter(|key| self.tree.nodes.contains_key(*key))
    }

    /// Returns the number of the settings of the run under which a run would start.
    #[inline]
    pub(super) fn settings_above(
        &self,
        given: Option<RunKey>,
        thread: Option<usize>,
    ) -> Option<u64> {
        self.tree.nodes.get(self.parent(given, thread)?).map(|node| node.settings)
    }

    /// Returns the run under which a run would start.
    pub(super) fn enclosing(
        &self,
        given: Option<RunKey>,
        thread: Option<usize>,
    ) -> Option<Enclosing> {
        let node = self.tree.nodes.get(self.parent(given, thread)?)?;
        Some(Enclosing { row: enclosing_row(node), settings: node.settings })
    }

    /// Returns the row of the run above an active run.
    pub(super) fn row_above(&self, key: RunKey) -> Option<EnclosingRow> {
        let node = self.tree.nodes.get(key)?;
        self.tree.nodes.get(node.parent?).map(enclosing_row)
    }

    /// Starts a run.
    pub(super) fn start(
        &mut self,
        start: Start<'_>,
        thread: Option<usize>,
        now: Nanoseconds,
    ) -> Started {
        let parent = self.parent(start.parent, thread);
        let thread = thread.filter(|_| !start.detached);
        let scope =
            parent.and_then(|key| self.tree.nodes.get(key)).map_or(start.scope, |it| it.scope);
        let (row, started) = self.rows.start(&self.tree, start.summed, parent);
        let summed_above = self.tree.summed_at_or_above(parent);
        let tariff = start.prices.and_then(|prices| self.tariffs.add(prices));
        let is_cut_above = |key| self.tree.nodes.get(key).is_some_and(|it| it.cuts.is_some());
        let is_cut = tariff.is_some() || parent.is_some_and(is_cut_above);
        let cuts = is_cut.then(|| self.tree.cuts.add());
        let pool = self.tree.pools.get_mut(scope);
        pool.begin(now);
        let mut node = Node {
            row,
            summed_above,
            scope,
            parent: None,
            first_child: None,
            previous_sibling: None,
            next_sibling: None,
            thread,
            on: false,
            base: Energies::ZERO,
            received: Energies::ZERO,
            counted: Energies::ZERO,
            given_mark: pool.given,
            overlap_mark: pool.overlap,
            readings_mark: pool.readings,
            started: now,
            period: start.period,
            settings: start.settings,
            tariff,
            cuts,
        };
        node.set_leaf(pool, true);
        node.set_on(pool, thread.is_some());
        let key = self.tree.nodes.insert(node);
        self.tree.link(key, scope, parent);
        self.periods.add(start.period);
        if let Some(thread) = thread {
            self.put_on(thread, key);
        }
        Started { key, row: started }
    }

    /// The row of a sum began at `start`, and can be written from now on.
    pub(super) fn set_start(&mut self, sum: SumKey, start: SystemTime) {
        self.rows.sums.set_start(sum, start);
    }

    /// The rows of all sums in which a call has ended; calls that end later go to rows that begin
    /// `now`.
    pub(super) fn take_sums(&mut self, now: SystemTime) -> Vec<SumRow> {
        self.rows.take(now)
    }

    /// Whether the rows of these sums have changed since this was last asked.
    pub(super) fn take_changed(&mut self, sums: &[SumKey]) -> bool {
        self.rows.sums.take_changed(sums)
    }

    /// The rows of sums as they would be if the process died now.
    pub(super) fn sums_so_far(&mut self, sums: &[SumKey]) -> Vec<SumRow> {
        let mut calls: HashMap<SumKey, Vec<(RunKey, bool)>> = HashMap::new();
        calls.extend(
            sums.iter()
                .filter(|sum| self.rows.sums.is_under_way(**sum))
                .map(|sum| (*sum, Vec::new())),
        );
        if !calls.is_empty() {
            for (key, node) in &self.tree.nodes {
                if let RowOf::Sum { sum, outermost } = node.row
                    && let Some(calls) = calls.get_mut(&sum)
                {
                    calls.push((key, outermost));
                }
            }
        }
        let mut known = Inner::default();
        let row = |sum: &SumKey| {
            let calls = calls.remove(sum).unwrap_or_default().into_iter();
            let energies = calls.filter_map(|(key, outermost)| {
                Some((self.energy_with(key, &mut known)?, outermost))
            });
            let energies: Vec<_> = energies.collect();
            self.rows.sums.row(*sum, &energies)
        };
        sums.iter().filter_map(row).collect()
    }

    /// The active calls that go to sums, the latest first.
    pub(super) fn summed_calls(&self) -> Vec<RunKey> {
        let summed =
            self.tree.nodes.iter().filter(|(_, node)| matches!(node.row, RowOf::Sum { .. }));
        let mut calls: Vec<_> = summed.map(|(key, node)| (node.started, key)).collect();
        calls.sort_unstable_by(|one, other| other.cmp(one));
        calls.into_iter().map(|(_, key)| key).collect()
    }

    /// Makes a run the innermost one of a thread; false where it is on a thread already.
    pub(super) fn enter(&mut self, thread: usize, key: RunKey) -> bool {
        self.tree.cut(key);
        let tree = &mut self.tree;
        let Some(node) = tree.nodes.get_mut(key).filter(|node| node.thread.is_none()) else {
            return false;
        };
        node.thread = Some(thread);
        node.set_on(tree.pools.get_mut(node.scope), true);
        self.put_on(thread, key);
        true
    }

    /// Puts a run on a thread's stack; the one below it does not run meanwhile.
    fn put_on(&mut self, thread: usize, key: RunKey) {
        if let Some(outer) = self.stacks.push(thread, key) {
            self.tree.set_on(outer, false);
        }
    }

    /// Takes a run off its thread.
    pub(super) fn exit(&mut self, key: RunKey) {
        let Some(thread) = self.tree.nodes.get(key).and_then(|node| node.thread) else { return };
        self.leave(key);
        if let Some(outer) = self.stacks.take(thread, key) {
            self.tree.set_on(outer, true);
        }
    }

    fn leave(&mut self, key: RunKey) {
        self.tree.set_on(key, false);
        if let Some(node) = self.tree.nodes.get_mut(key) {
            node.thread = None;
        }
    }

    /// Returns when an active run started.
    pub(super) fn started(&self, key: RunKey) -> Option<Nanoseconds> {
        self.tree.nodes.get(key).map(|node| node.started)
    }

    /// Returns the energy that an active run has received so far.
    pub(super) fn energy(&mut self, key: RunKey) -> Option<RunEnergy> {
        self.energy_with(key, &mut Inner::default())
    }

    /// Returns the energies that active runs have received so far; those of runs below others as
    /// `inner` knows them.
    pub(super) fn energies(
        &mut self,
        keys: &[RunKey],
        inner: &mut Inner,
    ) -> Vec<Option<RunEnergy>> {
        keys.iter().map(|key| self.energy_with(*key, inner)).collect()
    }

    /// Same as [`energy`](Self::energy), with what is known of runs with children.
    fn energy_with(&mut self, key: RunKey, known: &mut Inner) -> Option<RunEnergy> {
        let whole = self.tree.whole(key, known)?;
        self.energy_of(key, &whole)
    }

    fn energy_of(&self, key: RunKey, whole: &Whole) -> Option<RunEnergy> {
        let node = self.tree.nodes.get(key)?;
        let pool = self.tree.pools.get(node.scope);
        let mut energy = RunEnergy {
            received: Received {
                own: self.tree.own(node),
                inclusive: whole.inclusive,
                process: pool.given - node.given_mark,
            },
            priced: Vec::new(),
            scope: node.scope,
            since: node.started,
            duration: self.tree.pools.process.advanced().since(node.started),
            overlap: pool.overlap.since(node.overlap_mark),
            read: pool.readings > node.readings_mark,
        };
        if let Some(tariff) = node.tariff {
            self.tariffs.price_energy(tariff, &whole.accounts, &mut energy);
        }
        Some(energy)
    }

    /// Ends a run; what it received goes to its sum, if it has one. Its active children go to its
    /// parent.
    pub(super) fn stop(&mut self, key: RunKey, status: Status) -> Option<Stopped> {
        self.stop_with(key, status, |energy, closed| Stopped { energy, closed })
    }

    /// Same as [`stop`](Self::stop), with what is needed of the result: it is large.
    #[inline]
    pub(super) fn stop_with<T>(
        &mut self,
        key: RunKey,
        status: Status,
        result: impl FnOnce(RunEnergy, ClosedSums) -> T,
    ) -> Option<T> {
        self.exit(key);
        let mut known = Inner::default();
        let whole = self.tree.whole(key, &mut known)?;
        let energy = self.energy_of(key, &whole)?;
        let node = self.tree.nodes.get(key)?;
        let &Node { row, scope, parent, first_child, counted, period, tariff, cuts, .. } = node;
        self.tree.unlink(key);
        let mut child = first_child;
        while let Some(key) = child {
            self.tree.set_counted(key, &mut known);
            let Some(node) = self.tree.nodes.get_mut(key) else { break };
            child = node.next_sibling;
            node.parent = None;
            node.previous_sibling = None;
            node.next_sibling = None;
            self.tree.link(key, scope, parent);
        }
        self.tree.nodes.remove(key);
        self.periods.remove(period);
        if first_child.is_none() {
            let pool = self.tree.pools.get_mut(scope);
            pool.leaf_sharers = pool.leaf_sharers.saturating_sub(1);
        }
        if let Some(tariff) = tariff {
            self.tariffs.remove(tariff);
        }
        if let Some(cuts) = cuts {
            self.tree.cuts.remove(cuts);
            self.tree.cuts.accounts.remove(key);
        }
        if let Some(parent) = parent {
            self.tree.pass_up(parent, energy.received.inclusive - counted, &whole.accounts);
        }
        let mut closed = ClosedSums::default();
        match row {
            RowOf::Own(_) => self.rows.sums.close_under(key, &mut closed),
            RowOf::Sum { sum, outermost } => {
                self.rows.sums.end(sum, &energy, status, outermost, &mut closed);
            }
        }
        Some(result(energy, closed))
    }
}

fn enclosing_row(node: &Node) -> EnclosingRow {
    match node.row {
        RowOf::Own(id) => EnclosingRow::Own(id),
        RowOf::Sum { sum, .. } => EnclosingRow::Sum(sum),
    }
}
