//! One process of a tree.

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
    /// `stat.reaped` at the end of the last round of readings.
    compared_reaped: u64,
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

    /// The increase of `cutime` since the last round of readings.
    pub(super) fn newly_reaped(&mut self) -> u64 {
        let last = self.compared_reaped;
        self.compared_reaped = last.max(self.stat.reaped);
        self.compared_reaped - last
    }
}
