//! A limit on the CPU time that a repeated task may take at once.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The clock is read once per this number of steps: it costs a tenth of a step.
const CLOCK_INTERVAL: u32 = 16;

/// A limit on the CPU time of this thread. Time in which other threads have the CPU does not count,
/// so a busy machine does not make a task incomplete.
#[derive(Debug)]
pub(super) struct CpuLimit {
    limit: Duration,
    begun: Option<Duration>,
    steps: u32,
}

impl CpuLimit {
    /// A limit that begins at the first step. No clock is read before.
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit, begun: None, steps: 0 }
    }

    /// Begins now.
    pub(super) fn start(&mut self) {
        self.begun = Some(thread_cpu_time());
    }

    /// Counts a step that is about to begin, and returns whether there is no time left for it. At
    /// least one step is always allowed.
    pub(super) fn is_reached(&mut self) -> bool {
        self.begun.get_or_insert_with(thread_cpu_time);
        self.steps += 1;
        self.steps.is_multiple_of(CLOCK_INTERVAL) && self.used() >= self.limit
    }

    /// The CPU time since the first step.
    pub(super) fn used(&self) -> Duration {
        self.begun.map_or(Duration::ZERO, |begun| thread_cpu_time().saturating_sub(begun))
    }
}

fn thread_cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    let nanoseconds = u32::try_from(now.tv_nsec).unwrap_or(0);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), nanoseconds)
}
