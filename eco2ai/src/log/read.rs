//! Reads logs row by row.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::log::columns::Column;
use crate::log::identity::Identity;
use crate::log::open_log::OpenLog;
use crate::log::problem::{Problem, notes_on_rows};
use crate::log::record::Record;
use crate::log::row::LogRow;
use crate::log::start_time::begins_with_iso_date;
use crate::log::unwritten::Unwritten;

/// The rows that were already read, to recognize the same rows in the copy of a log.
#[derive(Default)]
pub(super) struct SeenRows {
    /// The log that had the row first.
    first: HashMap<u64, usize>,
    hasher: RandomState,
}

impl SeenRows {
    /// Returns whether another log had the row before; otherwise the row is noted for `log`.
    pub(super) fn is_repeated(&mut self, row: &LogRow<'_>, log: usize) -> bool {
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

/// An iterator over the records of logs, created by [`read_log`] and [`read_logs`]. For a row that
/// cannot be used, it yields a [`Problem`].
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("emission.csv");
/// # let run = eco2ai::Tracker::builder().file(&file).forget().build()?.start()?;
/// # run.stop()?;
/// let mut records = eco2ai::read_log(&file)?;
/// for record in records.by_ref() {
///     println!("{}", record?);
/// }
/// for note in records.notes() {
///     println!("{note}"); // such as rows that are not written yet
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Records {
    /// All logs, each once.
    paths: Vec<PathBuf>,
    to_read: VecDeque<PathBuf>,
    /// The log that is being read; `None` at the end, and after reading has failed.
    log: Option<OpenLog>,
    /// Used if there are several logs.
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

/// Reads a log of this library or of Eco2AI, row by row. The memory use does not depend on the
/// length of the log.
///
/// A log of Eco2AI has only one energy, which the records return as the inclusive energy, the own
/// energy and the energy of the process. Its times are taken to be in this machine's time zone.
/// [`Records::unwritten`] counts the rows that are not in the log yet.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # std::env::set_current_dir(&folder)?;
/// # let header = "project_name,start_time,duration(s),power_consumption(kWh),CO2_emissions(kg)";
/// # std::fs::write("emission.csv", format!("{header}\nMNIST,2026-01-05 10:00:00,2,0.5,0.2\n"))?;
/// for record in eco2ai::read_log("emission.csv")? {
///     let record = record?;
///     println!("{}: {} in {:?}", record.project, record.energy, record.duration);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Returns [`Error::Read`](crate::Error::Read) if the file cannot be opened or read, and
/// [`Error::NotALog`](crate::Error::NotALog) if it is not an emission log. For a single row that cannot
/// be used, the iterator yields a [`Problem`] and continues with the next row.
pub fn read_log(path: impl AsRef<Path>) -> Result<Records> {
    read_logs([path])
}

/// Reads several logs as if they were one. A log that is named twice, even by different paths, is
/// read once. A row that is in several logs, such as a log and its copy, is returned once; each
/// repetition is counted in [`Records::repeated_rows`]. This needs 16 bytes of memory for each row.
///
/// ```
/// # let folder = tempfile::tempdir()?;
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
/// Same as for [`read_log`]; returns the error of the first log that has one.
pub fn read_logs(paths: impl IntoIterator<Item = impl AsRef<Path>>) -> Result<Records> {
    let mut distinct: Vec<PathBuf> = Vec::new();
    let mut identities = Vec::new();
    let mut first = None;
    for path in paths {
        let path = path.as_ref();
        // An error of any of the logs comes before the first row.
        let log = OpenLog::open(path)?;
        let metadata = log.file().metadata();
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
    /// Reads the next row into `record` and reuses its memory, which is faster than the iterator
    /// for many rows. Returns `None` at the end.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # std::env::set_current_dir(&folder)?;
    /// # let header = "project_name,start_time,duration(s),power_consumption(kWh),CO2_emissions(kg)";
    /// # std::fs::write("emission.csv", format!("{header}\nMNIST,2026-01-05 10:00:00,2,0.5,0.2\n"))?;
    /// let mut records = eco2ai::read_log("emission.csv")?;
    /// let mut record = eco2ai::Record::default();
    /// let mut seconds = 0.0;
    /// while let Some(read) = records.read_into(&mut record) {
    ///     read?;
    ///     seconds += record.duration.as_secs_f64();
    /// }
    /// assert_eq!(seconds, 2.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Returns a [`Problem`] if the row cannot be used. The contents of `record` are then
    /// unspecified.
    pub fn read_into(&mut self, record: &mut Record) -> Option<std::result::Result<(), Problem>> {
        self.next_row(|row| row.read(record))
    }

    /// Returns the number of rows so far that were left out, because another of the logs has them.
    pub fn repeated_rows(&self) -> u64 {
        self.repeated_rows
    }

    /// Returns the number of rows so far without a start time that can be parsed. These rows are
    /// returned nevertheless.
    pub fn undated_rows(&self) -> u64 {
        self.undated_rows
    }

    /// Returns the first of the [`undated_rows`](Self::undated_rows), with the reason why its time
    /// cannot be parsed.
    pub fn first_undated(&self) -> Option<&Problem> {
        self.first_undated.as_ref()
    }

    /// Returns the numbers of rows that are not in the logs yet, at this moment.
    pub fn unwritten(&self) -> Unwritten {
        let mut unwritten = Unwritten::default();
        for path in &self.paths {
            unwritten += Unwritten::from_journals(path);
        }
        unwritten
    }

    /// Returns notes for people on the rows so far, one sentence each: on rows that several logs
    /// have, rows without a known date, and rows that are not in the logs yet.
    pub fn notes(&self) -> Vec<String> {
        let first = self.first_undated();
        notes_on_rows(self.repeated_rows, self.undated_rows, first, self.unwritten())
    }

    /// Passes the next row to `use_row`. Returns `None` at the end.
    pub(crate) fn next_row<T>(
        &mut self,
        mut use_row: impl FnMut(&LogRow<'_>) -> std::result::Result<T, String>,
    ) -> Option<std::result::Result<T, Problem>> {
        loop {
            let log = self.log.as_mut()?;
            let number = self.paths.len() - self.to_read.len();
            let mut undated = None;
            let read = log.next(&mut |row| {
                if let Some(seen) = &mut self.seen {
                    // A damaged copy of a row stands for no other.
                    row.amounts()?;
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
                Ok(None) => match self.to_read.pop_front().map(|path| (OpenLog::open(&path), path))
                {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::summary::{GroupBy, Summary};

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

        let summary = Summary::read([&one, &copy, &other], GroupBy::Project).unwrap();
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
        let by_day = Summary::read([&log], GroupBy::Day).unwrap();
        let groups: Vec<_> =
            by_day.groups.iter().map(|(day, sum)| (day.as_str(), sum.rows)).collect();
        assert_eq!(groups, [("", 3), ("2023-01-17", 2)]);
        assert_eq!((by_day.total.rows, by_day.undated_rows), (5, 3));
    }
}
