//! The runs of each function, as samples of what one call costs.

use std::collections::{BTreeMap, HashMap};

use eco2ai::{Record, Records, Status};

use super::welch::Sample;
use crate::failure::{Failure, Result};
use crate::output::warning;

/// The project and the function of runs.
pub(super) type Name = (String, String);

/// What one call costs, over several runs. The energy and CO2 are the own ones.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Samples {
    pub(super) energy_kwh: Sample,
    pub(super) duration_s: Sample,
    pub(super) co2_kg: Sample,
}

/// The sums of one run, which has a row for each epoch.
#[derive(Default)]
struct Epochs {
    name: Name,
    energy_kwh: f64,
    duration_s: f64,
    co2_kg: f64,
}

/// All runs of one side of a comparison.
#[derive(Default)]
pub(super) struct Runs {
    pub(super) functions: BTreeMap<Name, Samples>,
    /// Runs with several rows, by id.
    trainings: HashMap<String, Epochs>,
    /// Runs that did not end well, of which nobody knows how much of their work they did.
    pub(super) failed: u64,
}

impl Runs {
    /// Adds a row.
    pub(super) fn add(&mut self, record: &Record) {
        if !matches!(record.status, Status::Ok | Status::Unknown) {
            self.failed += 1;
            return;
        }
        let name = (record.project.clone(), record.function.clone().unwrap_or_default());
        let is_epoch = !matches!(record.epoch.as_str(), "" | "N/A");
        if is_epoch || self.trainings.contains_key(&record.id) {
            let run = self.trainings.entry(record.id.clone()).or_default();
            run.name = name;
            run.energy_kwh += record.own_energy.0;
            run.duration_s += record.duration.as_secs_f64();
            run.co2_kg += record.own_co2.0;
            return;
        }
        let calls = record.calls.max(1) as f64;
        let samples = self.functions.entry(name).or_default();
        samples.energy_kwh.push(record.own_energy.0 / calls);
        samples.duration_s.push(record.duration.as_secs_f64() / calls);
        samples.co2_kg.push(record.own_co2.0 / calls);
    }

    /// Completes the trainings.
    pub(super) fn finish(&mut self) {
        for run in std::mem::take(&mut self.trainings).into_values() {
            let samples = self.functions.entry(run.name).or_default();
            samples.energy_kwh.push(run.energy_kwh);
            samples.duration_s.push(run.duration_s);
            samples.co2_kg.push(run.co2_kg);
        }
    }
}

/// Calls `use_record` with each record. Rows that cannot be used are reported.
///
/// # Errors
/// Returns an error if a log cannot be read any further.
pub(super) fn read(mut records: Records, mut use_record: impl FnMut(&Record)) -> Result<()> {
    let mut record = Record::default();
    let mut unusable = 0_u64;
    while let Some(read) = records.read_into(&mut record) {
        match read {
            Ok(()) => use_record(&record),
            Err(problem) if problem.line == 0 => return Err(Failure::new(problem)),
            Err(problem) => {
                if unusable == 0 {
                    warning(format_args!("{problem}; row left out"));
                }
                unusable += 1;
            }
        }
    }
    if unusable > 1 {
        warning(format_args!("{} more rows left out", unusable - 1));
    }
    for note in records.notes() {
        warning(note);
    }
    Ok(())
}
