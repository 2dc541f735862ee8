//! The states of the runs of a group, as rows of a journal.

use std::collections::HashMap;
use std::slice::from_ref;
use std::sync::Arc;

use chrono::{DateTime, FixedOffset};

use crate::log::header::{FileKind, Header};
use crate::log::record::Record;
use crate::log::row::{CommonCells, write_rows};

/// The states that are written next, and the runs of which a state was written. The memory of the
/// rows is used again.
#[derive(Debug)]
pub(crate) struct RunStates {
    header: Arc<Header>,
    rows: String,
    count: usize,
    /// The runs that have a state in the journal. All epochs of a training have the same id, but each
    /// has its own start.
    running: HashMap<String, Vec<Option<DateTime<FixedOffset>>>>,
}

impl RunStates {
    pub(super) fn new() -> Self {
        let (rows, running) = (String::new(), HashMap::new());
        Self { header: Arc::new(Header::full()), rows, count: 0, running }
    }

    /// Begins the states of a group.
    pub(super) fn begin(&mut self) {
        self.rows.clear();
        self.count = 0;
    }

    /// Adds the state of a run, which may have cells in common with others.
    pub(crate) fn add(&mut self, state: &Record, common: Option<&CommonCells>) {
        match self.running.get_mut(&state.id) {
            Some(starts) if starts.contains(&state.start_time) => {}
            Some(starts) => starts.push(state.start_time),
            None => drop(self.running.insert(state.id.clone(), vec![state.start_time])),
        }
        self.add_row(state, common);
    }

    /// Adds the row of a run that has ended.
    pub(super) fn add_ended(&mut self, row: &Record) {
        self.add_row(row, None);
    }

    fn add_row(&mut self, row: &Record, common: Option<&CommonCells>) {
        match common {
            Some(common) => common.write_rows(from_ref(row), &self.header, &mut self.rows),
            None => write_rows([row], &self.header, FileKind::Log, &mut self.rows),
        }
        self.count += 1;
    }

    /// The states of the group, as rows with all columns.
    pub(super) fn rows(&self) -> &str {
        &self.rows
    }

    /// The number of states of the group.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Whether no run has a state in the journal.
    pub(super) fn is_none_running(&self) -> bool {
        self.running.is_empty()
    }

    /// A run has ended: its state in the journal is no longer needed.
    pub(super) fn forget(&mut self, ended: &Record) {
        if let Some(starts) = self.running.get_mut(&ended.id) {
            starts.retain(|start| *start != ended.start_time);
            if starts.is_empty() {
                self.running.remove(&ended.id);
            }
        }
    }
}
