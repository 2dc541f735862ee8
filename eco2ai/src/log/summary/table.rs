//! Writes a summary as a table: as CSV for programs, and in columns for people.

use std::fmt;
use std::io;
use std::path::Path;

use super::{GroupBy, Summary, Totals};
use crate::error::{Error, Result};
use crate::log::row::guarded;
use crate::text_table::{Align, TextTable, name_cell};
use crate::units::{BoundedEnergy, HumanDuration, Price};

/// The name of the last line in Eco2AI.
const ALL_PROJECTS: &str = "All the projects";

impl Summary {
    /// Iterates over the groups with their totals; the last item is the total of all groups, under
    /// Eco2AI's name for it.
    fn lines(&self) -> impl Iterator<Item = (&str, &Totals)> {
        let groups = self.groups.iter().map(|(name, totals)| (name.as_str(), totals));
        let all = if self.by == GroupBy::Project { ALL_PROJECTS } else { "All" };
        groups.chain([(all, &self.total)])
    }

    /// Writes the summary to a CSV file with Eco2AI's columns, in seconds, kWh and kg, followed by
    /// the bounds and the idle energy. These are blank if they are not known. The last line contains
    /// the totals of all groups.
    ///
    /// ```no_run
    /// eco2ai::summary("emission.csv")?.write_csv("summary.csv")?;
    /// # Ok::<(), eco2ai::Error>(())
    /// ```
    ///
    /// # Errors
    /// Returns [`Error::Write`](crate::Error::Write) if the file cannot be written.
    pub fn write_csv(&self, path: impl AsRef<Path>) -> Result<()> {
        let io = Error::write(path.as_ref());
        let file = std::fs::File::create(path.as_ref()).map_err(io)?;
        self.write_csv_to(file).map_err(io)
    }

    /// Same as [`write_csv`](Self::write_csv), but writes to `to`.
    ///
    /// ```
    /// let mut csv = Vec::new();
    /// eco2ai::Summary::default().write_csv_to(&mut csv)?;
    /// assert!(csv.ends_with(b"\nAll the projects,0.0,0.0,0.0,0.0,,,\n"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// Returns the errors of `to`.
    pub fn write_csv_to(&self, to: impl io::Write) -> io::Result<()> {
        let write = || -> csv::Result<()> {
            let mut writer = csv::Writer::from_writer(to);
            writer.write_record([
                match self.by {
                    GroupBy::Project => "project_name",
                    by => by.as_str(),
                },
                "total duration(s)",
                "total power_consumption(kWh)",
                "total CO2_emissions(kg)",
                "total electricity cost",
                "total power_consumption_low(kWh)",
                "total power_consumption_high(kWh)",
                "total idle_energy(kWh)",
            ])?;
            for (name, totals) in self.lines() {
                writer.write_field(guarded(name.as_bytes().into()))?;
                let seconds = totals.duration.as_secs_f64();
                for number in [seconds, totals.energy.0, totals.co2.0, totals.cost] {
                    writer.write_field(format!("{number:?}"))?;
                }
                // A part of the idle energy would be taken for the whole.
                let idle = totals.idle_energy.filter(|_| totals.idle_rows == totals.rows);
                for energy in [totals.energy_low, totals.energy_high, idle] {
                    let text = energy.map(|energy| format!("{:?}", energy.0));
                    writer.write_field(text.unwrap_or_default())?;
                }
                writer.write_record(None::<&[u8]>)?;
            }
            Ok(writer.flush()?)
        };
        // `From` would hide what kind of error it was.
        write().map_err(|error| match error.into_kind() {
            csv::ErrorKind::Io(error) => error,
            other => io::Error::other(format!("{other:?}")),
        })
    }
}

/// Writes a table with a line for each group and one for the total, followed by the
/// [`notes`](Self::notes).
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NUMBER: Align = Align::Right;
        let mut table = TextTable::new([Align::Left, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER]);
        let heads = [self.by.as_str(), "rows", "duration", "energy", "CO2", "cost"];
        table.push(heads.map(str::to_owned));
        for (name, totals) in self.lines() {
            table.push([
                name_cell(name),
                totals.rows.to_string(),
                HumanDuration(totals.duration).to_string(),
                BoundedEnergy {
                    energy: totals.energy,
                    low: totals.energy_low,
                    high: totals.energy_high,
                }
                .to_string(),
                totals.co2.to_string(),
                Price(totals.cost).to_string(),
            ]);
        }
        write!(f, "{table}")?;
        for note in self.idle_power().into_iter().chain(self.notes()) {
            write!(f, "\n{note}")?;
        }
        Ok(())
    }
}
