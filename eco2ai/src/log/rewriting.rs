//! Other programs that rewrite a whole log, as Eco2AI for Python does each period.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::time::{Duration, Instant, SystemTime};

/// An upper bound of the time from a program's reading of a log to its writing. A row that is still
/// there after that time has been read by the program, and stays.
pub(crate) const REWRITE_TIME: Duration = Duration::from_secs(10);
/// How long to wait for a file that somebody has just created.
const NEW_FILE_TIMEOUT: Duration = Duration::from_millis(50);
/// How long to wait for a program that is rewriting a file.
const SETTLE_TIMEOUT: Duration = Duration::from_millis(200);

/// The state of a file at one moment, which changes when another program writes the file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct FileState {
    pub(crate) length: u64,
    modified: Option<SystemTime>,
    created: Option<SystemTime>,
}

impl FileState {
    pub(crate) fn from_file(file: &File) -> io::Result<Self> {
        let found = file.metadata()?;
        let (modified, created) = (found.modified().ok(), found.created().ok());
        Ok(Self { length: found.len(), modified, created })
    }

    fn is_recent(&self) -> bool {
        const RECENT: Duration = Duration::from_secs(1);
        let age = self.modified.and_then(|time| SystemTime::now().duration_since(time).ok());
        age.is_none_or(|age| age <= RECENT)
    }

    /// Whether somebody has just created the file, as far as the system reports that: so far, nobody
    /// writes it anew.
    fn is_new(&self) -> bool {
        // Of the clock by which systems date files, and of programs that create one and then date it.
        const RESOLUTION: Duration = Duration::from_millis(50);
        let dates = self.modified.zip(self.created);
        dates.is_none_or(|(modified, created)| {
            modified.duration_since(created).map_or(true, |age| age <= RESOLUTION)
        })
    }
}

/// Waits until no program is rewriting a file: until it ends with a row and does not change, or has
/// not been written for long. Such a program empties the file, and may then have to wait for a
/// processor before it writes: the file can be empty, or end within a row, for any time. Returns
/// `None` if it is in that state for too long to wait.
pub(crate) fn wait_until_settled(mut file: &File) -> io::Result<Option<FileState>> {
    const POLL: Duration = Duration::from_millis(2);
    let begun = Instant::now();
    let mut before = None;
    while begun.elapsed() < SETTLE_TIMEOUT {
        let state = FileState::from_file(file)?;
        if !state.is_recent() {
            return Ok(Some(state));
        }
        let mut last = [0];
        if state.length > 0 {
            file.seek(SeekFrom::Start(state.length - 1))?;
            // It may have become shorter.
            let _ = file.read(&mut last)?;
        }
        let is_whole = matches!(last, [b'\n' | b'\r']);
        let is_settled = is_whole || state.is_new() && begun.elapsed() >= NEW_FILE_TIMEOUT;
        if is_settled && before.replace(state) == Some(state) {
            return Ok(Some(state));
        }
        std::thread::sleep(POLL);
    }
    Ok(None)
}

/// The error of a log that another program is rewriting for too long to wait.
pub(crate) fn being_written() -> io::Error {
    io::Error::new(ErrorKind::WouldBlock, "another program is writing it")
}

/// Returns whether less than `time` has passed since `since`; true if `since` is in the future.
pub(crate) fn is_within(since: SystemTime, time: Duration) -> bool {
    // A time to come is a clock that was set back.
    SystemTime::now().duration_since(since).map_or(true, |age| age < time)
}
