//! Reads logs that grow: each time only the rows that were added.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::log::columns::Column;
use crate::log::header::Header;
use crate::log::identity::Identity;
use crate::log::journal_files::Listing;
use crate::log::open_log::OpenLog;
use crate::log::problem::Problem;
use crate::log::record::Record;
use crate::log::seen_rows::SeenRows;
use crate::log::unwritten::live_runs_among;

/// The number of bytes before the end that are compared, to recognize a log that was rewritten.
const TAIL: u64 = 64;

/// How far a log was read.
struct Place {
    header: Header,
    /// The offset of the next row, and its line.
    next: (u64, u64),
    identity: Option<Identity>,
    /// The length of the file when it was read.
    length: u64,
    /// The bytes before the next row.
    tail: Vec<u8>,
}

impl Place {
    /// Returns `None` if there is no header yet, or the file cannot be read.
    fn new(log: &OpenLog, next: Option<(u64, u64)>) -> Option<Self> {
        let header = log.header()?;
        let next = next.unwrap_or_else(|| log.position());
        let metadata = log.file().metadata().ok()?;
        Some(Self {
            header: header.clone(),
            next,
            identity: Identity::from_metadata(&metadata),
            length: metadata.len(),
            tail: tail(log.file(), next.0)?,
        })
    }

    /// Returns whether the log at `path` still begins with the rows that were read. A log that is
    /// gone may come back.
    fn is_kept(&self, path: &Path) -> bool {
        let Ok(metadata) = path.metadata() else { return true };
        if Identity::from_metadata(&metadata) != self.identity || metadata.len() < self.next.0 {
            return false;
        }
        metadata.len() == self.length
            || File::open(path)
                .is_ok_and(|file| tail(&file, self.next.0).as_ref() == Some(&self.tail))
    }
}

/// Returns the bytes before `end`.
fn tail(mut file: &File, end: u64) -> Option<Vec<u8>> {
    let length = end.min(TAIL);
    file.seek(SeekFrom::Start(end - length)).ok()?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

struct FollowedLog {
    path: PathBuf,
    /// What distinguishes it, among the rows that were seen, from others and from the file that was
    /// at the path before.
    number: usize,
    /// `None` before the first reading.
    place: Option<Place>,
}

/// Reads logs that grow, as if they were one, and each time only the rows that were added since. For
/// programs that keep totals, such as an exporter of metrics.
///
/// A row that several logs have is returned once, which needs 16 bytes of memory for each row if
/// there are several logs. A last row without the end of its line is returned once it has one,
/// because more of it may follow. No file is created or changed.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("emission.csv");
/// # let header = "project_name,start_time,duration(s),power_consumption(kWh),CO2_emissions(kg)";
/// # std::fs::write(&file, format!("{header}\nMNIST,2026-01-05 10:00:00,2,0.5,0.2\n"))?;
/// use eco2ai::{LogFollower, Record};
///
/// let mut logs = LogFollower::new();
/// logs.add(&file);
/// let mut record = Record::default();
/// let mut energy_kwh = 0.0;
/// for _ in 0..3 {
///     if logs.restart_if_replaced() {
///         energy_kwh = 0.0;
///     }
///     while let Some(row) = logs.read_into(&mut record) {
///         if row.is_ok() {
///             energy_kwh += record.own_energy.0;
///         }
///     }
///     println!("{energy_kwh} kWh so far");
/// }
/// assert_eq!(energy_kwh, 0.5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default)]
pub struct LogFollower {
    logs: Vec<FollowedLog>,
    /// Their paths.
    paths: HashSet<PathBuf>,
    /// The log that is being read.
    open: Option<OpenLog>,
    /// The number of logs that were read in this pass, with the open one.
    begun: usize,
    /// The number of files that were followed so far.
    files: usize,
    /// Used if there are several logs.
    seen: Option<SeenRows>,
    restart: bool,
    repeated_rows: u64,
}

impl std::fmt::Debug for LogFollower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogFollower").field("paths", &self.paths).finish_non_exhaustive()
    }
}

