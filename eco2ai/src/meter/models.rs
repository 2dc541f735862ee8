//! The models of processors and memory: a known power times the usage.

use std::time::Duration;

use super::increment::Increment;
use super::power_model::ScalesWith;
use super::usage_window::UsageChange;
use crate::sensor::SensorError;
use crate::units::Watts;

/// The step in which the kernel accounts for a CPU's busy time.
const BUSY_GRAIN: Duration = Duration::from_millis(10);

const GIB: f64 = 1_073_741_824.0;

/// A processor's power at full load times its utilisation. The process's part is exact even where
/// the machine's own account of its busy time is too coarse.
#[derive(Clone, Copy, Debug)]
pub(super) struct CpuLoad {
    pub(super) at_full_load: Watts,
    read_at: Option<Duration>,
    /// CPU time of the machine that was counted before the kernel's coarse account of it showed
    /// it.
    ahead: Duration,
}

impl CpuLoad {
    /// Makes a model that counts from `since`, or from its first reading.
    pub(super) fn new(at_full_load: Watts, since: Option<Duration>) -> Self {
        Self { at_full_load, read_at: since, ahead: Duration::ZERO }
    }

    pub(super) fn read(
        &mut self,
        now: Duration,
        usage: &UsageChange,
    ) -> Result<Increment, SensorError> {
        let per_cpu = self.at_full_load / usage.now.cpus.max(1.0);
        let passed = self.read_at.replace(now).map(|last| now.saturating_sub(last));
        let Some(passed) = passed.filter(|passed| !passed.is_zero()) else {
            // Until there is something to compare with: one busy CPU, the one that asks.
            return Ok(Increment {
                machine_power: per_cpu,
                process_power: per_cpu,
                scales_with: ScalesWith::CpuTime(per_cpu),
                ..Increment::default()
            });
        };
        let own = usage
            .own_cpu
            .ok_or_else(|| SensorError::Missing("the CPU time of the process is unknown".into()))?;
        // What the process is known to have used the machine has used too, though its account,
        // which moves in steps, may show it later.
        let reported = usage.busy_cpu.unwrap_or(own);
        let busy = reported.saturating_sub(self.ahead).max(own);
        let grain = BUSY_GRAIN.mul_f64(usage.now.cpus.clamp(1.0, 1e4));
        self.ahead = self.ahead.saturating_add(busy).saturating_sub(reported).min(grain);
        let (machine, process) = (per_cpu * busy, per_cpu * own);
        Ok(Increment {
            machine,
            process,
            machine_power: Watts(machine.0 / passed.as_secs_f64()),
            process_power: Watts(process.0 / passed.as_secs_f64()),
            scales_with: ScalesWith::CpuTime(per_cpu),
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
        Ok(Increment {
            machine: machine_power * passed,
            process: process_power * passed,
            machine_power,
            process_power,
            scales_with: ScalesWith::Time,
        })
    }
}
