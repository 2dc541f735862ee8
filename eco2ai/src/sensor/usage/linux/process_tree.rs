//! A process and its descendants: the CPU time that each has used, charged once, and their memory.
//!
//! The kernel reports the CPU time of a child twice: in its own `utime` and `stime` as long as it
//! exists, and in its parent's `cutime` and `cstime` once the parent has waited for it. So the time is
//! kept per process, and what children were charged that have ended is set off against the increases
//! of `cutime`.
//!
//! A descendant is charged as long as it exists, even if its parent ends and a process outside of the
//! tree adopts it. A descendant whose parent ends before it is found is not charged, unless this
//! process adopts such orphans (`PR_SET_CHILD_SUBREAPER`).

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::cpu_limit::CpuLimit;
use super::ended_children::EndedChildren;
use super::own_process::OwnProcess;
use super::process_stat::ProcessStat;
use super::tree_member::Member;
use crate::sensor::kept_file::KeptFile;

/// The CPU time that one reading or one search may take: enough for about a thousand children.
const TIME_LIMIT: Duration = Duration::from_millis(10);

/// Processes whose `stat` stays open, which halves the cost of reading it. A program may usually have
/// 1024 open files.
const MAX_OPEN_FILES: usize = 64;

/// A process and those of its descendants that are known.
#[derive(Debug)]
pub(super) struct ProcessTree {
    pub(super) root: PathBuf,
    /// The first member, if it is this very process.
    pub(super) own_process: Option<OwnProcess>,
    /// Whether the first member is this very process.
    pub(super) is_this_process: bool,
    /// The process itself, then its descendants, each after its parent.
    pub(super) members: Vec<Member>,
    /// The position of each process in `members`.
    positions: HashMap<u32, usize>,
    /// Ticks that the descendants have been charged.
    charged: u64,
    pub(super) time_limit: Duration,
    /// The position from which the next reading goes on; 0 if it is to read all members.
    next_read: usize,
    is_reading_incomplete: bool,
    /// The position from which the next search goes on; 0 if it is to search all members.
    pub(super) next_searched: usize,
    /// When the next search may begin; `None` before the first.
    pub(super) search_from: Option<Instant>,
    /// When the next proportion may be read; `None` before the first.
    pub(super) proportions_from: Option<Instant>,
    /// When they were read last.
    pub(super) proportions_read: Option<Instant>,
    pub(super) proportion_readings: u64,
    ended_children: EndedChildren,
    discards_children: bool,
}

impl ProcessTree {
    /// The process `own` in the tree under `root`.
    pub(super) fn new(root: &Path, own: u32, is_this_process: bool) -> Self {
        let file = Member::open_stat(root, own);
        let stat = file.as_ref().and_then(ProcessStat::read).unwrap_or_default();
        Self {
            root: root.into(),
            own_process: OwnProcess::open(root, own).filter(|_| is_this_process),
            is_this_process,
            members: vec![Member::new(own, file, stat)],
            positions: HashMap::from([(own, 0)]),
            charged: 0,
            time_limit: TIME_LIMIT,
            next_read: 0,
            is_reading_incomplete: false,
            next_searched: 0,
            search_from: None,
            proportions_from: None,
            proportions_read: None,
            proportion_readings: 0,
            ended_children: EndedChildren::default(),
            discards_children: false,
        }
    }

    /// The ids of the process and its descendants.
    pub(super) fn ids(&self) -> impl Iterator<Item = u32> {
        self.members.iter().map(|member| member.id)
    }

    /// Whether `id` is a process of the tree.
    pub(super) fn contains(&self, id: u32) -> bool {
        self.positions.contains_key(&id)
    }

    /// Whether the time limit left members that were not read in the last reading, or not searched for
    /// children in the last search.
    pub(super) fn is_incomplete(&self) -> bool {
        self.is_reading_incomplete || self.next_searched > 0
    }

