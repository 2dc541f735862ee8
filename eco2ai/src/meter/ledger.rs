//! Who runs, under whom, on which thread: the tree of active runs and what each received.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use slotmap::{SlotMap, new_key_type};
use uuid::Uuid;

use super::Reading;
use super::energies::Energies;
use super::pool::Pool;
use crate::settings::CpuProcesses;

/// A difference between the calendar and the time that passed which is no setting of the clock.
const CLOCK_SLACK: Duration = Duration::from_secs(1);

new_key_type! {
    /// Names an active run.
    pub(crate) struct RunKey;
}

/// Finds the next moment at which the sums of a run are to be kept apart, because the price of
/// electricity changes.
pub(crate) type NextCut = Arc<dyn Fn(SystemTime) -> Option<SystemTime> + Send + Sync>;

/// What a run begins with.
pub(crate) struct Start<'a> {
    /// Decides the id, knowing those of its ancestors, the parent's first.
    pub(crate) id: &'a mut dyn FnMut(&mut dyn Iterator<Item = Uuid>) -> Uuid,
    /// The given parent; without one it is the innermost run of the thread.
    pub(crate) parent: Option<RunKey>,
    /// Whose energy is counted, if the run has no parent.
    pub(crate) scope: CpuProcesses,
    /// How often the run wants readings.
    pub(crate) period: Duration,
    pub(crate) next_cut: Option<NextCut>,
}

/// The sums of a run up to a moment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sums {
    pub(crate) own: Energies,
    pub(crate) inclusive: Energies,
    pub(crate) process: Energies,
}

/// What a run has received, and what is known of the time it ran.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    /// Where sums are kept apart: when each stretch began, and the sums at its end; the last one
    /// ends now.
    pub(crate) stretches: Vec<(SystemTime, Sums)>,
    /// The sums now.
    pub(crate) sums: Sums,
    pub(crate) scope: CpuProcesses,
    pub(crate) started: Duration,
    pub(crate) stopped: Duration,
    /// Time during which runs that are not related to this one were active as well.
    pub(crate) overlap: Duration,
    /// Whether a reading was taken between start and stop.
    pub(crate) read: bool,
}

impl Account {
    /// How long the run has lasted.
    pub(crate) fn duration(&self) -> Duration {
        self.stopped.saturating_sub(self.started)
    }
}

/// A run whose sums are kept apart.
struct Cuts {
    key: RunKey,
    scope: CpuProcesses,
    /// When the stretch began that is under way.
    since: SystemTime,
    next: Option<SystemTime>,
    next_after: NextCut,
    /// When each earlier stretch began, and the sums at its end.
    passed: Vec<(SystemTime, Sums)>,
}

impl Cuts {
    /// Whether the calendar was set, forwards over the next cut or backwards behind the last one.
    fn is_off(&self, now: SystemTime) -> bool {
        let is_after = |later: SystemTime, earlier| {
            later.duration_since(earlier).is_ok_and(|by| by > CLOCK_SLACK)
        };
        self.next.is_some_and(|next| is_after(now, next)) || is_after(self.since, now)
    }

    /// Notes the sums at the calendar's time `cut`.
    fn pass(&mut self, cut: SystemTime, sums: Sums) {
        self.passed.push((self.since, sums));
        self.since = cut;
        // Never twice the same moment, whatever the function says.
        self.next = (self.next_after)(cut).filter(|next| *next > cut);
    }
}

/// An active run. Short calls make and drop nothing but this: it stays small, and plain data.
struct Node {
    id: Uuid,
    scope: CpuProcesses,
    parent: Option<RunKey>,
    first_child: Option<RunKey>,
    previous_sibling: Option<RunKey>,
    next_sibling: Option<RunKey>,
    /// The thread on whose stack it is.
    thread: Option<usize>,
    /// Whether it is the innermost run of that thread.
    on: bool,
    /// What it received itself, less each clock of the pool by which it receives now: with what
    /// those clocks show, that is its own energy at any moment.
    base: Energies,
    /// What its ended descendants received.
    received: Energies,
    started: Duration,
    /// What an earlier parent, which ended before it, has counted already.
    counted: Energies,
    readings_mark: u64,
    overlap_mark: Duration,
    given_mark: Energies,
    period: Duration,
}

impl Node {
    fn is_leaf(&self) -> bool {
        self.first_child.is_none()
    }

    /// Begins or ceases to share by the clock of runs that are innermost on a thread.
    fn set_on(&mut self, pool: &mut Pool, on: bool) {
        if self.on == on {
            return;
        }
        self.on = on;
        if on {
            pool.on_sharers += 1;
            self.base = self.base - pool.on_clock;
        } else {
            pool.on_sharers = pool.on_sharers.saturating_sub(1);
            self.base += pool.on_clock;
        }
    }

