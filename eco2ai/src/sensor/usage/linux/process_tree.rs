//! A process and its descendants: the CPU time that each has used, charged once.
//!
//! CPU time of children is kept per process id, because the kernel reports it twice: under the child
//! while it lives, and in its parent's `cutime` and `cstime` once it has been waited for.

use std::fs::{File, read_dir};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rustix::io::Errno;
use rustix::process::{WaitId, WaitIdOptions, waitid};

use super::process_stat::{ProcessStat, STAT_BUFFER};
use crate::sensor::kept_file::KeptFile;

/// A search for children may take this part of the time.
const SEARCH_SHARE: u32 = 100;
/// Children whose file stays open; more than that would eat up the program's open files.
const MAX_CHILDREN: usize = 256;

/// A process and the descendants of it that are known.
#[derive(Debug)]
pub(super) struct ProcessTree {
    root: PathBuf,
    own: u32,
    /// Whether `own` is this very process.
    is_this_process: bool,
    own_stat: Option<KeptFile>,
    /// The kernel lists children (`CONFIG_PROC_CHILDREN`).
    lists_children: bool,
    children: Vec<Child>,
    /// Ticks of reaped children of the process itself, at the last reading.
    own_reaped: Option<u64>,
    charged: u64,
    /// When the next search for children may begin.
    next_search: Option<Instant>,
    searched: bool,
}

/// A descendant that was alive at the last reading.
#[derive(Debug)]
struct Child {
    pid: u32,
    parent: u32,
    stat: KeptFile,
    /// Its own ticks and those of its reaped children, as charged so far.
    own: u64,
    reaped: u64,
    /// Ticks of children of its own that have just vanished: its `reaped` is about to hold them.
    vanished: u64,
    /// Resident memory.
    pages: u64,
    is_gone: bool,
}

impl ProcessTree {
    /// The process `own` in the tree under `root`.
    pub(super) fn new(root: &Path, own: u32, is_this_process: bool) -> Self {
        Self {
            root: root.into(),
            own,
            is_this_process,
            own_stat: KeptFile::open(root.join(format!("{own}/stat"))).ok(),
            lists_children: root.join(format!("{own}/task/{own}/children")).exists(),
            children: Vec::new(),
            own_reaped: None,
            charged: 0,
            next_search: None,
            searched: false,
        }
    }

    /// Settles the known children, then finds new ones.
    pub(super) fn refresh(&mut self) {
        // The ticks of known children first, so that one which has vanished since is settled.
        if !self.children.is_empty() {
            self.read();
        }
        self.search();
    }

    /// The ids of the process and its children.
    pub(super) fn ids(&self) -> impl Iterator<Item = u32> {
        std::iter::once(self.own).chain(self.children.iter().map(|child| child.pid))
    }

    /// Charges what children have used since the last reading, and returns the process's own stat.
    pub(super) fn read(&mut self) -> Option<ProcessStat> {
        let mut before = ProcessStat::read(self.own_stat.as_ref()?)?;
        if self.children.is_empty() {
            self.charge_reaped(before.reaped, 0);
            return Some(before);
        }
        // A child that is reaped between the two readings would be seen alive and reaped: read again.
        let mut vanished = 0;
        for _ in 0..3 {
            vanished += self.read_children();
            let after = ProcessStat::read(self.own_stat.as_ref()?)?;
            let is_stable = after.reaped == before.reaped;
            before = after;
            if is_stable {
                break;
            }
        }
        self.charge_reaped(before.reaped, vanished);
        Some(before)
    }

    /// Charges the process's newly reaped children, less what was charged while they lived.
    fn charge_reaped(&mut self, reaped: u64, vanished: u64) {
        let last = self.own_reaped.replace(reaped).unwrap_or(reaped);
        self.charged += reaped.saturating_sub(last).saturating_sub(vanished);
    }

