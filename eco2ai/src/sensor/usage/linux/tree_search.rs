//! Finding the descendants of a process.

use std::fs::{File, read_dir};
use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{WaitId, WaitIdOptions, waitid};

use super::cpu_limit::CpuLimit;
use super::process_stat::{ProcessStat, STAT_BUFFER};
use super::process_tree::ProcessTree;

/// Searches take at most one part of the time in this number.
const SEARCH_SHARE: u32 = 200;

impl ProcessTree {
    /// Finds descendants that are not known yet. If the time limit is reached, the next search goes on
    /// with the members that are left.
    pub(super) fn search(&mut self) {
        if self.search_from.is_some_and(|from| Instant::now() < from) {
            return;
        }
        // What descendants used before the first search is not charged, so it must find all of them.
        let is_first = self.search_from.is_none();
        let mut limit = CpuLimit::new(if is_first { Duration::MAX } else { self.time_limit });
        if self.is_this_process && self.members.len() == 1 && has_no_child() {
            // The kernel reports it at once.
        } else if self.has_lists() {
            self.search_lists(&mut limit);
        } else {
            limit.start();
            self.search_all();
        }
        let now = Instant::now();
        self.search_from = now.checked_add(limit.used() * SEARCH_SHARE).or(Some(now));
    }

    /// Whether the kernel lists children (`CONFIG_PROC_CHILDREN`).
    fn has_lists(&self) -> bool {
        self.ids()
            .next()
            .is_some_and(|own| self.root.join(format!("{own}/task/{own}/children")).exists())
    }

    /// Reads the kernel's lists of children.
    fn search_lists(&mut self, limit: &mut CpuLimit) {
        let mut list = String::new();
        while let Some(member) = self.members.get(self.next_searched) {
            if limit.is_reached() {
                return;
            }
            self.next_searched += 1;
            list.clear();
            let tasks = self.root.join(format!("{}/task", member.id));
            if member.stat.threads == 1 {
                append_list(&tasks.join(format!("{}/children", member.id)), &mut list);
            } else {
                // Each thread has a list of the children that it started. Their number may be unknown.
                for task in read_dir(tasks).into_iter().flatten().flatten() {
                    append_list(&task.path().join("children"), &mut list);
                }
            }
            for child in list.split_ascii_whitespace().filter_map(|id| id.parse().ok()) {
                self.adopt(child);
            }
        }
        self.next_searched = 0;
    }

    /// Reads every process of the machine and follows the ids of the parents.
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
                let is_ours = self.contains(parent);
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
}

/// Appends a list of children. A thread that has ended has none.
fn append_list(file: &Path, list: &mut String) {
    if let Ok(mut file) = File::open(file) {
        let _ = file.read_to_string(list);
        list.push(' ');
    }
}

/// Whether this process has no child, neither alive nor to be waited for. Does not wait for any.
fn has_no_child() -> bool {
    let look_only = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    matches!(waitid(WaitId::All, look_only), Err(Errno::CHILD))
}
