//! [`Tracker`]: checked parameters, which start runs.

use std::path::PathBuf;
use std::sync::Arc;

use super::builder::TrackerBuilder;
use super::config::RunConfig;
use super::detached::DetachedRun;
use super::energy_counter::EnergyCounter;
use super::handle::RunHandle;
use super::run::Run;
use super::training::Training;
use crate::error::Result;
use crate::own_code;
use crate::report::{quietly, warn_once};

/// Starts runs with parameters that were checked once.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("emission.csv");
/// let tracker = eco2ai::Tracker::builder()
///     .project("MNIST")
///     .country("FR")
///     .pue(1.2)
///     .file(&file)
///     .forget() // otherwise this program remembers project, PUE and file
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
    /// Checks the parameters and builds the tracker. The project, the description, the file, the
    /// period and the PUE, if they are given, are remembered for later trackers of this program (its
    /// executable), as in Eco2AI; see [`forget`](Self::forget).
    ///
    /// # Errors
    /// Returns [`Error::Parameter`](crate::Error::Parameter) if a value is not allowed. The error
    /// names the parameter, its value and the allowed values.
    pub fn build(self) -> Result<Tracker> {
        let _section = own_code::enter();
        let config = self.resolve(self.function.clone())?;
        if !self.forget {
            quietly(config.ignores_warnings(), || {
                // The tracker works even if saving fails.
                crate::settings::remember(&self.params).unwrap_or_else(|error| warn_once(&error));
            });
        }
        Ok(Tracker { config })
    }
}

impl Tracker {
    /// Returns a builder without any parameters.
    pub fn builder() -> TrackerBuilder {
        TrackerBuilder::default()
    }

    /// Returns the log of a run that starts now, with its placeholders replaced. A relative path is
    /// relative to the working directory at the start of the run. A run under another one goes to the
    /// log of that one, unless the tracker was given a log.
    ///
    /// ```
    /// let tracker = eco2ai::Tracker::builder().file("logs/{pid}.csv").forget().build()?;
    /// let file = format!("logs/{}.csv", std::process::id());
    /// assert_eq!(tracker.file(), std::path::Path::new(&file));
    /// # Ok::<(), eco2ai::Error>(())
    /// ```
    pub fn file(&self) -> PathBuf {
        self.config.file().into_owned()
    }

    /// Returns the project of a run that is under no other.
    #[cfg(any(feature = "metrics", feature = "opentelemetry"))]
    pub(crate) fn project(&self) -> &str {
        &self.config.settings.project
    }

    /// Returns the power usage effectiveness of such a run.
    #[cfg(any(feature = "metrics", feature = "opentelemetry"))]
    pub(crate) fn pue(&self) -> f64 {
        self.config.settings.pue
    }

    /// Starts a run.
    ///
    /// If the log cannot be written, the run starts nevertheless: its row waits in a journal, and
    /// the problem is reported as a warning.
    ///
    /// # Errors
    /// Never returns an error at present.
    pub fn start(&self) -> Result<Run> {
        Ok(Run::start(&self.config))
    }

    /// Starts a run that is on no thread until a thread enters it, for work that moves between
    /// threads.
    ///
    /// # Errors
    /// Same as for [`start`](Self::start).
    pub fn start_detached(&self) -> Result<DetachedRun> {
        Ok(DetachedRun::start(&self.config, None))
    }

    /// Same as [`start_detached`](Self::start_detached), under the run that `parent` refers to instead of
    /// the innermost run of this thread. See [`Run::handle`].
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # let file = folder.path().join("emission.csv");
    /// # let tracker = eco2ai::Tracker::builder().file(file).forget().build()?;
    /// let request = tracker.start_detached()?;
    /// let query = tracker.start_detached_under(&request.handle())?;
    /// assert_eq!(query.stop()?.parent_id, Some(request.stop()?.id));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Same as for [`start`](Self::start).
    pub fn start_detached_under(&self, parent: &RunHandle) -> Result<DetachedRun> {
        Ok(DetachedRun::start(&self.config, Some(parent)))
    }

    /// Starts to count the energy of the process, without a run and a row.
    ///
    /// # Errors
    /// Same as for [`start`](Self::start).
    pub fn start_counter(&self) -> Result<EnergyCounter> {
        Ok(EnergyCounter::start(&self.config))
    }

    /// Starts a training, whose first epoch is number 1.
    ///
    /// # Errors
    /// Same as for [`start`](Self::start).
    pub fn start_training(&self) -> Result<Training> {
        self.start_training_at(1)
    }

    /// Starts a training whose first epoch has the given number, for example to continue an earlier
    /// training.
    ///
    /// # Errors
    /// Same as for [`start`](Self::start).
    pub fn start_training_at(&self, first_epoch: u64) -> Result<Training> {
        Ok(Training::start(&self.config, first_epoch))
    }
}
