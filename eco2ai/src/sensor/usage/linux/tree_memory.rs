//! The memory of a process and its descendants, with shared pages divided among them.

use std::time::{Duration, Instant};

use super::cpu_limit::CpuLimit;
use super::process_tree::ProcessTree;
use super::proportion::Proportion;
use super::tree_member::Member;

/// Reading proportional set sizes takes at most one part of the time in this number. The process
/// that is read cannot map or unmap memory meanwhile.
const PROPORTIONS_SHARE: u32 = 200;

/// While no process grows, shrinks, starts or ends, they are read again after this time only, as
/// others that share pages with them may have changed.
const MAX_AGE: Duration = Duration::from_secs(30);

impl ProcessTree {
    /// Pages of memory of the process and its descendants: the resident sets of the last reading,
    /// each multiplied by the part of it that is charged.
    pub(super) fn memory_pages(&self) -> f64 {
        let size = self.members.len();
        let pages = |member: &Member| member.stat.resident_pages as f64;
        let current = |member: &Member| member.proportion.filter(|it| it.is_current(size));
        // A child without a current value is taken to share as much as the others do.
        let (mut charged, mut resident) = (0.0, 0.0);
        for child in self.members.iter().skip(1) {
            if let Some(proportion) = current(child) {
                charged += proportion.part * pages(child);
                resident += pages(child);
            }
        }
        let of_others = (resident > 0.0).then(|| charged / resident);
        self.members.iter().enumerate().fold(0.0, |sum, (position, member)| {
            let of_others = of_others.filter(|_| position > 0);
            let part = current(member).map(|it| it.part).or(of_others);
            sum + pages(member) * part.or(member.proportion.map(|it| it.part)).unwrap_or(1.0)
        })
    }

    /// Whether the value of each member is current, and about as many of its pages are resident as
    /// when it was read.
    fn is_steady(&self) -> bool {
        let tree_size = self.members.len();
        self.members.iter().filter(|it| it.stat.resident_pages > 0).all(|member| {
            member.proportion.is_some_and(|it| {
                it.is_current(tree_size) && it.is_steady(member.stat.resident_pages)
            })
        })
    }

    /// Reads the part that is charged for some members: first for those that have no current value,
    /// the largest before the others, then for those that were read the longest ago.
    pub(super) fn refresh_proportions(&mut self) {
        if self.proportions_from.is_some_and(|from| Instant::now() < from) {
            return;
        }
        if self.proportions_read.is_some_and(|at| at.elapsed() < MAX_AGE) && self.is_steady() {
            return;
        }
        let mut limit = CpuLimit::new(self.time_limit);
        limit.start();
        let tree_size = self.members.len();
        for _ in 0..tree_size {
            let urgency = |member: &Member| {
                let current = member.proportion.filter(|it| it.is_current(tree_size));
                (current.map(|it| it.reading), u64::MAX - member.stat.resident_pages)
            };
            let members = self.members.iter_mut().filter(|it| it.stat.resident_pages > 0);
            let Some(member) = members.min_by_key(|member| urgency(member)) else { break };
            let part = Proportion::read_part(&self.root.join(member.id.to_string()));
            self.proportion_readings += 1;
            let part = part.or(member.proportion.map(|it| it.part)).unwrap_or(1.0);
            let reading = self.proportion_readings;
            let pages = member.stat.resident_pages;
            member.proportion = Some(Proportion { part, tree_size, pages, reading });
            if limit.used() >= self.time_limit {
                break;
            }
        }
        let now = Instant::now();
        self.proportions_read = Some(now);
        self.proportions_from = now.checked_add(limit.used() * PROPORTIONS_SHARE).or(Some(now));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// A process of 1000 pages of which `pss` count.
    fn process(root: &Path, id: u32, parent: u32, pss: u32) {
        process_of(root, id, parent, pss, 1000);
    }

    /// The same, of so many pages.
    fn process_of(root: &Path, id: u32, parent: u32, pss: u32, pages: u32) {
        let folder = root.join(id.to_string());
        std::fs::create_dir_all(&folder).unwrap();
        let stat = format!(
            "{id} (a) S {parent} 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 {id} 1 {pages} 0 1 1 0 0 0 0 0 0 0"
        );
        std::fs::write(folder.join("stat"), stat).unwrap();
        std::fs::write(folder.join("smaps_rollup"), format!("Rss: 1000 kB\nPss: {pss} kB\n"))
            .unwrap();
    }

    /// A tree whose limit lets it read one proportion at a time.
    fn tree(root: &Path) -> ProcessTree {
        let mut tree = ProcessTree::new(root, 1, false);
        tree.time_limit = Duration::ZERO;
        tree.search();
        tree.read();
        tree
    }

    fn refresh(tree: &mut ProcessTree) -> f64 {
        (tree.proportions_from, tree.proportions_read) = (None, None);
        tree.refresh_proportions();
        tree.memory_pages()
    }

    #[track_caller]
    fn assert_pages(actual: f64, expected: f64) {
        assert!((actual - expected).abs() < 1e-6, "{actual} pages instead of {expected}");
    }

    #[test]
    fn children_that_are_not_read_yet_share_like_those_that_are() {
        let folder = tempfile::tempdir().unwrap();
        process(folder.path(), 1, 0, 900);
        for child in 2..6 {
            process(folder.path(), child, 1, 250);
        }
        let mut tree = tree(folder.path());
        assert_pages(tree.memory_pages(), 5000.0);
        assert_pages(refresh(&mut tree), 900.0 + 4000.0);
        assert_pages(refresh(&mut tree), 900.0 + 1000.0);
    }

    #[test]
    fn a_value_from_before_the_tree_grew_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        process(folder.path(), 1, 0, 500);
        process(folder.path(), 2, 1, 500);
        let mut tree = tree(folder.path());
        refresh(&mut tree);
        assert_pages(refresh(&mut tree), 1000.0);
        for child in 1..=10 {
            process(folder.path(), child, u32::from(child > 1), 100);
        }
        tree.search_from = Some(Instant::now());
        tree.search();
        tree.read();
        refresh(&mut tree);
        assert_pages(refresh(&mut tree), 1000.0);
    }

    #[test]
    fn the_processes_that_were_read_the_longest_ago_are_read_first() {
        let folder = tempfile::tempdir().unwrap();
        process(folder.path(), 1, 0, 500);
        process(folder.path(), 2, 1, 500);
        let mut tree = tree(folder.path());
        refresh(&mut tree);
        refresh(&mut tree);
        process(folder.path(), 1, 0, 100);
        process(folder.path(), 2, 1, 200);
        assert_pages(refresh(&mut tree), 600.0);
        assert_pages(refresh(&mut tree), 300.0);
        assert_pages(refresh(&mut tree), 300.0);
    }

    #[test]
    fn a_process_is_read_again_when_its_memory_changes_by_more_than_an_eighth() {
        let folder = tempfile::tempdir().unwrap();
        process(folder.path(), 1, 0, 500);
        let mut tree = tree(folder.path());
        assert_pages(refresh(&mut tree), 500.0);
        for (pages, expected) in [(1000, 500.0), (1120, 560.0), (1130, 113.0)] {
            process_of(folder.path(), 1, 0, 100, pages);
            tree.proportions_from = None;
            tree.read();
            tree.refresh_proportions();
            assert_pages(tree.memory_pages(), expected);
        }
    }
}
