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

/// A run that is on no thread until a thread enters it. It is meant for work that moves between
/// threads, such as a task of an `async` runtime, and for work that waits.
///
/// While a thread has entered the run, it is the innermost run of that thread: energy that the
/// thread uses is charged to the run, and tracked functions that the thread calls become its
/// children. Dropping the run stops it.
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
    pub(super) fn start(config: &Arc<RunConfig>, parent: Option<&RunHandle>) -> Self {
        Self { run: HeldRun::start(config, parent, None, true) }
    }

    /// Makes the run the innermost one of this thread until the guard is dropped. A run is on at
    /// most one thread at a time; if it is on one already, this has no effect.
    pub fn enter(&self) -> Entered<'_> {
        let entered = self.run.active().filter(|active| active.enter());
        Entered { active: entered, not_send: PhantomData }
    }

    /// Same as [`enter`](Self::enter), but without a guard: [`detach`](Self::detach) undoes it. It is meant
    /// for code that is called back when work begins and when it pauses, and so cannot keep a guard: a
    /// layer of `tracing`, or the hooks of a runtime.
    ///
    /// Returns whether this call has put the run on this thread. It has not if the run is on a thread
    /// already, or if tracking is off; then the caller must not call [`detach`](Self::detach).
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let tracker = eco2ai::Tracker::builder().file(folder.path().join("emission.csv")).forget().build()?;
    /// /// A task, and the callbacks of its runtime.
    /// struct Task(eco2ai::DetachedRun);
    ///
    /// impl Task {
    ///     fn before_poll(&self) -> bool {
    ///         self.0.attach()
    ///     }
    ///
    ///     fn after_poll(&self, attached: bool) {
    ///         if attached {
    ///             self.0.detach();
    ///         }
    ///     }
    /// }
    ///
    /// let task = Task(tracker.start_detached()?);
    /// let attached = task.before_poll();
    /// // energy that this thread uses now is charged to the run
    /// task.after_poll(attached);
    /// task.0.stop()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn attach(&self) -> bool {
        self.run.active().is_some_and(ActiveRun::enter)
    }

    /// Takes the run off the thread that it is on. See [`attach`](Self::attach).
    pub fn detach(&self) {
        if let Some(active) = self.run.active() {
            active.exit();
        }
    }

    /// Returns a future that polls `future` in this run: the run is entered during each poll, and
    /// stopped when `future` completes. If the returned future is dropped before, the run's status
    /// is `cancelled`; if `future` panics, the status is `panicked`. A row that cannot be written
    /// is reported as a warning.
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

    /// Same as [`track`](Self::track), but the status is `error` if the future returns an `Err`.
    ///
    /// # Errors
    /// Returns the error of the future.
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
        /// Ends the run if the future is dropped, or panics, before it completes.
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

    /// Returns a handle to the run. See [`Run::handle`](crate::Run::handle).
    pub fn handle(&self) -> RunHandle {
        self.run.handle()
    }

    /// Returns the record of the run so far. See [`Run::snapshot`](crate::Run::snapshot).
    pub fn snapshot(&self) -> Record {
        self.run.snapshot()
    }

    /// Stops the run with this status, or as `panicked` if a panic that began during the run is unwinding
    /// this thread. Unlike [`stop`](Self::stop) and [`fail`](Self::fail), this makes no record; a row that
    /// cannot be written is reported as a warning.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let file = folder.path().join("emission.csv");
    /// # let tracker = eco2ai::Tracker::builder().file(&file).forget().build()?;
    /// tracker.start_detached()?.end(eco2ai::Status::Cancelled);
    /// # let row = eco2ai::read_log(file)?.next().expect("a row")?;
    /// # assert_eq!(row.status, eco2ai::Status::Cancelled);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn end(mut self, status: Status) {
        if let Some(active) = self.run.take() {
            active.finish_unless_unwinding(status);
        }
    }

    /// Stops the run and writes its row. See [`Run::stop`](crate::Run::stop).
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
}

/// A guard that keeps a [`DetachedRun`] the innermost run of the thread that entered it. The guard
/// is not `Send`.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let tracker = eco2ai::Tracker::builder().file(folder.path().join("emission.csv")).forget().build()?;
/// let run = tracker.start_detached()?;
/// {
///     let _entered = run.enter();
///     // energy that this thread uses now is charged to the run
/// }
/// run.stop()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "dropping it leaves the run"]
#[derive(Debug)]
pub struct Entered<'a> {
    /// `None` if the run was on a thread already, or tracking is off.
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
