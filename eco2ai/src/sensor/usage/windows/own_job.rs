//! The job object that this process has made for itself and its children.

use std::sync::OnceLock;

use winsafe::HPROCESS;

use crate::foreign_functions::{JobObject, JobUsage};

/// Not a job that another program has made: it may put processes there that are not children of this one.
static OWN: OnceLock<Option<JobObject>> = OnceLock::new();

/// Puts this process into a new job object, and thereby all processes that it and its children start from
/// now on. The CPU time of all of them is then charged, however short they are. Does nothing if Windows
/// refuses.
///
/// For a program whose purpose is to run others. To be called before anything is measured. The library
/// never does it by itself: a program can see that it is in a job.
pub(crate) fn enter_own_job() {
    OWN.get_or_init(JobObject::with_this_process);
}

/// The CPU time of the processes in the job of this process.
#[derive(Debug)]
pub(super) struct OwnJob {
    object: &'static JobObject,
    /// Ticks that its processes had used at the start.
    before: u64,
    /// Ticks since then of the processes that were found one by one. The job has also those of
    /// processes that ended too soon to be found.
    pub(super) found: u64,
    found_processes: u32,
}

/// What is charged of the job.
#[derive(Debug, Default)]
pub(super) struct JobCharge {
    pub(super) ticks: u64,
    /// Whether processes are missing from it.
    pub(super) is_partial: bool,
}

impl OwnJob {
    /// Returns the job if this process has entered one.
    pub(super) fn entered() -> Option<Self> {
        let object = OWN.get()?.as_ref()?;
        Some(Self { object, before: 0, found: 0, found_processes: 0 })
    }

    /// Charges nothing of what was used up to now.
    pub(super) fn start(&mut self) {
        self.before = self.object.usage().map_or(0, |it| it.cpu_time);
        self.found = 0;
    }

    /// Takes note of a process that was found. Returns whether it is in the job, as all are but those
    /// that were started with `CREATE_BREAKAWAY_FROM_JOB`.
    pub(super) fn add(&mut self, process: &HPROCESS) -> bool {
        let is_in = self.object.contains(process.ptr()).unwrap_or(true);
        self.found_processes += u32::from(is_in);
        is_in
    }

    /// Returns what is charged. The processes that were found have to be read before.
    pub(super) fn charged(&self) -> JobCharge {
        match self.object.usage() {
            Some(JobUsage { cpu_time: ticks @ 1.., .. }) => {
                JobCharge { ticks: ticks.saturating_sub(self.before), is_partial: false }
            }
            // Wine counts the processes, but not their times.
            usage => {
                let is_missing = usage.is_none_or(|it| it.processes > self.found_processes);
                JobCharge { ticks: self.found, is_partial: is_missing && self.found > 0 }
            }
        }
    }
}
