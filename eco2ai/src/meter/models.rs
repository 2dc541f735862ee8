//! The models of processors and memory: a known power times the usage.

use std::time::Duration;

use super::increment::{Amounts, Increment, Late};
use super::power_model::Scaling;
use super::usage_window::UsageChange;
use crate::sensor::SensorError;
use crate::units::Watts;

/// The step in which the kernel accounts for a CPU's busy time.
const BUSY_GRAIN: Duration = Duration::from_millis(10);

const GIB: f64 = 1_073_741_824.0;

/// A power that grows with the utilisation of the processor, from the idle power to that at full
/// load. The process's part of the growth is exact even where the machine's own account of its busy
/// time is too coarse.
#[derive(Clone, Copy, Debug)]
pub(super) struct CpuLoad {
    /// The idle power, which is shared like that of a counter; `None` if it is not charged.
    pub(super) idle: Option<Watts>,
    pub(super) at_full_load: Watts,
    read_at: Option<Duration>,
    /// The CPU time that was counted before the kernel's busy time, which has coarse steps, included
    /// it.
    ahead: Duration,
}

impl CpuLoad {
    /// Makes a model that counts from `since`, or from its first reading.
    pub(super) fn new(since: Option<Duration>) -> Self {
        Self { idle: None, at_full_load: Watts::ZERO, read_at: since, ahead: Duration::ZERO }
    }

    /// Takes in the usage up to `now`. The process is charged with `share` of the idle power;
    /// `by_cpu_time` says whether this is its share of the busy CPU time.
    pub(super) fn read(
        &mut self,
        now: Duration,
        usage: &UsageChange,
        share: f64,
        by_cpu_time: bool,
    ) -> Result<Increment, SensorError> {
        let last = self.read_at.replace(now);
        let passed = last.map_or(Duration::ZERO, |last| now.saturating_sub(last));
        let idle_power = self.idle.unwrap_or(Watts::ZERO);
        let idle = Amounts {
            machine: idle_power * passed,
            process: idle_power * passed * share,
            machine_power: idle_power,
            process_power: idle_power * share,
        };
        let per_cpu = (self.at_full_load - idle_power) / usage.now.cpus.max(1.0);
        let load = self.load(passed, per_cpu, usage)?;
        let scaling = if by_cpu_time {
            Scaling::shared(idle_power)
        } else {
            Scaling::steady(idle.process_power)
        };
        Ok(Increment {
            total: Amounts {
                machine: idle.machine + load.machine,
                process: idle.process + load.process,
                machine_power: idle.machine_power + load.machine_power,
                process_power: idle.process_power + load.process_power,
            },
            idle: self.idle.map(|_| idle),
            scaling: Scaling { per_cpu, ..scaling },
            late: Late::default(),
        })
    }

    /// The energy beyond the idle power, at the power `per_cpu` of one busy CPU.
    fn load(
        &mut self,
        passed: Duration,
        per_cpu: Watts,
        usage: &UsageChange,
    ) -> Result<Amounts, SensorError> {
        if passed.is_zero() {
            // There is no earlier reading: assumes one busy CPU, the current one.
            return Ok(Amounts {
                machine_power: per_cpu,
                process_power: per_cpu,
                ..Amounts::default()
            });
        }
        let own = usage
            .own_cpu
            .ok_or_else(|| SensorError::Missing("the CPU time of the process is unknown".into()))?;
        // The machine was busy for at least the time of the process. The kernel's busy time may
        // include it later, since it has coarse steps.
        let reported = usage.busy_cpu.unwrap_or(own);
        let busy = reported.saturating_sub(self.ahead).max(own);
        let grain = BUSY_GRAIN.mul_f64(usage.now.cpus.clamp(1.0, 1e4));
        self.ahead = self.ahead.saturating_add(busy).saturating_sub(reported).min(grain);
        let (machine, process) = (per_cpu * busy, per_cpu * own);
        Ok(Amounts {
            machine,
            process,
            machine_power: Watts(machine.0 / passed.as_secs_f64()),
            process_power: Watts(process.0 / passed.as_secs_f64()),
        })
    }
}

