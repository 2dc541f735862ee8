//! The environment and the saved parameters; saving.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::params::{self, Params};
use super::resolve::Settings;
use super::saved;
use crate::error::{Error, Result};
use crate::locks::{Lock, Rank};
use crate::own_code;
use crate::report;
use crate::sensor::GivenPower;

impl Settings {
    /// Resolves `given` over the environment and the saved parameters, and checks every value.
    /// Copies nothing if nothing is given.
    ///
    /// # Errors
    /// Returns [`Error::Parameter`] if a value of `given` is invalid.
    pub(crate) fn shared(given: &Params) -> Result<Arc<Self>> {
        let sources = Sources::current();
        // Now, and not when they were read: this tracker may want no warnings, and the next one
        // may.
        report::quietly(given.ignore_warnings == Some(true), || sources.report());
        if *given == Params::default() {
            return Ok(Arc::clone(&sources.settings));
        }
        sources.settings_with(given).map(Arc::new)
    }
}

/// Returns whether warnings are suppressed if no argument decides.
pub(crate) fn ignore_warnings() -> bool {
    Sources::current().settings.ignore_warnings
}

/// Returns the power of devices that is given if no argument decides.
pub(crate) fn given_power() -> GivenPower {
    Sources::current().settings.power
}

/// Returns a number that changes when this process saves other parameters. Code that keeps settings
/// reads the number before it resolves them, and resolves them again when the number has changed.
pub(crate) fn generation() -> u64 {
    GENERATION.load(Ordering::Acquire)
}

/// Saves the parameters that are given in `given`, for this and later processes. Other saved
/// parameters keep their values, except that a country or a cloud region replaces the whole saved
/// place.
///
/// The parameters are written to `eco2ai/params.toml` in the user's configuration folder, or to the
/// file that `ECO2AI_CONFIG` names. Any number of processes may save at the same time.
///
/// ```no_run
/// let mut params = eco2ai::Params::default();
/// params.country = Some("FR".into());
/// eco2ai::save_params(&params)?;
/// # Ok::<(), eco2ai::Error>(())
/// ```
///
/// # Errors
/// Returns [`Error::Parameter`] if a value is invalid, and [`Error::Saved`] if the file cannot be
/// read or written. In both cases the file is left unchanged.
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

/// Removes the saved values of the parameters `names`, for this and later processes. Parameters
/// without a saved value are ignored.
///
/// ```no_run
/// eco2ai::unset_params(&["country", "pue"])?;
/// # Ok::<(), eco2ai::Error>(())
/// ```
///
/// # Errors
/// Returns [`Error::UnknownParameter`] if a name is not that of a parameter, and [`Error::Saved`]
/// if the file cannot be read or written. In both cases the file is left unchanged.
pub fn unset(names: &[impl AsRef<str>]) -> Result<()> {
    for name in names {
        if !Params::names().any(|known| known == name.as_ref()) {
            return Err(params::unknown(name.as_ref()));
        }
    }
    change_saved(|saved| {
        for name in names {
            saved.unset(name.as_ref());
        }
    })
}

/// Returns the path of the file of saved parameters, which need not exist: the one that
/// `ECO2AI_CONFIG` names, else `eco2ai/params.toml` in the user's configuration folder.
///
/// ```
/// println!("{}", eco2ai::saved_params_path()?.display());
/// # Ok::<(), eco2ai::Error>(())
/// ```
///
/// # Errors
/// Returns [`Error::Saved`] if the user has no configuration folder.
pub fn saved_path() -> Result<PathBuf> {
    saved::path(std::env::var_os("ECO2AI_CONFIG"))
}

/// Changes the saved parameters, for this and later processes.
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

/// Saves the parameters in `given` that a tracker saves: project, description, file, measuring
/// period and PUE.
///
/// # Errors
/// Same as for [`save`].
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

/// The environment and the saved parameters, read once, and their resolved settings.
#[derive(Debug)]
pub(super) struct Sources {
    pub(super) environment: Params,
    pub(super) saved: Params,
    /// The environment merged over the saved parameters, without invalid values.
    pub(super) params: Params,
    /// The settings if no argument is given.
    pub(super) settings: Arc<Settings>,
    /// Invalid values, with the variable, or the file and the key.
    pub(super) problems: Vec<String>,
}

impl Sources {
    /// Returns the sources of this process.
    pub(super) fn current() -> Arc<Self> {
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

    pub(super) fn load(
        variables: impl Iterator<Item = (OsString, OsString)>,
        file: Option<PathBuf>,
    ) -> Self {
        let (environment, mut problems) = from_environment(variables);
        let (saved, wrong) = file.map(|file| saved::read(&file)).unwrap_or_default();
        problems.extend(wrong.iter().map(|error| error.with_causes().to_string()));
        let mut sources = Self::new(environment, saved);
        problems.append(&mut sources.problems);
        sources.problems = problems;
        sources
    }

    /// Both sources contain checked values. But the region of the environment may not belong to the
    /// country, which may come from the saved parameters.
    pub(super) fn new(mut environment: Params, mut saved: Params) -> Self {
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

    pub(super) fn settings_with(&self, given: &Params) -> Result<Settings> {
        given.check()?;
        self.settings.changed(&given.over(&self.params), given)
    }

    pub(super) fn report(&self) {
        if !self.settings.ignore_warnings {
            for problem in &self.problems {
                report::warn_once(problem);
            }
        }
    }
}

/// Returns the parameters among the environment variables, and the problems of invalid ones. Empty
/// variables are ignored.
pub(super) fn from_environment(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> (Params, Vec<String>) {
    let mut params = Params::default();
    let mut problems = Vec::new();
    for (variable, value) in variables {
        let Some(variable) = variable.to_str() else { continue };
        let Some(name) = variable.strip_prefix("ECO2AI_") else { continue };
        let name = name.to_lowercase();
        if !Params::names().any(|known| known == name) {
            // Other variables have other uses; only what looks like a slip is one.
            if let Some(meant) = params::suggestion(&name) {
                let meant = meant.to_uppercase();
                problems.push(format!("{variable}: did you mean ECO2AI_{meant}?"));
            }
        } else if value.to_str().is_none() {
            problems.push(format!("{variable}: not valid UTF-8"));
        } else if let Some(text) = value.to_str().filter(|text| !text.is_empty())
            && let Err(error) = params.set_text(&name, text)
        {
            problems.push(format!("{variable}: {error}"));
        }
    }
    (params, problems)
}
