//! The environment, the parameters that the program remembers, and the saved parameters; saving.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::environment::{Environment, InvalidParam};
use super::params::{self, Params};
use super::program_file;
use super::resolve::Settings;
use super::saved;
use crate::error::{Error, Result};
use crate::locks::{Lock, Rank};
use crate::own_code;
use crate::report;
use crate::sensor::GivenPower;

impl Settings {
    /// Resolves `given` over the environment and the files, and checks every value.
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

/// Returns a number that changes when this process writes other parameters to a file. Code that keeps settings
/// reads the number before it resolves them, and resolves them again when the number has changed.
pub(crate) fn generation() -> u64 {
    GENERATION.load(Ordering::Acquire)
}

/// Saves the parameters that are given in `given` for this user, for this and later processes. Other
/// saved parameters keep their values, except that a country or a cloud region replaces the whole
/// saved place. If this program remembers other values of these parameters, it forgets them. Other
/// programs keep theirs, which precede the saved values.
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
    check_file(given)?;
    change(Level::User, SAVE_TIMEOUT, |saved| *saved = given.over(saved))?;
    forget(|name| given.text(name).is_some())
}

/// Removes the saved values of the parameters `names`, and those that this program remembers, for
/// this and later processes. Parameters without such a value are ignored.
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
    change(Level::User, SAVE_TIMEOUT, |saved| {
        for name in names {
            saved.unset(name.as_ref());
        }
    })?;
    forget(|name| names.iter().any(|unset| unset.as_ref() == name))
}

/// Returns the invalid values in the environment and in the files of parameters, which are passed
/// over. A tracker reports each of them as a warning; a program that cannot do with another value may
/// end instead.
///
/// ```
/// if let Some(invalid) = eco2ai::invalid_params().first() {
///     eprintln!("not started: {invalid}");
/// }
/// ```
pub fn invalid() -> Vec<InvalidParam> {
    Sources::current().invalid.clone()
}

/// Removes parameters from those that this program remembers.
fn forget(is_forgotten: impl Fn(&str) -> bool) -> Result<()> {
    change(Level::Program, SAVE_TIMEOUT, |remembered| {
        for name in Params::names().filter(|name| is_forgotten(name)) {
            remembered.unset(name);
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

/// For whom a file of parameters is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    /// What this program remembers.
    Program,
    /// What this user saved.
    User,
}

/// How long a call that saves waits while other processes are saving. One takes about a millisecond,
/// but all processes of a job may save at once, on a busy machine or in a home on a network, and
/// nothing says whose turn it is.
const SAVE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a tracker waits, which works without being remembered too.
const REMEMBER_TIMEOUT: Duration = Duration::from_secs(1);

/// Changes a file of parameters, for this and later processes.
fn change(level: Level, timeout: Duration, change: impl Fn(&mut Params)) -> Result<()> {
    static SAVING: Lock<()> = Lock::new(Rank::SavedParameters, ());
    let _section = own_code::enter();
    let user = saved_path()?;
    let path = match level {
        Level::User => user,
        Level::Program => match program_file::path(&user) {
            Some(path) => path,
            None => return Ok(()),
        },
    };
    let _one_at_a_time = SAVING.lock();
    let old = Sources::current();
    old.report();
    let changed = saved::update(&path, timeout, change)?;
    let mut files = old.files.clone();
    *files.of(level) = changed;
    if files != old.files {
        let new = Arc::new(Sources::new(old.environment.clone(), files));
        *CURRENT.lock() = Some(Arc::clone(&new));
        GENERATION.fetch_add(1, Ordering::Release);
        new.report();
    }
    Ok(())
}

/// Remembers the parameters in `given` that this program remembers: project, description, file,
/// measuring period and PUE.
///
/// # Errors
/// Returns [`Error::Saved`] if the file cannot be read or written.
pub(crate) fn remember(given: &Params) -> Result<()> {
    let remembered = Params {
        project: given.project.clone(),
        description: given.description.clone(),
        file: given.file.clone(),
        measure_period: given.measure_period,
        pue: given.pue,
        ..Params::default()
    };
    if remembered == Params::default() {
        return Ok(());
    }
    check_file(&remembered)?;
    change(Level::Program, REMEMBER_TIMEOUT, |known| *known = remembered.over(known))
}

/// Checks that the path of the log can be saved.
fn check_file(given: &Params) -> Result<()> {
    match &given.file {
        Some(file) if file.to_str().is_none() => Err(Error::Parameter {
            parameter: "file",
            value: file.display().to_string(),
            reason: "only a name in UTF-8 can be saved".to_owned(),
        }),
        _ => Ok(()),
    }
}

static CURRENT: Lock<Option<Arc<Sources>>> = Lock::new(Rank::Parameters, None);
static GENERATION: AtomicU64 = AtomicU64::new(0);

/// The parameters in the files.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Files {
    /// Those that this program remembers.
    pub(super) remembered: Params,
    /// Those that this user saved.
    pub(super) saved: Params,
}

impl Files {
    fn of(&mut self, level: Level) -> &mut Params {
        match level {
            Level::Program => &mut self.remembered,
            Level::User => &mut self.saved,
        }
    }
}

/// The environment and the files, read once, and their resolved settings.
#[derive(Debug)]
pub(super) struct Sources {
    pub(super) environment: Params,
    pub(super) files: Files,
    /// The environment merged over the files, without invalid values.
    pub(super) params: Params,
    /// The settings if no argument is given.
    pub(super) settings: Arc<Settings>,
    pub(super) invalid: Vec<InvalidParam>,
    /// A message for each variable `ECO2AI_…` that has no meaning.
    pub(super) unknown: Vec<String>,
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
        let Environment { params: environment, mut invalid, unknown } = Environment::new(variables);
        let mut read = |file: Option<PathBuf>| {
            let (params, wrong) = file.map(|file| saved::read(&file)).unwrap_or_default();
            invalid.extend(wrong.iter().map(saved::invalid));
            params
        };
        let remembered = read(file.as_deref().and_then(program_file::path));
        let files = Files { remembered, saved: read(file) };
        let mut sources = Self::new(environment, files);
        invalid.append(&mut sources.invalid);
        Self { invalid, unknown, ..sources }
    }

    /// Both sources contain checked values. But the region of the environment may not belong to the
    /// country, which may come from the saved parameters.
    pub(super) fn new(mut environment: Params, mut files: Files) -> Self {
        let mut invalid = Vec::new();
        loop {
            let params = environment.over(&files.remembered.over(&files.saved));
            match Settings::new(&params) {
                Ok(settings) => {
                    let settings = Arc::new(settings);
                    let unknown = Vec::new();
                    return Self { environment, files, params, settings, invalid, unknown };
                }
                Err(error) => {
                    let message = format!("ECO2AI_REGION: {error}");
                    invalid.push(InvalidParam::new(Some("region"), message));
                    if environment.region.take().is_none() {
                        // The defaults always do.
                        environment = Params::default();
                        files = Files::default();
                    }
                }
            }
        }
    }

    pub(super) fn settings_with(&self, given: &Params) -> Result<Settings> {
        given.check()?;
        self.settings.changed(given.over(&self.params), given)
    }

    pub(super) fn report(&self) {
        if !self.settings.ignore_warnings {
            for invalid in &self.invalid {
                report::warn_once(&invalid.to_string());
            }
            for unknown in &self.unknown {
                report::warn_once(unknown);
            }
        }
    }
}