impl LogFollower {
    /// Creates a follower of no log.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a log, which need not exist yet. Adding it again has no effect.
    pub fn add(&mut self, path: impl AsRef<Path>) {
        let path = path.as_ref();
        if !self.paths.insert(path.to_owned()) {
            return;
        }
        self.files += 1;
        self.logs.push(FollowedLog { path: path.to_owned(), number: self.files, place: None });
        if self.logs.len() > 1 && self.seen.is_none() {
            // The rows of the only log were not noted.
            self.restart = self.logs.iter().any(|log| log.place.is_some());
            self.seen = Some(SeenRows::default());
        }
    }

    /// Returns whether all rows of all logs are read again, so that totals of earlier rows are to be
    /// discarded: a log shrank, was replaced or was rewritten since it was read, as when it is set
    /// aside for a new one.
    ///
    /// Of several logs with ids, only the new rows of such a log are read, and those that it had
    /// before still count, as do those of a log that was removed. So the totals never fall because
    /// one of several logs is set aside.
    pub fn restart_if_replaced(&mut self) -> bool {
        for log in &mut self.logs {
            let Some(place) = log.place.take_if(|place| !place.is_kept(&log.path)) else {
                continue;
            };
            // The rows that it has from before will be recognized.
            self.restart |= self.seen.is_none() || place.header.place(Column::Id).is_none();
            self.files += 1;
            log.number = self.files;
        }
        if !self.restart {
            return false;
        }
        for log in &mut self.logs {
            log.place = None;
        }
        if let Some(seen) = &mut self.seen {
            *seen = SeenRows::default();
        }
        (self.open, self.begun, self.restart, self.repeated_rows) = (None, 0, false, 0);
        true
    }

