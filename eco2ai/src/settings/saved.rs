//! The file of saved parameters, which several processes may change at once.
//!
//! confy knows where such files go and how to read and write them, but it writes a file when it
//! finds none to read, and writes in place, so that a reader may see half of it. So it only gets
//! to read what is there, and to write a neighbour that is then renamed, under a lock.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::regular_file::{self, Links, with_suffix};
use crate::settings::kind::Form;
use crate::settings::params::Params;

/// Longest time to wait for another process that saves; it needs well under a millisecond.
const LOCK_WAIT: Duration = Duration::from_secs(1);

/// What the file holds.
type Saved = BTreeMap<String, Value>;

/// A value as people write it in TOML.
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

/// The file: the one that `ECO2AI_CONFIG` names, else one in the user's configuration folder.
pub(super) fn path(named: Option<OsString>) -> Result<PathBuf> {
    if let Some(named) = named.filter(|name| !name.is_empty()) {
        let path = PathBuf::from(named);
        return Ok(std::path::absolute(&path).unwrap_or(path));
    }
    confy::get_configuration_file_path("eco2ai", "params").map_err(|error| Error::Saved {
        path: "params.toml".into(),
        reason: format!("{error}; name a file with ECO2AI_CONFIG"),
    })
}

/// The parameters in the file, and what is wrong with others there; nothing where it is missing.
pub(super) fn read(path: &Path) -> (Params, Vec<Error>) {
    let mut params = Params::default();
    let mut wrong = Vec::new();
    match load(path) {
        Ok(saved) => {
            for (key, value) in saved {
                let set = match value {
                    Value::Switch(on) => params.set_text(&key, &on.to_string()),
                    Value::Integer(number) => params.set_text(&key, &number.to_string()),
                    Value::Number(number) => params.set_text(&key, &number.to_string()),
                    Value::Text(text) => params.set_text(&key, &text),
                    Value::Other(_) => {
                        let reason = format!("{key}: it must be a text, a number, true or false");
                        wrong.push(Error::Saved { path: path.to_path_buf(), reason });
                        continue;
                    }
                };
                if let Err(error) = set {
                    let reason = error.to_string();
                    wrong.push(Error::Saved { path: path.to_path_buf(), reason });
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
        let reason = error.to_string();
        wrong.push(Error::Saved { path: path.to_path_buf(), reason });
    }
    (params, wrong)
}

/// Changes what is saved, and says what is saved now. Does not write where that changes nothing,
/// nor over a file with a mistake in it, which somebody may want to mend.
pub(super) fn update(path: &Path, change: impl Fn(&mut Params)) -> Result<Params> {
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
    let _lock = lock(path)?;
    let (new, is_new) = changed()?;
    if is_new {
        if new.region.is_some() {
            new.check_place()?;
        }
        write(path, &to_saved(&new))?;
    }
    Ok(new)
}

/// Like [`read`], but one mistake is enough.
fn read_all(path: &Path) -> Result<Params> {
    let (params, wrong) = read(path);
    match wrong.into_iter().next() {
        Some(Error::Saved { path, reason }) => {
            Err(Error::Saved { path, reason: format!("{reason} (the file is left as it is)") })
        }
        Some(error) => Err(error),
        None => Ok(params),
    }
}

fn load(path: &Path) -> Result<Saved> {
    let wrong = |reason: String| Error::Saved { path: path.to_path_buf(), reason };
    match path.metadata() {
        // A FIFO would hang whoever opens it.
        Ok(found) if !found.is_file() => Err(wrong("not a regular file".into())),
        Ok(_) => confy::load_path(path).map_err(|error| unusable(path, &error)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Saved::new()),
        Err(error) => Err(wrong(error.to_string())),
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

/// Writes a neighbour and renames it, so that a reader sees the old file or the new one.
fn write(path: &Path, saved: &Saved) -> Result<()> {
    const MAX_SIZE: u64 = 64 << 10;
    let wrong =
        |error: io::Error| Error::Saved { path: path.to_path_buf(), reason: error.to_string() };
    regular_file::check_size(MAX_SIZE).map_err(wrong)?;
    let neighbour = with_suffix(path, &format!(".{:016x}.tmp", regular_file::random()));
    let written = confy::store_path(&neighbour, saved).map_err(|error| unusable(path, &error));
    let renamed = written.and_then(|()| {
        // Also where root writes the file of a user.
        let owned = if let Ok(old) = path.metadata() {
            File::open(&neighbour).and_then(|new| regular_file::make_like(&new, &old))
        } else {
            regular_file::give_to_owner_of_folder(&neighbour);
            Ok(())
        };
        owned.and_then(|()| fs::rename(&neighbour, path)).map_err(wrong)
    });
    if renamed.is_err() {
        let _ = fs::remove_file(&neighbour);
    }
    renamed
}

/// Waits for the lock of the file. It lies beside it, because the file itself is replaced, and it
/// ends with its holder, however that dies.
fn lock(path: &Path) -> Result<Option<File>> {
    let wrong = |reason: String| Error::Saved { path: path.to_path_buf(), reason };
    if let Some(folder) = path.parent() {
        make_folders(folder).map_err(|error| wrong(error.to_string()))?;
    }
    let name = with_suffix(path, ".lock");
    let file = open_lock(&name).map_err(|error| wrong(format!("{}: {error}", name.display())))?;
    let until = Instant::now() + LOCK_WAIT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) if Instant::now() < until => {
                std::thread::sleep(Duration::from_micros(200));
            }
            Err(TryLockError::WouldBlock) => {
                return Err(wrong("another process has it locked".to_owned()));
            }
            // Some network file systems have no locks: then the rename alone must do.
            Err(TryLockError::Error(_)) => return Ok(None),
        }
    }
}

/// Opens the file that is locked; makes it where it is not there. A link is not followed.
fn open_lock(path: &Path) -> io::Result<File> {
    let open = || regular_file::open(path, OpenOptions::new().write(true), Links::Refuse);
    match open() {
        Err(error) if error.kind() == ErrorKind::NotFound => match File::create_new(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => open(),
            made => {
                regular_file::give_to_owner_of_folder(path);
                made
            }
        },
        opened => opened,
    }
}

/// Makes a folder and those it is in; in another user's home they are that user's.
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

fn unusable(path: &Path, error: &confy::ConfyError) -> Error {
    let reason = match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    };
    Error::Saved { path: path.to_path_buf(), reason: reason.trim_end().to_owned() }
}
