//! Who runs, under whom, on which thread: the tree of active runs and what each received.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use slotmap::{SlotMap, new_key_type};
use uuid::Uuid;

use super::Reading;
use super::energies::Energies;
use super::node::{Node, Pools, RowOf};
use super::prices::{Forecast, PricedRuns, Prices};
use super::run_energy::{Received, RunEnergy};
use super::sums::{Above, CalledSum, ClosedSums, Ids, SumKey, SumRow, SummedFunction, Sums};
use crate::scope::Scope;
use crate::status::Status;

new_key_type! {
    /// Names an active run.
    pub(crate) struct RunKey;
}

/// What a run begins with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start<'a> {
    /// The function to whose sum the run goes; without one it has a row of its own.
    pub(crate) summed: Option<&'a Arc<SummedFunction>>,
    /// The given parent; without one it is the innermost run of the thread.
    pub(crate) parent: Option<RunKey>,
    /// Whether it is not put on the thread that starts it.
    pub(crate) detached: bool,
    /// Whose energy is counted, if the run has no parent.
    pub(crate) scope: Scope,
    /// How often the run wants readings.
    pub(crate) period: Duration,
    /// The price, where it changes with the time.
    pub(crate) prices: Option<&'a Arc<dyn Prices>>,
}

/// A run that has started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Started {
    pub(crate) key: RunKey,
    pub(crate) row: StartedRow,
}

/// The row that a run goes to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StartedRow {
    /// One of its own.
    Own { id: Uuid, parent_id: Option<Uuid> },
    /// That of a sum.
    Sum(CalledSum),
}

/// A run that has ended, and the sums that ended with it.
#[derive(Debug)]
pub(crate) struct Stopped {
    pub(crate) energy: RunEnergy,
    pub(crate) closed: ClosedSums,
}

/// The active runs of a process.
#[derive(Default)]
pub(crate) struct Ledger {
    nodes: SlotMap<RunKey, Node>,
    pools: Pools,
    /// Each thread's runs, the innermost last.
    threads: Vec<Vec<RunKey>>,
    free_threads: Vec<usize>,
    /// The runs whose price changes with the time.
    priced: PricedRuns,
    sums: Sums,
    ids: Ids,
    /// The periods that active runs ask for, with the number of runs.
    periods: Vec<(Duration, usize)>,
    /// The shortest period of the runs that started of late.
    started: Option<Duration>,
}

impl Ledger {
    /// What was given out in a scope, and what is due but was not, in joules.
    #[cfg(test)]
    pub(super) fn given_and_carry(&mut self, scope: Scope) -> (Energies, Energies) {
        let pool = self.pools.of_mut(scope);
        (pool.given, pool.carry())
    }

