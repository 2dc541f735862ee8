//! The parameters: where each value comes from, and what they amount to.
//!
//! A parameter is an argument, else a variable `ECO2AI_*` of the environment, else saved, else the
//! default. Environment and saved file are read once per process; what this process saves itself
//! counts from then on. A wrong value in either is reported once and the next source serves, but a
//! wrong argument is an error.

mod list;
mod params;
mod saved;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::carbon::place::Place;
use crate::carbon::tariff::Tariff;
use crate::error::{Error, Result};
use crate::locks::{Lock, Rank};
use crate::own_code;
use crate::report;

pub use list::{Origin, ParameterInForce, ParametersInForce, get_params};
pub use params::{CpuProcesses, EncodeFile, Params, Rows};

use params::NAMES;

const DEFAULT_PROJECT: &str = "default project name";
const DEFAULT_DESCRIPTION: &str = "default experiment description";
const DEFAULT_FILE: &str = "emission.csv";
const DEFAULT_MEASURE_PERIOD_S: f64 = 1.0;
const DEFAULT_PUE: f64 = 1.0;

/// The parameters of one tracker, each resolved: argument, else environment, else saved, else
/// default.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) project: String,
    pub(crate) description: String,
    /// As given; made absolute when a run starts.
    pub(crate) file: PathBuf,
    pub(crate) measure_period: Duration,
    pub(crate) place: Place,
    pub(crate) pue: f64,
    pub(crate) tariff: Option<Tariff>,
    pub(crate) cpu_processes: CpuProcesses,
    pub(crate) rows: Rows,
    pub(crate) encode_file: EncodeFile,
    pub(crate) ignore_warnings: bool,
}

impl Settings {
    /// Fills in what `given` leaves open and checks every value; where nothing is given, without
    /// copying anything.
    pub(crate) fn shared(given: &Params) -> Result<Arc<Self>> {
        let sources = Sources::current();
        // Now, and not when they were read: this tracker may want no warnings, and the next one may.
        report::quietly(given.ignore_warnings == Some(true), || sources.report());
        if *given == Params::default() {
            return Ok(Arc::clone(&sources.settings));
        }
        sources.settings_with(given).map(Arc::new)
    }

    fn new(params: &Params) -> Result<Self> {
        let place = params.place()?;
        let seconds = params.measure_period.unwrap_or(DEFAULT_MEASURE_PERIOD_S);
        Ok(Self {
            project: params.project.clone().unwrap_or_else(|| DEFAULT_PROJECT.into()),
            description: params.description.clone().unwrap_or_else(|| DEFAULT_DESCRIPTION.into()),
            file: params.file.clone().unwrap_or_else(|| DEFAULT_FILE.into()),
            measure_period: period(seconds),
            pue: params.pue.or(place.cloud_pue).unwrap_or(DEFAULT_PUE),
            place,
            tariff: params.electricity_pricing.as_ref().map(Tariff::new).transpose()?,
            cpu_processes: params.cpu_processes.unwrap_or_default(),
            rows: params.rows.unwrap_or_default(),
            encode_file: params.encode_file.clone().unwrap_or_default(),
            ignore_warnings: params.ignore_warnings.unwrap_or(false),
        })
    }
}

/// Whether no warnings are wanted where no argument says so.
pub(crate) fn ignore_warnings() -> bool {
    Sources::current().settings.ignore_warnings
}

/// A number that changes when what this process saves changes the settings: whoever keeps
/// settings reads it before resolving them, and resolves again when it is another one.
pub(crate) fn generation() -> u64 {
    GENERATION.load(Ordering::Acquire)
}

/// Saves the parameters that `given` names, for this and later processes; what it leaves open
/// stays as saved. A country or a cloud region replaces the whole place that was saved.
///
/// They go to `eco2ai/params.toml` in the user's configuration folder, or to the file that
/// `ECO2AI_CONFIG` names. Any number of processes may save at once.
///
/// # Errors
/// Where a value is wrong, or the file cannot be used: then it is left as it is.
pub fn save(given: &Params) -> Result<()> {
    given.check()?;
    if given.country.is_some() || given.cloud.is_some() {
        given.check_place()?;
    }
    if let Some(file) = &given.file
        && file.to_str().is_none()
    {
        return Err(Error::Parameter {
            parameter: "file",
            value: file.display().to_string(),
            reason: "only a name in UTF-8 can be saved".to_owned(),
        });
    }
    change_saved(|saved| *saved = given.over(saved))
}

/// Forgets the saved values of the parameters `names`, for this and later processes. A name that
/// is not saved is no error.
///
/// # Errors
/// Where no parameter has such a name, or the file cannot be used: then it is left as it is.
pub fn unset(names: &[impl AsRef<str>]) -> Result<()> {
    for name in names {
        if !NAMES.contains(&name.as_ref()) {
            return Err(params::unknown(name.as_ref()));
        }
    }
    change_saved(|saved| {
        for name in names {
            saved.unset(name.as_ref());
        }
    })
}

/// The file of saved parameters, whether it is there or not: the one that `ECO2AI_CONFIG` names,
/// else `eco2ai/params.toml` in the user's configuration folder.
///
/// # Errors
/// Where the system does not tell that folder.
pub fn saved_path() -> Result<PathBuf> {
    saved::path(std::env::var_os("ECO2AI_CONFIG"))
}

/// Changes what is saved, for this and later processes.
fn change_saved(change: impl Fn(&mut Params)) -> Result<()> {
    static SAVING: Lock<()> = Lock::new(Rank::SavedParameters, ());
    let _section = own_code::enter();
    let path = saved_path()?;
    let _one_at_a_time = SAVING.lock();
    let old = Sources::current();
    old.report();
    let saved = saved::update(&path, change)?;
    if saved != old.saved {
        let new = Arc::new(Sources::new(old.environment.clone(), saved));
        *CURRENT.lock() = Some(Arc::clone(&new));
        GENERATION.fetch_add(1, Ordering::Release);
        new.report();
    }
    Ok(())
}

