//! [`Run`]: one tracked piece of work on one thread.

use std::marker::PhantomData;
use std::sync::{Arc, MutexGuard};

use super::config::RunConfig;
use super::handle::RunHandle;
use super::held::HeldRun;
use crate::error::Result;
use crate::log::Record;
use crate::status::Status;

/// A run that is being tracked: stop it to get its record. Dropping it stops it too.
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
/// It is the innermost run of the thread that started it, until it stops: tracked functions that
/// this thread calls meanwhile run under it. So it cannot leave that thread, and cannot be held over
/// an `.await` of a task that may move:
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
/// For such work there is [`DetachedRun`](crate::DetachedRun), and `#[track]` on an `async`
/// function.
#[must_use = "dropping a run stops it"]
#[derive(Debug)]
pub struct Run {
    run: HeldRun,
    not_send: PhantomData<MutexGuard<'static, ()>>,
}

impl Run {
    pub(super) fn start(config: &Arc<RunConfig>) -> Self {
        let run = HeldRun::start(config, config.rows(), false);
        Self { run, not_send: PhantomData }
    }

    /// Names the run, so that work on other threads can be put under it with
    /// [`TrackerBuilder::parent`](crate::TrackerBuilder::parent) or `parent = …` of the attribute.
    pub fn handle(&self) -> RunHandle {
        self.run.handle()
    }

    /// The record as it stands: id, energy, CO2 and cost so far. Its status is `interrupted`, as
    /// it would be if the process died now.
    pub fn snapshot(&self) -> Record {
        self.run.snapshot()
    }

    /// Stops the run and writes its row. Where tracking is off (`ECO2AI_DISABLE`), nothing is
    /// written and the record says `none` of each method.
    ///
    /// # Errors
    /// Where the row could not be written.
    pub fn stop(self) -> Result<Record> {
        self.run.finish(Status::Ok)
    }

    /// As [`stop`](Self::stop), where what ran has failed: the row's status is `error`.
    ///
    /// # Errors
    /// Where the row could not be written.
    pub fn fail(self) -> Result<Record> {
        self.run.finish(Status::Error)
    }

    /// Stops the run without a row, where nothing came of it. What ran under it keeps its rows.
    pub fn discard(self) {
        self.run.discard();
    }
}
