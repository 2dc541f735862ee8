//! What a log adds up to.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::log::columns::Column;
use crate::log::read::{Problem, notes_on_rows, read_logs};
use crate::log::record::counted_rows;
use crate::log::row::{Figures, Named, unguarded};
use crate::log::start_time::begins_with_iso_date;
use crate::log::unwritten::Unwritten;
use crate::units::{HumanDuration, KilogramsCo2e, KilowattHours, Price};

/// So many problems are told one by one; the rest is counted.
const TOLD: usize = 1000;
/// So many characters of a project's name are shown.
const SHOWN: usize = 60;
/// What Eco2AI calls the last line.
const ALL_PROJECTS: &str = "All the projects";

/// What the rows of one line of a [`Summary`] have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum GroupBy {
    /// Their project.
    #[default]
    Project,
    /// Their function; empty where the row has none.
    Function,
    /// The day on which they started, as `2026-01-31`, where they ran; empty where that is not known.
    Day,
    /// The machine they ran on; empty where the row does not tell.
    Host,
    /// How they ended; empty where the row does not tell, as in a log of Eco2AI.
    Status,
}

impl GroupBy {
    fn column(self) -> Column {
        match self {
            Self::Project => Column::Project,
            Self::Function => Column::Function,
            Self::Day => Column::StartTime,
            Self::Host => Column::Hostname,
            Self::Status => Column::Status,
        }
    }

    /// The first cell of a line's header.
    fn name(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Function => "function",
            Self::Day => "day",
            Self::Host => "host",
            Self::Status => "status",
        }
    }

    /// The name of the row's group.
    fn key<'a>(self, row: &Named<'a>) -> Cow<'a, [u8]> {
        let cell = row.header.place(self.column()).and_then(|place| row.row.cell(place));
        let cell = cell.unwrap_or_default();
        match self {
            Self::Day => {
                let start = row.raw(Column::StartTime);
                if begins_with_iso_date(start) {
                    return start[..DAY.len()].to_vec().into();
                }
                let day = row.start_time().map(|start| start.format("%Y-%m-%d").to_string());
                day.unwrap_or_default().into_bytes().into()
            }
            _ if row.header.has_own_energy() => match cell {
                Cow::Borrowed(cell) => Cow::Borrowed(unguarded(cell)),
                Cow::Owned(cell) => Cow::Owned(unguarded(&cell).to_vec()),
            },
            _ => cell,
        }
    }
}

/// How long the name of a day is.
const DAY: &str = "0000-00-00";

/// What some rows of a log add up to.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Totals {
    /// How many rows.
    pub rows: u64,
    /// The durations of all rows, as Eco2AI sums them: runs that nest or overlap count their time
    /// each.
    pub duration: Duration,
    /// Energy, counted once also where runs nest: the sum of the rows' own energies.
    pub energy: KilowattHours,
    /// CO2 equivalents of that energy.
    pub co2: KilogramsCo2e,
    /// Price of that energy, in the currency of the tariff.
    pub cost: f64,
}

/// What a log, or many, add up to: per project or another group, and in total. Made by
/// [`summary`] and [`Summary::by`].
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// What the groups are.
    pub by: GroupBy,
    /// The projects, or other groups, in the order of their names.
    pub groups: BTreeMap<String, Totals>,
    /// All groups together.
    pub total: Totals,
    /// Rows that could not be used: the first thousand.
    pub problems: Vec<Problem>,
    /// How many rows could not be used.
    pub unusable_rows: u64,
    /// How many rows were in several logs, as in a copy of one: each is counted once.
    pub repeated_rows: u64,
    /// How many rows count although it is not known when they started.
    pub undated_rows: u64,
    /// The first of the undated rows, and why its time is not understood.
    pub first_undated: Option<Problem>,
    /// What the logs do not hold yet.
    pub unwritten: Unwritten,
}

/// Sums up a log of this library or of Eco2AI. The file is read once; the memory needed grows with
/// the number of projects, not of rows. [`Summary::by`] sums up several logs, and by other groups
/// than projects.
///
/// ```
/// # let folder = std::env::temp_dir().join(format!("eco2ai-summary-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
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
/// Where the file cannot be read, or is no emission log. Rows that cannot be used are left out,
/// and told in [`Summary::problems`].
pub fn summary(path: impl AsRef<Path>) -> Result<Summary> {
    Summary::by(GroupBy::Project, [path])
}