    /// Returns the runs of each log that are running now, as [`live_runs`](crate::live_runs) does, but
    /// lists each folder once.
    ///
    /// # Errors
    /// Same as for [`live_runs`](crate::live_runs), for each log.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// let mut logs = eco2ai::LogFollower::new();
    /// for name in ["one.csv", "two.csv"] {
    ///     logs.add(folder.path().join(name));
    /// }
    /// assert_eq!(logs.live_runs().flatten().flatten().count(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn live_runs(&self) -> impl Iterator<Item = Result<Vec<Record>>> {
        let mut listing = Listing::default();
        self.logs.iter().map(move |log| live_runs_among(&log.path, &mut listing))
    }

    /// Returns the number of rows so far that were left out, because another of the logs has them, or
    /// the same one had them before it was replaced.
    pub fn repeated_rows(&self) -> u64 {
        self.repeated_rows
    }

    /// Reads the next new row into `record`. Returns `None` if there is none for now.
    ///
    /// # Errors
    /// Returns a [`Problem`] if the row cannot be used, or, with line 0, if a log cannot be read. The
    /// contents of `record` are then unspecified. Reading continues with the next row or log.
    pub fn read_into(&mut self, record: &mut Record) -> Option<std::result::Result<(), Problem>> {
        loop {
            let Some(log) = &mut self.open else {
                let Some(next) = self.logs.get(self.begun) else {
                    self.begun = 0;
                    return None;
                };
                self.begun += 1;
                match self.opened(next) {
                    Ok(log) => self.open = log,
                    Err(error) => {
                        let path = next.path.clone();
                        return Some(Err(Problem { path, line: 0, reason: error.to_string() }));
                    }
                }
                continue;
            };
            let before = log.position();
            let number = self.logs.get(self.begun - 1).map_or(0, |log| log.number);
            let seen = &mut self.seen;
            let read = log.next(&mut |row| {
                if let Some(seen) = seen {
                    // A damaged copy of a row stands for no other.
                    row.amounts()?;
                    if seen.is_repeated(row, number) {
                        return Ok(false);
                    }
                }
                row.read(record).map(|()| true)
            });
            let complete = log.is_line_complete();
            match read {
                Ok(Some(_)) if !complete => self.close(Some(before)),
                Ok(Some(Ok(true))) => return Some(Ok(())),
                Ok(Some(Ok(false))) => self.repeated_rows += 1,
                Ok(Some(Err(problem))) => return Some(Err(problem)),
                Ok(None) => self.close(None),
                Err(error) => {
                    let path = log.path.clone();
                    self.close(Some(before));
                    return Some(Err(Problem { path, line: 0, reason: error.to_string() }));
                }
            }
        }
    }

    /// Opens a log where new rows begin. `None` if there can be none.
    fn opened(&self, log: &FollowedLog) -> Result<Option<OpenLog>> {
        let path = &log.path;
        let Ok(metadata) = path.metadata() else { return Ok(None) };
        if !metadata.is_file() {
            // Opening a pipe may block for ever.
            return Err(Error::not_a_log(path, "not a regular file".to_owned()));
        }
        let identity = Identity::from_metadata(&metadata);
        let Some(place) = &log.place else {
            let same = |other: &FollowedLog| {
                other.place.as_ref().is_some_and(|place| place.identity == identity)
            };
            if metadata.len() == 0 || identity.is_some() && self.logs.iter().any(same) {
                return Ok(None);
            }
            return OpenLog::open(path).map(Some);
        };
        if metadata.len() == place.length || !place.is_kept(path) {
            return Ok(None);
        }
        OpenLog::open_at(path, place.header.clone(), place.next).map(Some)
    }

    /// Ends the reading of the open log. New rows begin at `next`, or else where reading has ended.
    fn close(&mut self, next: Option<(u64, u64)>) {
        let Some(open) = self.open.take() else { return };
        if let Some(log) = self.logs.get_mut(self.begun - 1) {
            // Without a place, the rows would be read again.
            self.restart |= match Place::new(&open, next) {
                Some(place) => {
                    log.place = Some(place);
                    false
                }
                None => open.header().is_some(),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, OpenOptions};
    use std::io::Write;

    const HEADER: &str = "id,project_name,start_time,duration(s),power_consumption(kWh),\
                          CO2_emissions(kg)\n";

    fn row(id: &str) -> String {
        format!("{id},p,2026-01-05 10:00:00,1,0.5,0.25\n")
    }

    fn append(path: &Path, text: &str) {
        let mut file = OpenOptions::new().append(true).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    /// The ids of the new rows, `!` and the line for a problem, and first `restart` if so.
    fn new_rows(logs: &mut LogFollower) -> String {
        let mut found: Vec<String> = Vec::new();
        if logs.restart_if_replaced() {
            found.push("restart".into());
        }
        let mut record = Record::default();
        while let Some(row) = logs.read_into(&mut record) {
            found.push(match row {
                Ok(()) => record.id.clone(),
                Err(problem) => format!("!{}", problem.line),
            });
        }
        found.join(" ")
    }

    #[test]
    fn each_row_is_read_once_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("emission.csv");
        let mut logs = LogFollower::new();
        logs.add(&log);
        assert_eq!(new_rows(&mut logs), "");
        fs::write(&log, "").unwrap();
        assert_eq!(new_rows(&mut logs), "");
        append(&log, &(HEADER.to_owned() + &row("1")));
        assert_eq!(new_rows(&mut logs), "1");
        assert_eq!(new_rows(&mut logs), "");
        let next = row("2");
        append(&log, &next[..10]);
        assert_eq!(new_rows(&mut logs), "");
        append(&log, &next[10..]);
        append(&log, "wrong\n");
        assert_eq!(new_rows(&mut logs), "2 !4");
        append(&log, &row("3"));
        assert_eq!(new_rows(&mut logs), "3");
    }

    #[test]
    fn a_replaced_log_is_read_anew_and_a_removed_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let [log, other] = ["emission.csv", "other.csv"].map(|name| folder.path().join(name));
        let mut logs = LogFollower::new();
        logs.add(&log);
        fs::write(&log, HEADER.to_owned() + &row("1") + &row("2")).unwrap();
        assert_eq!(new_rows(&mut logs), "1 2");
        // Shorter.
        fs::write(&log, HEADER.to_owned() + &row("3")).unwrap();
        assert_eq!(new_rows(&mut logs), "restart 3");
        // Longer, but not the same rows.
        fs::write(&log, HEADER.to_owned() + &row("44") + &row("5")).unwrap();
        assert_eq!(new_rows(&mut logs), "restart 44 5");
        // Another file.
        fs::write(&other, HEADER.to_owned() + &row("44") + &row("5") + &row("6")).unwrap();
        fs::rename(&other, &log).unwrap();
        // Where files have no identity, the one with the same rows so far counts as the same.
        assert_eq!(new_rows(&mut logs), if cfg!(unix) { "restart 44 5 6" } else { "6" });
        fs::remove_file(&log).unwrap();
        assert_eq!(new_rows(&mut logs), "");
    }

    #[test]
    fn rows_of_several_logs_still_count_when_one_of_them_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let [log, other, aside] =
            ["emission.csv", "other.csv", "aside.csv"].map(|name| folder.path().join(name));
        fs::write(&log, HEADER.to_owned() + &row("1")).unwrap();
        fs::write(&other, HEADER.to_owned() + &row("2")).unwrap();
        let mut logs = LogFollower::new();
        logs.add(&log);
        logs.add(&other);
        assert_eq!(new_rows(&mut logs), "1 2");
        fs::rename(&log, &aside).unwrap();
        fs::write(&log, HEADER.to_owned() + &row("33")).unwrap();
        append(&other, &row("4"));
        assert_eq!(new_rows(&mut logs), "33 4");
        // Back, with its rows and another one.
        append(&aside, &row("5"));
        fs::rename(&aside, &log).unwrap();
        assert_eq!(new_rows(&mut logs), "5");
        append(&log, &row("6"));
        assert_eq!(new_rows(&mut logs), "6");
    }

    #[test]
    fn rows_without_ids_are_all_read_again_when_their_log_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let [log, other] = ["emission.csv", "other.csv"].map(|name| folder.path().join(name));
        let header = &HEADER["id,".len()..];
        let row = |project: &str| format!("{project},2026-01-05 10:00:00,1,0.5,0.25\n");
        fs::write(&log, header.to_owned() + &row("p") + &row("p")).unwrap();
        fs::write(&other, header.to_owned() + &row("q")).unwrap();
        let mut logs = LogFollower::new();
        logs.add(&log);
        logs.add(&other);
        assert_eq!(new_rows(&mut logs).split(' ').count(), 3);
        fs::write(&log, header.to_owned() + &row("p")).unwrap();
        assert_eq!(new_rows(&mut logs), "restart  ", "both rows, whose ids are blank");
    }

    #[test]
    fn a_row_of_several_logs_is_read_once_also_if_a_log_is_added_later() {
        let folder = tempfile::tempdir().unwrap();
        let [log, copy] = ["emission.csv", "copy.csv"].map(|name| folder.path().join(name));
        let link = folder.path().join("link.csv");
        fs::write(&log, HEADER.to_owned() + &row("1") + &row("1")).unwrap();
        fs::copy(&log, &copy).unwrap();
        fs::hard_link(&log, &link).unwrap();
        let mut logs = LogFollower::new();
        logs.add(&log);
        assert_eq!(new_rows(&mut logs), "1 1");
        logs.add(&copy);
        if cfg!(unix) {
            logs.add(&link);
        }
        assert_eq!(new_rows(&mut logs), "restart 1 1");
        assert_eq!(logs.repeated_rows(), 2);
        append(&copy, &row("2"));
        append(&log, &row("2"));
        assert_eq!(new_rows(&mut logs), "2");
        assert_eq!(logs.repeated_rows(), 3);
    }
}
