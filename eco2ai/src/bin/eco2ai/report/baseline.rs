//! An earlier log or period, with which a report is compared.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::call_tree::{CallTree, Label};
use super::log_totals::{Bounded, LogTotals};
use super::logs::Logs;
use super::period::Period;
use crate::failure::{Failure, Result};
use crate::log_files::logs_of;

/// Energy in kWh and the number of runs.
#[derive(Clone, Copy, Default)]
pub(super) struct RunEnergy {
    pub(super) energy: Bounded,
    pub(super) runs: u64,
}

/// What another log, or another period of the same logs, contains.
pub(super) struct Baseline {
    pub(super) name: String,
    pub(super) total: LogTotals,
    pub(super) projects: HashMap<String, RunEnergy>,
    /// Own energy by function.
    pub(super) functions: HashMap<String, RunEnergy>,
}

impl Baseline {
    /// Reads what `--against` names: logs, `previous`, or a period of the logs `files`, of which
    /// the report covers `period`.
    pub(super) fn read(against: &str, files: &[PathBuf], period: &Period) -> Result<Self> {
        let path = Path::new(against);
        if against == "previous" {
            let previous = period.previous().ok_or_else(|| {
                Failure::usage("--against previous needs --since, where the earlier period ends")
            })?;
            let name = previous.describe().unwrap_or_default();
            return Self::of_logs(name, files, &previous);
        }
        if path.exists() || against.contains(['*', '?', '[', '/']) || path.extension().is_some() {
            let files = logs_of(path)?;
            if files.is_empty() {
                return Err(Failure::new(format!("{against}: no emission log found")));
            }
            return Self::of_logs(against.to_owned(), &files, &Period::default());
        }
        let other: Period = against.parse().map_err(|_| {
            Failure::usage(format!(
                "--against {against}: neither a log nor a period; give a file, previous, or a \
                 period such as 2026-02 or 2026-02-01..2026-02-14"
            ))
        })?;
        Self::of_logs(other.describe().unwrap_or_else(|| "all times".to_owned()), files, &other)
    }

    fn of_logs(name: String, files: &[PathBuf], period: &Period) -> Result<Self> {
        let logs = Logs::read(files, period)?;
        Ok(Self {
            name,
            total: logs.total,
            projects: projects(&logs),
            functions: functions(&logs, &CallTree::new(&logs)),
        })
    }
}

/// Returns the energy of each project.
pub(super) fn projects(logs: &Logs) -> HashMap<String, RunEnergy> {
    let all = logs.projects_by_energy().into_iter();
    all.map(|number| {
        let totals = logs.project(number);
        let energy = RunEnergy { energy: totals.energy, runs: totals.runs };
        (logs.project_names.text(number).to_owned(), energy)
    })
    .collect()
}

/// Returns the own energy of each function.
pub(super) fn functions(logs: &Logs, tree: &CallTree) -> HashMap<String, RunEnergy> {
    let all = tree.functions.iter();
    all.filter_map(|(label, one)| match label {
        Label::Function(number) => {
            let energy = RunEnergy { energy: one.own, runs: one.calls };
            Some((logs.function_names.text(*number).to_owned(), energy))
        }
        _ => None,
    })
    .collect()
}
