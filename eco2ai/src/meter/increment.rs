//! What one sensor adds to a reading of the meter.

use super::activity::ActiveParts;
use super::power_model::Scaling;
use crate::units::{Joules, Watts};

/// The contribution of one sensor to a reading of the meter.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Increment {
    pub(super) total: Amounts,
    /// The part of it that is the idle power of the machine; `None` if that is not known.
    pub(super) idle: Option<Amounts>,
    /// How the process's power scales until the next reading.
    pub(super) scaling: Scaling,
    pub(super) late: Late,
}

impl Increment {
    /// Returns what counts, where the sensor counts in these scopes.
    pub(super) fn counted(mut self, in_process: bool, in_machine: bool) -> Self {
        for amounts in [Some(&mut self.total), self.idle.as_mut()].into_iter().flatten() {
            if !in_process {
                (amounts.process, amounts.process_power) = (Joules::ZERO, Watts::ZERO);
            }
            if !in_machine {
                (amounts.machine, amounts.machine_power) = (Joules::ZERO, Watts::ZERO);
            }
        }
        if !in_process {
            self.scaling = Scaling::default();
            self.late.active.process = 0.0;
        }
        if !in_machine {
            self.late.active.machine = 0.0;
        }
        self
    }
}

/// What a reading of the past adds to the energy that was expected since the one before it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Late {
    /// Energy of the device; below zero where too much was expected.
    pub(super) energy: Joules,
    /// The part of it that is this process's.
    pub(super) share: f64,
    /// The part of that time during which runs were active.
    pub(super) active: ActiveParts,
}

/// Energy since the last reading of the meter, and power to go on with.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Amounts {
    /// Energy of the device. It may be below zero where the last reading ran ahead of the device.
    pub(super) machine: Joules,
    /// The part of it that is this process's.
    pub(super) process: Joules,
    /// Power of the device.
    pub(super) machine_power: Watts,
    /// The part of it that is this process's.
    pub(super) process_power: Watts,
}
