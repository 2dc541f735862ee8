//! [`DetachedRun`]: a run of work that moves between threads.

use std::future::poll_fn;
use std::marker::PhantomData;
use std::pin::pin;
use std::sync::{Arc, MutexGuard};

use super::active::ActiveRun;
use super::config::RunConfig;
use super::handle::RunHandle;
use super::held::HeldRun;
use crate::error::Result;
use crate::log::Record;
use crate::status::Status;

/// A run that is on no thread until it is entered: for work that moves between threads, such as a
/// task of an `async` runtime, and for work that waits.
///
/// While a thread has entered it, it is the innermost run of that thread: what it uses is charged to
/// this run, and tracked functions that it calls run under it. Dropping it stops it.
///
/// ```
/// # fn main() -> eco2ai::Result<()> {
/// # let folder = std::env::temp_dir().join(format!("eco2ai-detached-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// let tracker = eco2ai::Tracker::builder().file(folder.join("emission.csv")).forget().build()?;
///
/// let run = tracker.start_detached()?;
/// std::thread::scope(|scope| {
///     scope.spawn(|| {
///         let _entered = run.enter();
///         // … work
///     });
/// });
/// println!("{}", run.stop()?);
/// # std::fs::remove_dir_all(folder).unwrap();
/// # Ok(())
/// # }
/// ```
#[must_use = "dropping a run stops it"]
#[derive(Debug)]
pub struct DetachedRun {
    run: HeldRun,
}

impl DetachedRun {
    pub(super) fn start(config: &Arc<RunConfig>) -> Self {
        Self { run: HeldRun::start(config, config.rows(), true) }
    }

    /// Makes the run the innermost one of this thread until the guard is dropped. A run is on one
    /// thread at a time: where it is on one already, this changes nothing.
    pub fn enter(&self) -> Entered<'_> {
        let entered = self.run.active().filter(|active| active.enter());
        Entered { active: entered, not_send: PhantomData }
    }

    /// Polls `future` to its end in this run: the run is entered during each poll and stopped at the
    /// end. If what this returns is dropped before, the run's status is `cancelled`; if the future
    /// panics, it is `panicked`. A row that cannot be written is reported as a warning.
    ///
    /// ```
    /// # async fn answer() -> u8 { 42 }
    /// # async fn serve(tracker: eco2ai::Tracker) -> eco2ai::Result<()> {
    /// let run = tracker.start_detached()?;
    /// let answer = run.track(answer()).await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn track<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
        self.poll_to_end(future, |_| Status::Ok)
    }

    /// As [`track`](Self::track), where an `Err` makes the status `error`.
    ///
    /// # Errors
    /// Those of the future.
    pub fn try_track<T, E, F>(self, future: F) -> impl Future<Output = std::result::Result<T, E>>
    where
        F: Future<Output = std::result::Result<T, E>>,
    {
        self.poll_to_end(future, |value| if value.is_ok() { Status::Ok } else { Status::Error })
    }

    fn poll_to_end<F: Future>(
        self,
        future: F,
        status: fn(&F::Output) -> Status,
    ) -> impl Future<Output = F::Output> {
        /// Ends the run where the future is dropped, or panics, before its end.
        struct Unfinished(DetachedRun);
        impl Drop for Unfinished {
            fn drop(&mut self) {
                if let Some(active) = self.0.run.take() {
                    active.finish_unless_unwinding(Status::Cancelled);
                }
            }
        }
        let mut run = Unfinished(self);
        async move {
            let mut future = pin!(future);
            let value = poll_fn(|context| {
                let _entered = run.0.enter();
                future.as_mut().poll(context)
            })
            .await;
            if let Some(active) = run.0.run.take() {
                active.finish_quietly(status(&value));
            }
            value
        }
    }

    /// Names the run, as [`Run::handle`](crate::Run::handle) does.
    pub fn handle(&self) -> RunHandle {
        self.run.handle()
    }

    /// The record as it stands, as [`Run::snapshot`](crate::Run::snapshot).
    pub fn snapshot(&self) -> Record {
        self.run.snapshot()
    }

    /// Stops the run and writes its row, as [`Run::stop`](crate::Run::stop).
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
}

/// While it lives, a [`DetachedRun`] is the innermost run of the thread that entered it. It cannot
/// leave that thread.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let tracker = eco2ai::Tracker::builder().file(folder.path().join("emission.csv")).forget().build()?;
/// let run = tracker.start_detached()?;
/// {
///     let _entered = run.enter();
///     // what this thread uses now is charged to the run
/// }
/// run.stop()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "dropping it leaves the run"]
#[derive(Debug)]
pub struct Entered<'a> {
    /// `None` where the run was on a thread already, or tracking is off.
    active: Option<&'a ActiveRun>,
    not_send: PhantomData<MutexGuard<'static, ()>>,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        if let Some(active) = self.active {
            active.exit();
        }
    }
}
