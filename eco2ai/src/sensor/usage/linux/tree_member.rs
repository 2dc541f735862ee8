//! One process of a tree, and what its reaped children add to its charge.

use std::path::Path;

use super::process_stat::ProcessStat;
use super::proportion::Proportion;
use crate::sensor::kept_file::KeptFile;

/// A process of a tree.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) id: u32,
    /// Its open `stat`; `None` if it is opened for each reading.
    stat_file: Option<KeptFile>,
    /// Its values in the last reading.
    pub(super) stat: ProcessStat,
    /// `stat.reaped` in the last call of [`newly_reaped`](Self::newly_reaped).
    compared_reaped: u64,
    /// What its children that ended since that call were charged.
    ended: u64,
    /// What its children that ended before that call were charged, as far as its `cutime` does not
    /// show it yet.
    ended_before: u64,
    /// Whether it no longer exists.
    pub(super) has_ended: bool,
    pub(super) proportion: Option<Proportion>,
}

impl Member {
    pub(super) fn new(id: u32, stat_file: Option<KeptFile>, stat: ProcessStat) -> Self {
        Self {
            id,
            stat_file,
            stat,
            compared_reaped: stat.reaped,
            ended: 0,
            ended_before: 0,
            has_ended: false,
            proportion: None,
        }
    }

    /// Opens the `stat` of a process.
    pub(super) fn open_stat(root: &Path, id: u32) -> Option<KeptFile> {
        KeptFile::open(root.join(format!("{id}/stat"))).ok()
    }

    /// Reads the process. `None` if it has ended, even if another process has its id now.
    pub(super) fn read(&self, root: &Path) -> Option<ProcessStat> {
        let stat = match &self.stat_file {
            Some(file) => ProcessStat::read(file),
            None => ProcessStat::read(&Self::open_stat(root, self.id)?),
        };
        stat.filter(|stat| stat.started == self.stat.started)
    }

    /// The ticks that its parent's `cutime` increases by when the parent waits for it, as far as
    /// they have been charged.
    pub(super) fn charged(&self) -> u64 {
        self.stat.own + self.stat.reaped + self.ended + self.ended_before
    }

    /// Notes that a child has ended which was charged `ticks`.
    pub(super) fn child_ended(&mut self, ticks: u64) {
        self.ended += ticks;
    }

    /// The increase of `cutime` since the last call, less what the children were charged while they
    /// lived.
    ///
    /// A process must be read before its children are, and this must be called after both. A child
    /// that still exists is then not in `cutime`. One that has ended is in it now or at the next
    /// call; if it is not, nobody has waited for it, and it is forgotten.
    pub(super) fn newly_reaped(&mut self) -> u64 {
        let increase = self.stat.reaped.saturating_sub(self.compared_reaped);
        self.compared_reaped = self.compared_reaped.max(self.stat.reaped);
        let known = self.ended + self.ended_before;
        self.ended_before = known.saturating_sub(increase).min(self.ended);
        self.ended = 0;
        increase.saturating_sub(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(reaped: u64) -> Member {
        Member::new(1, None, ProcessStat { reaped, ..ProcessStat::default() })
    }

    #[test]
    fn a_child_may_be_in_the_parents_account_one_reading_late() {
        let mut parent = member(7);
        parent.child_ended(100);
        assert_eq!(parent.newly_reaped(), 0);
        parent.stat.reaped += 130;
        assert_eq!(parent.newly_reaped(), 30, "what it used after it was last read");
    }

    #[test]
    fn a_child_that_nobody_waits_for_is_forgotten_after_a_reading() {
        let mut parent = member(7);
        parent.child_ended(100);
        assert_eq!((parent.newly_reaped(), parent.newly_reaped()), (0, 0));
        parent.stat.reaped += 25;
        assert_eq!(parent.newly_reaped(), 25);
    }

    #[test]
    fn an_unknown_child_is_charged_beside_one_that_is_late() {
        let mut parent = member(0);
        parent.child_ended(100);
        parent.stat.reaped += 40;
        assert_eq!(parent.newly_reaped(), 0, "it may be a part of the known one");
        parent.stat.reaped += 100;
        assert_eq!(parent.newly_reaped(), 40);
    }
}
