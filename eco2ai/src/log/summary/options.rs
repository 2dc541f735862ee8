//! [`SummaryOptions`]: which rows a summary adds up, and into which groups.

use std::fs::File;
use std::io;
use std::path::Path;

use chrono::{DateTime, FixedOffset};

use super::groups::Groups;
use super::totals::Sums;
use super::{Group, GroupBy, Summary};
use crate::error::{Error, Result};
use crate::log::byte_ranges::{RowNotes, Undated, UseRow, read_rows, read_rows_in_turn};
use crate::log::columns::Column;
use crate::log::open_log::OpenLog;
use crate::log::read::open_distinct;
use crate::log::row::LogRow;
use crate::log::seen_rows::SeenRows;
use crate::log::start_time::begins_with_iso_date;
use crate::log::unwritten::Unwritten;

/// How logs are summed up. Created by [`Summary::options`].
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # std::env::set_current_dir(&folder)?;
/// # let header = "project_name,start_time,duration(s),power_consumption(kWh),CO2_emissions(kg)";
/// # std::fs::write("emission.csv", format!("{header}\nMNIST,2026-01-05 10:00:00Z,2,0.5,0.2\n"))?;
/// use eco2ai::{GroupBy, Summary};
///
/// let january = "2026-01-01T00:00:00Z".parse()?;
/// let summary =
///     Summary::options().by([GroupBy::Project, GroupBy::Month]).since(january).read(["emission.csv"])?;
/// assert_eq!(summary.group(["MNIST", "2026-01"]).unwrap().energy.0, 0.5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct SummaryOptions {
    by: Vec<GroupBy>,
    since: Option<DateTime<FixedOffset>>,
    until: Option<DateTime<FixedOffset>>,
    top: Option<usize>,
    standard_input: bool,
}

/// By project, of all rows.
impl Default for SummaryOptions {
    fn default() -> Self {
        Self {
            by: vec![GroupBy::Project],
            since: None,
            until: None,
            top: None,
            standard_input: false,
        }
    }
}

impl SummaryOptions {
    /// Sets the properties by which rows are grouped: a group has the rows that have all of them in
    /// common.
    ///
    /// ```
    /// use eco2ai::{GroupBy, Summary};
    ///
    /// let options = Summary::options().by([GroupBy::User, GroupBy::Month]);
    /// ```
    #[must_use]
    pub fn by(self, by: impl IntoIterator<Item = GroupBy>) -> Self {
        Self { by: by.into_iter().collect(), ..self }
    }

    /// Leaves out runs that started before this time.
    ///
    /// ```
    /// let options = eco2ai::Summary::options().since("2026-01-01T00:00:00Z".parse()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn since(self, start: DateTime<FixedOffset>) -> Self {
        Self { since: Some(start), ..self }
    }

    /// Leaves out runs that started at this time or later.
    ///
    /// ```
    /// let options = eco2ai::Summary::options().until("2026-02-01T00:00:00Z".parse()?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn until(self, end: DateTime<FixedOffset>) -> Self {
        Self { until: Some(end), ..self }
    }

    /// Keeps only so many groups, those with the largest energies. The sum of the rest is in
    /// [`Summary::others`].
    ///
    /// ```
    /// let options = eco2ai::Summary::options().top(10);
    /// ```
    #[must_use]
    pub fn top(self, groups: usize) -> Self {
        Self { top: Some(groups), ..self }
    }

    /// Reads a log from standard input as well, after the others.
    ///
    /// ```
    /// let options = eco2ai::Summary::options().standard_input(true);
    /// ```
    #[must_use]
    pub fn standard_input(self, read: bool) -> Self {
        Self { standard_input: read, ..self }
    }

    /// Sums up logs as if they were one. See [`read_logs`](crate::read_logs).
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # std::env::set_current_dir(&folder)?;
    /// # let header = "project_name,start_time,duration(s),power_consumption(kWh),CO2_emissions(kg)";
    /// # std::fs::write("emission.csv", format!("{header}\na,2026-01-05 10:00:00,2,3,1\nb,2026-01-05 10:00:00,2,1,1\n"))?;
    /// let summary = eco2ai::Summary::options().top(1).read(["emission.csv"])?;
    /// assert_eq!(summary.groups.len(), 1);
    /// assert_eq!(summary.others.unwrap().energy.0, 1.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Returns [`Error::Read`] if a log cannot be read, and [`Error::NotALog`] if a file is not an
    /// emission log: the error of the first log that has one.
    pub fn read(&self, paths: impl IntoIterator<Item = impl AsRef<Path>>) -> Result<Summary> {
        let (paths, mut first) = open_distinct(paths)?;
        let logs = paths.len() + usize::from(self.standard_input);
        let mut seen = (logs > 1).then(SeenRows::default);
        let mut sums = LogSums::default();
        let mut notes = RowNotes::default();
        for (number, path) in paths.iter().enumerate() {
            let log = match first.take() {
                Some(log) => log,
                None => OpenLog::open(path)?,
            };
            let rows = SelectedRows { options: self, seen: seen.as_ref(), log: number };
            notes.append(read_rows(log, &rows, &mut |range| sums.append(range))?);
            let keys = std::mem::take(&mut sums.keys);
            if let Some(seen) = &mut seen {
                for key in keys {
                    seen.insert(key, number);
                }
            }
        }
        if self.standard_input {
            let log = open_standard_input()?;
            let rows = SelectedRows { options: self, seen: seen.as_ref(), log: paths.len() };
            // It may be anywhere in a file, or no file.
            notes.append(read_rows_in_turn(log, &rows, &mut |range| sums.append(range))?);
        }
        let mut unwritten = Unwritten::default();
        for path in &paths {
            unwritten += Unwritten::from_journals(path);
        }
        let mut summary = self.sorted(sums.groups);
        summary.problems = notes.problems;
        summary.unusable_rows = notes.unusable_rows;
        summary.repeated_rows = sums.repeated_rows;
        summary.undated_rows = notes.undated_rows;
        summary.first_undated = notes.first_undated;
        summary.unwritten = unwritten;
        Ok(summary)
    }

    /// Returns the groups in their order, and their total.
    fn sorted(&self, groups: Groups) -> Summary {
        let sorted = groups.sorted(self.top.unwrap_or(usize::MAX));
        let is_code = self.by.iter().any(|by| by.is_code());
        let mut groups: Vec<_> = sorted
            .iter(self.by.len())
            .map(|(names, sums)| Group { names, totals: sums.totals(is_code) })
            .collect();
        if !self.by.is_empty() && self.by.iter().all(|by| by.is_period()) {
            groups.sort_unstable_by(|one, other| one.names.cmp(&other.names));
        }
        Summary {
            by: self.by.clone(),
            groups,
            others: (sorted.others.rows > 0).then(|| sorted.others.totals(is_code)),
            // The inclusive energies of different functions contain each other.
            total: sorted.total.totals(false),
            is_of_period: self.since.is_some() || self.until.is_some(),
            ..Summary::default()
        }
    }
}

