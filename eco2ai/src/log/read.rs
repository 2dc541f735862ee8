//! Reading logs row by row.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::file_lock::lock_shared_within;
use crate::log::cells::Rows;
use crate::log::columns::Column;
use crate::log::file::LOCK_TIMEOUT;
use crate::log::header::Header;
use crate::log::identity::Identity;
use crate::log::inspect::read_header;
use crate::log::record::{Record, counted_rows};
use crate::log::row::Named;
use crate::log::start_time::begins_with_iso_date;
use crate::log::unwritten::Unwritten;

/// A row of a log that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} line {line}: {reason}", path.display())]
#[non_exhaustive]
pub struct Problem {
    /// The log.
    pub path: PathBuf,
    /// The number of the row's first line, from 1.
    pub line: u64,
    /// Why the row cannot be used.
    pub reason: String,
}

/// A log, whose last row is never read while a writer is in the middle of it.
struct WholeRows {
    file: File,
    last: u8,
    waited: bool,
}

impl Read for WholeRows {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut count = self.file.read(buffer)?;
        if count == 0 && self.last != b'\n' && !self.waited {
            self.waited = true;
            drop(lock_shared_within(&self.file, LOCK_TIMEOUT));
            count = self.file.read(buffer)?;
        }
        if let Some(last) = buffer.get(..count).and_then(<[u8]>::last) {
            self.last = *last;
        }
        Ok(count)
    }
}

/// An open log, understood.
struct Log {
    path: PathBuf,
    rows: Rows<WholeRows>,
    /// `None` where the file is empty.
    header: Option<Header>,
}

impl Log {
    fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(Error::read(path))?;
        let mut rows = Rows::new(WholeRows { file, last: b'\n', waited: false });
        let header = read_header(path, &mut rows)?;
        Ok(Self { path: path.to_path_buf(), rows, header })
    }

    /// Gives the next row to `use_row`; `None` at the end.
    fn next<T>(
        &mut self,
        use_row: &mut impl FnMut(&Named<'_>) -> std::result::Result<T, String>,
    ) -> Result<Option<std::result::Result<T, Problem>>> {
        let Some(header) = &self.header else { return Ok(None) };
        loop {
            let row = self.rows.next(Some(header.width()));
            let row = row.map_err(Error::read(&self.path))?;
            let Some(row) = row else { return Ok(None) };
            let named = Named { row: &row, header };
            let line = row.line;
            let reason = match row.malformed {
                None => match use_row(&named) {
                    Ok(used) => return Ok(Some(Ok(used))),
                    Err(_) if named.is_header() => continue,
                    Err(reason) => reason,
                },
                Some(reason) => reason.to_owned(),
            };
            self.rows.only_first_line();
            return Ok(Some(Err(Problem { path: self.path.clone(), line, reason })));
        }
    }
}

/// The rows of many logs that are known already: a copy of a log has the same.
#[derive(Default)]
struct SeenRows {
    /// Which log had the row first.
    first: HashMap<u64, usize>,
    hasher: RandomState,
}

impl SeenRows {
    /// Whether another log had the row, which is that of `log` now.
    fn is_repeated(&mut self, row: &Named<'_>, log: usize) -> bool {
        let id = row.text(Column::Id);
        if id.is_empty() {
            return false;
        }
        let [epoch, function, start] =
            [Column::Epoch, Column::Function, Column::StartTime].map(|column| row.text(column));
        let key = self.hasher.hash_one((id, epoch, function, start));
        *self.first.entry(key).or_insert(log) != log
    }
}

/// The records of logs, one after the other: see [`read_log`] and [`read_logs`].
pub struct Records {
    /// All logs, each once.
    paths: Vec<PathBuf>,
    to_read: VecDeque<PathBuf>,
    /// The log that is being read; `None` at the end, and once reading has failed.
    log: Option<Log>,
    /// Where there are several logs.
    seen: Option<SeenRows>,
    repeated_rows: u64,
    undated_rows: u64,
    first_undated: Option<Problem>,
}

impl std::fmt::Debug for Records {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Records").field("paths", &self.paths).finish_non_exhaustive()
    }
}

/// Reads a log of this library, or of Eco2AI, row by row: the log may be as large as it likes.
///
/// A log of Eco2AI has one kind of energy only, which stands for the inclusive, the own and the
/// process's; its times are taken as this machine's. What is not in the log yet,
/// [`Records::unwritten`] says.
///
/// # Errors
/// Where the file cannot be opened, or is no emission log. A single row that cannot be used is a
/// [`Problem`] in its place, and the next row follows.
pub fn read_log(path: impl AsRef<Path>) -> Result<Records> {
    read_logs([path])
}