    /// Whether no run is active.
    pub(crate) fn is_idle(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The shortest period that runs asked for which started since this was last called, if any did.
    pub(crate) fn take_started(&mut self) -> Option<Duration> {
        self.started.take()
    }

    /// Whether the calendar's time matters now.
    pub(crate) fn needs_wall(&self) -> bool {
        !self.priced.is_empty()
    }

    /// The prices of which more must be known before energy is given out up to `now`, when the
    /// calendar shows `wall`; and from when on.
    pub(crate) fn outdated_prices(
        &mut self,
        now: Duration,
        wall: SystemTime,
    ) -> (SystemTime, Vec<Arc<dyn Prices>>) {
        let passed = now.saturating_sub(self.pools.process.advanced());
        let began = wall.checked_sub(passed).unwrap_or(wall);
        (began, self.priced.outdated(began, wall))
    }

    /// Whether the changes of a price are known.
    pub(crate) fn knows(&self, prices: &Arc<dyn Prices>) -> bool {
        self.priced.knows(prices)
    }

    /// Takes in what was found out about a price.
    pub(crate) fn update_prices(&mut self, prices: Arc<dyn Prices>, forecast: Forecast) {
        let ended = self.priced.update(prices, forecast);
        self.end_segments(ended.into_iter());
    }

    /// Keeps apart what these runs received so far, at these prices.
    fn end_segments(&mut self, ended: impl Iterator<Item = (RunKey, f64)>) {
        for (key, price) in ended {
            if let Some(node) = self.nodes.get(key) {
                let received = self.received(node);
                self.priced.end_segment(key, price, received);
            }
        }
    }

    /// The shortest period that an active run asks for; a second where none is active.
    pub(crate) fn shortest_period(&self) -> Duration {
        self.periods.iter().map(|(period, _)| *period).min().unwrap_or(Duration::from_secs(1))
    }

    fn add_period(&mut self, period: Duration) {
        match self.periods.iter_mut().find(|(known, _)| *known == period) {
            Some((_, runs)) => *runs += 1,
            None => self.periods.push((period, 1)),
        }
    }

    fn remove_period(&mut self, period: Duration) {
        if let Some(place) = self.periods.iter().position(|(known, _)| *known == period) {
            if self.periods[place].1 > 1 {
                self.periods[place].1 -= 1;
            } else {
                self.periods.swap_remove(place);
            }
        }
    }

    /// A place for the stack of a new thread.
    pub(crate) fn add_thread(&mut self) -> usize {
        self.free_threads.pop().unwrap_or_else(|| {
            self.threads.push(Vec::new());
            self.threads.len() - 1
        })
    }

    /// Gives back the place of a thread that has ended.
    pub(crate) fn remove_thread(&mut self, thread: usize) {
        if let Some(stack) = self.threads.get_mut(thread) {
            // A run that outlives the thread it began on is on no thread from here on.
            for key in std::mem::take(stack) {
                self.leave(key);
            }
            self.free_threads.push(thread);
        }
    }

    /// Gives out the energy up to `now` by the last known power. `wall` is the calendar's time, where
    /// it matters.
    pub(crate) fn advance(&mut self, now: Duration, wall: Option<SystemTime>) {
        for scope in Scope::ALL {
            let from = self.pools.of_mut(scope).advanced();
            if let Some(due) = self.pools.of_mut(scope).advance(now) {
                self.give(scope, due, from, now, wall);
            }
        }
        self.pass_changes(wall);
    }

    /// As [`advance`](Self::advance), by the CPU time that the process has come to.
    pub(crate) fn glance(&mut self, now: Duration, wall: Option<SystemTime>, alone: Duration) {
        let from = self.pools.process.advanced();
        if let Some(due) = self.pools.process.glance(now, alone) {
            self.give(Scope::Process, due, from, now, wall);
        }
        self.advance(now, wall);
    }

    /// Takes a reading.
    pub(crate) fn read(&mut self, now: Duration, wall: Option<SystemTime>, reading: &Reading) {
        for (scope, used, power, pace) in [
            (Scope::Process, reading.process, reading.process_power, reading.pace),
            (Scope::Machine, reading.machine, reading.machine_power, None),
        ] {
            let from = self.pools.of_mut(scope).advanced();
            if let Some(due) = self.pools.of_mut(scope).read(now, used, power, pace) {
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
            for change in self.priced.changes_until(wall) {
                let ago = wall.duration_since(change).unwrap_or_default();
                let at = to.saturating_sub(ago).clamp(from, to.max(from));
                let rest = to.saturating_sub(from).as_secs_f64();
                let part =
                    if rest > 0.0 { at.saturating_sub(from).as_secs_f64() / rest } else { 0.0 };
                let before = energy * part;
                self.pools.of_mut(scope).give(before);
                energy = energy - before;
                from = at;
                let of_scope = |key| self.nodes.get(key).is_some_and(|node| node.scope == scope);
                let mut ended = self.priced.changing_at(change);
                ended.retain(|(key, _)| of_scope(*key));
                self.end_segments(ended.into_iter());
            }
        }
        self.pools.of_mut(scope).give(energy);
    }

    /// All changes of prices up to now have been dealt with.
    fn pass_changes(&mut self, wall: Option<SystemTime>) {
        if let Some(wall) = wall {
            self.priced.pass(wall);
        }
    }

    #[inline]
    fn received(&self, node: &Node) -> Received {
        Received {
            own: self.own(node),
            inclusive: self.inclusive(node),
            process: self.pools.of(node.scope).given - node.given_mark,
        }
    }

    /// Starts a run.
    pub(crate) fn start(
        &mut self,
        start: Start<'_>,
        thread: Option<usize>,
        now: Duration,
    ) -> Started {
        let innermost = || thread.and_then(|thread| self.threads.get(thread)?.last().copied());
        let parent = start.parent.or_else(innermost).filter(|key| self.nodes.contains_key(*key));
        let thread = thread.filter(|_| !start.detached);
        let scope = parent.and_then(|key| self.nodes.get(key)).map_or(start.scope, |it| it.scope);
        let (row, started) = self.row(start.summed, parent);
        let summed_above = self.summed_at_or_above(parent);
        let pool = self.pools.of_mut(scope);
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
        };
        node.set_leaf(pool, true);
        node.set_on(pool, thread.is_some());
        let key = self.nodes.insert(node);
        self.link(key, scope, parent);
        self.add_period(start.period);
        self.started = Some(self.started.map_or(start.period, |known| known.min(start.period)));
        if let Some(prices) = start.prices {
            self.priced.add(key, prices);
        }
        if let Some(thread) = thread {
            self.put_on(thread, key);
        }
        Started { key, row: started }
    }

    /// The row that a new run goes to.
    fn row(
        &mut self,
        summed: Option<&Arc<SummedFunction>>,
        parent: Option<RunKey>,
    ) -> (RowOf, StartedRow) {
        let above = parent.and_then(|key| Some((key, self.nodes.get(key)?.row)));
        let Some(function) = summed else {
            let id = self.ids.next();
            let parent_id = above.and_then(|(_, row)| match row {
                RowOf::Own(id) => Some(id),
                RowOf::Sum { sum, .. } => self.sums.id(sum),
            });
            return (RowOf::Own(id), StartedRow::Own { id, parent_id });
        };
        let (sum, outermost, is_new) = if let Some(sum) = self.sum_above(function, parent) {
            (sum, false, false)
        } else {
            let above = above.map_or(Above::Nothing, |(key, row)| match row {
                RowOf::Own(id) => Above::Run(key, id),
                RowOf::Sum { sum, .. } => Above::Sum(sum),
            });
            let (sum, is_new) = self.sums.under(above, function, &mut self.ids);
            (sum, true, is_new)
        };
        let begins = self.sums.begin(sum);
        let called = CalledSum { key: sum, is_new, begins };
        (RowOf::Sum { sum, outermost }, StartedRow::Sum(called))
    }

    /// The sum of `function` to which a call that is under way goes, `key` or one above: all calls of
    /// a recursion go to one sum. Steps from outermost call to outermost call: so many as there are
    /// functions, however deep the recursion.
    fn sum_above(&self, function: &Arc<SummedFunction>, key: Option<RunKey>) -> Option<SumKey> {
        if !function.may_be_under_way() {
            return None;
        }
        let mut next = self.summed_at_or_above(key);
        while let Some(node) = next.and_then(|key| self.nodes.get(key)) {
            if let RowOf::Sum { sum, .. } = node.row
                && self.sums.is_of(sum, function)
            {
                return Some(sum);
            }
            next = self.summed_above(node);
        }
        None
    }

    /// The nearest of `key` and the runs above it that is the outermost call of a sum.
    fn summed_at_or_above(&self, key: Option<RunKey>) -> Option<RunKey> {
        let node = self.nodes.get(key?)?;
        if matches!(node.row, RowOf::Sum { outermost: true, .. }) {
            key
        } else {
            self.summed_above(node)
        }
    }

    fn summed_above(&self, node: &Node) -> Option<RunKey> {
        let known = node.summed_above?;
        if self.nodes.contains_key(known) {
            return Some(known);
        }
        // It ended before what it had started: the one above that is not far.
        let mut above = node.parent;
        while let Some(node) = above.and_then(|key| self.nodes.get(key)) {
            if matches!(node.row, RowOf::Sum { outermost: true, .. }) {
                return above;
            }
            above = node.parent;
        }
        None
    }

    /// The row of a sum began at `start`, and can be written from now on.
    pub(crate) fn set_start(&mut self, sum: SumKey, start: SystemTime) {
        self.sums.set_start(sum, start);
    }

    /// The rows of all sums in which a call has ended; calls that end later go to rows that begin
    /// `now`.
    pub(crate) fn take_sums(&mut self, now: SystemTime) -> Vec<SumRow> {
        self.sums.take_rows(&mut self.ids, now)
    }

    /// The rows of all sums as they would be if the process died now.
    pub(crate) fn sums_so_far(&self) -> Vec<SumRow> {
        let under_way = self.nodes.iter().filter_map(|(key, node)| match node.row {
            RowOf::Sum { sum, outermost } => Some((sum, self.energy_of(key, node), outermost)),
            RowOf::Own(_) => None,
        });
        self.sums.rows(under_way)
    }

    /// The active calls that go to sums, the latest first.
    pub(crate) fn summed_calls(&self) -> Vec<RunKey> {
        let summed = self.nodes.iter().filter(|(_, node)| matches!(node.row, RowOf::Sum { .. }));
        let mut calls: Vec<_> = summed.map(|(key, node)| (node.started, key)).collect();
        calls.sort_unstable_by(|one, other| other.cmp(one));
        calls.into_iter().map(|(_, key)| key).collect()
    }

    /// Makes a run the innermost one of a thread; false where it is on a thread already.
    pub(crate) fn enter(&mut self, thread: usize, key: RunKey) -> bool {
        let Some(node) = self.nodes.get_mut(key).filter(|node| node.thread.is_none()) else {
            return false;
        };
        node.thread = Some(thread);
        node.set_on(self.pools.of_mut(node.scope), true);
        self.put_on(thread, key);
        true
    }

    /// Puts a run on a thread's stack; the one below it does not run meanwhile.
    fn put_on(&mut self, thread: usize, key: RunKey) {
        let Some(stack) = self.threads.get_mut(thread) else { return };
        let outer = stack.last().copied();
        stack.push(key);
        if let Some(outer) = outer {
            self.set_on(outer, false);
        }
    }

    /// Takes a run off its thread.
    pub(crate) fn exit(&mut self, key: RunKey) {
        let Some(thread) = self.nodes.get(key).and_then(|node| node.thread) else { return };
        self.leave(key);
        let Some(stack) = self.threads.get_mut(thread) else { return };
        if stack.last() == Some(&key) {
            stack.pop();
            if let Some(outer) = stack.last().copied() {
                self.set_on(outer, true);
            }
        } else {
            // Ended before the runs that began after it.
            stack.retain(|other| *other != key);
        }
    }

    fn leave(&mut self, key: RunKey) {
        self.set_on(key, false);
        if let Some(node) = self.nodes.get_mut(key) {
            node.thread = None;
        }
    }

    fn set_on(&mut self, key: RunKey, on: bool) {
        if let Some(node) = self.nodes.get_mut(key) {
            node.set_on(self.pools.of_mut(node.scope), on);
        }
    }

    fn set_leaf(&mut self, key: RunKey, leaf: bool) {
        if let Some(node) = self.nodes.get_mut(key) {
            node.set_leaf(self.pools.of_mut(node.scope), leaf);
        }
    }

    /// What a run received itself.
    #[inline]
    fn own(&self, node: &Node) -> Energies {
        let pool = self.pools.of(node.scope);
        let mut own = node.base;
        if node.on {
            own += pool.on_clock;
        }
        if node.is_leaf() {
            own += pool.leaf_clock;
        }
        own
    }

    /// Puts a run under a parent.
    fn link(&mut self, key: RunKey, scope: Scope, parent: Option<RunKey>) {
        let Some(parent) = parent else {
            self.pools.of_mut(scope).roots += 1;
            return;
        };
        let Some(above) = self.nodes.get_mut(parent) else { return };
        let next = above.first_child.replace(key);
        if next.is_none() {
            self.set_leaf(parent, false);
        }
        if let Some(next) = next.and_then(|next| self.nodes.get_mut(next)) {
            next.previous_sibling = Some(key);
        }
        if let Some(node) = self.nodes.get_mut(key) {
            node.parent = Some(parent);
            node.previous_sibling = None;
            node.next_sibling = next;
        }
    }

    /// Takes a run out from under its parent, which may become a leaf again.
    fn unlink(&mut self, key: RunKey) {
        let Some(node) = self.nodes.get(key) else { return };
        let (parent, previous, next) = (node.parent, node.previous_sibling, node.next_sibling);
        let scope = node.scope;
        let Some(parent) = parent else {
            let pool = self.pools.of_mut(scope);
            pool.roots = pool.roots.saturating_sub(1);
            return;
        };
        if let Some(next) = next.and_then(|next| self.nodes.get_mut(next)) {
            next.previous_sibling = previous;
        }
        if let Some(previous) = previous.and_then(|previous| self.nodes.get_mut(previous)) {
            previous.next_sibling = next;
        } else if let Some(above) = self.nodes.get_mut(parent) {
            above.first_child = next;
            if next.is_none() {
                self.set_leaf(parent, true);
            }
        }
    }

    /// All that a run and its descendants received.
    #[inline]
    fn inclusive(&self, node: &Node) -> Energies {
        let ended = self.own(node) + node.received;
        node.first_child.map_or(ended, |child| ended + self.children(child))
    }

    /// What a run's active children, of which `first` is one, and theirs received while it ran.
    fn children(&self, first: RunKey) -> Energies {
        let mut sum = Energies::ZERO;
        let mut open = vec![first];
        while let Some(node) = open.pop().and_then(|key| self.nodes.get(key)) {
            sum += self.own(node) + node.received - node.counted;
            open.extend(node.first_child.into_iter().chain(node.next_sibling));
        }
        sum
    }

    /// What an active run has received so far.
    pub(crate) fn energy(&self, key: RunKey) -> Option<RunEnergy> {
        self.nodes.get(key).map(|node| self.energy_of(key, node))
    }

    fn energy_of(&self, key: RunKey, node: &Node) -> RunEnergy {
        let pool = self.pools.of(node.scope);
        let mut energy = RunEnergy {
            received: self.received(node),
            priced: Vec::new(),
            scope: node.scope,
            since: node.started,
            duration: self.pools.process.advanced().saturating_sub(node.started),
            overlap: pool.overlap.saturating_sub(node.overlap_mark),
            read: pool.readings > node.readings_mark,
        };
        self.priced.price(key, &mut energy);
        energy
    }

    /// Ends a run; what it received goes to its sum, if it has one. Its active children go to its
    /// parent.
    pub(crate) fn stop(&mut self, key: RunKey, status: Status) -> Option<Stopped> {
        self.exit(key);
        let node = self.nodes.get(key)?;
        let energy = self.energy_of(key, node);
        let &Node { row, scope, parent, first_child, counted, period, .. } = node;
        self.unlink(key);
        let mut child = first_child;
        while let Some(key) = child {
            let Some(node) = self.nodes.get(key) else { break };
            let counted = self.inclusive(node);
            child = node.next_sibling;
            if let Some(node) = self.nodes.get_mut(key) {
                node.counted = counted;
                node.parent = None;
                node.previous_sibling = None;
                node.next_sibling = None;
            }
            self.link(key, scope, parent);
        }
        self.nodes.remove(key);
        self.remove_period(period);
        if first_child.is_none() {
            let pool = self.pools.of_mut(scope);
            pool.leaf_sharers = pool.leaf_sharers.saturating_sub(1);
        }
        self.priced.remove(key);
        if let Some(parent) = parent.and_then(|parent| self.nodes.get_mut(parent)) {
            parent.received += energy.received.inclusive - counted;
        }
        let mut closed = ClosedSums::default();
        match row {
            RowOf::Own(_) => self.sums.close_under(key, &mut closed),
            RowOf::Sum { sum, outermost } => {
                self.sums.end(sum, &energy, status, outermost, &mut closed);
            }
        }
        Some(Stopped { energy, closed })
    }
}
