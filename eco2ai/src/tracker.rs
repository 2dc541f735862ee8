//! The public face: a [`Tracker`] holds parameters, a [`Run`] is one tracked stretch of work.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, FixedOffset, Local};

use crate::argument::{Argument, Refused, Seconds};
use crate::carbon::Pricing;
use crate::error::Result;
use crate::log::{Record, Status, file};
use crate::settings::{CpuProcesses, EncodeFile, Params, Rows, Settings};
use crate::units::{KilogramsCo2e, KilowattHours};

/// Parameters for runs, checked once.
#[derive(Clone, Debug)]
pub struct Tracker {
    settings: Arc<Settings>,
}

/// Collects the parameters of a [`Tracker`]; what is not given comes from the environment, else
/// from the saved parameters, else from the defaults.
#[derive(Clone, Debug, Default)]
pub struct TrackerBuilder {
    pub(crate) params: Params,
    pub(crate) parent: Option<RunHandle>,
    /// The first argument that could not be converted; told by [`resolve`](Self::resolve).
    refused: Option<Refused>,
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

    /// Seconds between two readings, 0.01 to 3600; or a [`Duration`](std::time::Duration).
    #[must_use]
    pub fn measure_period(mut self, seconds: impl Argument<Seconds>) -> Self {
        self.params.measure_period = self.convert(seconds).map(|Seconds(seconds)| seconds);
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
    pub fn emission_level(mut self, kg_per_mwh: impl Argument<f64>) -> Self {
        self.params.emission_level = self.convert(kg_per_mwh);
        self
    }

    /// Power usage effectiveness of the data centre: energy of the whole centre per energy of its
    /// computers, 1 or more.
    #[must_use]
    pub fn pue(mut self, pue: impl Argument<f64>) -> Self {
        self.params.pue = self.convert(pue);
        self
    }

    /// Price of electricity per kWh, in a currency of your own.
    #[must_use]
    pub fn electricity_pricing(mut self, pricing: impl Argument<Pricing>) -> Self {
        self.params.electricity_pricing = self.convert(pricing);
        self
    }

    /// Whose energy the runs are charged with: `"current"` or `"all"`, or a [`CpuProcesses`].
    #[must_use]
    pub fn cpu_processes(mut self, cpu_processes: impl Argument<CpuProcesses>) -> Self {
        self.params.cpu_processes = self.convert(cpu_processes);
        self
    }

    /// How many rows a tracked function leaves.
    #[must_use]
    pub fn rows(mut self, rows: impl Argument<Rows>) -> Self {
        self.params.rows = self.convert(rows);
        self
    }

    /// Whether an obfuscated copy of each row is written, and where.
    #[must_use]
    pub fn encode_file(mut self, encode_file: impl Argument<EncodeFile>) -> Self {
        self.params.encode_file = self.convert(encode_file);
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

    /// Checks the parameters.
    ///
    /// # Errors
    /// Names the parameter, its value and what is allowed.
    pub fn build(self) -> Result<Tracker> {
        Ok(Tracker { settings: Arc::new(self.resolve()?) })
    }

    /// The settings that these parameters make, without remembering any.
    pub(crate) fn resolve(&self) -> Result<Settings> {
        self.check_arguments()?;
        Settings::resolve(&self.params)
    }

    /// Whether every argument could be converted.
    pub(crate) fn check_arguments(&self) -> Result<()> {
        self.refused.clone().map_or(Ok(()), |refused| Err(refused.into_error()))
    }

    fn convert<T>(&mut self, argument: impl Argument<T>) -> Option<T> {
        match argument.convert() {
            Ok(value) => Some(value),
            Err(refused) => {
                self.refused.get_or_insert(refused);
                None
            }
        }
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
    /// None yet.
    pub fn start(&self) -> Result<Run> {
        Ok(Run { active: Some(ActiveRun::start(Arc::clone(&self.settings), None, None)?) })
    }
}

/// A run that is being tracked: stop it to get its record. Dropping it stops it too.
#[must_use = "dropping a run stops it"]
#[derive(Debug)]
pub struct Run {
    active: Option<ActiveRun>,
}

impl Run {
    /// Stops the run and writes its row.
    ///
    /// # Errors
    /// Where the row could not be written.
    pub fn stop(mut self) -> Result<Record> {
        match self.active.take() {
            Some(active) => active.finish(Status::Ok),
            None => unreachable!("only `stop` and `drop` take it"),
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if let Some(active) = self.active.take() {
            let status = if std::thread::panicking() { Status::Panicked } else { Status::Ok };
            if let Err(error) = active.finish(status) {
                crate::report::warn_once(&error);
            }
        }
    }
}

/// Names a run, so that work on another thread can be put under it.
#[derive(Clone, Debug)]
pub struct RunHandle {}

/// A run from its start to its end, whoever holds it: [`Run`], or a tracked function's guard.
#[derive(Debug)]
pub(crate) struct ActiveRun {
    settings: Arc<Settings>,
    function: Option<Arc<str>>,
    start_time: DateTime<FixedOffset>,
    started: Instant,
}

impl ActiveRun {
    /// Starts a run; its parent is the one given, else the innermost of this thread.
    #[allow(clippy::unnecessary_wraps)]
    pub(crate) fn start(
        settings: Arc<Settings>,
        function: Option<Arc<str>>,
        parent: Option<&RunHandle>,
    ) -> Result<Self> {
        let _ = parent;
        Ok(Self {
            settings,
            function,
            start_time: Local::now().fixed_offset(),
            started: Instant::now(),
        })
    }

    /// Makes it the innermost run of this thread.
    pub(crate) fn enter(&self) {}

    /// Undoes [`enter`](Self::enter).
    pub(crate) fn exit(&self) {}

    /// Ends the run and writes its row.
    pub(crate) fn finish(self, status: Status) -> Result<Record> {
        let settings = &self.settings;
        let record = Record {
            id: "0".into(),
            project: settings.project.clone(),
            description: settings.description.clone(),
            epoch: "N/A".into(),
            start_time: self.start_time,
            duration: self.started.elapsed(),
            power_consumption: KilowattHours(0.0),
            co2_emissions: KilogramsCo2e(0.0),
            cpu_name: String::new(),
            gpu_name: String::new(),
            os: std::env::consts::OS.into(),
            place: settings.place.label.clone(),
            cost: 0.0,
            parent_id: None,
            function: self.function.map(|name| name.to_string()),
            status,
            calls: 1,
            scope: settings.cpu_processes,
            own_energy: KilowattHours(0.0),
            own_co2: KilogramsCo2e(0.0),
            own_cost: 0.0,
            process_energy: KilowattHours(0.0),
            cpu_energy: None,
            gpu_energy: None,
            ram_energy: None,
            other_energy: None,
            cpu_method: "none".into(),
            gpu_method: "none".into(),
            ram_method: "none".into(),
            other_method: "none".into(),
            emission_level: settings.place.intensity,
            emission_source: settings.place.source.clone(),
            pue: settings.pue,
            hostname: String::new(),
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").into(),
        };
        file::append(&settings.file, &record)?;
        Ok(record)
    }
}