/// Reads several logs as if they were one. A log that is named twice, also by another path, is read
/// once; a row that is in several logs, as in a copy of one, is left out after the first and counted in
/// [`Records::repeated_rows`]. That takes 16 bytes of memory for each row.
///
/// ```
/// # let folder = std::env::temp_dir().join(format!("eco2ai-read-logs-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # std::env::set_current_dir(&folder)?;
/// # let header = "project_name,start_time,duration(s),power_consumption(kWh),CO2_emissions(kg)";
/// # std::fs::write("monday.csv", format!("{header}\nMNIST,2026-01-05 10:00:00,2,0.5,0.2\n"))?;
/// # std::fs::write("tuesday.csv", format!("{header}\nMNIST,2026-01-06 10:00:00,2,0.25,0.1\n"))?;
/// let mut energy = 0.0;
/// for record in eco2ai::read_logs(["monday.csv", "tuesday.csv"])? {
///     energy += record?.own_energy.0;
/// }
/// assert_eq!(energy, 0.75);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`read_log`], for the first log with one.
pub fn read_logs(paths: impl IntoIterator<Item = impl AsRef<Path>>) -> Result<Records> {
    let mut distinct: Vec<PathBuf> = Vec::new();
    let mut identities = Vec::new();
    let mut first = None;
    for path in paths {
        let path = path.as_ref();
        // What is wrong with one of many is said before the first row is given out.
        let log = Log::open(path)?;
        let metadata = log.rows.source().file.metadata();
        let identity = metadata.ok().and_then(|found| Identity::from_metadata(&found));
        let known = match identity {
            Some(identity) => identities.contains(&identity),
            None => distinct.iter().any(|known| known == path),
        };
        if known {
            continue;
        }
        identities.extend(identity);
        distinct.push(path.to_path_buf());
        // What may be a pipe can be opened once only.
        first.get_or_insert(log);
    }
    Ok(Records {
        to_read: distinct.iter().skip(1).cloned().collect(),
        seen: (distinct.len() > 1).then(SeenRows::default),
        paths: distinct,
        log: first,
        repeated_rows: 0,
        undated_rows: 0,
        first_undated: None,
    })
}

impl Records {
    /// Reads the next row into `record`, whose memory is used again, which is faster than the
    /// iterator where rows are many. `None` at the end. With a [`Problem`], what `record` then
    /// holds is of no use.
    pub fn read_into(&mut self, record: &mut Record) -> Option<std::result::Result<(), Problem>> {
        self.next_row(|row| row.read(record))
    }

    /// Rows so far that were in another of the logs before, and were left out.
    pub fn repeated_rows(&self) -> u64 {
        self.repeated_rows
    }

    /// Rows so far that count although it is not known when they started.
    pub fn undated_rows(&self) -> u64 {
        self.undated_rows
    }

    /// The first of the [`undated_rows`](Self::undated_rows), and why its time is not understood.
    pub fn first_undated(&self) -> Option<&Problem> {
        self.first_undated.as_ref()
    }

    /// What the logs do not hold yet, at this moment.
    pub fn unwritten(&self) -> Unwritten {
        let mut unwritten = Unwritten::default();
        for path in &self.paths {
            unwritten += Unwritten::from_journals(path);
        }
        unwritten
    }

    /// What the rows so far do not show: that several logs have them, that their date is not known,
    /// or that some are not in the log yet. For people, one sentence each.
    pub fn notes(&self) -> Vec<String> {
        let first = self.first_undated();
        notes_on_rows(self.repeated_rows, self.undated_rows, first, self.unwritten())
    }

    /// Gives the next row to `use_row`; `None` at the end.
    pub(crate) fn next_row<T>(
        &mut self,
        mut use_row: impl FnMut(&Named<'_>) -> std::result::Result<T, String>,
    ) -> Option<std::result::Result<T, Problem>> {
        loop {
            let log = self.log.as_mut()?;
            let number = self.paths.len() - self.to_read.len();
            let mut undated = None;
            let read = log.next(&mut |row| {
                if let Some(seen) = &mut self.seen {
                    // A damaged copy of a row stands for no other.
                    row.figures()?;
                    if seen.is_repeated(row, number) {
                        return Ok(None);
                    }
                }
                let used = use_row(row)?;
                let start = row.raw(Column::StartTime);
                if !begins_with_iso_date(start)
                    && let Err(reason) = row.start_time()
                {
                    undated = Some((row.row.line, reason));
                }
                Ok(Some(used))
            });
            if let Some((line, reason)) = undated {
                self.undated_rows += 1;
                let path = &log.path;
                self.first_undated.get_or_insert_with(|| Problem {
                    path: path.clone(),
                    line,
                    reason,
                });
            }
            let failed = match read {
                Ok(Some(Ok(Some(used)))) => return Some(Ok(used)),
                Ok(Some(Ok(None))) => {
                    self.repeated_rows += 1;
                    continue;
                }
                Ok(Some(Err(problem))) => return Some(Err(problem)),
                Ok(None) => match self.to_read.pop_front().map(|path| (Log::open(&path), path)) {
                    None => {
                        self.log = None;
                        return None;
                    }
                    Some((Ok(next), _)) => {
                        self.log = Some(next);
                        continue;
                    }
                    Some((Err(error), path)) => (path, error),
                },
                Err(error) => (log.path.clone(), error),
            };
            self.log = None;
            let (path, error) = failed;
            return Some(Err(Problem { path, line: 0, reason: error.to_string() }));
        }
    }
}

impl Iterator for Records {
    type Item = std::result::Result<Record, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        #[allow(
            clippy::redundant_closure_for_method_calls,
            reason = "the method is for one lifetime"
        )]
        self.next_row(|row| row.record())
    }
}

