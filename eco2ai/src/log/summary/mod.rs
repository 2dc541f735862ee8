//! [`Summary`]: the totals of logs.

mod csv;
mod group_by;
mod groups;
mod json;
mod names;
mod options;
mod table;
#[cfg(test)]
mod tests;
mod totals;

use std::path::Path;

use crate::error::Result;
use crate::log::problem::{Problem, notes_on_rows};
use crate::log::record_text::counted_rows;
use crate::log::unwritten::Unwritten;

pub use group_by::GroupBy;
pub use options::SummaryOptions;
pub use totals::Totals;

/// The totals of one group of rows.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # std::env::set_current_dir(&folder)?;
/// # let header = "project_name,start_time,duration(s),power_consumption(kWh),CO2_emissions(kg)";
/// # std::fs::write("emission.csv", format!("{header}\nMNIST,2026-01-05 10:00:00,2,0.5,0.2\n"))?;
/// let summary = eco2ai::summary("emission.csv")?;
/// assert_eq!(summary.groups[0].names, ["MNIST"]);
/// assert_eq!(summary.groups[0].totals.rows, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Group {
    /// The name of the project or of another property: one for each of [`Summary::by`].
    pub names: Vec<String>,
    /// The totals of its rows.
    pub totals: Totals,
}

/// The totals of one or several logs, per project or another group, and of all rows. Created by
/// [`summary`], [`Summary::read`] and [`Summary::options`]. [`Display`](std::fmt::Display) writes a
/// table for people. With serde, a summary is serialized as the object that `eco2ai summary --format
/// json` prints.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("emission.csv");
/// # let run = eco2ai::Tracker::builder().file(&file).forget().build()?.start()?;
/// # run.stop()?;
/// use eco2ai::{GroupBy, Summary};
///
/// let summary = Summary::read([&file], GroupBy::Function)?;
/// for group in &summary.groups {
///     println!("{}: {} in {} calls", group.names[0], group.totals.energy, group.totals.calls);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// The properties by which the rows are grouped.
    pub by: Vec<GroupBy>,
    /// The groups: that with the largest energy first, or in order of time if they are periods
    /// alone.
    pub groups: Vec<Group>,
    /// The totals of the groups that are left out, if [`SummaryOptions::top`] limits their number.
    pub others: Option<Totals>,
    /// The totals of all rows.
    pub total: Totals,
    /// The first thousand rows that could not be used.
    pub problems: Vec<Problem>,
    /// The number of rows that could not be used.
    pub unusable_rows: u64,
    /// The number of repeated rows, which another of the logs has too. Each row is counted once.
    pub repeated_rows: u64,
    /// The number of rows without a start time that can be parsed. The totals include these rows,
    /// unless the summary is of a period.
    pub undated_rows: u64,
    /// The first of the undated rows, with the reason why its time cannot be parsed.
    pub first_undated: Option<Problem>,
    /// The numbers of rows that are not in the logs yet.
    pub unwritten: Unwritten,
    /// Whether the summary is of a period: with [`SummaryOptions::since`] or
    /// [`until`](SummaryOptions::until).
    pub is_of_period: bool,
}

/// Sums up a log of this library or of Eco2AI, per project. The file is read once, by several
/// threads if it is large. The memory use depends on the number of projects, not on the number of
/// rows. To sum up several logs, or to group by another property, use [`Summary::read`].
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # std::env::set_current_dir(&folder)?;
/// # std::fs::write("emission.csv", "project_name,start_time,duration(s),power_consumption(kWh),CO2_emissions(kg)\nMNIST,2026-01-05 10:00:00,2,0.5,0.2\n")?;
/// let summary = eco2ai::summary("emission.csv")?;
/// println!("{summary}");
/// assert_eq!(summary.group(["MNIST"]).unwrap().energy.0, 0.5);
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
    /// for day in &summary.groups {
    ///     println!("{}: {}", day.names[0], day.totals.energy);
    /// }
    /// assert_eq!(summary.total.energy.0, 0.75);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Same as for [`summary`]; returns the error of the first log that has one.
    pub fn read(paths: impl IntoIterator<Item = impl AsRef<Path>>, by: GroupBy) -> Result<Self> {
        Self::options().by([by]).read(paths)
    }

    /// Returns options to group by several properties, and to select rows by their time.
    pub fn options() -> SummaryOptions {
        SummaryOptions::default()
    }

    /// Returns the totals of the group with these names, one for each of [`by`](Self::by).
    ///
    /// ```
    /// let summary = eco2ai::Summary::default();
    /// assert_eq!(summary.group(["MNIST"]), None);
    /// ```
    pub fn group<const N: usize>(&self, names: [&str; N]) -> Option<&Totals> {
        self.groups.iter().find(|group| group.names == names).map(|group| &group.totals)
    }

    /// Returns the part of the energy of all rows, from 0 to 1. `None` if there is no energy.
    ///
    /// ```
    /// # let folder = tempfile::tempdir()?;
    /// # std::env::set_current_dir(&folder)?;
    /// # let header = "project_name,start_time,duration(s),power_consumption(kWh),CO2_emissions(kg)";
    /// # std::fs::write("emission.csv", format!("{header}\na,2026-01-05 10:00:00,2,3,1\nb,2026-01-05 10:00:00,2,1,1\n"))?;
    /// let summary = eco2ai::summary("emission.csv")?;
    /// assert_eq!(summary.share(summary.group(["a"]).unwrap()), Some(0.75));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn share(&self, totals: &Totals) -> Option<f64> {
        let all = self.total.energy.0;
        (all > 0.0).then(|| totals.energy.0 / all)
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
        if self.is_of_period && self.undated_rows > 0 {
            notes.push("rows without a known date are left out of a period".to_owned());
        }
        notes
    }
}