    /// Begins or ceases to share by the clock of runs without active children.
    fn set_leaf(&mut self, pool: &mut Pool, leaf: bool) {
        if leaf {
            pool.leaf_sharers += 1;
            self.base = self.base - pool.leaf_clock;
        } else {
            pool.leaf_sharers = pool.leaf_sharers.saturating_sub(1);
            self.base += pool.leaf_clock;
        }
    }
}

/// The pools of both scopes.
#[derive(Default)]
struct Pools {
    process: Pool,
    machine: Pool,
}

impl Pools {
    fn of(&self, scope: CpuProcesses) -> &Pool {
        match scope {
            CpuProcesses::Current => &self.process,
            CpuProcesses::All => &self.machine,
        }
    }

    fn of_mut(&mut self, scope: CpuProcesses) -> &mut Pool {
        match scope {
            CpuProcesses::Current => &mut self.process,
            CpuProcesses::All => &mut self.machine,
        }
    }
}

/// The active runs of a process.
#[derive(Default)]
pub(crate) struct Ledger {
    nodes: SlotMap<RunKey, Node>,
    pools: Pools,
    /// Each thread's runs, the innermost last.
    threads: Vec<Vec<RunKey>>,
    free_threads: Vec<usize>,
    /// Active runs that want their sums kept apart at some moment.
    cutting: Vec<Cuts>,
    /// The periods that active runs ask for, with the number of runs.
    periods: Vec<(Duration, usize)>,
    /// The shortest period of the runs that started of late.
    started: Option<Duration>,
}

