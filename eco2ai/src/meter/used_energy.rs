//! The energy that all sensors together report to the ledger.

use super::energies::Energies;
use super::increment::{Amounts, Increment};
use super::power_model::PowerModel;
use crate::sensor::Component;

/// The energy since the last reading, and the power from then on, for both scopes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct UsedEnergy {
    /// Energy of the machine.
    pub(super) machine: Energies,
    /// Energy of this process and its children.
    pub(super) process: Energies,
    /// What late readings add to the energy of the machine in earlier time, while runs were active.
    pub(super) late_machine: Energies,
    /// The same for this process and its children.
    pub(super) late_process: Energies,
    /// Power of the machine in watts.
    pub(super) machine_power: Energies,
    /// Power of this process and its children in watts.
    pub(super) process_power: Energies,
    /// How that power scales, if the process has a clock of its CPU time.
    pub(super) model: Option<PowerModel>,
}

impl UsedEnergy {
    /// Adds what one sensor of `component` reports.
    pub(super) fn add(&mut self, component: Component, increment: &Increment) {
        let Increment { total, idle, late, .. } = increment;
        let scopes = [
            (&mut self.machine, (|it| it.machine.0) as fn(&Amounts) -> f64),
            (&mut self.process, |it| it.process.0),
            (&mut self.machine_power, |it| it.machine_power.0),
            (&mut self.process_power, |it| it.process_power.0),
        ];
        for (energies, figure) in scopes {
            energies[component] += figure(total);
            *energies.idle_mut() += idle.as_ref().map_or(0.0, figure);
        }
        self.late_machine[component] += late.energy.0 * late.active.machine;
        self.late_process[component] += late.energy.0 * late.share * late.active.process;
    }
}