/// Saves those of the five parameters that a tracker remembers and `given` names: project,
/// description, file, measuring period and PUE.
///
/// # Errors
/// As [`save`].
pub(crate) fn remember(given: &Params) -> Result<()> {
    let remembered = Params {
        project: given.project.clone(),
        description: given.description.clone(),
        file: given.file.clone(),
        measure_period: given.measure_period,
        pue: given.pue,
        ..Params::default()
    };
    if remembered == Params::default() { Ok(()) } else { save(&remembered) }
}

static CURRENT: Lock<Option<Arc<Sources>>> = Lock::new(Rank::Parameters, None);
static GENERATION: AtomicU64 = AtomicU64::new(0);

/// The sources below the arguments, read once, and what they amount to.
#[derive(Debug)]
struct Sources {
    environment: Params,
    saved: Params,
    /// Environment over saved, without what is wrong in either.
    params: Params,
    /// The settings where no argument is given.
    settings: Arc<Settings>,
    /// What is wrong, with the variable, or the file and the key.
    problems: Vec<String>,
}

impl Sources {
    /// Those of this process.
    fn current() -> Arc<Self> {
        if let Some(sources) = &*CURRENT.lock() {
            return Arc::clone(sources);
        }
        let _section = own_code::enter();
        let loaded = Arc::new(Self::load(
            std::env::vars_os(),
            saved::path(std::env::var_os("ECO2AI_CONFIG")).ok(),
        ));
        Arc::clone(CURRENT.lock().get_or_insert(loaded))
    }

    fn load(variables: impl Iterator<Item = (OsString, OsString)>, file: Option<PathBuf>) -> Self {
        let (environment, mut problems) = from_environment(variables);
        let (saved, wrong) = file.map(|file| saved::read(&file)).unwrap_or_default();
        problems.extend(wrong.iter().map(|error| error.with_causes().to_string()));
        let mut sources = Self::new(environment, saved);
        problems.append(&mut sources.problems);
        sources.problems = problems;
        sources
    }

    /// Both sources hold checked values; but the environment's region may be none of the country
    /// that goes with it.
    fn new(mut environment: Params, mut saved: Params) -> Self {
        let mut problems = Vec::new();
        loop {
            let params = environment.over(&saved);
            match Settings::new(&params) {
                Ok(settings) => {
                    let settings = Arc::new(settings);
                    return Self { environment, saved, params, settings, problems };
                }
                Err(error) => {
                    problems.push(format!("ECO2AI_REGION: {error}"));
                    if environment.region.take().is_none() {
                        // The defaults always do.
                        environment = Params::default();
                        saved = Params::default();
                    }
                }
            }
        }
    }

    fn settings_with(&self, given: &Params) -> Result<Settings> {
        given.check()?;
        let mut settings = Settings::clone(&self.settings);
        let elsewhere = given.country.is_some()
            || given.region.is_some()
            || given.cloud.is_some()
            || given.emission_level.is_some();
        if elsewhere {
            settings.place = given.over(&self.params).place()?;
        }
        let known_pue = given.pue.or(self.params.pue);
        settings.pue = known_pue.or(settings.place.cloud_pue).unwrap_or(DEFAULT_PUE);
        if let Some(project) = &given.project {
            settings.project.clone_from(project);
        }
        if let Some(description) = &given.description {
            settings.description.clone_from(description);
        }
        if let Some(file) = &given.file {
            settings.file.clone_from(file);
        }
        if let Some(seconds) = given.measure_period {
            settings.measure_period = period(seconds);
        }
        if let Some(pricing) = &given.electricity_pricing {
            settings.tariff = Some(Tariff::new(pricing)?);
        }
        if let Some(encode_file) = &given.encode_file {
            settings.encode_file.clone_from(encode_file);
        }
        settings.cpu_processes = given.cpu_processes.unwrap_or(settings.cpu_processes);
        settings.rows = given.rows.unwrap_or(settings.rows);
        settings.ignore_warnings = given.ignore_warnings.unwrap_or(settings.ignore_warnings);
        Ok(settings)
    }

    fn report(&self) {
        if !self.settings.ignore_warnings {
            for problem in &self.problems {
                report::warn_once(problem);
            }
        }
    }
}

/// The parameters among the variables, and what is wrong with others there. An empty variable is
/// as good as none.
fn from_environment(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> (Params, Vec<String>) {
    let mut params = Params::default();
    let mut problems = Vec::new();
    for (variable, value) in variables {
        let Some(variable) = variable.to_str() else { continue };
        let Some(name) = variable.strip_prefix("ECO2AI_") else { continue };
        let name = name.to_lowercase();
        if !NAMES.contains(&name.as_str()) {
            // Other variables have other uses; only what looks like a slip is one.
            if let Some(meant) = params::suggestion(&name) {
                let meant = meant.to_uppercase();
                problems.push(format!("{variable}: did you mean ECO2AI_{meant}?"));
            }
        } else if value.to_str().is_none() {
            problems.push(format!("{variable}: it is not UTF-8"));
        } else if let Some(text) = value.to_str().filter(|text| !text.is_empty())
            && let Err(error) = params.set_text(&name, text)
        {
            problems.push(format!("{variable}: {error}"));
        }
    }
    (params, problems)
}

/// A checked number of seconds.
fn period(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::from_secs(1))
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "values are taken over, not computed")]
mod tests;
