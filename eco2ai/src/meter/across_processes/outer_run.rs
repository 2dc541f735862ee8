//! The run of another process under which this process was started, from the variable
//! `ECO2AI_PARENT`.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use crate::file_lock::lock_shared_within;
use crate::regular_file::{self, Links};
use crate::uuid::Uuid;

/// The variable that a program gets from the run under which it is started.
pub(in crate::meter) const VARIABLE: &str = "ECO2AI_PARENT";

/// The version of the text of the variable, and of the reports in the folder.
pub(in crate::meter) const VERSION: &str = "1";

/// A run that has handed its id to the programs that it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::meter) struct OuterRun {
    /// The id of its row.
    pub(in crate::meter) id: Uuid,
    /// Where the programs report their energy to the process of the run.
    pub(in crate::meter) folder: PathBuf,
}

impl OuterRun {
    /// The run that this process inherited. The variable is read once.
    pub(in crate::meter) fn inherited() -> Option<&'static Self> {
        static INHERITED: LazyLock<Option<OuterRun>> =
            LazyLock::new(|| OuterRun::parse(std::env::var_os(VARIABLE)?.to_str()?));
        INHERITED.as_ref()
    }

    /// Parses the text that [`text`](Self::text) returns. Later versions may have other texts.
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.splitn(3, ' ');
        if words.next()? != VERSION {
            return None;
        }
        let id = words.next()?.parse().ok()?;
        let folder = PathBuf::from(words.next()?);
        folder.is_absolute().then_some(Self { id, folder })
    }

    /// The value of the variable.
    pub(in crate::meter) fn text(&self) -> OsString {
        let mut text = OsString::from(format!("{VERSION} {} ", self.id));
        text.push(&self.folder);
        text
    }

    /// The file that exists while the run is active.
    pub(in crate::meter) fn marker(&self) -> PathBuf {
        self.folder.join(format!("run-{}", self.id))
    }

    /// Finds out whether the run is active.
    ///
    /// # Errors
    /// Returns the system's error if this process has no access to the folder.
    pub(in crate::meter) fn state(&self) -> io::Result<OuterState> {
        if !is_in_use(&self.folder)? {
            return Ok(OuterState::Gone);
        }
        let is_active = self.marker().symlink_metadata().is_ok();
        Ok(if is_active { OuterState::Active } else { OuterState::Ended })
    }
}

/// The state of an outer run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::meter) enum OuterState {
    /// Programs report to it, and their runs are its children.
    Active,
    /// It has ended, but others of its process are active, which include the programs' energy.
    Ended,
    /// Nobody reads reports any more.
    #[default]
    Gone,
}

/// The file in the folder of reports that its process keeps locked. The lock ends with the process,
/// however that ends.
pub(in crate::meter) fn lock_file(folder: &Path) -> PathBuf {
    folder.join("lock")
}

/// Whether the process that made a folder of reports uses it.
///
/// # Errors
/// Returns the system's error if this process has no access to the folder.
pub(in crate::meter) fn is_in_use(folder: &Path) -> io::Result<bool> {
    let options = OpenOptions::new().read(true).clone();
    match regular_file::open(&lock_file(folder), &options, Links::Refuse) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        opened => Ok(lock_shared_within(&opened?, Duration::ZERO).is_none()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_is_read_as_it_was_written() {
        let folder = std::env::temp_dir().join("a folder");
        let run = OuterRun { id: Uuid::from_u128(7), folder };
        assert_eq!(OuterRun::parse(run.text().to_str().unwrap()), Some(run));
        for text in ["", "1", "1 x /tmp", "2 00000000-0000-0000-0000-000000000007 /tmp", "1  "] {
            assert_eq!(OuterRun::parse(text), None, "{text:?}");
        }
        assert_eq!(OuterRun::parse("1 00000000-0000-0000-0000-000000000007 folder"), None);
    }
}
