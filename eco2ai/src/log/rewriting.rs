//! Other programs that rewrite a whole log, as Eco2AI for Python does each period.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::time::{Duration, Instant, SystemTime};

/// An upper bound of the time from a program's reading of a log to its writing. A row that is still
/// there after that time has been read by the program, and stays.
pub(crate) const REWRITE_TIME: Duration = Duration::from_secs(10);
/// How long a file that is empty or ends within a row is assumed to be in the process of rewriting.
const REWRITE_TIMEOUT: Duration = Duration::from_millis(50);
/// How long to wait for a file that keeps changing.
const SETTLE_TIMEOUT: Duration = Duration::from_millis(200);

/// The state of a file at one moment, which changes when another program writes the file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct FileState {
    length: u64,
    modified: Option<SystemTime>,
}

impl FileState {
    pub(crate) fn from_file(file: &File) -> io::Result<Self> {
        let found = file.metadata()?;
        Ok(Self { length: found.len(), modified: found.modified().ok() })
    }

    fn is_recent(&self) -> bool {
        const RECENT: Duration = Duration::from_secs(1);
        let age = self.modified.and_then(|time| SystemTime::now().duration_since(time).ok());
        age.is_none_or(|age| age <= RECENT)
    }
}

/// Waits until no program is rewriting a file: until it is neither empty nor ends within a row, or
/// has stayed so for a while. Returns `None` if the file keeps changing. Does not wait if the file
/// has not been written for long.
pub(crate) fn wait_until_settled(mut file: &File) -> io::Result<Option<FileState>> {
    const POLL: Duration = Duration::from_millis(2);
    let begun = Instant::now();
    let mut before = None;
    let mut unchanged_since = begun;
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
        if before != Some(state) {
            before = Some(state);
            unchanged_since = Instant::now();
        } else if is_whole || unchanged_since.elapsed() >= REWRITE_TIMEOUT {
            return Ok(Some(state));
        }
        std::thread::sleep(POLL);
    }
    Ok(None)
}

/// Returns whether less than `time` has passed since `since`; true if `since` is in the future.
pub(crate) fn is_within(since: SystemTime, time: Duration) -> bool {
    // A time to come is a clock that was set back.
    SystemTime::now().duration_since(since).map_or(true, |age| age < time)
}
