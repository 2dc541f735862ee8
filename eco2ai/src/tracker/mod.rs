//! The public face: a [`Tracker`] holds parameters, a [`Run`] is one tracked stretch of work.

mod active;
mod facts;
mod run;
mod totals;
mod training;

use std::path::PathBuf;
use std::sync::Arc;

pub use active::RunHandle;
pub(crate) use active::{ActiveRun, Subject};
pub use run::Run;
pub use training::Training;

use crate::carbon::Pricing;
use crate::error::Result;
use crate::meter::Meter;
use crate::settings::{CpuProcesses, EncodeFile, Params, Rows, Settings};

/// Parameters for runs, checked once.
#[derive(Clone, Debug)]
pub struct Tracker {
    subject: Arc<Subject>,
}

/// Collects the parameters of a [`Tracker`]; what is not given comes from the environment, else
/// from the saved parameters, else from the defaults.
#[derive(Clone, Debug, Default)]
pub struct TrackerBuilder {
    pub(crate) params: Params,
    pub(crate) parent: Option<RunHandle>,
    meter: Option<Meter>,
}

impl TrackerBuilder {
    /// The project that the runs belong to.
    #[must_use]
    pub fn project(mut self, project: impl Into<String>) -> Self {
        self.params.project = Some(project.into());
        self
    }

    /// What the runs are about.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.params.description = Some(description.into());
        self
    }

    /// The CSV file that gets the rows; made absolute when a run starts.
    #[must_use]
    pub fn file(mut self, file: impl Into<PathBuf>) -> Self {
        self.params.file = Some(file.into());
        self
    }

    /// Seconds between two readings, 0.01 to 3600.
    #[must_use]
    pub fn measure_period(mut self, seconds: impl Into<f64>) -> Self {
        self.params.measure_period = Some(seconds.into());
        self
    }

    /// ISO 3166 alpha-2 or alpha-3 code, or English name.
    #[must_use]
    pub fn country(mut self, country: impl Into<String>) -> Self {
        self.params.country = Some(country.into());
        self
    }

    /// ISO 3166-2 code or name of a region; needs a country.
    #[must_use]
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.params.region = Some(region.into());
        self
    }

    /// Cloud region as `provider:region`, such as `gcp:europe-west1`; sets the place and, unless
    /// given, the PUE.
    #[must_use]
    pub fn cloud(mut self, cloud: impl Into<String>) -> Self {
        self.params.cloud = Some(cloud.into());
        self
    }

    /// Carbon intensity of the electricity in kg/MWh, which is gCO2e/kWh; 0 or more.
    #[must_use]
    pub fn emission_level(mut self, kg_per_mwh: impl Into<f64>) -> Self {
        self.params.emission_level = Some(kg_per_mwh.into());
        self
    }

    /// Power usage effectiveness of the data centre: energy of the whole centre per energy of its
    /// computers, 1 or more.
    #[must_use]
    pub fn pue(mut self, pue: impl Into<f64>) -> Self {
        self.params.pue = Some(pue.into());
        self
    }

    /// Price of electricity per kWh, in a currency of your own.
    #[must_use]
    pub fn electricity_pricing(mut self, pricing: impl Into<Pricing>) -> Self {
        self.params.electricity_pricing = Some(pricing.into());
        self
    }

    /// Whose energy the runs are charged with: `"current"` or `"all"`, or a [`CpuProcesses`].
    #[must_use]
    pub fn cpu_processes(mut self, cpu_processes: CpuProcesses) -> Self {
        self.params.cpu_processes = Some(cpu_processes);
        self
    }

    /// How many rows a tracked function leaves.
    #[must_use]
    pub fn rows(mut self, rows: Rows) -> Self {
        self.params.rows = Some(rows);
        self
    }

    /// Whether an obfuscated copy of each row is written, and where.
    #[must_use]
    pub fn encode_file(mut self, encode_file: impl Into<EncodeFile>) -> Self {
        self.params.encode_file = Some(encode_file.into());
        self
    }

    /// Whether warnings are kept silent.
    #[must_use]
    pub fn ignore_warnings(mut self, ignore: bool) -> Self {
        self.params.ignore_warnings = Some(ignore);
        self
    }

    /// The run under which the new runs run, where it is not the innermost one of the thread.
    #[must_use]
    pub fn parent(mut self, parent: RunHandle) -> Self {
        self.parent = Some(parent);
        self
    }

    /// The meter to go by, where it is not the process's.
    #[must_use]
    pub fn meter(mut self, meter: &Meter) -> Self {
        self.meter = Some(meter.clone());
        self
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// Names the parameter, its value and what is allowed.
    pub fn build(self) -> Result<Tracker> {
        let settings = Arc::new(Settings::resolve(&self.params)?);
        Ok(Tracker { subject: Arc::new(Subject::new(settings, None, self.meter, self.parent)) })
    }
}

impl Tracker {
    /// Starts to collect parameters.
    pub fn builder() -> TrackerBuilder {
        TrackerBuilder::default()
    }

    /// Starts a run.
    ///
    /// # Errors
    /// Where the log is a file of another kind.
    pub fn start(&self) -> Result<Run> {
        Ok(Run::start(&self.subject))
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
        Ok(Training::start(&self.subject, first_epoch))
    }
}
