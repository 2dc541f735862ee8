//! [`Training`]: a run with a row per epoch.

use std::fmt::Display;
use std::marker::PhantomData;
use std::sync::{Arc, MutexGuard};

use super::config::RunConfig;
use super::handle::RunHandle;
use super::held::HeldRun;
use crate::error::Result;
use crate::log::{Record, epoch_text};
use crate::settings::Rows;
use crate::status::Status;

/// A training that is being tracked: one row per epoch, with the energy since the previous epoch.
///
/// Dropping the training stops it too. Like a [`Run`](crate::Run), it is not `Send`.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("emission.csv");
/// let tracker = eco2ai::Tracker::builder().project("MNIST").file(&file).forget().build()?;
///
/// let mut training = tracker.start_training()?;
/// for epoch in 1..=3 {
///     // … train
///     let row = training.new_epoch([("loss", 1.0 / f64::from(epoch))])?;
///     println!("{row}");
/// }
/// println!("the whole training: {}", training.stop()?);
///
/// let epochs: Vec<_> = eco2ai::read_log(&file)?.map(|row| row.map(|row| row.epoch)).collect();
/// assert_eq!(epochs[1].as_deref(), Ok("epoch: 2, loss: 0.5, "));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "dropping a training stops it"]
#[derive(Debug)]
pub struct Training {
    run: HeldRun,
    epoch: u64,
    not_send: PhantomData<MutexGuard<'static, ()>>,
}

impl Training {
    pub(super) fn start(config: &Arc<RunConfig>, first_epoch: u64) -> Self {
        let run = HeldRun::start(config, None, Some(Rows::Each), false);
        Self { run, epoch: first_epoch, not_send: PhantomData }
    }

    /// Returns a handle to the training. See [`Run::handle`](crate::Run::handle).
    pub fn handle(&self) -> RunHandle {
        self.run.handle()
    }

    /// Returns the record of the whole training so far.
    pub fn snapshot(&self) -> Record {
        self.run.snapshot()
    }

    /// Ends an epoch, and writes and returns its row. The row has the energy since the previous
    /// epoch, and the metrics in Eco2AI's form, `epoch: 3, loss: 0.1, `.
    ///
    /// # Errors
    /// Returns [`Error::Write`](crate::Error::Write), [`Error::NotALog`](crate::Error::NotALog) or
    /// [`Error::Parameter`](crate::Error::Parameter) if the obfuscated copy cannot be written. A row
    /// that the log cannot take waits in a journal, which a warning reports.
    pub fn new_epoch<K: Display, V: Display>(
        &mut self,
        metrics: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Record> {
        let Some(active) = self.run.active() else { return Ok(self.run.nothing()) };
        let metrics: Vec<_> = metrics
            .into_iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect();
        let epoch = epoch_text(self.epoch, &metrics);
        self.epoch = self.epoch.saturating_add(1);
        active.write_epoch(epoch).unwrap_or_else(|| Ok(self.run.nothing()))
    }

    /// Stops the training and returns the record of the whole training. The part after the last
    /// epoch gets a row whose epoch is `N/A`, unless that part is shorter than a millisecond. A
    /// training without epochs has this row only.
    ///
    /// # Errors
    /// Returns [`Error::Write`](crate::Error::Write), [`Error::NotALog`](crate::Error::NotALog) or
    /// [`Error::Parameter`](crate::Error::Parameter) if the obfuscated copy cannot be written. A row
    /// that the log cannot take waits in a journal, which a warning reports.
    pub fn stop(self) -> Result<Record> {
        self.run.finish(Status::Ok)
    }

    /// Same as [`stop`](Self::stop), for a training that failed: the part after the last epoch gets
    /// a row with the status `error`, even if it is shorter than a millisecond.
    ///
    /// # Errors
    /// Returns [`Error::Write`](crate::Error::Write), [`Error::NotALog`](crate::Error::NotALog) or
    /// [`Error::Parameter`](crate::Error::Parameter) if the obfuscated copy cannot be written. A row
    /// that the log cannot take waits in a journal, which a warning reports.
    pub fn fail(self) -> Result<Record> {
        self.run.finish(Status::Error)
    }
}
