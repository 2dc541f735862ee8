//! [`Run`]: a tracked piece of work on one thread.

use std::marker::PhantomData;
use std::sync::{Arc, MutexGuard};

use super::config::RunConfig;
use super::handle::RunHandle;
use super::held::HeldRun;
use crate::error::Result;
use crate::log::Record;
use crate::status::Status;

/// A run that is being tracked. Stop the run to get its record; dropping it stops it too.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let tracker = eco2ai::Tracker::builder().file(folder.path().join("emission.csv")).forget().build()?;
/// let run = tracker.start()?;
/// println!("so far {}", run.snapshot());
/// match std::fs::read("no such file") {
///     Ok(_) => run.stop()?,
///     Err(_) => run.fail()?, // the row's status is `error`
/// };
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Until it stops, a `Run` is the innermost run of the thread that started it: tracked functions
/// that the thread calls become its children. So a `Run` is not `Send`, and cannot be held across
/// an `.await` in a task that may move to another thread:
///
/// ```compile_fail,E0277
/// fn moves(_: impl Send) {}
///
/// async fn serve(tracker: eco2ai::Tracker) {
///     let run = tracker.start();
///     std::future::ready(()).await;
///     drop(run);
/// }
///
/// moves(serve(eco2ai::Tracker::builder().build().unwrap()));
/// ```
///
/// For such work, use a [`DetachedRun`](crate::DetachedRun), or `#[track]` on an `async` function.
#[must_use = "dropping a run stops it"]
#[derive(Debug)]
pub struct Run {
    run: HeldRun,
    not_send: PhantomData<MutexGuard<'static, ()>>,
}

impl Run {
    pub(super) fn start(config: &Arc<RunConfig>) -> Self {
        let run = HeldRun::start(config, None, None, false);
        Self { run, not_send: PhantomData }
    }

    /// Returns a handle to the run, to make it the parent of runs on other threads with
    /// [`TrackerBuilder::parent`](crate::TrackerBuilder::parent) or with `parent = …` in the attribute.
    pub fn handle(&self) -> RunHandle {
        self.run.handle()
    }

    /// Returns the record of the run so far: its id, energy, CO2 and cost. The status is
    /// `interrupted`, as in the row if the process died now.
    pub fn snapshot(&self) -> Record {
        self.run.snapshot()
    }

    /// Stops the run, writes its row and returns the record. If tracking is off
    /// (`ECO2AI_DISABLE`), nothing is written and each method in the record is `none`.
    ///
    /// # Errors
    /// Returns [`Error::Write`](crate::Error::Write), [`Error::NotALog`](crate::Error::NotALog) or
    /// [`Error::Parameter`](crate::Error::Parameter) if the obfuscated copy cannot be written. A row
    /// that the log cannot take waits in a journal, which a warning reports.
    pub fn stop(self) -> Result<Record> {
        self.run.finish(Status::Ok)
    }

    /// Same as [`stop`](Self::stop), but the row's status is `error`, for work that failed.
    ///
    /// # Errors
    /// Returns [`Error::Write`](crate::Error::Write), [`Error::NotALog`](crate::Error::NotALog) or
    /// [`Error::Parameter`](crate::Error::Parameter) if the obfuscated copy cannot be written. A row
    /// that the log cannot take waits in a journal, which a warning reports.
    pub fn fail(self) -> Result<Record> {
        self.run.finish(Status::Error)
    }

    /// Stops the run without writing a row. The rows of its child runs are kept.
    pub fn discard(self) {
        self.run.discard();
    }
}
