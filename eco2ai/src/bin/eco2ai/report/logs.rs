//! What the page needs of each row, kept small: some 160 bytes, however long the row.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::Range;
use std::path::Path;

use chrono::{FixedOffset, Offset as _, Utc};
use eco2ai::{Problem, Record, Scope, Status};
use uuid::Uuid;

use super::names::Names;
use crate::failure::{Failure, Result};

/// So many problems are told one by one; the rest is counted.
const TOLD: usize = 20;
/// From year 1 to year 9999, in seconds since 1970.
const YEARS: Range<i64> = -62_135_596_800..253_402_300_800;
/// No run, no text.
pub(super) const NONE: u32 = u32::MAX;
/// The components of a row, in the order of its columns.
pub(super) const COMPONENTS: [&str; 4] = ["CPU", "GPU", "RAM", "Other"];

/// A place in one of the lists here. Four billion runs do not fit in a memory.
pub(super) fn index(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(NONE)
}

/// A run: one row, or the rows of all epochs of a training.
pub(super) struct Run {
    /// The run under which it ran; [`NONE`] for an outermost one.
    pub(super) parent: u32,
    pub(super) project: u32,
    /// [`NONE`] where a plain tracker was used.
    pub(super) function: u32,
    pub(super) methods: u32,
    /// 0 in a run that is known as a parent only: its row is not in the logs, or not yet.
    pub(super) rows: u32,
    pub(super) calls: u64,
    /// In kWh, with PUE: without what ran under it.
    pub(super) own: f64,
    /// In kWh, with PUE.
    pub(super) inclusive: f64,
    /// The inclusive energy of each component in kWh, without PUE.
    pub(super) components: [f32; 4],
}

/// When a row's own energy was used.
pub(super) struct Stretch {
    /// In seconds since 1970.
    pub(super) start: i64,
    pub(super) seconds: f32,
    pub(super) own: f32,
    pub(super) project: u32,
}

/// What some rows add up to: energy in kWh, CO2 in kg.
#[derive(Clone, Copy, Default)]
pub(super) struct Sums {
    pub(super) rows: u64,
    /// Calls that the rows stand for; in the totals and per project only.
    pub(super) runs: u64,
    pub(super) energy: f64,
    pub(super) co2: f64,
    pub(super) cost: f64,
}

impl Sums {
    fn add(&mut self, record: &Record) {
        self.rows += 1;
        self.energy += record.own_energy.0;
        self.co2 += record.own_co2.0;
        self.cost += record.own_cost;
    }
}

/// A carbon intensity that was used.
#[derive(Clone, Copy)]
pub(super) struct Intensity {
    pub(super) sums: Sums,
    /// In gCO2e/kWh.
    pub(super) least: f64,
    pub(super) most: f64,
}

/// All that was read.
#[derive(Default)]
pub(super) struct Logs {
    pub(super) runs: Vec<Run>,
    pub(super) stretches: Vec<Stretch>,
    pub(super) project_names: Names,
    pub(super) function_names: Names,
    /// The four methods of a row, separated by new lines.
    pub(super) method_names: Names,
    /// Place and source of carbon intensities, separated by a new line.
    pub(super) intensity_names: Names,
    hosts: Names,
    pub(super) total: Sums,
    /// By number of the project.
    projects: Vec<Sums>,
    /// By number of its name.
    pub(super) intensities: Vec<Intensity>,
    pub(super) statuses: BTreeMap<Status, Sums>,
    /// Rows with Eco2AI's columns only.
    pub(super) rows_without_methods: u64,
    /// Rows that count the whole machine.
    pub(super) machine_rows: u64,
    /// Rows that stand for many calls.
    pub(super) summed_rows: u64,
    /// The largest PUE.
    pub(super) pue: f64,
    /// From the first start to the last end, in seconds since 1970.
    pub(super) span: Option<(i64, i64)>,
    /// The zone of the newest row.
    newest_zone: Option<FixedOffset>,
    /// The first problems.
    pub(super) problems: Vec<Problem>,
    pub(super) unusable_rows: u64,
    /// What the rows do not show, one sentence each.
    pub(super) notes: Vec<String>,
}

/// Finds a run by its id while the logs are read.
#[derive(Default)]
struct Ids(HashMap<u128, u32>);

