//! Writes a summary as CSV, for programs.

use std::io;
use std::path::Path;

use super::table::{OTHERS, TOTAL};
use super::{GroupBy, Summary, Totals};
use crate::error::{Error, Result};
use crate::log::row::guarded;

/// The columns after the names: Eco2AI's, and then ours.
const COLUMNS: [&str; 14] = [
    "total duration(s)",
    "total power_consumption(kWh)",
    "total CO2_emissions(kg)",
    "total electricity cost",
    "total power_consumption_low(kWh)",
    "total power_consumption_high(kWh)",
    "total idle_energy(kWh)",
    "rows",
    "calls",
    "share",
    "energy per call(kWh)",
    "total inclusive_energy(kWh)",
    "average power(W)",
    "outermost duration(s)",
];

impl Summary {
    /// Writes the summary to a CSV file: the names, Eco2AI's columns in seconds, kWh and kg, and then
    /// all other [`Totals`]. What is not known is blank. The last line is `Total`.
    ///
    /// ```no_run
    /// eco2ai::summary("emission.csv")?.write_csv("summary.csv")?;
    /// # Ok::<(), eco2ai::Error>(())
    /// ```
    ///
    /// # Errors
    /// Returns [`Error::Write`] if the file cannot be written.
    pub fn write_csv(&self, path: impl AsRef<Path>) -> Result<()> {
        let io = Error::write(path.as_ref());
        let file = std::fs::File::create(path.as_ref()).map_err(io)?;
        self.write_csv_to(file).map_err(io)
    }

    /// Same as [`write_csv`](Self::write_csv), but writes to `to`.
    ///
    /// ```
    /// let summary = eco2ai::Summary::options().read([] as [&str; 0])?;
    /// let mut csv = Vec::new();
    /// summary.write_csv_to(&mut csv)?;
    /// assert!(csv.ends_with(b"\nTotal,0.0,0.0,0.0,,,,,0,0,,,,,\n"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Returns the errors of `to`.
    pub fn write_csv_to(&self, to: impl io::Write) -> io::Result<()> {
        let write = || -> csv::Result<()> {
            let mut writer = csv::Writer::from_writer(to);
            let names = self.by.iter().map(|by| match by {
                GroupBy::Project => "project_name",
                by => by.as_str(),
            });
            writer.write_record(names.chain(COLUMNS))?;
            for group in &self.groups {
                let names = group.names.iter().map(String::as_str);
                self.write_line(&mut writer, names, &group.totals)?;
            }
            let blank = || std::iter::repeat_n("", self.by.len().saturating_sub(1));
            if let Some(others) = &self.others {
                self.write_line(&mut writer, [OTHERS].into_iter().chain(blank()), others)?;
            }
            self.write_line(&mut writer, [TOTAL].into_iter().chain(blank()), &self.total)?;
            Ok(writer.flush()?)
        };
        // `From` would hide what kind of error it was.
        write().map_err(|error| match error.into_kind() {
            csv::ErrorKind::Io(error) => error,
            other => io::Error::other(format!("{other:?}")),
        })
    }

    fn write_line<'a>(
        &self,
        writer: &mut csv::Writer<impl io::Write>,
        names: impl Iterator<Item = &'a str>,
        totals: &Totals,
    ) -> csv::Result<()> {
        for name in names.take(self.by.len()) {
            writer.write_field(guarded(name.as_bytes().into()))?;
        }
        // A part of the idle energy would be taken for the whole.
        let idle = totals.idle_energy.filter(|_| totals.idle_rows == totals.rows);
        let outermost = totals.outermost_duration.map(|duration| duration.as_secs_f64());
        for figure in [
            Some(totals.duration.as_secs_f64()),
            Some(totals.energy.0),
            Some(totals.co2.0),
            totals.cost,
            totals.energy_low.map(|low| low.0),
            totals.energy_high.map(|high| high.0),
            idle.map(|idle| idle.0),
        ] {
            writer.write_field(number(figure))?;
        }
        writer.write_field(totals.rows.to_string())?;
        writer.write_field(totals.calls.to_string())?;
        for figure in [
            self.share(totals),
            totals.energy_per_call.map(|energy| energy.0),
            totals.inclusive_energy.map(|energy| energy.0),
            totals.average_power.map(|power| power.0),
            outermost,
        ] {
            writer.write_field(number(figure))?;
        }
        writer.write_record(None::<&[u8]>)
    }
}

/// Returns the cell of a figure; blank if it is not known.
fn number(figure: Option<f64>) -> String {
    figure.map(|figure| format!("{figure:?}")).unwrap_or_default()
}
