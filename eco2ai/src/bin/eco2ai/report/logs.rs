//! The rows of the logs, reduced to what the page shows: about 160 bytes each.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::Range;
use std::path::Path;

use chrono::{FixedOffset, Offset as _, Utc};
use eco2ai::{Problem, Record, Scope, Status};
use uuid::Uuid;

use super::index::{NONE, index};
use super::interner::Interner;
use super::log_totals::{LogTotals, NamedTotals};
use crate::failure::{Failure, Result};

/// The rest is counted.
const MAX_LISTED_PROBLEMS: usize = 20;
/// From the year 1 to the year 9999, in seconds since 1970.
const YEARS: Range<i64> = -62_135_596_800..253_402_300_800;
/// The components of a row, in the order of its columns.
pub(super) const COMPONENTS: [&str; 4] = ["CPU", "GPU", "RAM", "Other"];

/// A run: one row, or the rows of all epochs of a training.
pub(super) struct LoggedRun {
    /// The run that it ran under, or [`NONE`].
    pub(super) parent: u32,
    pub(super) project: u32,
    /// The tracked function; [`NONE`] for a plain tracker.
    pub(super) function: u32,
    pub(super) methods: u32,
    /// 0 for a run that is only known as a parent: its row is not in the logs, or not yet.
    pub(super) rows: u32,
    pub(super) calls: u64,
    /// In kWh including PUE, without the runs under it.
    pub(super) own: f64,
    /// In kWh including PUE, with the runs under it.
    pub(super) inclusive: f64,
    /// The inclusive energy of each component in kWh, without PUE.
    pub(super) components: [f32; 4],
}

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

/// The runs by id, while the logs are read.
#[derive(Default)]
struct RunIds(HashMap<u128, u32>);

impl RunIds {
    /// Returns the run with an id, or a new run without rows.
    fn run(&mut self, id: &str, runs: &mut Vec<LoggedRun>) -> u32 {
        let key = Uuid::try_parse(id).map_or_else(|_| hash(id), |id| id.as_u128());
        *self.0.entry(key).or_insert_with(|| push_empty(runs))
    }
}

/// Returns a key for an id that is not a UUID.
fn hash(id: &str) -> u128 {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, id).hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(0) << 64 | half(1)
}

/// Adds a run without rows.
fn push_empty(runs: &mut Vec<LoggedRun>) -> u32 {
    runs.push(LoggedRun {
        parent: NONE,
        project: NONE,
        function: NONE,
        methods: NONE,
        rows: 0,
        calls: 0,
        own: 0.0,
        inclusive: 0.0,
        components: [0.0; 4],
    });
    index(runs.len() - 1)
}

impl Logs {
    /// Reads each log once, from its beginning to its end.
    pub(super) fn read(paths: &[impl AsRef<Path>]) -> Result<Self> {
        let mut logs = Self::default();
        let mut ids = RunIds::default();
        let mut key = String::new();
        let mut rows = eco2ai::read_logs(paths)?;
        // The following rows reuse the memory of the first.
        let mut row = rows.next();
        while let Some(read) = row {
            let next = match read {
                Ok(mut record) => {
                    logs.add(&record, &mut ids, &mut key);
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
            "" => push_empty(&mut self.runs),
            id => ids.run(id, &mut self.runs),
        };
        let parent = record.parent_id.as_deref().map_or(NONE, |id| ids.run(id, &mut self.runs));
        let Some(run) = self.runs.get_mut(run as usize) else { return };
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
        run.rows = run.rows.saturating_add(1);
        // An epoch is part of a call.
        if record.epoch == "N/A" {
            run.calls = run.calls.saturating_add(record.calls);
        }
        run.own += record.own_energy.0;
        run.inclusive += record.energy.0;
        let components =
            [record.cpu_energy, record.gpu_energy, record.ram_energy, record.other_energy];
        for (sum, energy) in run.components.iter_mut().zip(components) {
            #[allow(clippy::cast_possible_truncation, reason = "only shares are taken of it")]
            let energy = energy.map_or(0.0, |energy| energy.0 as f32);
            *sum += energy;
        }
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
        order.sort_by(|a, b| self.project(*b).energy.total_cmp(&self.project(*a).energy));
        order
    }

    /// Returns the totals of a project.
    pub(super) fn project(&self, number: u32) -> LogTotals {
        self.projects.get(number as usize).copied().unwrap_or_default()
    }
}
