//! [`Run`]: one tracked stretch of work.

use std::sync::Arc;

use super::active::{ActiveRun, RunHandle, Subject};
use crate::error::Result;
use crate::log::{Record, Status};

/// A run that is being tracked: stop it to get its record. Dropping it stops it too.
///
/// It is the innermost run of the thread that started it, until it stops: tracked functions that
/// this thread calls meanwhile run under it. In an `async` function use `#[track]` instead, which
/// knows when the function is being polled.
#[must_use = "dropping a run stops it"]
#[derive(Debug)]
pub struct Run {
    subject: Arc<Subject>,
    active: Option<Box<ActiveRun>>,
}

impl Run {
    pub(super) fn start(subject: &Arc<Subject>) -> Result<Self> {
        let active = (!crate::disable::disabled())
            .then(|| ActiveRun::start(subject, subject.rows()))
            .transpose()?;
        Ok(Self { subject: Arc::clone(subject), active })
    }

    /// Names the run, so that work on other threads can be put under it with
    /// [`TrackerBuilder::parent`](crate::TrackerBuilder::parent) or `parent = …` of the attribute.
    pub fn handle(&self) -> RunHandle {
        self.active.as_ref().map(|active| active.handle()).unwrap_or_default()
    }

    /// The record as it stands: id, energy, CO2 and cost so far. Its status is `interrupted`, as
    /// it would be if the process died now.
    pub fn so_far(&self) -> Record {
        self.active
            .as_ref()
            .and_then(|active| active.record())
            .unwrap_or_else(|| self.subject.nothing())
    }

    /// Stops the run and writes its row. Where tracking is off (`ECO2AI_DISABLE`), nothing is
    /// written and the record says `none` of each method.
    ///
    /// # Errors
    /// Where the row could not be written.
    pub fn stop(self) -> Result<Record> {
        self.finish(Status::Ok)
    }

    /// As [`stop`](Self::stop), where what ran has failed: the row's status is `error`.
    ///
    /// # Errors
    /// Where the row could not be written.
    pub fn fail(self) -> Result<Record> {
        self.finish(Status::Error)
    }

    fn finish(mut self, status: Status) -> Result<Record> {
        self.active
            .take()
            .and_then(|active| active.finish(status))
            .unwrap_or_else(|| Ok(self.subject.nothing()))
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if let Some(active) = self.active.take() {
            active.finish_on_drop();
        }
    }
}
