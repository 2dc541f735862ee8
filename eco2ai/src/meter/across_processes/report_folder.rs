//! The folder in which programs report their energy to the process that started them.
//!
//! It belongs to one process, is private, and has a locked file, and a file for each run that handed
//! out its id.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::outer_run::{self, OuterRun};
use crate::file_lock::lock_within;
use crate::meter::keys::RunKey;
use crate::regular_file;
use crate::uuid::Uuid;

/// The beginning of the names of these folders.
const PREFIX: &str = "eco2ai-runs-";

/// A folder without locked files may be one that is being made, if it is younger than this.
const MIN_AGE: Duration = Duration::from_secs(60);

/// The folder of this process.
#[derive(Debug)]
pub(in crate::meter) struct ReportFolder {
    path: PathBuf,
    /// The process that made it: a forked child only has a copy.
    pid: u32,
    /// Locked while it is open; `None` at the end of the folder.
    lock: Option<File>,
    runs: Vec<HandedRun>,
}

/// A run that has handed out its id.
#[derive(Debug)]
struct HandedRun {
    outer: OuterRun,
    key: RunKey,
}

impl ReportFolder {
    /// Makes a folder, and removes those that dead processes have left.
    ///
    /// # Errors
    /// Returns the system's error.
    pub(in crate::meter) fn create() -> io::Result<Self> {
        let parent = parent();
        remove_stale(&parent);
        let path = parent.join(format!("{PREFIX}{:016x}", crate::process::random()));
        make_private(&path)?;
        // From here on, an error removes the folder.
        let mut folder = Self { path, pid: crate::process::id(), lock: None, runs: Vec::new() };
        let lock = regular_file::create_private(&outer_run::lock_file(&folder.path))?;
        let locked = lock_within(&lock, Duration::ZERO).ok_or(ErrorKind::WouldBlock)?;
        if let Some(error) = locked.missing() {
            return Err(io::Error::new(error.kind(), format!("no locks: {error}")));
        }
        locked.keep();
        folder.lock = Some(lock);
        Ok(folder)
    }

    pub(in crate::meter) fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a run, which must be active.
    ///
    /// # Errors
    /// Returns the system's error.
    pub(in crate::meter) fn add(&mut self, key: RunKey, id: Uuid) -> io::Result<&OuterRun> {
        if !self.runs.iter().any(|run| run.key == key) {
            let outer = OuterRun { id, folder: self.path.clone() };
            regular_file::create_private(&outer.marker())?;
            self.runs.push(HandedRun { outer, key });
        }
        let known = self.runs.iter().find(|run| run.key == key);
        known.map(|run| &run.outer).ok_or_else(|| io::Error::from(ErrorKind::NotFound))
    }

    pub(in crate::meter) fn has(&self, key: RunKey) -> bool {
        self.runs.iter().any(|run| run.key == key)
    }

    /// The run with that id, if it is active.
    pub(in crate::meter) fn key(&self, id: Uuid) -> Option<RunKey> {
        self.runs.iter().find(|run| run.outer.id == id).map(|run| run.key)
    }

    /// Removes a run that has ended.
    pub(in crate::meter) fn remove(&mut self, key: RunKey) {
        if let Some(place) = self.runs.iter().position(|run| run.key == key) {
            let ended = self.runs.swap_remove(place);
            let _ = fs::remove_file(ended.outer.marker());
        }
    }

    /// Whether no run that has handed out its id is active.
    pub(in crate::meter) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }
}

impl Drop for ReportFolder {
    fn drop(&mut self) {
        if self.pid == crate::process::id() {
            // Windows keeps a folder with an open file. What cannot be removed now is removed when it
            // is stale.
            self.lock = None;
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Where these folders are: a file system in memory, if there is one, which no other machine sees.
fn parent() -> PathBuf {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let is_ours = |folder: &PathBuf| {
        folder.is_absolute()
            && folder.metadata().is_ok_and(|found| found.is_dir() && regular_file::is_own(&found))
    };
    let parent = runtime.filter(is_ours).unwrap_or_else(std::env::temp_dir);
    std::path::absolute(&parent).unwrap_or(parent)
}

#[cfg(unix)]
fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_private(folder: &Path) -> io::Result<()> {
    fs::create_dir(folder)
}

/// Removes the folders of processes that were killed.
fn remove_stale(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let path = entry.path();
        let is_ours = |found: &fs::Metadata| found.is_dir() && regular_file::is_own(found);
        if path.symlink_metadata().is_ok_and(|found| is_ours(&found) && is_old(&found))
            && outer_run::is_in_use(&path).is_ok_and(|is_in_use| !is_in_use)
        {
            let _ = fs::remove_dir_all(path);
        }
    }
}

fn is_old(found: &fs::Metadata) -> bool {
    let age = found.modified().ok().and_then(|time| SystemTime::now().duration_since(time).ok());
    age.is_some_and(|age| age >= MIN_AGE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::across_processes::outer_run::OuterState;

    #[test]
    fn a_run_is_active_until_it_is_removed() {
        let mut folder = ReportFolder::create().unwrap();
        let path = folder.path().to_owned();
        let outer = folder.add(RunKey::default(), Uuid::from_u128(3)).unwrap().clone();
        assert_eq!(outer.state().unwrap(), OuterState::Active);
        assert_eq!(folder.key(outer.id), Some(RunKey::default()));
        folder.remove(RunKey::default());
        assert!(folder.is_empty());
        assert_eq!(outer.state().unwrap(), OuterState::Ended);
        drop(folder);
        assert_eq!(outer.state().unwrap(), OuterState::Gone);
        assert!(!path.exists());
    }

    #[cfg(unix)]
    #[test]
    fn the_folder_of_a_dead_process_is_removed_and_no_other() {
        let parent = tempfile::tempdir().unwrap();
        let [stale, used, young, foreign] = ["stale", "used", "young", "foreign"]
            .map(|name| parent.path().join(format!("{PREFIX}{name}")));
        let locks = [&stale, &used, &young].map(|folder| {
            fs::create_dir(folder).unwrap();
            File::create(outer_run::lock_file(folder)).unwrap()
        });
        locks[1].lock().unwrap();
        std::os::unix::fs::symlink(&used, &foreign).unwrap();
        let old = SystemTime::now() - 2 * MIN_AGE;
        for folder in [&stale, &used] {
            File::open(folder).unwrap().set_modified(old).unwrap();
        }
        remove_stale(parent.path());
        let exist = [&stale, &used, &young, &foreign].map(|path| path.symlink_metadata().is_ok());
        assert_eq!(exist, [false, true, true, true]);
    }
}
