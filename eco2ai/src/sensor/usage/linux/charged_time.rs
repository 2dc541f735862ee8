//! The CPU time that a process and its descendants are charged: by the tree of processes, or by their
//! control group where the kernel discards the time of children.

use std::time::Duration;

use super::cgroup::Cgroup;

/// The CPU time charged so far.
#[derive(Debug)]
pub(super) struct ChargedTime {
    total: Duration,
    /// The time of the tree at the last reading.
    of_tree: Duration,
    group: Option<Cgroup>,
    /// Whether the time of the group counts, and not that of the tree.
    is_by_group: bool,
    last_refresh: Option<Mark>,
    /// Whether nobody watched the group up to the last refresh, as no process ignored `SIGCHLD`.
    was_unwatched: bool,
    /// Whether time of children may be missing since the refresh before the last one.
    is_missing: bool,
}

/// The accounts at a refresh.
#[derive(Clone, Copy, Debug)]
struct Mark {
    total: Duration,
    of_group: Duration,
    /// `None` if they were not needed.
    of_ancestors: Option<Duration>,
}

impl ChargedTime {
    /// Begins with the time of the tree.
    pub(super) fn new(of_tree: Duration, group: Option<Cgroup>) -> Self {
        Self {
            total: of_tree,
            of_tree,
            group,
            is_by_group: false,
            last_refresh: None,
            was_unwatched: false,
            is_missing: false,
        }
    }

    /// Whether the time of the group counts, so that of children is in it that the kernel discards.
    pub(super) fn has_discarded(&self) -> bool {
        self.is_by_group && !self.is_missing
    }

    /// Returns the time charged so far. `of_tree` is the time of the tree, and `ticks` converts ticks.
    pub(super) fn read(&mut self, of_tree: Duration, ticks: impl Fn(u64) -> Duration) -> Duration {
        let change = of_tree.saturating_sub(self.of_tree);
        self.of_tree = self.of_tree.max(of_tree);
        match self.by_group(ticks) {
            Some(total) => self.total = self.total.max(total),
            None => self.total = self.total.saturating_add(change),
        }
        self.total
    }

    /// Decides which account counts from the last refresh on. `discards` is whether the kernel
    /// discards the time of children, and `is_ours` whether a process belongs to the tree.
    pub(super) fn refresh(
        &mut self,
        of_tree: Duration,
        ticks: impl Fn(u64) -> Duration,
        discards: bool,
        is_ours: impl Fn(u32) -> bool,
    ) {
        // The time of the group is known from now on only, and some was discarded already.
        self.is_missing = std::mem::take(&mut self.was_unwatched) && discards;
        let Some(group) = &self.group else { return };
        let of_group = group.cpu_time();
        self.is_by_group = discards && of_group.is_some() && group.is_own(is_ours);
        let of_ancestors = discards.then(|| ticks(group.ancestors_ticks()));
        let total = self.read(of_tree, ticks);
        self.last_refresh = of_group.map(|of_group| Mark { total, of_group, of_ancestors });
    }

    /// The time of the tree counts until the next refresh.
    pub(super) fn use_tree(&mut self) {
        self.is_by_group = false;
        self.last_refresh = None;
        self.was_unwatched = true;
        self.is_missing = false;
    }

    /// The time charged so far if the group's counts since the last refresh.
    fn by_group(&self, ticks: impl Fn(u64) -> Duration) -> Option<Duration> {
        if !self.is_by_group {
            return None;
        }
        let (group, last) = (self.group.as_ref()?, self.last_refresh?);
        let of_ancestors = last
            .of_ancestors
            .map_or(Duration::ZERO, |last| ticks(group.ancestors_ticks()).saturating_sub(last));
        let of_group = group.cpu_time()?.saturating_sub(last.of_group);
        Some(last.total.saturating_add(of_group.saturating_sub(of_ancestors)))
    }
}
