//! The metrics of logs and of the runs in progress, up to date at each request.

use std::collections::HashSet;
use std::io;

use eco2ai::{LogFollower, Problem, Record};

use crate::failure::{Failure, Result};
use crate::log_files::LogFiles;
use crate::metrics::{Exposition, LiveTotals, RowTotals, write_live_runs, write_totals};
use crate::output::warning;

pub(super) struct MetricsSource {
    arguments: LogFiles,
    follower: LogFollower,
    totals: RowTotals,
    /// The rows that were repeated at the last request.
    repeated: u64,
    live: LiveTotals,
    /// Failures that were reported; each is reported once.
    reported: HashSet<String>,
}

/// Failures beyond this number are not reported.
const MAX_REPORTED: usize = 100;

impl MetricsSource {
    /// Reads the logs.
    ///
    /// # Errors
    /// Returns an error if a log cannot be read. Later, such a log is only reported.
    pub(super) fn new(arguments: &LogFiles) -> Result<Self> {
        let mut source = Self {
            arguments: arguments.clone(),
            follower: LogFollower::new(),
            totals: RowTotals::default(),
            repeated: 0,
            live: LiveTotals::default(),
            reported: HashSet::new(),
        };
        for log in arguments.paths_from_now_on()? {
            source.follower.add(log);
        }
        // Checks that they are logs.
        source.follower.live_runs().try_for_each(|runs| runs.map(drop))?;
        source.update();
        Ok(source)
    }

    /// Returns the metrics of now.
    pub(super) fn metrics(&mut self, format: Exposition) -> io::Result<Vec<u8>> {
        self.update();
        let mut text = Vec::new();
        write_totals(&mut text, format, &self.totals)?;
        write_live_runs(&mut text, format, &self.live)?;
        format.end(&mut text)?;
        Ok(text)
    }

    fn update(&mut self) {
        let logs = match self.arguments.paths_from_now_on() {
            Ok(logs) => logs,
            Err(failure) => {
                self.report(failure.message().unwrap_or_default());
                Vec::new()
            }
        };
        for log in logs {
            self.follower.add(log);
        }
        // Before the rows: a run that ends meanwhile is in both, and then counts as a row.
        let (mut live, mut failed) = (Vec::new(), Vec::new());
        for runs in self.follower.live_runs() {
            match runs {
                Ok(runs) => live.extend(runs),
                Err(error) => failed.push(error),
            }
        }
        for error in failed {
            self.report(Failure::from(error).message().unwrap_or_default());
        }
        let running: HashSet<_> = live.iter().map(|run| run.id.clone()).collect();
        let ended = self.read_new_rows(&running);
        self.live = LiveTotals::default();
        for run in live.iter().filter(|run| !ended.contains(&run.id)) {
            self.live.add(run);
        }
    }

    /// Adds the new rows to the totals. Returns the ids of those that were `running` before. If such a
    /// run goes on, it is a training, and what it had used is in the row of an epoch.
    fn read_new_rows(&mut self, running: &HashSet<String>) -> HashSet<String> {
        let mut ended = HashSet::new();
        if self.follower.restart_if_replaced() {
            self.totals = RowTotals::default();
            self.repeated = 0;
        }
        let mut record = Record::default();
        while let Some(row) = self.follower.read_into(&mut record) {
            match row {
                Ok(()) => {
                    self.totals.add(&record);
                    if !running.is_empty() {
                        ended.extend(running.get(&record.id).cloned());
                    }
                }
                Err(Problem { line: 0, path, reason, .. }) => {
                    self.report(&format!("{}: {reason}", path.display()));
                }
                Err(problem) => {
                    self.totals.add_left_out(1, 0);
                    self.report(&format!("{problem}; row left out"));
                }
            }
        }
        let repeated = self.follower.repeated_rows();
        self.totals.add_left_out(0, repeated - self.repeated);
        self.repeated = repeated;
        ended
    }

    fn report(&mut self, failure: &str) {
        if self.reported.len() < MAX_REPORTED && self.reported.insert(failure.to_owned()) {
            warning(failure);
        }
    }
}
