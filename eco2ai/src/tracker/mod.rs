//! The public face: a [`Tracker`] holds parameters, a [`Run`] is one tracked stretch of work.

mod active;
mod config;
mod context;
mod detached;
mod held;
mod open_runs;
mod run;
mod sums;
mod training;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Once};

pub(crate) use active::ActiveRun;
pub use active::RunHandle;
pub(crate) use config::RunConfig;
pub use detached::{DetachedRun, Entered};
pub use run::Run;
pub use training::Training;

use crate::argument::{Argument, Refused, Seconds};
use crate::carbon::Pricing;
use crate::error::Result;
use crate::log::{self, Record};
use crate::meter::Meter;
use crate::own_code;
use crate::report::{quietly, warn_once};
use crate::settings::{CpuProcesses, EncodeFile, Params, Rows, Settings};

/// Parameters for runs, checked once.
#[derive(Clone, Debug)]
pub struct Tracker {
    config: Arc<RunConfig>,
}

/// Collects the parameters of a [`Tracker`]; what is not given comes from the environment, else
/// from the saved parameters, else from the defaults.
#[derive(Clone, Debug, Default)]
pub struct TrackerBuilder {
    pub(crate) params: Params,
    pub(crate) parent: Option<RunHandle>,
    meter: Option<Meter>,
    function: Option<Arc<str>>,
    forget: bool,
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

    /// All parameters that `params` names, over those given before.
    #[must_use]
    pub fn params(mut self, params: &Params) -> Self {
        self.params = params.over(&self.params);
        self
    }

    /// What is tracked, as it stands in the column `function`; `#[track]` has the function's path
    /// there.
    #[must_use]
    pub fn function(mut self, function: impl Into<Arc<str>>) -> Self {
        self.function = Some(function.into());
        self
    }

    /// The run under which the new runs run, where it is not the innermost one of the thread.
    #[must_use]
    pub fn parent(mut self, parent: RunHandle) -> Self {
        self.parent = Some(parent);
        self
    }

    /// Keeps [`build`](Self::build) from remembering the project, the description, the file, the
    /// period and the PUE that are given here for later trackers, of this and of other processes.
    #[must_use]
    pub fn forget(mut self) -> Self {
        self.forget = true;
        self
    }

    /// The meter to go by, where it is not the process's.
    #[must_use]
    pub fn meter(mut self, meter: &Meter) -> Self {
        self.meter = Some(meter.clone());
        self
    }

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

    /// What these parameters make, without remembering any; `function` is what will be tracked.
    pub(crate) fn resolve(&self, function: Option<Arc<str>>) -> Result<Arc<RunConfig>> {
        self.check_arguments()?;
        let settings = Settings::shared(&self.params)?;
        let (meter, parent) = (self.meter.clone(), self.parent.clone());
        Ok(Arc::new(RunConfig::new(settings, function, meter, parent)))
    }

    /// Whether no warnings are wanted.
    pub(crate) fn ignores_warnings(&self) -> bool {
        self.params.ignore_warnings.unwrap_or_else(crate::settings::ignore_warnings)
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

/// Writes now what would be written later: the rows of functions with `rows = "total"`, which
/// otherwise come when their parent run or the process ends, and rows that wait because their log
/// could not be written. Later calls of such a function begin a new row.
///
/// Does nothing where it is called from within the library, as by the program's logger.
///
/// # Errors
/// The first row that still cannot be written; it goes on waiting.
pub fn flush() -> Result<()> {
    let Some(_section) = own_code::enter_from_outside() else { return Ok(()) };
    sums::flush().and(log::flush())
}

/// Gives the state of all long runs, and of the sums, to the journals of their logs. Called by the
/// meter's thread once per period.
fn keep_open(meter: &Meter) {
    let mut files: HashSet<PathBuf> = sums::files(meter).into_iter().collect();
    files.extend(open_runs::on_meter(meter).iter().map(|run| run.context.file.clone()));
    for file in files {
        log::keep(&file, || {
            let runs = open_runs::on_meter(meter);
            let on_file = runs.iter().filter(|run| run.context.file == file);
            let mut states: Vec<Record> = on_file.filter_map(|run| run.state()).collect();
            states.extend(sums::states(meter, &file));
            states
        });
    }
}

/// Makes sure that what is open when the process ends normally gets its row.
fn close_at_exit() {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| crate::exit::at_exit(close_all));
}

/// Closes all open runs as `interrupted`, and writes what waits.
fn close_all() {
    sums::interrupt_all();
    open_runs::interrupt_all();
    open_runs::wait_for_rows();
    if let Err(error) = sums::flush() {
        warn_once(&error);
    }
    log::close();
}