/// What figures do not show, for people.
pub(crate) fn notes_on_rows(
    repeated: u64,
    undated: u64,
    first_undated: Option<&Problem>,
    unwritten: Unwritten,
) -> Vec<String> {
    let mut notes = Vec::new();
    if repeated > 0 {
        notes
            .push(format!("{} in more than one of the logs, counted once", counted_rows(repeated)));
    }
    if undated > 0 {
        let mut note = format!("{} without a known date", counted_rows(undated));
        if let Some(first) = first_undated {
            note.push_str("; the first: ");
            note.push_str(&first.to_string());
        }
        notes.push(note);
    }
    if !unwritten.is_empty() {
        notes.push(unwritten.to_string());
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::summary;

    const HEADER: &str =
        "id,epoch,project_name,start_time,duration(s),power_consumption(kWh),CO2_emissions(kg)\n";

    fn ids(records: &mut Records) -> Vec<String> {
        records.map(|record| record.unwrap().id).collect()
    }

    #[test]
    fn a_log_named_twice_is_read_once_and_a_row_of_several_logs_counts_once() {
        let folder = tempfile::tempdir().unwrap();
        let [one, copy, other] =
            ["one.csv", "copy.csv", "other.csv"].map(|name| folder.path().join(name));
        let row =
            |id: &str, epoch: &str| format!("{id},{epoch},p,2026-01-05 10:00:00,1,0.5,0.25\n");
        std::fs::write(&one, HEADER.to_owned() + &row("1", "1") + &row("1", "2")).unwrap();
        std::fs::copy(&one, &copy).unwrap();
        let rows = row("2", "1") + &row("1", "2") + &row("", "1") + &row("", "1");
        std::fs::write(&other, HEADER.to_owned() + &rows).unwrap();

        let mut records = read_logs([&one, &one]).unwrap();
        assert_eq!(ids(&mut records), ["1", "1"]);
        assert_eq!(records.repeated_rows(), 0);

        let mut records = read_logs([&one, &copy, &other]).unwrap();
        assert_eq!(ids(&mut records), ["1", "1", "2", "", ""]);
        assert_eq!(records.repeated_rows(), 3);
        assert_eq!(records.notes(), ["3 rows in more than one of the logs, counted once"]);

        let summary =
            summary::Summary::by(summary::GroupBy::Project, [&one, &copy, &other]).unwrap();
        assert_eq!((summary.total.rows, summary.repeated_rows), (5, 3));
        assert_eq!(summary.notes(), records.notes());
    }

    #[test]
    fn the_header_again_is_no_row() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("put-together.csv");
        let row = "1,1,p,2026-01-05 10:00:00,1,0.5,0.25\n";
        std::fs::write(&log, [HEADER, row, HEADER, row].concat()).unwrap();
        assert_eq!(ids(&mut read_log(&log).unwrap()), ["1", "1"]);
    }

    #[test]
    fn all_readers_count_the_same_rows() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("dates.csv");
        let row = |date: &str| format!("1,1,p,{date},1,0.5,0.25\n");
        let dates = ["1/17/2023 20:20", "3/4/2023 20:20", "2023-01-17T20:20", "", "soon"];
        std::fs::write(&log, HEADER.to_owned() + &dates.map(row).concat()).unwrap();
        let mut records = read_log(&log).unwrap();
        assert_eq!(records.by_ref().flatten().count(), 5);
        assert_eq!(records.undated_rows(), 3);
        let first = records.first_undated().unwrap().to_string();
        assert!(first.ends_with(
            "line 3: start_time = \"3/4/2023 20:20\" is not a time that can be understood: which \
             number is the day, and which the month?"
        ), "{first}");
        let by_day = summary::Summary::by(summary::GroupBy::Day, [&log]).unwrap();
        let groups: Vec<_> =
            by_day.groups.iter().map(|(day, sum)| (day.as_str(), sum.rows)).collect();
        assert_eq!(groups, [("", 3), ("2023-01-17", 2)]);
        assert_eq!((by_day.total.rows, by_day.undated_rows), (5, 3));
    }
}
