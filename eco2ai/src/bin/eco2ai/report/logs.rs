//! The rows of the logs, reduced to what the page shows: about 200 bytes each.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use chrono::{FixedOffset, Offset as _, Utc};
use eco2ai::{Problem, Record, Scope, Status};

use super::epochs::Epochs;
use super::format::counted;
use super::index::{NONE, index};
use super::interner::Interner;
use super::largest_runs::LargestRuns;
use super::log_totals::{LogTotals, NamedTotals};
use super::logged_run::{LoggedRun, RunIds};
use super::period::Period;
use crate::failure::{Failure, Result};

/// The rest is counted.
const MAX_LISTED_PROBLEMS: usize = 20;
/// From the year 1 to the year 9999, in seconds since 1970.
const YEARS: Range<i64> = -62_135_596_800..253_402_300_800;
/// The components of a row, in the order of its columns.
pub(super) const COMPONENTS: [&str; 4] = ["CPU", "GPU", "RAM", "Other"];

/// The own energy of a row and its time.
pub(super) struct TimedEnergy {
    /// In seconds since 1970.
    pub(super) start: i64,
    pub(super) seconds: f32,
    pub(super) own: f32,
    pub(super) project: u32,
}

/// The use of a carbon intensity.
#[derive(Clone, Copy)]
pub(super) struct IntensityUse {
    pub(super) totals: LogTotals,
    /// In gCO2e/kWh.
    pub(super) min: f64,
    pub(super) max: f64,
}

/// The content of all logs.
#[derive(Default)]
pub(super) struct Logs {
    pub(super) runs: Vec<LoggedRun>,
    pub(super) largest: LargestRuns,
    pub(super) epochs: Epochs,
    pub(super) timed: Vec<TimedEnergy>,
    pub(super) project_names: Interner,
    pub(super) function_names: Interner,
    /// The four methods of a row, separated by new lines.
    pub(super) method_names: Interner,
    /// Place and source of carbon intensities, separated by a new line.
    pub(super) intensity_names: Interner,
    pub(super) hosts: NamedTotals,
    pub(super) jobs: NamedTotals,
    pub(super) ranks: NamedTotals,
    pub(super) users: NamedTotals,
    pub(super) total: LogTotals,
    /// By the number of the project.
    projects: Vec<LogTotals>,
    /// By the number of its name.
    pub(super) intensities: Vec<IntensityUse>,
    pub(super) statuses: BTreeMap<Status, LogTotals>,
    /// Rows that only have Eco2AI's columns.
    pub(super) rows_without_methods: u64,
    /// Rows for the whole machine.
    pub(super) machine_rows: u64,
    /// Rows for many calls.
    pub(super) summed_rows: u64,
    /// The largest PUE.
    pub(super) pue: f64,
    /// From the first start to the last end, in seconds since 1970.
    pub(super) span: Option<(i64, i64)>,
    /// The time zone of the newest row.
    newest_zone: Option<FixedOffset>,
    /// The first problems.
    pub(super) problems: Vec<Problem>,
    pub(super) unusable_rows: u64,
    /// Remarks on the rows, one sentence each.
    pub(super) notes: Vec<String>,
}

impl Logs {
    /// Reads each log once, from its beginning to its end, and keeps the rows that start in a
    /// period.
    pub(super) fn read(paths: &[impl AsRef<Path>], period: &Period) -> Result<Self> {
        let mut logs = Self::default();
        let mut undated_rows = 0;
        let mut ids = RunIds::default();
        let mut key = String::new();
        let mut rows = eco2ai::read_logs(paths)?;
        // The following rows reuse the memory of the first.
        let mut row = rows.next();
        while let Some(read) = row {
            let next = match read {
                Ok(mut record) => {
                    match record.start_time {
                        Some(start) if !period.contains(start.timestamp()) => {}
                        None if !period.is_everything() => undated_rows += 1,
                        _ => logs.add(&record, &mut ids, &mut key),
                    }
                    rows.read_into(&mut record).map(|read| read.map(|()| record))
                }
                Err(problem) => {
                    logs.add_problem(problem)?;
                    rows.next()
                }
            };
            row = next;
        }
        logs.notes = rows.notes();
        if undated_rows > 0 {
            let rows = counted(undated_rows, "row");
            logs.notes.push(format!("{rows} without a time left out, as in no period"));
        }
        logs.count_calls();
        Ok(logs)
    }

    fn count_calls(&mut self) {
        for run in self.runs.iter_mut().filter(|run| run.rows > 0) {
            // In a log of Eco2AI, a training only has the rows of its epochs.
            run.calls = run.calls.max(1);
            self.total.runs = self.total.runs.saturating_add(run.calls);
            if let Some(project) = self.projects.get_mut(run.project as usize) {
                project.runs = project.runs.saturating_add(run.calls);
            }
        }
    }

