//! What the kernel says of this very process, for a third of what its `/proc/<pid>/stat` costs: that
//! is made of the state of all its threads, with 52 fields.

use std::path::Path;

use rustix::process::Signal;

use super::leading_number::leading_number;
use super::process_stat::ProcessStat;
use crate::foreign_functions::{is_ignored, reaped_children_ticks};
use crate::sensor::kept_file::KeptFile;

/// This very process.
#[derive(Debug)]
pub(super) struct OwnProcess {
    statm: KeptFile,
}

impl OwnProcess {
    /// `own` is the id that `/proc`, which is `root`, has for this process. `None` if its memory cannot
    /// be read there.
    pub(super) fn open(root: &Path, own: u32) -> Option<Self> {
        let own = Self { statm: KeptFile::open(root.join(format!("{own}/statm"))).ok()? };
        own.resident_pages().is_some().then_some(own)
    }

    /// Returns the current values, but its own ticks and the number of threads, which are 0: it has a
    /// finer clock, and who needs its threads lists them. `last` are the values of the last reading, of
    /// which some never change.
    pub(super) fn read(&self, last: &ProcessStat) -> Option<ProcessStat> {
        Some(ProcessStat {
            own: 0,
            threads: 0,
            reaped: reaped_children_ticks(),
            resident_pages: self.resident_pages()?,
            ignores_sigchld: is_ignored(Signal::CHILD.as_raw()),
            ..*last
        })
    }

    fn resident_pages(&self) -> Option<u64> {
        // proc_pid_statm(5): size, resident, and more. Two numbers of 20 digits at most.
        let mut buffer = [0; 64];
        let (_size, rest) = leading_number(self.statm.read(&mut buffer).ok()?)?;
        Some(leading_number(rest.strip_prefix(b" ")?)?.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stat() -> ProcessStat {
        ProcessStat::parse(&std::fs::read("/proc/self/stat").unwrap()).unwrap()
    }

    /// In the same ticks as its `stat`, to which readings of other processes are compared.
    #[test]
    fn this_process_is_as_its_stat_says() {
        let own = OwnProcess::open(Path::new("/proc"), std::process::id()).unwrap();
        let mut child = std::process::Command::new("sh")
            .args(["-c", "i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done"])
            .spawn()
            .unwrap();
        child.wait().unwrap();
        let before = stat();
        let found = own.read(&before).unwrap();
        let after = stat();
        // Other tests of this program have children, too.
        assert!((before.reaped..=after.reaped).contains(&found.reaped));
        assert!(found.reaped > 0, "the child");
        assert_eq!(found.ignores_sigchld, before.ignores_sigchld);
        assert_eq!((found.parent, found.started), (before.parent, before.started));
        let pages = before.resident_pages.abs_diff(found.resident_pages);
        assert!(pages < before.resident_pages / 2, "{found:?} {before:?}");
    }
}
