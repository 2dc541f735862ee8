//! The part of a process's resident memory that is charged to it.

use std::path::Path;

use super::memory::field;

/// The part of a process's resident memory that is charged, when it was last read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Proportion {
    pub(super) part: f64,
    /// How many processes the tree had.
    pub(super) tree_size: usize,
    /// The resident pages of the process.
    pub(super) pages: u64,
    /// The number of the reading among all readings of the tree.
    pub(super) reading: u64,
}

impl Proportion {
    /// Whether the tree still has about the same number of processes to share pages with.
    pub(super) fn is_current(self, tree_size: usize) -> bool {
        let (small, large) = (self.tree_size.min(tree_size), self.tree_size.max(tree_size));
        small * 4 >= large * 3
    }

    /// Whether the process still has about as much memory.
    pub(super) fn is_steady(self, pages: u64) -> bool {
        self.pages.abs_diff(pages) <= self.pages / 8
    }

    /// Reads the part from the folder of a process in `/proc`: proportional over resident set size.
    /// A page that `n` processes share counts as `1/n` in the proportional set (PSS). Reading it takes
    /// about 10 ms per GiB of pages of 4 KiB.
    ///
    /// Without PSS (Linux before 4.14, or no permission), memory that is backed by a file is left out,
    /// and a page that a process shares with those it was forked from counts in each of them.
    pub(super) fn read_part(process: &Path) -> Option<f64> {
        let read = |name: &str| std::fs::read_to_string(process.join(name)).ok();
        let of_rollup = |text: String| ratio(field(&text, "Pss")?, field(&text, "Rss")?);
        let of_statm = |text: String| {
            // proc_pid_statm(5): size, resident, shared.
            let mut pages = text.split_ascii_whitespace().skip(1).map_while(|it| it.parse().ok());
            let (resident, shared): (u64, u64) = (pages.next()?, pages.next()?);
            ratio(resident.checked_sub(shared)?, resident)
        };
        let part = read("smaps_rollup").and_then(of_rollup);
        part.or_else(|| read("statm").and_then(of_statm))
    }
}

fn ratio(part: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| (part as f64 / all as f64).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_proportional_set_files_are_charged_to_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name, text| std::fs::write(folder.path().join(name), text).unwrap();
        assert_eq!(Proportion::read_part(folder.path()), None);
        write("statm", "9000 400 300 1 0 50 0\n");
        assert_eq!(Proportion::read_part(folder.path()), Some(0.25));
        write(
            "smaps_rollup",
            "55-7f ---p 00 00:00 0 [rollup]\nRss: 1000 kB\nPss: 40 kB\nPss_Anon: 1 kB\n",
        );
        assert_eq!(Proportion::read_part(folder.path()), Some(0.04));
    }

    #[test]
    fn a_value_is_current_until_the_tree_has_changed_by_a_quarter() {
        let proportion = Proportion { part: 0.1, tree_size: 40, pages: 1000, reading: 1 };
        let current = [29, 30, 40, 53, 54].map(|size| proportion.is_current(size));
        assert_eq!(current, [false, true, true, true, false]);
    }
}