/// The power of a GiB times the memory in use.
#[derive(Clone, Copy, Debug)]
pub(super) struct MemoryInUse {
    pub(super) per_gibibyte: Watts,
    read_at: Option<Duration>,
}

impl MemoryInUse {
    /// Makes a model that counts from `since`, or from its first reading.
    pub(super) fn new(per_gibibyte: Watts, since: Option<Duration>) -> Self {
        Self { per_gibibyte, read_at: since }
    }

    pub(super) fn read(
        &mut self,
        now: Duration,
        usage: &UsageChange,
    ) -> Result<Increment, SensorError> {
        let own = usage.now.own_memory.ok_or_else(|| {
            SensorError::Missing("the resident memory of the process is unknown".into())
        })?;
        let used = usage.now.used_memory.unwrap_or(own).max(own);
        let (machine_power, process_power) =
            (self.per_gibibyte * (used as f64 / GIB), self.per_gibibyte * (own as f64 / GIB));
        let last = self.read_at.replace(now);
        let passed = last.map_or(Duration::ZERO, |last| now.saturating_sub(last));
        let total = Amounts {
            machine: machine_power * passed,
            process: process_power * passed,
            machine_power,
            process_power,
        };
        Ok(Increment { total, scaling: Scaling::steady(process_power), ..Increment::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensor::Usage;

    /// Ten seconds in which the process kept one of four CPUs busy, and others another one.
    fn ten_seconds(busy_cpu: Option<Duration>) -> UsageChange {
        UsageChange {
            own_cpu: Some(Duration::from_secs(10)),
            busy_cpu,
            cpu_share: Some(0.5),
            now: Usage { cpus: 4.0, ..Usage::default() },
            ..UsageChange::default()
        }
    }

    fn read(idle: Option<Watts>, by_cpu_time: bool, usage: &UsageChange) -> Increment {
        let mut model = CpuLoad { idle, at_full_load: Watts(100.0), ..CpuLoad::new(None) };
        model.read(Duration::ZERO, usage, 0.5, by_cpu_time).unwrap();
        model.read(Duration::from_secs(10), usage, 0.5, by_cpu_time).unwrap()
    }

    fn assert_near(one: f64, other: f64) {
        assert!((one - other).abs() < 1e-9, "{one} for {other}");
    }

    #[test]
    fn the_idle_power_is_shared_and_the_load_is_that_of_each() {
        let Increment { total, idle, scaling, .. } =
            read(Some(Watts(20.0)), true, &ten_seconds(Some(Duration::from_secs(20))));
        let idle = idle.unwrap();
        assert_near(total.machine.0, 200.0 + 20.0 * 20.0);
        assert_near(total.process.0, 100.0 + 20.0 * 10.0);
        assert_near(idle.machine.0, 200.0);
        assert_near(idle.process.0, 100.0);
        assert_near(total.machine_power.0, 60.0);
        assert_near(idle.process_power.0, 10.0);
        let expected = Scaling { shared: Watts(20.0), per_cpu: Watts(20.0), steady: Watts::ZERO };
        assert_eq!(scaling, expected);
    }

    #[test]
    fn without_an_idle_power_only_the_load_is_charged() {
        let Increment { total, idle, scaling, .. } =
            read(None, true, &ten_seconds(Some(Duration::from_secs(20))));
        assert_near(total.process.0, 25.0 * 10.0);
        assert_eq!(idle, None);
        assert_eq!(scaling, Scaling { per_cpu: Watts(25.0), ..Scaling::default() });
    }

    #[test]
    fn where_the_share_is_not_by_cpu_time_the_idle_power_goes_on_steadily() {
        let Increment { scaling, .. } = read(Some(Watts(20.0)), false, &ten_seconds(None));
        assert_eq!(
            scaling,
            Scaling { steady: Watts(10.0), per_cpu: Watts(20.0), shared: Watts::ZERO }
        );
    }
}
