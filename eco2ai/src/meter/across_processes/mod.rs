//! A meter among the meters of other processes: the run above it, and what it hands to programs.

mod ancestors;
mod energy_report;
mod inner_energy;
mod outer_run;
mod received_reports;
pub(in crate::meter) mod relatives;
mod report_folder;

use std::ffi::OsString;
use std::time::Duration;

use crate::meter::keys::RunKey;
use crate::meter::meter::Meter;
use crate::meter::meter_state::{Edge, MeterState};
use crate::meter::run_energy::RunEnergy;
use crate::report::warn_once;
use crate::uuid::Uuid;

/// A run without a parent that was shorter than this ends with a reading only if one is due.
const LONG_RUN: Duration = Duration::from_millis(20);

impl Meter {
    /// Returns the id of the run of another process under which this one was started, if that run is
    /// active.
    pub(crate) fn outer_run(&self) -> Option<Uuid> {
        self.state.relatives.outer_run()
    }

    /// Returns the variable that makes a run the outer run of programs. `None` if the run has ended.
    pub(crate) fn environment(&self, run: RunKey) -> Option<(&'static str, OsString)> {
        let id = self.state.ledger.lock().id(run)?;
        match self.state.relatives.hand_on(run, id) {
            Ok(value) => Some((outer_run::VARIABLE, value)),
            Err(error) => {
                warn_once(&format!(
                    "programs cannot report their energy to the run that starts them ({error}); \
                     what they track is counted twice"
                ));
                None
            }
        }
    }

    /// Notes that a run that has ended has no row, so that its energy stays that of the outer run.
    pub(crate) fn discard(&self, energy: &RunEnergy) {
        self.state.ledger.lock().tree.discard(energy);
        self.state.report(false);
    }

    /// Reports the energy of this process for the last time.
    pub(crate) fn report_at_exit() {
        if let Some(meter) = Self::of_process() {
            meter.state.report(true);
        }
    }
}

impl MeterState {
    /// Takes the reading at the end of a run.
    pub(in crate::meter) fn read_at_end(&self, run: RunKey) -> Edge {
        if self.relatives.exist() && self.needs_reading(run) {
            // What programs have reported last is to be known.
            return Edge::without_sample(self.take_reading());
        }
        self.read_at_edge(|| self.ledger.lock().started(run))
    }

    fn needs_reading(&self, run: RunKey) -> bool {
        let now = self.clock.now();
        let is_long_root = || self.ledger.lock().is_root(run, now.saturating_sub(LONG_RUN).into());
        self.relatives.is_outer(run) || (is_long_root() && self.relatives.has_reporting())
    }

    /// A run of that length has ended.
    pub(in crate::meter) fn end_run(&self, run: RunKey, duration: Duration) {
        if self.relatives.exist() {
            let is_active = !self.ledger.lock().is_idle();
            self.relatives.end_run(run, is_active);
            if self.relatives.must_report(duration) {
                self.report(false);
            }
        }
    }

    /// Reports the energy in the rows of this process to the process of the outer run.
    pub(in crate::meter) fn report(&self, is_last: bool) {
        if !self.relatives.exist() {
            return;
        }
        let energy = self.ledger.lock().tree.own_report();
        self.relatives.report(&energy, is_last);
    }
}
