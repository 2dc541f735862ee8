//! [`Tracker`]: parameters, checked once, with which runs are started.

use std::sync::Arc;

use super::builder::TrackerBuilder;
use super::config::RunConfig;
use super::detached::DetachedRun;
use super::run::Run;
use super::training::Training;
use crate::error::Result;
use crate::own_code;
use crate::report::{quietly, warn_once};

/// Parameters for runs, checked once.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("emission.csv");
/// let tracker = eco2ai::Tracker::builder()
///     .project("MNIST")
///     .country("FR")
///     .pue(1.2)
///     .file(&file)
///     .forget() // otherwise later trackers of this user begin with these parameters
///     .build()?;
///
/// let run = tracker.start()?;
/// let answer = (1..=1000_u64).sum::<u64>(); // what is measured
/// let record = run.stop()?;
/// assert_eq!(record.place, "FR");
/// # assert_eq!(answer, 500_500);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Tracker {
    config: Arc<RunConfig>,
}

impl TrackerBuilder {
    /// Checks the parameters, and remembers the project, the description, the file, the period and
    /// the PUE that are given here for later trackers, as Eco2AI does; see [`forget`](Self::forget).
    ///
    /// # Errors
    /// Names the parameter, its value and what is allowed.
    pub fn build(self) -> Result<Tracker> {
        let _section = own_code::enter();
        let config = self.resolve(self.function.clone())?;
        if !self.forget {
            quietly(config.ignores_warnings(), || {
                // The tracker works all the same.
                crate::settings::remember(&self.params).unwrap_or_else(|error| warn_once(&error));
            });
        }
        Ok(Tracker { config })
    }
}

impl Tracker {
    /// Starts to collect parameters.
    pub fn builder() -> TrackerBuilder {
        TrackerBuilder::default()
    }

    /// Starts a run.
    ///
    /// A log that cannot take its row is reported as a warning, and the row waits in a journal: that
    /// is no reason not to run.
    ///
    /// # Errors
    /// None at present.
    pub fn start(&self) -> Result<Run> {
        Ok(Run::start(&self.config))
    }

    /// Starts a run that is on no thread until it is entered, for work that moves between threads.
    ///
    /// # Errors
    /// As for [`start`](Self::start).
    pub fn start_detached(&self) -> Result<DetachedRun> {
        Ok(DetachedRun::start(&self.config))
    }

    /// Starts a training, whose first epoch is number 1.
    ///
    /// # Errors
    /// As for [`start`](Self::start).
    pub fn start_training(&self) -> Result<Training> {
        self.start_training_at(1)
    }

    /// Starts a training whose first epoch has the given number, as one that goes on with an
    /// earlier one does.
    ///
    /// # Errors
    /// As for [`start`](Self::start).
    pub fn start_training_at(&self, first_epoch: u64) -> Result<Training> {
        Ok(Training::start(&self.config, first_epoch))
    }
}