impl Ledger {
    /// What was given out in a scope, and what is due but was not, in joules.
    #[cfg(test)]
    pub(super) fn given_and_carry(&mut self, scope: CpuProcesses) -> (Energies, Energies) {
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
        !self.cutting.is_empty()
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

    /// Gives out the energy up to `now` by the last known power.
    pub(crate) fn advance(&mut self, now: Duration, wall: Option<SystemTime>) {
        for scope in [CpuProcesses::Current, CpuProcesses::All] {
            let from = self.pools.of_mut(scope).advanced();
            if let Some(due) = self.pools.of_mut(scope).advance(now) {
                self.give(scope, due, from, now, wall);
            }
        }
    }

    /// As [`advance`](Self::advance), by the CPU time that the process has come to.
    pub(crate) fn glance(&mut self, now: Duration, wall: Option<SystemTime>, alone: Duration) {
        let from = self.pools.process.advanced();
        if let Some(due) = self.pools.process.glance(now, alone) {
            self.give(CpuProcesses::Current, due, from, now, wall);
        }
        self.advance(now, wall);
    }

    /// Takes a reading.
    pub(crate) fn read(&mut self, now: Duration, wall: Option<SystemTime>, reading: &Reading) {
        for (scope, used, power, pace) in [
            (CpuProcesses::Current, reading.process, reading.process_power, reading.pace),
            (CpuProcesses::All, reading.machine, reading.machine_power, None),
        ] {
            let from = self.pools.of_mut(scope).advanced();
            if let Some(due) = self.pools.of_mut(scope).read(now, used, power, pace) {
                self.give(scope, due, from, now, wall);
            }
        }
    }

    /// Gives out what was used between two moments, evenly over that time, and keeps the sums of
    /// the runs that ask for it apart on the way.
    fn give(
        &mut self,
        scope: CpuProcesses,
        energy: Energies,
        from: Duration,
        to: Duration,
        wall: Option<SystemTime>,
    ) {
        let mut from = from;
        let mut energy = energy;
        if let Some(wall) = wall {
            self.follow_clock(scope, to.saturating_sub(from), wall);
        }
        while let Some((cut, at)) = self.next_cut(scope, from, to, wall) {
            let rest = to.saturating_sub(from).as_secs_f64();
            let part = if rest > 0.0 { at.saturating_sub(from).as_secs_f64() / rest } else { 0.0 };
            let before = energy * part;
            self.pools.of_mut(scope).give(before);
            energy = energy - before;
            from = at;
            self.cut_where(scope, cut, |cuts| cuts.next == Some(cut));
        }
        self.pools.of_mut(scope).give(energy);
    }

    /// Where the calendar was set, forwards over the next cut or backwards behind the last one, goes
    /// on from where it is now: nothing was used in the time that it left out. `passed` is the time
    /// that has really gone by.
    fn follow_clock(&mut self, scope: CpuProcesses, passed: Duration, wall: SystemTime) {
        if let Some(began) = wall.checked_sub(passed) {
            self.cut_where(scope, began, |cuts| cuts.is_off(began));
        }
    }

    /// The first cut of a run of `scope` that the calendar has passed, and where it lies between
    /// `from` and `to`.
    fn next_cut(
        &self,
        scope: CpuProcesses,
        from: Duration,
        to: Duration,
        wall: Option<SystemTime>,
    ) -> Option<(SystemTime, Duration)> {
        let wall = wall?;
        let cut = self
            .cutting
            .iter()
            .filter(|cuts| cuts.scope == scope)
            .filter_map(|cuts| cuts.next)
            .filter(|cut| *cut <= wall)
            .min()?;
        let ago = wall.duration_since(cut).unwrap_or_default();
        Some((cut, to.saturating_sub(ago).clamp(from, to.max(from))))
    }

    /// Notes the sums of the runs of `scope` that are due, at the calendar's time `cut`.
    fn cut_where(&mut self, scope: CpuProcesses, cut: SystemTime, due: impl Fn(&Cuts) -> bool) {
        let mut cutting = std::mem::take(&mut self.cutting);
        for cuts in cutting.iter_mut().filter(|cuts| cuts.scope == scope && due(cuts)) {
            if let Some(node) = self.nodes.get(cuts.key) {
                cuts.pass(cut, self.sums(node));
            }
        }
        self.cutting = cutting;
    }

    #[inline]
    fn sums(&self, node: &Node) -> Sums {
        Sums {
            own: self.own(node),
            inclusive: self.inclusive(node),
            process: self.pools.of(node.scope).given - node.given_mark,
        }
    }

    /// Starts a run; gives its key.
    pub(crate) fn start(
        &mut self,
        start: Start<'_>,
        thread: Option<usize>,
        now: Duration,
        wall: Option<SystemTime>,
    ) -> RunKey {
        let innermost = || thread.and_then(|thread| self.threads.get(thread)?.last().copied());
        let parent = start.parent.or_else(innermost).filter(|key| self.nodes.contains_key(*key));
        let above = parent.and_then(|key| self.nodes.get(key));
        let scope = above.map_or(start.scope, |parent| parent.scope);
        let mut above = parent;
        let id = (start.id)(&mut std::iter::from_fn(|| {
            let node = self.nodes.get(above?)?;
            above = node.parent;
            Some(node.id)
        }));
        let pool = self.pools.of_mut(scope);
        let mut node = Node {
            id,
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
        if let Some((next_after, since)) = start.next_cut.zip(wall) {
            let next = next_after(since);
            self.cutting.push(Cuts { key, scope, since, next, next_after, passed: Vec::new() });
        }
        if let Some(thread) = thread {
            self.put_on(thread, key);
        }
        key
    }

    /// Makes a run the innermost one of a thread.
    pub(crate) fn enter(&mut self, thread: usize, key: RunKey) {
        let Some(node) = self.nodes.get_mut(key).filter(|node| node.thread.is_none()) else {
            return;
        };
        node.thread = Some(thread);
        node.set_on(self.pools.of_mut(node.scope), true);
        self.put_on(thread, key);
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
    fn link(&mut self, key: RunKey, scope: CpuProcesses, parent: Option<RunKey>) {
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

    /// The account of an active run as it stands.
    pub(crate) fn account(&self, key: RunKey) -> Option<Account> {
        self.nodes.get(key).map(|node| self.account_of(key, node))
    }

    fn account_of(&self, key: RunKey, node: &Node) -> Account {
        let pool = self.pools.of(node.scope);
        Account {
            stretches: self.stretches(key, node),
            sums: self.sums(node),
            scope: node.scope,
            started: node.started,
            stopped: self.pools.process.advanced(),
            overlap: pool.overlap.saturating_sub(node.overlap_mark),
            read: pool.readings > node.readings_mark,
        }
    }

    fn stretches(&self, key: RunKey, node: &Node) -> Vec<(SystemTime, Sums)> {
        let cuts = self.cutting.iter().find(|cuts| cuts.key == key);
        cuts.map_or_else(Vec::new, |cuts| {
            cuts.passed.iter().copied().chain([(cuts.since, self.sums(node))]).collect()
        })
    }

    /// Ends a run and gives its account to `take`, as it lies here: it is too large to be handed
    /// about. The run's active children go to its parent.
    pub(crate) fn stop<T>(&mut self, key: RunKey, take: impl FnOnce(&Account) -> T) -> Option<T> {
        self.exit(key);
        let node = self.nodes.get(key)?;
        let account = self.account_of(key, node);
        let &Node { scope, parent, first_child, counted, period, .. } = node;
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
        self.cutting.retain(|cuts| cuts.key != key);
        if let Some(parent) = parent.and_then(|parent| self.nodes.get_mut(parent)) {
            parent.received += account.sums.inclusive - counted;
        }
        Some(take(&account))
    }
}
