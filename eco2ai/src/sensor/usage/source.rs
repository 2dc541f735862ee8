//! What a source of usage reports to the meter.

use std::sync::Arc;
use std::time::Duration;

/// CPU time and memory, of the machine and of this process with its children. What a platform
/// does not report is `None`, never 0.
///
/// ```
/// use std::time::Duration;
///
/// use eco2ai::sensor::Usage;
///
/// let mut usage = Usage::default(); // nothing is known
/// usage.cpus = 2.0;
/// usage.own_cpu = Some(Duration::from_secs(3));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Usage {
    /// CPU time that the process and its children have used since some moment in the past; never
    /// falls.
    pub own_cpu: Option<Duration>,
    /// CPU time that all processes have used (user, nice, system, irq, softirq) since some moment
    /// in the past; never falls.
    pub busy_cpu: Option<Duration>,
    /// Logical CPUs: the CPU time that the machine can give per unit of time.
    pub cpus: f64,
    /// Resident memory of the process and its children in bytes.
    pub own_memory: Option<u64>,
    /// Used memory of the machine in bytes.
    pub used_memory: Option<u64>,
}

/// A clock of a process's CPU time, shared by the threads that ask. It never falls.
pub type CpuClock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// Reports the usage. The meter has one for the machine it runs on; a test brings its own.
///
/// ```
/// use eco2ai::sensor::{Usage, UsageSource};
///
/// /// Uses nothing of a machine with four CPUs.
/// struct Idle;
///
/// impl UsageSource for Idle {
///     fn read(&mut self) -> Usage {
///         let mut usage = Usage::default();
///         usage.cpus = 4.0;
///         usage
///     }
///
///     fn refresh(&mut self) {}
///
///     fn processes(&self) -> &[u32] {
///         &[]
///     }
/// }
/// ```
pub trait UsageSource: Send {
    /// The usage now. Called at each reading, so it is cheap: children and memory may be those of
    /// the last [`refresh`](Self::refresh).
    fn read(&mut self) -> Usage;

    /// Searches for children anew and reads the memory figures. Called when measuring begins and once
    /// per measuring period: a child that is found later than the first time is charged with all
    /// it has used.
    fn refresh(&mut self);

    /// The ids of the process and its children as of the last refresh.
    fn processes(&self) -> &[u32];

    /// The CPU time of the process, without its children, where it can be had within a
    /// microsecond: by it the meter knows how busy a run was that is too short for a reading of its
    /// own. Asked once.
    fn cpu_clock(&self) -> Option<CpuClock> {
        None
    }
}
