//! [`Usage`] and [`UsageSource`]: CPU time and memory of the machine and the process.

use std::sync::Arc;
use std::time::Duration;

/// CPU time and memory of the machine, and of this process with its children. A value that the
/// platform does not report is `None`, never 0.
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
    /// The CPU time that the process and its children have used since a fixed moment in the past.
    /// Never decreases.
    pub own_cpu: Option<Duration>,
    /// The CPU time that all processes of the machine have used (user, nice, system, irq, softirq)
    /// since a fixed moment in the past. Never decreases.
    pub busy_cpu: Option<Duration>,
    /// The number of logical CPUs of the machine. A quota or an affinity does not change it.
    pub cpus: f64,
    /// The memory of the process and its children, in bytes: their resident memory, with pages that
    /// processes share divided among them as far as this is known.
    pub own_memory: Option<u64>,
    /// The used memory of the machine, in bytes. May be some seconds old where it was said
    /// [not to be needed](UsageSource::need_machine_memory).
    pub used_memory: Option<u64>,
    /// Whether CPU time or memory of some children is missing from `own_cpu` or `own_memory`. The
    /// row then has the mark `:partial`.
    pub is_partial: bool,
    /// Whether `busy_cpu` and `used_memory` are only those of the container in which the process
    /// runs, because those of the machine are hidden. Then no energy is shared by them: the share of
    /// the process is unknown, and figures of the whole machine are marked `:partial`.
    pub of_container: bool,
    /// The CPU time of the process, without its children, at the same moment as `own_cpu`; `None` if
    /// its clock was not asked.
    pub(crate) process_cpu: Option<Duration>,
}

/// A clock of the CPU time of a process, shared by threads. Never decreases.
pub type CpuClock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// A source of [`Usage`]. The meter of the process has one for this machine; a test provides its
/// own.
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
    /// Returns the current usage. Called at each reading, so it must be cheap: children and memory
    /// may be those of the last [`refresh`](Self::refresh).
    fn read(&mut self) -> Usage;

    /// Searches for children and reads the memory figures. Called when measuring begins and once
    /// per measuring period. All CPU time of a child that a later call finds is charged to the
    /// process.
    fn refresh(&mut self);

    /// Says whether [`used_memory`](Usage::used_memory) is needed as of the last
    /// [`refresh`](Self::refresh): a run of the whole machine is active, or energy is shared by memory.
    /// Where it is not, its last value is good enough for ten seconds, so that a source need not read it.
    /// Called before each reading. Does nothing by default.
    fn need_machine_memory(&mut self, is_needed: bool) {
        let _ = is_needed;
    }

    /// Reads how much of their memory processes share. This may take long, so it is only called from
    /// the meter's own thread, after [`refresh`](Self::refresh) and at most once per measuring
    /// period. Does nothing by default.
    fn refresh_shared_memory(&mut self) {}

    /// Returns the ids of the process and its children as of the last refresh.
    fn processes(&self) -> &[u32];

    /// Returns a clock of the CPU time of the process, without its children, if it can be read
    /// within a microsecond. The meter uses it for runs that are too short for a reading of their
    /// own. Called once.
    fn cpu_clock(&self) -> Option<CpuClock> {
        None
    }
}
