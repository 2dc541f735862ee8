//! What all sensors together report to the ledger.

use super::energies::Energies;
use super::power_model::PowerModel;

/// What was used since the last reading, and the power to go on with, for both scopes.
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
    /// What that scales with, where the process has a clock of its CPU time.
    pub(super) model: Option<PowerModel>,
}
