//! [`GroupBy`]: how the rows of a summary are grouped.

use std::borrow::Cow;

use serde::Serialize;

use crate::log::columns::Column;
use crate::log::row::{LogRow, unguarded};
use crate::log::start_time::{ISO_DATE, begins_with_iso_date};

/// The property by which a [`Summary`](crate::Summary) groups rows.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # std::env::set_current_dir(&folder)?;
/// # let header = "project_name,start_time,duration(s),power_consumption(kWh),CO2_emissions(kg)";
/// # std::fs::write("emission.csv", format!("{header}\nMNIST,2026-01-05 10:00:00,2,0.5,0.2\n"))?;
/// use eco2ai::{GroupBy, Summary};
///
/// let days = Summary::read(["emission.csv"], GroupBy::Day)?;
/// assert_eq!(days.groups["2026-01-05"].rows, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum GroupBy {
    /// The project.
    #[default]
    Project,
    /// The function; empty if the row has none.
    Function,
    /// The day on which the run started, in local time, such as `2026-01-31`; empty if unknown.
    Day,
    /// The machine of the run; empty if unknown.
    Host,
    /// The job of the run, such as `slurm:1234`; empty outside a job.
    Job,
    /// The rank of the process in its job; empty if it has none.
    Rank,
    /// The user who ran the process; empty if unknown.
    User,
    /// The status of the run; empty if unknown, as in a log of Eco2AI.
    Status,
}

impl GroupBy {
    fn column(self) -> Column {
        match self {
            Self::Project => Column::Project,
            Self::Function => Column::Function,
            Self::Day => Column::StartTime,
            Self::Host => Column::Hostname,
            Self::Job => Column::Job,
            Self::Rank => Column::Rank,
            Self::User => Column::User,
            Self::Status => Column::Status,
        }
    }

    /// Returns the name of the property: `project`, `function`, `day`, `host`, `job`, `rank`, `user`
    /// or `status`, as in `eco2ai summary --by`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Function => "function",
            Self::Day => "day",
            Self::Host => "host",
            Self::Job => "job",
            Self::Rank => "rank",
            Self::User => "user",
            Self::Status => "status",
        }
    }

    /// Returns the name of the row's group.
    pub(super) fn key<'a>(self, row: &LogRow<'a>) -> Cow<'a, [u8]> {
        let cell = row.header.place(self.column()).and_then(|place| row.row.cell(place));
        let cell = cell.unwrap_or_default();
        match self {
            Self::Day => {
                let start = row.raw(Column::StartTime);
                if begins_with_iso_date(start) {
                    return start[..ISO_DATE.len()].to_vec().into();
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
