//! How the process's power follows its CPU time between two readings.

use std::time::Duration;

use super::cpu_time::CpuTime;
use super::energies::Energies;
use crate::sensor::Component;
use crate::units::Watts;

/// How the process's part of a device's power scales between two readings: the sum of three parts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Scaling {
    /// Power that scales with time alone.
    pub(super) steady: Watts,
    /// Power of the device of which the process has its share of the busy CPU time.
    pub(super) shared: Watts,
    /// Power of one busy CPU, which scales with the process's CPU time.
    pub(super) per_cpu: Watts,
}

impl Scaling {
    pub(super) fn steady(steady: Watts) -> Self {
        Self { steady, ..Self::default() }
    }

    pub(super) fn shared(shared: Watts) -> Self {
        Self { shared, ..Self::default() }
    }
}

/// What the process's energy follows until the next reading, so that a run that is too short for
/// a reading of its own gets its part by CPU time rather than by time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PowerModel {
    /// CPU time of the process at the reading, without its children.
    pub(super) own_cpu: Duration,
    /// CPUs that its children keep busy.
    pub(super) children: f64,
    /// CPUs that other processes keep busy.
    pub(super) others: f64,
    /// Power in watts that scales with time alone.
    pub(super) steady: Energies,
    /// Power in watts, of which the process has its share of the busy CPU time.
    pub(super) shared: Energies,
    /// Power in watts of one busy CPU.
    pub(super) per_cpu: Energies,
}

impl PowerModel {
    /// Adds the power of a device. If its idle part is known, that is the part which does not scale
    /// with the CPU time.
    pub(super) fn add(&mut self, component: Component, scaling: Scaling, knows_idle: bool) {
        let Scaling { steady, shared, per_cpu } = scaling;
        self.steady[component] += steady.0;
        self.shared[component] += shared.0;
        self.per_cpu[component] += per_cpu.0;
        if knows_idle {
            *self.steady.idle_mut() += steady.0;
            *self.shared.idle_mut() += shared.0;
        }
    }

    /// The process's power in watts while it keeps this many CPUs busy itself.
    pub(super) fn power(&self, cpus: f64) -> Energies {
        self.steady + self.above_steady(cpus)
    }

    /// The part of that power which follows the CPU time.
    fn above_steady(&self, cpus: f64) -> Energies {
        let own = cpus + self.children;
        self.shared * cpu_share(own, self.others) + self.per_cpu * own
    }

    /// The part of each energy used over an interval that was used while runs were active. They were
    /// for `active_time`, a part of the time. What scales with the time is divided by time, what
    /// follows the CPU time is divided by that.
    pub(super) fn active_parts(
        &self,
        interval: Duration,
        active_time: f64,
        cpu_time: &CpuTime,
    ) -> Energies {
        let seconds = interval.as_secs_f64();
        let (used, active) = cpu_time.used_and_active();
        let (of_children, all) = (self.children * seconds, used + self.children * seconds);
        if all <= 0.0 {
            return Energies::all(active_time);
        }
        let active_cpu = (active + of_children * active_time) / all;
        let moving = self.above_steady(used / seconds);
        let active = self.steady * active_time + moving * active_cpu;
        let part = |active: f64, all: f64| if all > 0.0 { active / all } else { active_time };
        active.zip(self.steady + moving, part)
    }
}

/// The process's part of the busy CPU time, where it and the others have used so much.
pub(super) fn cpu_share(own: f64, others: f64) -> f64 {
    if own > 0.0 { own / (own + others) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_model_goes_on_as_its_next_reading_will_show() {
        let mut model = PowerModel { children: 0.25, others: 1.0, ..PowerModel::default() };
        let scaling = Scaling { shared: Watts(20.0), per_cpu: Watts(40.0), ..Scaling::default() };
        model.add(Component::Cpu, scaling, true);
        // Three quarters of a CPU for two seconds, beside the children.
        let power = model.power(0.75);
        let idle = 20.0 * 1.0 / (1.0 + 1.0);
        assert!((power.idle().0 - idle).abs() < 1e-9, "{power:?}");
        assert!((power[Component::Cpu] - (idle + 40.0)).abs() < 1e-9, "{power:?}");
    }

    #[test]
    fn no_idle_power_is_known_of_a_counter_or_of_a_load_alone() {
        let mut model = PowerModel::default();
        model.add(Component::Cpu, Scaling::shared(Watts(90.0)), false);
        model.add(Component::Cpu, Scaling { per_cpu: Watts(4.0), ..Scaling::default() }, false);
        let power = model.power(1.0);
        assert!((power[Component::Cpu] - 94.0).abs() < 1e-9);
        assert!(power.idle().0.abs() < 1e-9);
    }
}