/// Sums of one group, in the log's units.
#[derive(Clone, Copy, Default)]
struct Sums {
    rows: u64,
    seconds: f64,
    energy: f64,
    co2: f64,
    cost: f64,
}

impl Sums {
    fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.seconds += other.seconds;
        self.energy += other.energy;
        self.co2 += other.co2;
        self.cost += other.cost;
    }

    /// What one row adds: its own energy, so that nothing is counted twice.
    fn of(figures: Figures) -> Self {
        Self {
            rows: 1,
            seconds: figures.seconds,
            energy: figures.own_energy.0,
            co2: figures.own_co2.0,
            cost: figures.own_cost,
        }
    }

    fn totals(self) -> Totals {
        Totals {
            rows: self.rows,
            duration: Duration::try_from_secs_f64(self.seconds).unwrap_or(Duration::MAX),
            energy: KilowattHours(self.energy),
            co2: KilogramsCo2e(self.co2),
            cost: self.cost,
        }
    }
}

impl Summary {
    /// Sums up several logs as if they were one: see [`read_logs`](crate::read_logs).
    ///
    /// # Errors
    /// As [`summary`], for the first log with one.
    pub fn by(by: GroupBy, paths: impl IntoIterator<Item = impl AsRef<Path>>) -> Result<Self> {
        let mut summary = Self { by, ..Self::default() };
        let mut groups: HashMap<Box<[u8]>, Sums> = HashMap::new();
        let mut rows = read_logs(paths)?;
        while let Some(row) = rows.next_row(|row| {
            let sums = Sums::of(row.figures()?);
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
                    if summary.problems.len() < TOLD {
                        summary.problems.push(problem);
                    }
                }
            }
        }
        summary.repeated_rows = rows.repeated_rows();
        summary.undated_rows = rows.undated_rows();
        summary.first_undated = rows.first_undated().cloned();
        summary.unwritten = rows.unwritten();
        let mut total = Sums::default();
        let mut sorted: BTreeMap<String, Sums> = BTreeMap::new();
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

    /// Groups with their totals, and in the end all together; projects as Eco2AI has them.
    fn lines(&self) -> impl Iterator<Item = (&str, &Totals)> {
        let groups = self.groups.iter().map(|(name, totals)| (name.as_str(), totals));
        let all = if self.by == GroupBy::Project { ALL_PROJECTS } else { "All" };
        groups.chain([(all, &self.total)])
    }

    /// What the figures do not show: rows that could not be used, that several logs have, whose date
    /// is not known, or that are not in the log yet.
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