    fn add_problem(&mut self, problem: Problem) -> Result<()> {
        // Line 0 stands for a file that cannot be read any further.
        if problem.line == 0 {
            return Err(Failure::new(problem));
        }
        self.unusable_rows += 1;
        if self.problems.len() < MAX_LISTED_PROBLEMS {
            self.problems.push(problem);
        }
        Ok(())
    }

    fn add(&mut self, record: &Record, ids: &mut RunIds, key: &mut String) {
        let project = self.project_names.number(&record.project);
        if self.projects.len() <= project as usize {
            self.projects.push(LogTotals::default());
        }
        if let Some(totals) = self.projects.get_mut(project as usize) {
            totals.add(record);
        }
        self.total.add(record);
        self.statuses.entry(record.status).or_default().add(record);
        self.hosts.add(&record.hostname, record);
        self.jobs.add(record.job.as_deref().unwrap_or_default(), record);
        let rank = record.rank.map(|rank| rank.to_string());
        self.ranks.add(rank.as_deref().unwrap_or_default(), record);
        self.users.add(record.user.as_deref().unwrap_or_default(), record);
        self.pue = self.pue.max(record.pue);
        self.machine_rows += u64::from(record.scope == Scope::Machine);
        self.summed_rows += u64::from(record.calls > 1);
        self.add_intensity(record, key);
        self.add_timed_energy(record, project);

        let run = match record.id.as_str() {
            "" => LoggedRun::push_empty(&mut self.runs),
            id => ids.run(id, &mut self.runs),
        };
        let parent = record.parent_id.as_deref().map_or(NONE, |id| ids.run(id, &mut self.runs));
        let number = run;
        let Some(run) = self.runs.get_mut(number as usize) else { return };
        if run.rows == 0 {
            run.parent = parent;
            run.project = project;
            run.function =
                record.function.as_deref().map_or(NONE, |name| self.function_names.number(name));
            let methods =
                [&record.cpu_method, &record.gpu_method, &record.ram_method, &record.other_method];
            if methods.iter().any(|method| !method.is_unknown()) {
                key.clear();
                for method in methods {
                    key.push_str(method.as_str());
                    key.push('\n');
                }
                run.methods = self.method_names.number(key);
            }
        }
        self.rows_without_methods += u64::from(run.methods == NONE);
        run.add(record);
        self.largest.add(number, record, &self.runs);
        self.epochs.add(number, record);
    }

    fn add_intensity(&mut self, record: &Record, key: &mut String) {
        key.clear();
        key.push_str(&record.place);
        key.push('\n');
        key.push_str(&record.emission_source);
        let number = self.intensity_names.number(key) as usize;
        if self.intensities.len() <= number {
            self.intensities.push(IntensityUse {
                totals: LogTotals::default(),
                min: f64::INFINITY,
                max: 0.0,
            });
        }
        if let Some(intensity) = self.intensities.get_mut(number) {
            intensity.totals.add(record);
            if let Some(level) = record.emission_level {
                intensity.min = intensity.min.min(level.0);
                intensity.max = intensity.max.max(level.0);
            }
        }
    }

    fn add_timed_energy(&mut self, record: &Record, project: u32) {
        let Some(time) = record.start_time else { return };
        let start = time.timestamp();
        if !YEARS.contains(&start) {
            return;
        }
        let seconds = record.duration.as_secs_f64();
        #[allow(clippy::cast_possible_truncation, reason = "no log is that long")]
        let end = start.saturating_add(seconds.ceil() as i64).min(YEARS.end);
        match &mut self.span {
            None => {
                self.span = Some((start, end));
                self.newest_zone = Some(*time.offset());
            }
            Some((first, last)) => {
                *first = start.min(*first);
                if end > *last {
                    *last = end;
                    self.newest_zone = Some(*time.offset());
                }
            }
        }
        #[allow(clippy::cast_possible_truncation, reason = "enough for a chart")]
        let (seconds, own) = (seconds as f32, record.own_energy.0 as f32);
        self.timed.push(TimedEnergy { start, seconds, own, project });
    }

    /// Returns the time zone in which times are shown.
    pub(super) fn zone(&self) -> FixedOffset {
        self.newest_zone.unwrap_or_else(|| Utc.fix())
    }

    /// Returns the numbers of the projects, the most energy first.
    pub(super) fn projects_by_energy(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.projects.len()).map(index).collect();
        order.sort_by(|a, b| {
            self.project(*b).energy.value.total_cmp(&self.project(*a).energy.value)
        });
        order
    }

    /// Returns the totals of a project.
    pub(super) fn project(&self, number: u32) -> LogTotals {
        self.projects.get(number as usize).copied().unwrap_or_default()
    }
}
