//! The ledger of a meter: gives the energy of a process to its active runs, and closes the account
//! of each.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use uuid::Uuid;

use super::activity::Activities;
use super::energies::Energies;
use super::forecast::{Forecast, Prices};
use super::keys::{RunKey, SumKey};
use super::node::{Node, RowOf};
use super::periods::Periods;
use super::rows::Rows;
use super::run_energy::RunEnergy;
use super::stacks::Stacks;
use super::start::{Enclosing, EnclosingRow, Start, Started, Stopped};
use super::sums::{ClosedSums, SumRow};
use super::tariff_segments::TariffSegments;
use super::tree::RunTree;
use super::used_energy::UsedEnergy;
use crate::scope::Scope;
use crate::status::Status;

/// The active runs of a process.
#[derive(Default)]
pub(super) struct Ledger {
    pub(super) tree: RunTree,
    stacks: Stacks,
    periods: Periods,
    /// The runs whose price changes with the time.
    tariffs: TariffSegments,
    rows: Rows,
}

impl Ledger {
    /// Returns the joules given out in a scope, and the joules due but not given out.
    #[cfg(test)]
    pub(super) fn given_and_carry(&mut self, scope: Scope) -> (Energies, Energies) {
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
    pub(super) fn is_root(&self, key: RunKey, before: Duration) -> bool {
        self.tree.nodes.get(key).is_some_and(|it| it.parent.is_none() && it.started <= before)
    }

    /// Whether no run is active.
    pub(super) fn is_idle(&self) -> bool {
        self.tree.nodes.is_empty()
    }

    /// The shortest period that runs asked for which started since this was last called, if any
    /// did.
    pub(super) fn take_started(&mut self) -> Option<Duration> {
        self.periods.take_started()
    }

    /// Whether the calendar's time matters now.
    pub(super) fn needs_wall(&self) -> bool {
        !self.tariffs.is_empty()
    }

    /// The prices of which more must be known before energy is given out up to `now`, when the
    /// calendar shows `wall`; and from when on.
    pub(super) fn outdated_prices(
        &mut self,
        now: Duration,
        wall: SystemTime,
    ) -> (SystemTime, Vec<Arc<dyn Prices>>) {
        let passed = now.saturating_sub(self.tree.pools.process.advanced());
        let began = wall.checked_sub(passed).unwrap_or(wall);
        (began, self.tariffs.outdated(began, wall))
    }

    /// Whether the changes of a price are known.
    pub(super) fn knows(&self, prices: &Arc<dyn Prices>) -> bool {
        self.tariffs.knows(prices)
    }

    /// Takes in what was found out about a price.
    pub(super) fn update_prices(&mut self, prices: Arc<dyn Prices>, forecast: Forecast) {
        let ended = self.tariffs.update(prices, forecast);
        self.end_segments(ended.into_iter());
    }

    /// Keeps apart what these runs received so far, at these prices.
    fn end_segments(&mut self, ended: impl Iterator<Item = (RunKey, f64)>) {
        for (key, price) in ended {
            if let Some(node) = self.tree.nodes.get(key) {
                let received = self.tree.received(node);
                self.tariffs.end_segment(key, price, received);
            }
        }
    }

    /// The shortest period that an active run asks for; a second where none is active.
    pub(super) fn shortest_period(&self) -> Duration {
        self.periods.shortest()
    }

    /// When runs were active, up to `now`.
    pub(super) fn activities(&self, now: Duration) -> Activities {
        let (process, machine) = (&self.tree.pools.process, &self.tree.pools.machine);
        Activities { now, process: process.activity(now), machine: machine.activity(now) }
    }

    /// A place for the stack of a new thread.
    pub(super) fn add_thread(&mut self) -> usize {
        self.stacks.add()
    }

    /// Gives back the place of a thread that has ended.
    pub(super) fn remove_thread(&mut self, thread: usize) {
        // A run that outlives the thread it began on is on no thread from here on.
        for key in self.stacks.remove(thread) {
            self.leave(key);
        }
    }

    /// Gives out the energy up to `now` by the last known power. `wall` is the calendar's time,
    /// where it matters.
    pub(super) fn advance(&mut self, now: Duration, wall: Option<SystemTime>) {
        for scope in Scope::ALL {
            let from = self.tree.pools.get_mut(scope).advanced();
            if let Some(due) = self.tree.pools.get_mut(scope).advance(now) {
                self.give(scope, due, from, now, wall);
            }
        }
        self.pass_changes(wall);
    }

    /// Same as [`advance`](Self::advance), but by the CPU time of the process so far.
    pub(super) fn sample_cpu_clock(
        &mut self,
        now: Duration,
        wall: Option<SystemTime>,
        own_cpu: Duration,
    ) {
        let from = self.tree.pools.process.advanced();
        if let Some(due) = self.tree.pools.process.sample_cpu_clock(now, own_cpu) {
            self.give(Scope::Process, due, from, now, wall);
        }
        self.advance(now, wall);
    }

    /// Takes a reading.
    pub(super) fn read(&mut self, now: Duration, wall: Option<SystemTime>, reading: &UsedEnergy) {
        let UsedEnergy { process, machine, late_process, late_machine, .. } = *reading;
        for (scope, used, late, power, model) in [
            (Scope::Process, process, late_process, reading.process_power, reading.model),
            (Scope::Machine, machine, late_machine, reading.machine_power, None),
        ] {
            let from = self.tree.pools.get_mut(scope).advanced();
            if let Some(due) = self.tree.pools.get_mut(scope).read(now, used, late, power, model) {
                self.give(scope, due, from, now, wall);
            }
        }
        self.pass_changes(wall);
    }

    /// Gives out what was used between two moments, evenly over that time; where a price changes on
    /// the way, what the runs received until then is kept apart.
    fn give(
        &mut self,
        scope: Scope,
        energy: Energies,
        from: Duration,
        to: Duration,
        wall: Option<SystemTime>,
    ) {
        let (mut from, mut energy) = (from, energy);
        if let Some(wall) = wall {
            for change in self.tariffs.changes_until(wall) {
                let ago = wall.duration_since(change).unwrap_or_default();
                let at = to.saturating_sub(ago).clamp(from, to.max(from));
                let rest = to.saturating_sub(from).as_secs_f64();
                let part =
                    if rest > 0.0 { at.saturating_sub(from).as_secs_f64() / rest } else { 0.0 };
                let before = energy * part;
                self.tree.pools.get_mut(scope).give(before);
                energy = energy - before;
                from = at;
                let of_scope =
                    |key| self.tree.nodes.get(key).is_some_and(|node| node.scope == scope);
                let mut ended = self.tariffs.changing_at(change);
                ended.retain(|(key, _)| of_scope(*key));
                self.end_segments(ended.into_iter());
            }
        }
        self.tree.pools.get_mut(scope).give(energy);
    }

    /// All changes of prices up to now have been dealt with.
    fn pass_changes(&mut self, wall: Option<SystemTime>) {
        if let Some(wall) = wall {
            self.tariffs.pass(wall);
        }
    }

    /// Returns the parent of a run that starts: the given one, else the innermost run of the thread.
    fn parent(&self, given: Option<RunKey>, thread: Option<usize>) -> Option<RunKey> {
        let innermost = || thread.and_then(|thread| self.stacks.innermost(thread));
        given.or_else(innermost).filter(|key| self.tree.nodes.contains_key(*key))
    }

    /// Returns the run under which a run would start.
    pub(super) fn enclosing(
        &self,
        given: Option<RunKey>,
        thread: Option<usize>,
    ) -> Option<Enclosing> {
        let node = self.tree.nodes.get(self.parent(given, thread)?)?;
        let row = match node.row {
            RowOf::Own(id) => EnclosingRow::Own(id),
            RowOf::Sum { sum, .. } => EnclosingRow::Sum(sum),
        };
        Some(Enclosing { row, settings: node.settings })
    }

    /// Starts a run.
    pub(super) fn start(
        &mut self,
        start: Start<'_>,
        thread: Option<usize>,
        now: Duration,
    ) -> Started {
        let parent = self.parent(start.parent, thread);
        let thread = thread.filter(|_| !start.detached);
        let scope =
            parent.and_then(|key| self.tree.nodes.get(key)).map_or(start.scope, |it| it.scope);
        let (row, started) = self.rows.start(&self.tree, start.summed, parent);
        let summed_above = self.tree.summed_at_or_above(parent);
        let pool = self.tree.pools.get_mut(scope);
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
        };
        node.set_leaf(pool, true);
        node.set_on(pool, thread.is_some());
        let key = self.tree.nodes.insert(node);
        self.tree.link(key, scope, parent);
        self.periods.add(start.period);
        if let Some(prices) = start.prices {
            self.tariffs.add(key, prices);
        }
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

    /// The rows of all sums as they would be if the process died now.
    pub(super) fn sums_so_far(&self) -> Vec<SumRow> {
        let under_way = self.tree.nodes.iter().filter_map(|(key, node)| match node.row {
            RowOf::Sum { sum, outermost } => Some((sum, self.energy_of(key, node), outermost)),
            RowOf::Own(_) => None,
        });
        self.rows.sums.rows(under_way)
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

    /// Returns the energy that an active run has received so far.
    pub(super) fn energy(&self, key: RunKey) -> Option<RunEnergy> {
        self.tree.nodes.get(key).map(|node| self.energy_of(key, node))
    }

    fn energy_of(&self, key: RunKey, node: &Node) -> RunEnergy {
        let pool = self.tree.pools.get(node.scope);
        let mut energy = RunEnergy {
            received: self.tree.received(node),
            priced: Vec::new(),
            scope: node.scope,
            since: node.started,
            duration: self.tree.pools.process.advanced().saturating_sub(node.started),
            overlap: pool.overlap.saturating_sub(node.overlap_mark),
            read: pool.readings > node.readings_mark,
        };
        self.tariffs.price(key, &mut energy);
        energy
    }

    /// Ends a run; what it received goes to its sum, if it has one. Its active children go to its
    /// parent.
    pub(super) fn stop(&mut self, key: RunKey, status: Status) -> Option<Stopped> {
        self.exit(key);
        let node = self.tree.nodes.get(key)?;
        let energy = self.energy_of(key, node);
        let &Node { row, scope, parent, first_child, counted, period, .. } = node;
        self.tree.unlink(key);
        let mut child = first_child;
        while let Some(key) = child {
            let Some(node) = self.tree.nodes.get(key) else { break };
            let counted = self.tree.inclusive(node);
            child = node.next_sibling;
            if let Some(node) = self.tree.nodes.get_mut(key) {
                node.counted = counted;
                node.parent = None;
                node.previous_sibling = None;
                node.next_sibling = None;
            }
            self.tree.link(key, scope, parent);
        }
        self.tree.nodes.remove(key);
        self.periods.remove(period);
        if first_child.is_none() {
            let pool = self.tree.pools.get_mut(scope);
            pool.leaf_sharers = pool.leaf_sharers.saturating_sub(1);
        }
        self.tariffs.remove(key);
        if let Some(parent) = parent.and_then(|parent| self.tree.nodes.get_mut(parent)) {
            parent.received += energy.received.inclusive - counted;
        }
        let mut closed = ClosedSums::default();
        match row {
            RowOf::Own(_) => self.rows.sums.close_under(key, &mut closed),
            RowOf::Sum { sum, outermost } => {
                self.rows.sums.end(sum, &energy, status, outermost, &mut closed);
            }
        }
        Some(Stopped { energy, closed })
    }
}