/// The rows of one log that a summary adds up.
struct SelectedRows<'a> {
    options: &'a SummaryOptions,
    /// The rows of the logs before; `None` if there is only one log.
    seen: Option<&'a SeenRows>,
    log: usize,
}

/// What the rows of a range, a log or several logs add up to.
#[derive(Default)]
struct LogSums {
    groups: Groups,
    repeated_rows: u64,
    /// The keys of the rows of one log, by which those of later ones are compared.
    keys: Vec<u64>,
}

impl LogSums {
    /// Adds what the rows of the next range add up to.
    fn append(&mut self, range: Self) {
        self.groups.append(range.groups);
        self.repeated_rows += range.repeated_rows;
        self.keys.extend(range.keys);
    }
}

impl UseRow for SelectedRows<'_> {
    type Collected = LogSums;

    fn start(&self) -> LogSums {
        LogSums::default()
    }

    fn use_row(
        &self,
        collected: &mut LogSums,
        row: &LogRow<'_>,
    ) -> std::result::Result<Option<Undated>, String> {
        // Before all else: a damaged copy of a row stands for no other.
        let sums = Sums::from_row(row)?;
        if let Some(seen) = self.seen
            && let Some(key) = seen.key(row)
        {
            if seen.is_in_another(key, self.log) {
                collected.repeated_rows += 1;
                return Ok(None);
            }
            collected.keys.push(key);
        }
        let SummaryOptions { by, since, until, .. } = self.options;
        let undated = if since.is_some() || until.is_some() {
            match row.start_time() {
                Err(reason) => return Ok(Some(Undated(reason))),
                Ok(start)
                    if since.is_some_and(|since| start < since)
                        || until.is_some_and(|until| start >= until) =>
                {
                    return Ok(None);
                }
                Ok(_) => None,
            }
        } else if begins_with_iso_date(row.raw(Column::StartTime)) {
            None
        } else {
            row.start_time().err().map(Undated)
        };
        collected.groups.add_row(by, row, &sums);
        Ok(undated)
    }
}

/// # Errors
/// Returns an error if standard input cannot be read, or is not an emission log.
fn open_standard_input() -> Result<OpenLog> {
    let name = Path::new("standard input");
    OpenLog::from_file(name, standard_input().map_err(Error::read(name))?)
}

#[cfg(unix)]
fn standard_input() -> io::Result<File> {
    use std::os::fd::AsFd as _;
    Ok(io::stdin().as_fd().try_clone_to_owned()?.into())
}

#[cfg(windows)]
fn standard_input() -> io::Result<File> {
    use std::os::windows::io::AsHandle as _;
    Ok(io::stdin().as_handle().try_clone_to_owned()?.into())
}

#[cfg(not(any(unix, windows)))]
fn standard_input() -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}
