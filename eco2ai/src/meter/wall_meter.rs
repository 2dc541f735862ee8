//! The process's part of the energy of a wall meter.

use super::increment::{Amounts, Increment};
use super::power_model::Scaling;
use super::used_energy::UsedEnergy;
use crate::sensor::Component;
use crate::units::Watts;

/// The power that a wall meter shows, of which CPU time tells only a part: what the GPUs take
/// belongs to those who use them, whatever their CPU time is.
#[derive(Clone, Copy, Debug)]
pub(super) struct WallMeter {
    /// The power of the process's part of the GPUs.
    pub(super) gpus: Watts,
    /// The power of everything but the GPUs, which is shared by CPU time.
    pub(super) rest: Watts,
}

impl WallMeter {
    /// Splits the power of a wall meter by that of the GPUs in `used`.
    pub(super) fn new(total: &Amounts, used: &UsedEnergy) -> Self {
        let whole = total.machine_power.0;
        let gpus = used.machine_power.get(Component::Gpu).0.min(whole);
        let own_gpus = used.process_power.get(Component::Gpu).0.min(gpus);
        Self { gpus: Watts(own_gpus), rest: Watts(whole - gpus) }
    }

    /// Charges the process, which has its part by CPU time alone, with its part by this power.
    pub(super) fn charge(self, increment: &mut Increment) {
        let whole = increment.total.machine_power.0;
        if whole <= 0.0 {
            return;
        }
        let cpu_share = increment.total.process_power.0 / whole;
        let part = (self.gpus.0 + self.rest.0 * cpu_share) / whole;
        increment.total.process = increment.total.machine * part;
        increment.total.process_power = increment.total.machine_power * part;
        increment.late.share = part;
    }

    /// Returns how the process's part scales until the next reading.
    pub(super) fn scaling(self) -> Scaling {
        Scaling { steady: self.gpus, shared: self.rest, ..Scaling::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Joules;

    /// The process's energy of a machine of 1000 W that has a quarter of its CPU time, over a
    /// second, where the GPUs take so many watts, of which `own` are the process's.
    fn energy(gpus: f64, own: f64) -> f64 {
        let mut used = UsedEnergy::default();
        used.machine_power[Component::Gpu] = gpus;
        used.process_power[Component::Gpu] = own;
        let total = Amounts {
            machine: Joules(1000.0),
            process: Joules(250.0),
            machine_power: Watts(1000.0),
            process_power: Watts(250.0),
        };
        let mut increment = Increment { total, ..Increment::default() };
        WallMeter::new(&total, &used).charge(&mut increment);
        increment.total.process.0
    }

    #[test]
    fn what_gpus_take_is_charged_to_those_who_use_them() {
        let cases = [(0.0, 0.0, 250.0), (800.0, 0.0, 50.0), (800.0, 400.0, 450.0)];
        for (gpus, own, expected) in cases {
            assert!((energy(gpus, own) - expected).abs() < 1e-9, "{gpus} {own}");
        }
        assert!((energy(2000.0, 2000.0) - 1000.0).abs() < 1e-9, "never more than the meter");
    }
}
