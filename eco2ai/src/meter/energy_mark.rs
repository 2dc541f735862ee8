//! The energy of the process and of the machine at the readings of a meter, whether or not runs are
//! active.

use std::time::Duration;

use super::energies::Energies;
use super::run_energy::{Received, RunEnergy};
use super::used_energy::UsedEnergy;
use crate::scope::Scope;

/// The energy that a meter has seen up to its last reading.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct EnergyMark {
    /// The time of the reading, on the meter's clock.
    pub(crate) at: Duration,
    process: Total,
    machine: Total,
}

/// The energy of one scope.
#[derive(Clone, Copy, Debug, Default)]
struct Total {
    /// The sum of all readings.
    due: Energies,
    /// The highest sum so far: a reading that corrects an earlier one does not make it less.
    shown: Energies,
}

impl Total {
    fn add(&mut self, used: Energies) {
        self.due += used;
        self.shown = self.shown.zip(self.due, f64::max);
    }
}

impl EnergyMark {
    /// Adds a reading that was taken at `now`.
    pub(super) fn add(&mut self, now: Duration, used: &UsedEnergy) {
        self.at = now;
        self.process.add(used.process);
        self.machine.add(used.machine);
    }

    fn shown(&self, scope: Scope) -> Energies {
        match scope {
            Scope::Process => self.process.shown,
            Scope::Machine => self.machine.shown,
        }
    }

    /// Returns the energy between an earlier mark and this one, as that of a run.
    pub(crate) fn after(&self, earlier: &Self, scope: Scope) -> RunEnergy {
        let energy = self.shown(scope) - earlier.shown(scope);
        RunEnergy {
            received: Received { own: energy, inclusive: energy, process: energy },
            scope,
            since: earlier.at.into(),
            duration: self.at.saturating_sub(earlier.at).into(),
            read: self.at > earlier.at,
            ..RunEnergy::default()
        }
    }
}
