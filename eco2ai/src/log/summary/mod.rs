//! [`Summary`]: the totals of logs.

mod group_by;
mod json;
mod table;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::log::problem::{Problem, notes_on_rows};
use crate::log::read::read_logs;
use crate::log::record_text::counted_rows;
use crate::log::row::{RowAmounts, RowBounds};
use crate::log::serialized;
use crate::log::unwritten::Unwritten;
use crate::units::{KilogramsCo2e, KilowattHours};

pub use group_by::GroupBy;

/// The maximum number of problems that are kept; the others are only counted.
const MAX_PROBLEMS: usize = 1000;

/// The totals of a number of rows.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # std::env::set_current_dir(&folder)?;
/// # let header = "project_name,start_time,duration(s),power_consumption(kWh),CO2_emissions(kg)";
/// # std::fs::write("emission.csv", format!("{header}\nMNIST,2026-01-05 10:00:00,2,0.5,0.2\n"))?;
/// let total = eco2ai::summary("emission.csv")?.total;
/// println!("{} in {:?}, {}", total.energy, total.duration, total.co2);
/// assert_eq!((total.rows, total.energy.0), (1, 0.5));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Totals {
    /// The number of rows.
    pub rows: u64,
    /// The sum of the durations of all rows, as in Eco2AI: time in which runs are nested or overlap
    /// is counted for each of them.
    #[serde(rename = "duration_s", serialize_with = "serialized::seconds::serialize")]
    pub duration: Duration,
    /// The energy: the sum of the rows' own energies, which counts nested runs once.
    #[serde(rename = "energy_kwh")]
    pub energy: KilowattHours,
    /// The lower bound of the energy: the sum of the rows' bounds, because the errors are
    /// systematic. A row without a lower bound adds nothing. `None` if no row has one.
    #[serde(rename = "energy_low_kwh")]
    pub energy_low: Option<KilowattHours>,
    /// The upper bound of the energy: the sum of the rows' bounds. `None` if any row has none.
    #[serde(rename = "energy_high_kwh")]
    pub energy_high: Option<KilowattHours>,
    /// The idle power of the machine in the energy, without PUE: the sum of those `idle_rows` that
    /// have it. It is that of the whole energy only if these are all rows.
    #[serde(rename = "idle_energy_kwh")]
    pub idle_energy: Option<KilowattHours>,
    /// The number of rows that have an idle energy.
    pub idle_rows: u64,
    /// The CO2 equivalents of the energy.
    #[serde(rename = "co2_kg")]
    pub co2: KilogramsCo2e,
    /// The price of the energy, in the currency of the tariff.
    pub cost: f64,
}

/// The totals of one or several logs, per project or another group, and of all rows. Created by
/// [`summary`] and [`Summary::read`]. [`Display`](std::fmt::Display) writes a table for people. With
/// serde, a summary is serialized as the object that `eco2ai summary --format json` prints.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("emission.csv");
/// # let run = eco2ai::Tracker::builder().file(&file).forget().build()?.start()?;
/// # run.stop()?;
/// use eco2ai::{GroupBy, Summary};
///
/// let summary = Summary::read([&file], GroupBy::Function)?;
/// for (function, totals) in &summary.groups {
///     println!("{function}: {} in {} rows", totals.energy, totals.rows);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// The property by which the rows are grouped.
    pub by: GroupBy,
    /// The totals of each project, or other group, by name.
    pub groups: BTreeMap<String, Totals>,
    /// The totals of all groups.
    pub total: Totals,
    /// The first thousand rows that could not be used.
    pub problems: Vec<Problem>,
    /// The number of rows that could not be used.
    pub unusable_rows: u64,
    /// The number of repeated rows, which another of the logs has too. Each row is counted once.
    pub repeated_rows: u64,
    /// The number of rows without a start time that can be parsed. The totals include these rows.
    pub undated_rows: u64,
    /// The first of the undated rows, with the reason why its time cannot be parsed.
    pub first_undated: Option<Problem>,
    /// The numbers of rows that are not in the logs yet.
    pub unwritten: Unwritten,
}

/// Sums up a log of this library or of Eco2AI, per project. The file is read once. The memory use
/// depends on the number of projects, not on the number of rows. To sum up several logs, or to
/// group by another property, use [`Summary::read`].
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # std::env::set_current_dir(&folder)?;
/// # std::fs::write("emission.csv", "project_name,start_time,duration(s),power_consumption(kWh),CO2_emissions(kg)\nMNIST,2026-01-05 10:00:00,2,0.5,0.2\n")?;
/// let summary = eco2ai::summary("emission.csv")?;
/// println!("{summary}");
/// assert_eq!(summary.groups["MNIST"].energy.0, 0.5);
/// summary.write_csv("summary.csv")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Returns [`Error::Read`](crate::Error::Read) if the file cannot be read, and
/// [`Error::NotALog`](crate::Error::NotALog) if it is not an emission log. Rows that cannot be used
/// are left out, and listed in [`Summary::problems`].
pub fn summary(path: impl AsRef<Path>) -> Result<Summary> {
    Summary::read([path], GroupBy::Project)
}

/// Sums of one group, in the log's units.
#[derive(Clone, Copy, Default)]
struct GroupSums {
    rows: u64,
    seconds: f64,
    energy: f64,
    low: f64,
    /// Infinite if it is not known.
    high: f64,
    idle: f64,
    idle_rows: u64,
    co2: f64,
    cost: f64,
}