    /// Charges the living children; returns the ticks that were charged for children of the
    /// process which have vanished.
    fn read_children(&mut self) -> u64 {
        let mut of_own = 0;
        for index in 0..self.children.len() {
            let Some(child) = self.children.get_mut(index) else { break };
            if child.is_gone || ProcessStat::read(&child.stat).is_some() {
                continue;
            }
            child.is_gone = true;
            let mut ticks = child.own + child.reaped + std::mem::take(&mut child.vanished);
            let mut parent = child.parent;
            // The parent may have vanished too: then its own parent gets the ticks with it.
            for _ in 0..self.children.len() {
                if parent == self.own {
                    of_own += ticks;
                    break;
                }
                let Some(holder) = self.children.iter_mut().find(|other| other.pid == parent)
                else {
                    break;
                };
                if !holder.is_gone {
                    holder.vanished += ticks;
                    break;
                }
                ticks += std::mem::take(&mut holder.vanished);
                parent = holder.parent;
            }
        }
        for child in &mut self.children {
            if child.is_gone {
                continue;
            }
            let Some(stat) = ProcessStat::read(&child.stat) else { continue };
            self.charged += stat.own.saturating_sub(child.own);
            self.charged += stat.reaped.saturating_sub(child.reaped).saturating_sub(child.vanished);
            child.vanished = 0;
            child.own = child.own.max(stat.own);
            child.reaped = child.reaped.max(stat.reaped);
            child.parent = stat.parent;
            child.pages = stat.resident_pages;
        }
        self.children.retain(|child| !child.is_gone);
        of_own
    }

    /// Finds descendants that are not known yet.
    fn search(&mut self) {
        let begun = Instant::now();
        if self.next_search.is_some_and(|next| begun < next) {
            return;
        }
        if self.is_this_process && self.children.is_empty() && has_no_child() {
            // The kernel knows it at once.
        } else if self.lists_children {
            self.search_lists();
        } else {
            self.search_all();
        }
        self.searched = true;
        self.next_search = begun.checked_add(begun.elapsed() * SEARCH_SHARE);
    }

    /// Walks down the lists of children.
    fn search_lists(&mut self) {
        let mut queue: Vec<u32> =
            std::iter::once(self.own).chain(self.children.iter().map(|child| child.pid)).collect();
        let mut text = String::new();
        while let Some(pid) = queue.pop() {
            let Ok(tasks) = read_dir(self.root.join(format!("{pid}/task"))) else { continue };
            for task in tasks.flatten() {
                text.clear();
                let file = File::open(task.path().join("children"));
                if file.and_then(|mut file| file.read_to_string(&mut text)).is_err() {
                    continue;
                }
                for child in text.split_ascii_whitespace().filter_map(|id| id.parse().ok()) {
                    if self.adopt(child) {
                        queue.push(child);
                    }
                }
            }
        }
    }

    /// Reads every process of the machine and follows the parents' ids.
    fn search_all(&mut self) {
        let Ok(entries) = read_dir(&self.root) else { return };
        let mut buffer = [0; STAT_BUFFER];
        let mut parents: Vec<(u32, u32)> = entries
            .flatten()
            .filter_map(|entry| {
                let pid = entry.file_name().to_str()?.parse().ok()?;
                let mut file = File::open(entry.path().join("stat")).ok()?;
                let length = file.read(&mut buffer).ok()?;
                Some((pid, ProcessStat::parse(buffer.get(..length)?)?.parent))
            })
            .collect();
        // Each pass finds one more generation.
        loop {
            let known = parents.len();
            parents.retain(|&(pid, parent)| {
                let is_ours =
                    parent == self.own || self.children.iter().any(|child| child.pid == parent);
                if is_ours {
                    self.adopt(pid);
                }
                !is_ours
            });
            if parents.len() == known {
                break;
            }
        }
    }

    /// Takes up a child; what it has used so far is charged, unless it was there before the first
    /// search. Returns whether it is new.
    fn adopt(&mut self, pid: u32) -> bool {
        if self.children.len() >= MAX_CHILDREN || self.children.iter().any(|child| child.pid == pid)
        {
            return false;
        }
        let Ok(stat) = KeptFile::open(self.root.join(format!("{pid}/stat"))) else { return false };
        let Some(now) = ProcessStat::read(&stat) else { return false };
        if self.searched {
            self.charged += now.own + now.reaped;
        }
        self.children.push(Child {
            pid,
            parent: now.parent,
            stat,
            own: now.own,
            reaped: now.reaped,
            vanished: 0,
            pages: now.resident_pages,
            is_gone: false,
        });
        true
    }

    /// Resident memory of the children in pages.
    pub(super) fn children_pages(&self) -> u64 {
        self.children.iter().map(|child| child.pages).sum()
    }

    /// Ticks that children have been charged with so far; never falls.
    pub(super) fn charged(&self) -> u64 {
        self.charged
    }
}

/// Whether this process has no child, be it alive or not waited for yet. Leaves all as it is.
fn has_no_child() -> bool {
    let look_only = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    matches!(waitid(WaitId::All, look_only), Err(Errno::CHILD))
}