impl Ids {
    /// The run with that id; a new one that waits for its row where there is none.
    fn run(&mut self, id: &str, runs: &mut Vec<Run>) -> u32 {
        let key = Uuid::try_parse(id).map_or_else(|_| hash(id), |id| id.as_u128());
        *self.0.entry(key).or_insert_with(|| awaited(runs))
    }
}

/// A number for an id that is no UUID.
fn hash(id: &str) -> u128 {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, id).hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(0) << 64 | half(1)
}

/// A new run whose row is still to come.
fn awaited(runs: &mut Vec<Run>) -> u32 {
    runs.push(Run {
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
    /// Reads logs, each once from its beginning to its end.
    pub(super) fn read(paths: &[impl AsRef<Path>]) -> Result<Self> {
        let mut logs = Self::default();
        let mut ids = Ids::default();
        let mut key = String::new();
        let mut rows = eco2ai::read_logs(paths)?;
        // The first row, and what follows in its memory.
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
            // A training of Eco2AI has no row but those of its epochs.
            run.calls = run.calls.max(1);
            self.total.runs = self.total.runs.saturating_add(run.calls);
            if let Some(project) = self.projects.get_mut(run.project as usize) {
                project.runs = project.runs.saturating_add(run.calls);
            }
        }
    }

    fn add_problem(&mut self, problem: Problem) -> Result<()> {
        // No row is at fault where a file cannot be read any further.
        if problem.line == 0 {
            return Err(Failure::new(problem));
        }
        self.unusable_rows += 1;
        if self.problems.len() < TOLD {
            self.problems.push(problem);
        }
        Ok(())
    }

    fn add(&mut self, record: &Record, ids: &mut Ids, key: &mut String) {
        let project = self.project_names.number(&record.project);
        if self.projects.len() <= project as usize {
            self.projects.push(Sums::default());
        }
        if let Some(sums) = self.projects.get_mut(project as usize) {
            sums.add(record);
        }
        self.total.add(record);
        self.statuses.entry(record.status).or_default().add(record);
        self.hosts.number(&record.hostname);
        self.pue = self.pue.max(record.pue);
        self.machine_rows += u64::from(record.scope == Scope::Machine);
        self.summed_rows += u64::from(record.calls > 1);
        self.add_intensity(record, key);
        self.add_stretch(record, project);

        let run = match record.id.as_str() {
            "" => awaited(&mut self.runs),
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
            if methods.iter().any(|method| !method.is_empty()) {
                key.clear();
                for method in methods {
                    key.push_str(method);
                    key.push('\n');
                }
                run.methods = self.method_names.number(key);
            }
        }
        self.rows_without_methods += u64::from(run.methods == NONE);
        run.rows = run.rows.saturating_add(1);
        // An epoch is a part of a call.
        if record.epoch == "N/A" {
            run.calls = run.calls.saturating_add(record.calls);
        }
        run.own += record.own_energy.0;
        run.inclusive += record.power_consumption.0;
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
            self.intensities.push(Intensity {
                sums: Sums::default(),
                least: f64::INFINITY,
                most: 0.0,
            });
        }
        if let Some(intensity) = self.intensities.get_mut(number) {
            intensity.sums.add(record);
            // Neither takes a NaN: the row does not say.
            intensity.least = intensity.least.min(record.emission_level.0);
            intensity.most = intensity.most.max(record.emission_level.0);
        }
    }

    fn add_stretch(&mut self, record: &Record, project: u32) {
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
        self.stretches.push(Stretch { start, seconds, own, project });
    }

    /// On how many machines the runs ran.
    pub(super) fn hosts(&self) -> usize {
        self.hosts.len()
    }

    /// The zone in which times are shown.
    pub(super) fn zone(&self) -> FixedOffset {
        self.newest_zone.unwrap_or_else(|| Utc.fix())
    }

    /// The numbers of the projects, the most energy first.
    pub(super) fn projects_by_energy(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.projects.len()).map(index).collect();
        order.sort_by(|a, b| self.project(*b).energy.total_cmp(&self.project(*a).energy));
        order
    }

    /// What the rows of a project add up to.
    pub(super) fn project(&self, number: u32) -> Sums {
        self.projects.get(number as usize).copied().unwrap_or_default()
    }
}
