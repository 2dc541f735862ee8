//! What one sensor adds to a reading of the meter.

use super::power_model::ScalesWith;
use crate::units::{Joules, Watts};

/// The contribution of one sensor to a reading of the meter.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Increment {
    /// Energy of the device since the last reading of the meter. It may be below zero where the
    /// last reading ran ahead of the device.
    pub(super) machine: Joules,
    /// The part of it that is this process's.
    pub(super) process: Joules,
    /// Power of the device, to go on with.
    pub(super) machine_power: Watts,
    /// The part of it that is this process's.
    pub(super) process_power: Watts,
    /// How that part scales until the next reading.
    pub(super) scales_with: ScalesWith,
}
