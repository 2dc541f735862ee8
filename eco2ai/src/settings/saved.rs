//! The file of saved parameters, which several processes may change at once.
//!
//! confy determines the path of the file, and reads and writes it. But it creates a missing file on
//! reading, and writes in place, so that another process may read half of the file. So confy only
//! reads a file that exists, and writes a new file that then replaces the old one, under a lock.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::file_lock::lock_within;
use crate::regular_file::{self, Links, Replacement, with_suffix};
use crate::settings::environment::InvalidParam;
use crate::settings::kind::Form;
use crate::settings::params::Params;

/// The contents of the file.
type Saved = BTreeMap<String, Value>;

/// A value as written in TOML.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Value {
    Switch(bool),
    Integer(i64),
    Number(f64),
    Text(String),
    #[serde(skip_serializing)]
    Other(IgnoredAny),
}

/// Returns the path of the file: the one that `ECO2AI_CONFIG` names, else one in the user's
/// configuration folder.
pub(super) fn path(named: Option<OsString>) -> Result<PathBuf> {
    if let Some(named) = named.filter(|name| !name.is_empty()) {
        let path = PathBuf::from(named);
        return Ok(std::path::absolute(&path).unwrap_or(path));
    }
    confy::get_configuration_file_path("eco2ai", "params").map_err(|error| {
        let reason = "no configuration folder found; name a file with ECO2AI_CONFIG";
        unusable(Path::new("params.toml"), reason, error)
    })
}

/// Reads the parameters in the file, and the problems of invalid ones. A missing file has none.
pub(super) fn read(path: &Path) -> (Params, Vec<Error>) {
    let mut params = Params::default();
    let mut wrong = Vec::new();
    match load(path) {
        Ok(values) => {
            for (key, value) in values {
                let set = match value {
                    Value::Switch(on) => params.set_text(&key, &on.to_string()),
                    Value::Integer(number) => params.set_text(&key, &number.to_string()),
                    Value::Number(number) => params.set_text(&key, &number.to_string()),
                    Value::Text(text) => params.set_text(&key, &text),
                    Value::Other(_) => {
                        let reason = format!("{key}: must be a text, a number, true or false");
                        wrong.push(Error::Saved { path: path.to_path_buf(), reason, source: None });
                        continue;
                    }
                };
                if let Err(error) = set {
                    wrong.push(unusable(path, UNUSABLE_PARAMETER, error));
                }
            }
        }
        Err(error) => wrong.push(error),
    }
    // A region is checked here, with its country: which comes first in the file is chance.
    if params.region.is_some()
        && let Err(error) = params.check_place()
    {
        params.region = None;
        wrong.push(unusable(path, UNUSABLE_PARAMETER, error));
    }
    (params, wrong)
}

/// Returns the problem of a file, with the parameter if its value is the problem.
pub(super) fn invalid(error: &Error) -> InvalidParam {
    let cause = StdError::source(error).and_then(|cause| cause.downcast_ref::<Error>());
    let parameter = match cause {
        Some(Error::Parameter { parameter, .. }) => Some(*parameter),
        _ => None,
    };
    InvalidParam::new(parameter, error.with_causes().to_string())
}

/// Changes the saved parameters, and returns the new ones. Waits for at most `timeout` while other
/// processes are saving. Does not write if nothing changes, and does not overwrite a file with a
/// mistake, which the user may want to correct.
pub(super) fn update(
    path: &Path,
    timeout: Duration,
    change: impl Fn(&mut Params),
) -> Result<Params> {
    // The file itself, where the path is a link to it.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let changed = || {
        let saved = read_all(path)?;
        let mut new = saved.clone();
        change(&mut new);
        let is_new = to_saved(&new) != to_saved(&saved);
        Ok::<_, Error>((new, is_new))
    };
    // A file is always whole, so that it takes no lock to see that nothing changes.
    if let (saved, false) = changed()? {
        return Ok(saved);
    }
    let file = open_lock(path)?;
    // Some network file systems have no locks: then the rename alone must do.
    let lock = lock_within(&file, timeout);
    let (new, is_new) = changed()?;
    // Another process of the same program may have saved the same.
    if lock.is_none() && is_new {
        let reason = format!("other processes have locked it for {timeout:?}");
        return Err(Error::Saved { path: path.clone(), reason, source: None });
    }
    if is_new {
        if new.region.is_some() {
            new.check_place()?;
        }
        write(path, &to_saved(&new))?;
    }
    Ok(new)
}

