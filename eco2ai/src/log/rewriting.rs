//! Other programs that write a log anew as a whole, as Eco2AI for Python does each period.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::time::{Duration, Instant, SystemTime};

/// Longer than any program takes from its reading of a log to its writing: a row that is there
/// after that time has been read, and stays.
pub(crate) const REWRITE_TIME: Duration = Duration::from_secs(10);
/// How long a file that is empty or ends within a row is taken for one that is being written anew.
const REWRITE_TIMEOUT: Duration = Duration::from_millis(50);
/// How long a file is waited for that changes again and again.
const SETTLE_TIMEOUT: Duration = Duration::from_millis(200);

/// How a file was at one moment: another program that writes it changes this.
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

/// Waits until nobody writes a file anew: it is neither empty nor ends within a row, or has stayed so
/// for a while. `None` where it changes again and again; no wait where it has not been written
/// for long.
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

/// Whether so short a time has passed.
pub(crate) fn is_within(since: SystemTime, time: Duration) -> bool {
    // A time to come is a clock that was set back.
    SystemTime::now().duration_since(since).map_or(true, |age| age < time)
}