    /// Whether a member that ignores `SIGCHLD` has children. The kernel discards their CPU time when
    /// they end, so what they use after they were last read, or without being found, is not charged.
    pub(super) fn discards_children(&self) -> bool {
        self.discards_children
    }

    /// Whether a member ignores `SIGCHLD`: only then can time of children be discarded.
    pub(super) fn ignores_sigchld(&self) -> bool {
        self.members.iter().any(|member| member.stat.ignores_sigchld)
    }

    /// Ticks that the descendants have been charged. Never decreases.
    pub(super) fn charged(&self) -> u64 {
        self.charged
    }

    /// Charges what the descendants have used since the last reading, and returns the process's own
    /// values. If the time limit is reached, the next reading goes on with the members that are left,
    /// and children that have ended are charged once all members were read.
    pub(super) fn read(&mut self) -> Option<ProcessStat> {
        let own = self.members.first_mut()?;
        let own_stat = match &self.own_process {
            Some(process) => process.read(&own.stat)?,
            None => own.read(&self.root)?,
        };
        let goes_on = self.next_read > 0;
        if !goes_on {
            own.stat = own_stat;
            self.next_read = 1;
        }
        self.is_reading_incomplete = true;
        let mut limit = CpuLimit::new(self.time_limit);
        while let Some(member) = self.members.get_mut(self.next_read) {
            if limit.is_reached() {
                return Some(own_stat);
            }
            self.next_read += 1;
            match member.read(&self.root) {
                Some(stat) => {
                    self.charged += stat.own.saturating_sub(member.stat.own);
                    member.stat = stat;
                }
                None => member.has_ended = true,
            }
        }
        self.next_read = 0;
        // The first members of a round that began earlier are those of then.
        self.is_reading_incomplete = goes_on;
        self.end_round();
        Some(own_stat)
    }

    /// Ends a round of readings: charges the children that members have waited for, as far as they
    /// were not charged before.
    ///
    /// A member is read before its children, so a child that still existed is not in `cutime` yet.
    fn end_round(&mut self) {
        let mut any_discarded = false;
        for child in self.members.iter().skip(1) {
            // Outside of the tree nobody's `cutime` is read.
            let parent = self.positions.get(&child.stat.parent);
            let Some(parent) = parent.and_then(|&at| self.members.get(at)) else { continue };
            if parent.stat.ignores_sigchld {
                any_discarded = true;
            } else if child.has_ended {
                self.ended_children.add(child.stat.own.saturating_add(child.stat.reaped));
            }
        }
        let members = self.members.iter_mut().filter(|member| !member.has_ended);
        let reaped = members.map(Member::newly_reaped).sum();
        self.charged += self.ended_children.end_round(reaped);
        // A member that had children once may have others between two readings.
        self.discards_children = any_discarded || self.discards_children && self.ignores_sigchld();
        if self.members.iter().any(|member| member.has_ended) {
            self.remove_ended();
        }
    }

    fn remove_ended(&mut self) {
        let searched = self.members.iter().take(self.next_searched);
        self.next_searched -= searched.filter(|member| member.has_ended).count();
        self.members.retain(|member| !member.has_ended);
        self.positions.clear();
        self.positions.extend(self.members.iter().enumerate().map(|(at, member)| (member.id, at)));
    }

    /// Adds a descendant. What it has used so far is charged, unless it existed before the first
    /// search.
    pub(super) fn adopt(&mut self, id: u32) {
        if self.contains(id) {
            return;
        }
        let Some(file) = Member::open_stat(&self.root, id) else { return };
        let Some(stat) = ProcessStat::read(&file) else { return };
        if self.search_from.is_some() {
            self.charged += stat.own + stat.reaped;
        }
        let parent = self.positions.get(&stat.parent).and_then(|&at| self.members.get(at));
        self.discards_children |= parent.is_some_and(|parent| parent.stat.ignores_sigchld);
        let file: Option<KeptFile> = (self.members.len() <= MAX_OPEN_FILES).then_some(file);
        self.positions.insert(id, self.members.len());
        self.members.push(Member::new(id, file, stat));
    }
}
