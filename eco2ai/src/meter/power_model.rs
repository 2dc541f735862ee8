//! How the process's power follows its CPU time between two readings.

use std::time::Duration;

use super::energies::Energies;
use crate::units::Watts;

/// How the process's part of a device's power scales between two readings.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum ScalesWith {
    /// Time alone.
    #[default]
    Time,
    /// The process's share of the busy CPU time.
    CpuShare,
    /// The process's CPU time: this is the power of one busy CPU.
    CpuTime(Watts),
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
    /// The process's power in watts over an interval in which its CPU time went on to `own_cpu`.
    pub(super) fn power(&self, own_cpu: Duration, passed: Duration) -> Energies {
        let used = own_cpu.saturating_sub(self.own_cpu).as_secs_f64() / passed.as_secs_f64();
        let own = used + self.children;
        self.steady + self.shared * cpu_share(own, self.others) + self.per_cpu * own
    }
}

/// The process's part of the busy CPU time, where it and the others have used so much.
pub(super) fn cpu_share(own: f64, others: f64) -> f64 {
    if own > 0.0 { own / (own + others) } else { 0.0 }
}
