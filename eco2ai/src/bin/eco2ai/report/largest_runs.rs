//! The texts of the runs with the most energy. Those of all runs would need too much memory.

use std::collections::HashMap;

use eco2ai::Record;

use super::index::NONE;
use super::logged_run::LoggedRun;

/// The number of runs in the table of the page.
pub(super) const MAX_RUNS: usize = 150;
/// A longer text is cut.
const MAX_LENGTH: usize = 80;

/// The texts of a run.
#[derive(Clone, Default)]
pub(super) struct RunTexts {
    pub(super) description: Box<str>,
    pub(super) host: Box<str>,
    pub(super) job: Box<str>,
}

/// The texts of at least the [`MAX_RUNS`] runs with the most inclusive energy so far.
#[derive(Default)]
pub(super) struct LargestRuns {
    texts: HashMap<u32, RunTexts>,
    /// A run with less energy is not among the largest.
    least: f64,
}

impl LargestRuns {
    /// Adds the run of a row, whose energy is already in `runs`, if it is among the largest.
    pub(super) fn add(&mut self, run: u32, record: &Record, runs: &[LoggedRun]) {
        let energy = inclusive(runs, run);
        if energy < self.least || self.texts.contains_key(&run) {
            return;
        }
        let texts = RunTexts {
            description: cut(&record.description),
            host: cut(&record.hostname),
            job: cut(record.job.as_deref().unwrap_or_default()),
        };
        self.texts.insert(run, texts);
        if self.texts.len() >= 4 * MAX_RUNS {
            let kept = self.sorted(runs);
            self.least = kept.last().map_or(0.0, |run| inclusive(runs, *run));
            self.texts.retain(|run, _| kept.contains(run));
        }
    }

    /// Returns the runs, the most energy first.
    pub(super) fn sorted(&self, runs: &[LoggedRun]) -> Vec<u32> {
        let mut all: Vec<u32> = self.texts.keys().copied().collect();
        all.sort_by(|a, b| inclusive(runs, *b).total_cmp(&inclusive(runs, *a)).then(a.cmp(b)));
        all.truncate(MAX_RUNS);
        all
    }

    /// Returns the texts of a run.
    pub(super) fn texts(&self, run: u32) -> RunTexts {
        self.texts.get(&run).cloned().unwrap_or_default()
    }
}

fn inclusive(runs: &[LoggedRun], run: u32) -> f64 {
    debug_assert_ne!(run, NONE);
    runs.get(run as usize).map_or(0.0, |run| run.inclusive)
}

/// Returns a text as the table of runs shows it.
pub(super) fn cut(text: &str) -> Box<str> {
    match text.char_indices().nth(MAX_LENGTH) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()).into(),
        None => text.into(),
    }
}