    /// Writes the summary as CSV with Eco2AI's columns, the totals in the last line.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn write_csv(&self, path: impl AsRef<Path>) -> Result<()> {
        let io = Error::write(path.as_ref());
        let file = std::fs::File::create(path.as_ref()).map_err(io)?;
        self.write_csv_to(file).map_err(io)
    }

    /// As [`write_csv`](Self::write_csv), to anything that takes bytes.
    ///
    /// # Errors
    /// Those of `to`.
    pub fn write_csv_to(&self, to: impl io::Write) -> io::Result<()> {
        let write = || -> csv::Result<()> {
            let mut writer = csv::Writer::from_writer(to);
            writer.write_record([
                match self.by {
                    GroupBy::Project => "project_name",
                    by => by.name(),
                },
                "total duration(s)",
                "total power_consumption(kWh)",
                "total CO2_emissions(kg)",
                "total electricity cost",
            ])?;
            for (name, totals) in self.lines() {
                writer.write_field(super::row::guarded(name.as_bytes().into()))?;
                let seconds = totals.duration.as_secs_f64();
                for number in [seconds, totals.energy.0, totals.co2.0, totals.cost] {
                    writer.write_field(format!("{number:?}"))?;
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

/// A table, and how many rows could not be used.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table =
            vec![[self.by.name(), "rows", "duration", "energy", "CO2", "cost"].map(str::to_owned)];
        for (name, totals) in self.lines() {
            let mut shown = name.replace(char::is_control, " ");
            if let Some((cut, _)) = shown.char_indices().nth(SHOWN) {
                shown.truncate(cut);
                shown.push('…');
            }
            table.push([
                if shown.is_empty() { "-".to_owned() } else { shown },
                totals.rows.to_string(),
                HumanDuration(totals.duration).to_string(),
                totals.energy.to_string(),
                totals.co2.to_string(),
                Price(totals.cost).to_string(),
            ]);
        }
        let mut widths = [0; 6];
        for line in &table {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = (*width).max(cell.chars().count());
            }
        }
        for (at, line) in table.iter().enumerate() {
            if at > 0 {
                writeln!(f)?;
            }
            for (column, (cell, width)) in line.iter().zip(widths).enumerate() {
                match column {
                    0 => write!(f, "{cell:<width$}")?,
                    _ => write!(f, "  {cell:>width$}")?,
                }
            }
        }
        for note in self.notes() {
            write!(f, "\n{note}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::header::{FileKind, Header};
    use crate::log::record::tests::record;
    use crate::log::row::rows_of;
    use std::fs;

    #[test]
    fn own_energies_are_summed_so_that_nothing_counts_twice() {
        let folder = tempfile::tempdir().unwrap();
        let ours = folder.path().join("ours.csv");
        let mut outer = record("outer");
        outer.project = "=a".into();
        outer.power_consumption = KilowattHours(3.0);
        outer.own_energy = KilowattHours(2.0);
        let mut inner = record("inner");
        inner.power_consumption = KilowattHours(1.0);
        inner.own_energy = KilowattHours(1.0);
        let mut text = Header::full().line().into_bytes();
        text.extend(rows_of(&[outer, inner], &Header::full(), FileKind::Log));
        fs::write(&ours, text).unwrap();
        let theirs = folder.path().join("theirs.csv");
        fs::write(
            &theirs,
            Header::eco2ai().line()
                + "7,=a,d,N/A,2024-05-06 07:08:09,1.5,0.25,0.1,C,G,Linux,FR,2.0\n",
        )
        .unwrap();

        let summary = Summary::by(GroupBy::Project, [&ours, &theirs]).unwrap();
        assert_eq!(summary.problems, []);
        assert_eq!(summary.groups.keys().collect::<Vec<_>>(), ["=a", "p"]);
        assert_eq!(summary.groups["=a"].energy, KilowattHours(2.25));
        assert!((summary.groups["=a"].cost - 2.0).abs() < 1e-12);
        assert_eq!(summary.total.energy, KilowattHours(3.25));
        assert_eq!(summary.total.rows, 3);
        assert_eq!(summary.total.duration, Duration::from_millis(4500));

        let written = folder.path().join("summary.csv");
        summary.write_csv(&written).unwrap();
        assert_eq!(
            fs::read_to_string(written).unwrap().lines().last().unwrap(),
            "All the projects,4.5,3.25,0.1005,2.0"
        );
        let table = summary.to_string();
        assert!(table.lines().next_back().unwrap().contains("3.250 kWh"), "{table}");
    }

    #[test]
    fn a_table_has_room_for_names_of_any_length() {
        let mut summary = Summary::default();
        // A column of the formatter is no wider than 65 535.
        summary.groups.insert("é".repeat(70_000), Totals::default());
        let table = summary.to_string();
        assert_eq!(table.lines().nth(1).unwrap().split(' ').next().unwrap(), "é".repeat(60) + "…");
    }

    #[test]
    fn each_row_that_can_be_used_is_used_and_the_rest_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("emission.csv");
        let row = |kwh: &str| format!("7,p,d,N/A,x,1.5,{kwh},0.1,C,G,Linux,FR,2.0");
        let text = format!(
            "\u{feff}{}{}\n{}\n1,p\n{}\n7,p,d,\"N",
            Header::eco2ai().line(),
            row("1"),
            row("x"),
            row("2")
        );
        for text in [text.replace('\n', "\r\n"), text] {
            fs::write(&path, text).unwrap();
            let summary = summary(&path).unwrap();
            assert_eq!(summary.total.energy, KilowattHours(3.0));
            let lines: Vec<_> = summary.problems.iter().map(|problem| problem.line).collect();
            assert_eq!(lines, [3, 4, 6]);
            assert!(summary.problems[0].reason.contains("power_consumption(kWh) = \"x\""));
            assert_eq!(summary.unusable_rows, 3);
        }
        fs::write(&path, "").unwrap();
        assert_eq!(summary(&path).unwrap(), Summary::default());
        fs::write(&path, "a,b\n1,2\n").unwrap();
        assert!(matches!(summary(&path), Err(Error::NotALog { .. })));
    }
}
