//! The reports in a folder that are of programs below this process, and what they say anew.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::ancestors::Ancestors;
use super::energy_report::{self, EnergyByScope, Report};
use crate::uuid::Uuid;

/// File systems note changes in steps: a file that was created just after a search may not change
/// the time of the folder.
const MTIME_STEP: Duration = Duration::from_millis(50);

/// Energy that a program has reported since the last time.
#[derive(Clone, Copy, Debug)]
pub(in crate::meter) struct NewEnergy {
    /// The run under which the program was started.
    pub(in crate::meter) outer: Uuid,
    pub(in crate::meter) energy: EnergyByScope,
}

/// The reports of a folder.
#[derive(Debug, Default)]
pub(in crate::meter) struct ReceivedReports {
    /// The folder's time at the last search; `None` if it must be searched again.
    searched: Option<SystemTime>,
    reports: HashMap<OsString, State>,
}

/// What is known of a report.
#[derive(Debug)]
enum State {
    /// Of a process that is not below this one, or of one that has ended.
    Done,
    /// The energy that was reported so far.
    Open(EnergyByScope),
}

impl ReceivedReports {
    /// Whether a program below this process may go on reporting.
    pub(in crate::meter) fn has_open(&self) -> bool {
        self.reports.values().any(|state| matches!(state, State::Open(_)))
    }

    /// Reads the reports. `otherwise` decides whether a process is below this one where its ancestors
    /// do not say that.
    pub(in crate::meter) fn read(
        &mut self,
        folder: &Path,
        own: &Ancestors,
        otherwise: bool,
    ) -> Vec<NewEnergy> {
        let mut new = Vec::new();
        self.reports.retain(|name, state| {
            let State::Open(before) = state else { return true };
            // Of one that is gone, or is being written, nothing is new.
            if let Ok(Some(report)) = Report::read(&folder.join(name)) {
                new.push(report.since(before));
                *state = report.state();
            }
            true
        });
        self.search(folder, own, otherwise, &mut new);
        new
    }

    /// Searches for new reports, if the folder has changed.
    fn search(
        &mut self,
        folder: &Path,
        own: &Ancestors,
        otherwise: bool,
        new: &mut Vec<NewEnergy>,
    ) {
        let Ok(modified) = folder.metadata().and_then(|found| found.modified()) else { return };
        if self.searched == Some(modified) {
            return;
        }
        let Ok(entries) = fs::read_dir(folder) else { return };
        let age = SystemTime::now().duration_since(modified).unwrap_or_default();
        let mut is_complete = age >= MTIME_STEP;
        for entry in entries.flatten() {
            let name = entry.file_name();
            if !name.to_string_lossy().starts_with(energy_report::PREFIX)
                || self.reports.contains_key(&name)
            {
                continue;
            }
            match Report::read(&entry.path()) {
                Ok(Some(report)) if report.ancestors.is_below(own).unwrap_or(otherwise) => {
                    new.push(report.since(&EnergyByScope::default()));
                    self.reports.insert(name, report.state());
                }
                // It is being created.
                Ok(None) => is_complete = false,
                Ok(Some(_)) | Err(_) => {
                    self.reports.insert(name, State::Done);
                }
            }
        }
        self.searched = is_complete.then_some(modified);
    }
}

impl Report {
    fn since(&self, before: &EnergyByScope) -> NewEnergy {
        NewEnergy { outer: self.outer, energy: self.energy.since(before) }
    }

    fn state(&self) -> State {
        if self.is_last { State::Done } else { State::Open(self.energy) }
    }
}