impl GroupSums {
    fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.seconds += other.seconds;
        self.energy += other.energy;
        self.low += other.low;
        self.high += other.high;
        self.idle += other.idle;
        self.idle_rows += other.idle_rows;
        self.co2 += other.co2;
        self.cost += other.cost;
    }

    fn totals(self) -> Totals {
        Totals {
            rows: self.rows,
            duration: Duration::try_from_secs_f64(self.seconds).unwrap_or(Duration::MAX),
            energy: KilowattHours(self.energy),
            energy_low: Some(KilowattHours(self.low)).filter(|low| low.0 > 0.0),
            energy_high: Some(KilowattHours(self.high))
                .filter(|high| self.rows > 0 && high.0.is_finite()),
            idle_energy: (self.idle_rows > 0).then_some(KilowattHours(self.idle)),
            idle_rows: self.idle_rows,
            co2: KilogramsCo2e(self.co2),
            cost: self.cost,
        }
    }
}

/// The values that one row adds: those of its own energy, so that nothing is counted twice.
impl From<(RowAmounts, RowBounds)> for GroupSums {
    fn from((row, bounds): (RowAmounts, RowBounds)) -> Self {
        Self {
            rows: 1,
            seconds: row.seconds,
            energy: row.own_energy.0,
            low: bounds.low.map_or(0.0, |low| low.0),
            high: bounds.high.map_or(f64::INFINITY, |high| high.0),
            idle: bounds.idle.map_or(0.0, |idle| idle.0),
            idle_rows: bounds.idle.is_some().into(),
            co2: row.own_co2.0,
            cost: row.own_cost,
        }
    }
}

impl Summary {
    /// Sums up several logs as if they were one. See [`read_logs`](crate::read_logs).
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # std::env::set_current_dir(&folder)?;
    /// # let header = "project_name,start_time,duration(s),power_consumption(kWh),CO2_emissions(kg)";
    /// # std::fs::write("a.csv", format!("{header}\nMNIST,2026-01-05 10:00:00,2,0.5,0.2\n"))?;
    /// # std::fs::write("b.csv", format!("{header}\nMNIST,2026-01-06 10:00:00,2,0.25,0.1\n"))?;
    /// use eco2ai::{GroupBy, Summary};
    ///
    /// let summary = Summary::read(["a.csv", "b.csv"], GroupBy::Day)?;
    /// for (day, totals) in &summary.groups {
    ///     println!("{day}: {}", totals.energy);
    /// }
    /// assert_eq!(summary.total.energy.0, 0.75);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Same as for [`summary`]; returns the error of the first log that has one.
    pub fn read(paths: impl IntoIterator<Item = impl AsRef<Path>>, by: GroupBy) -> Result<Self> {
        let mut summary = Self { by, ..Self::default() };
        let mut groups: HashMap<Box<[u8]>, GroupSums> = HashMap::new();
        let mut rows = read_logs(paths)?;
        while let Some(row) = rows.next_row(|row| {
            let sums = {
                let amounts = row.amounts()?;
                GroupSums::from((amounts, row.bounds(amounts)))
            };
            let name = by.key(row);
            match groups.get_mut(&*name) {
                Some(group) => group.add(sums),
                None => drop(groups.insert(name.into_owned().into(), sums)),
            }
            Ok(())
        }) {
            match row {
                Ok(()) => {}
                Err(problem) if problem.line == 0 => {
                    let source = io::Error::other(problem.reason);
                    return Err(Error::Read { path: problem.path, source });
                }
                Err(problem) => {
                    summary.unusable_rows += 1;
                    if summary.problems.len() < MAX_PROBLEMS {
                        summary.problems.push(problem);
                    }
                }
            }
        }
        summary.repeated_rows = rows.repeated_rows();
        summary.undated_rows = rows.undated_rows();
        summary.first_undated = rows.first_undated().cloned();
        summary.unwritten = rows.unwritten();
        let mut total = GroupSums::default();
        let mut sorted: BTreeMap<String, GroupSums> = BTreeMap::new();
        for (name, sums) in groups {
            sorted.entry(String::from_utf8_lossy(&name).into_owned()).or_default().add(sums);
        }
        for sums in sorted.values() {
            total.add(*sums);
        }
        summary.groups = sorted.into_iter().map(|(name, sums)| (name, sums.totals())).collect();
        summary.total = total.totals();
        Ok(summary)
    }

    /// Returns the idle power in the totals, in words, if it is known of any row.
    fn idle_power(&self) -> Option<String> {
        let Totals { rows, idle_rows, .. } = self.total;
        let idle = self.total.idle_energy?;
        let known = if idle_rows == rows {
            String::new()
        } else {
            format!(" in {idle_rows} of {}; not known for the others", counted_rows(rows))
        };
        Some(format!("idle power: {idle} of the energy{known}"))
    }

    /// Returns notes for people on the totals, one sentence each: on rows that could not be used,
    /// rows that several logs have, rows without a known date, and rows that are not in the logs
    /// yet.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.unusable_rows > 0 {
            let mut note = format!("{} could not be used", counted_rows(self.unusable_rows));
            if let Some(first) = self.problems.first() {
                note.push_str("; the first: ");
                note.push_str(&first.to_string());
            }
            notes.push(note);
        }
        let first = self.first_undated.as_ref();
        notes.extend(notes_on_rows(self.repeated_rows, self.undated_rows, first, self.unwritten));
        notes
    }
}