/// Same as [`read`], but returns the first problem as an error.
fn read_all(path: &Path) -> Result<Params> {
    let (params, wrong) = read(path);
    match wrong.into_iter().next() {
        Some(Error::Saved { path, reason, source }) => {
            let reason = format!("{reason} (the file is left unchanged)");
            Err(Error::Saved { path, reason, source })
        }
        Some(error) => Err(error),
        None => Ok(params),
    }
}

fn load(path: &Path) -> Result<Saved> {
    match path.metadata() {
        // Opening a FIFO would block.
        Ok(found) if !found.is_file() => {
            let reason = "not a regular file".to_owned();
            Err(Error::Saved { path: path.to_path_buf(), reason, source: None })
        }
        Ok(_) => confy::load_path(path).map_err(|error| unusable(path, "cannot be read", error)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Saved::new()),
        Err(error) => Err(unusable(path, "cannot be read", error)),
    }
}

fn to_saved(params: &Params) -> Saved {
    let saved = Params::parameters().filter_map(|parameter| {
        let text = params.text(parameter.name)?;
        let value = match parameter.form {
            Form::Number => text.parse().map_or(Value::Text(text), Value::Number),
            Form::Switch => Value::Switch(text == "yes"),
            Form::Text => Value::Text(text),
        };
        Some((parameter.name.to_owned(), value))
    });
    saved.collect()
}

fn write(path: &Path, values: &Saved) -> Result<()> {
    const MAX_SIZE: u64 = 64 << 10;
    let wrong = |error: io::Error| unusable(path, "cannot be written", error);
    regular_file::check_size(MAX_SIZE).map_err(wrong)?;
    let new = Replacement::create(path).map_err(wrong)?;
    confy::store_path(new.path(), values)
        .map_err(|error| unusable(path, "cannot be written", error))?;
    // Also where root writes the file of a user.
    new.take_owner_and_mode().and_then(|()| new.commit()).map_err(wrong)
}

/// Opens the file that is locked for a change, or creates it. A separate file beside the parameters
/// is locked, because their file is replaced. Links are not followed.
fn open_lock(path: &Path) -> Result<File> {
    let wrong = |error| unusable(path, "cannot be locked", error);
    if let Some(folder) = path.parent() {
        make_folders(folder).map_err(wrong)?;
    }
    let name = with_suffix(path, ".lock");
    let opened = regular_file::open_or_create(&name, OpenOptions::new().write(true), Links::Refuse);
    let (file, is_new) = opened.map_err(wrong)?;
    if is_new {
        regular_file::give_to_owner_of_folder(&name);
    }
    Ok(file)
}

/// Creates a folder and its parents. In another user's home, they get that user as owner.
fn make_folders(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(outer) = folder.parent() {
        make_folders(outer)?;
    }
    match fs::create_dir(folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        made => {
            regular_file::give_to_owner_of_folder(folder);
            made
        }
    }
}

/// The reason if the cause is the error of a parameter.
const UNUSABLE_PARAMETER: &str = "invalid parameter";

fn unusable(path: &Path, reason: &str, source: impl StdError + Send + Sync + 'static) -> Error {
    let source = Some(Box::new(source) as _);
    Error::Saved { path: path.to_path_buf(), reason: reason.to_owned(), source }
}
