//! The energy that all sensors together report to the ledger.

use super::energies::Energies;
use super::increment::Increment;
use super::power_model::PowerModel;
use crate::sensor::Component;

/// The energy since the last reading, and the power from then on, for both scopes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct UsedEnergy {
    /// Energy of the machine.
    pub(super) machine: Energies,
    /// Energy of this process and its children.
    pub(super) process: Energies,
    /// Power of the machine in watts.
    pub(super) machine_power: Energies,
    /// Power of this process and its children in watts.
    pub(super) process_power: Energies,
    /// How that power scales, if the process has a clock of its CPU time.
    pub(super) model: Option<PowerModel>,
}

impl UsedEnergy {
    /// Adds what one sensor reported.
    pub(super) fn add(&mut self, component: Component, increment: &Increment) {
        for (energies, figure) in [
            (&mut self.machine, increment.machine.0),
            (&mut self.process, increment.process.0),
            (&mut self.machine_power, increment.machine_power.0),
            (&mut self.process_power, increment.process_power.0),
        ] {
            energies[component] += figure;
        }
    }
}
