//! [`GroupBy`]: how the rows of a summary are grouped.

use serde::Serialize;

use crate::log::columns::Column;
use crate::log::row::LogRow;
use crate::log::start_time::{ISO_DATE, begins_with_iso_date};

/// A property by which a [`Summary`](crate::Summary) groups rows.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # std::env::set_current_dir(&folder)?;
/// # let header = "project_name,start_time,duration(s),power_consumption(kWh),CO2_emissions(kg)";
/// # std::fs::write("emission.csv", format!("{header}\nMNIST,2026-01-05 10:00:00,2,0.5,0.2\n"))?;
/// use eco2ai::{GroupBy, Summary};
///
/// let days = Summary::read(["emission.csv"], GroupBy::Day)?;
/// assert_eq!(days.group(["2026-01-05"]).unwrap().rows, 1);
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
    /// The description of the experiment.
    Description,
    /// The run, by its id. The epochs of a training are one run.
    Run,
    /// The day on which the run started, in the time zone of the run, such as `2026-01-31`; empty
    /// if unknown.
    Day,
    /// The week in which the run started, by ISO 8601, such as `2026-W05`; empty if unknown.
    Week,
    /// The month in which the run started, such as `2026-01`; empty if unknown.
    Month,
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
    /// Returns the name of the property, such as `project`, as in `eco2ai summary --by`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Function => "function",
            Self::Description => "description",
            Self::Run => "run",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Host => "host",
            Self::Job => "job",
            Self::Rank => "rank",
            Self::User => "user",
            Self::Status => "status",
        }
    }

    /// Returns whether the groups are periods of time.
    pub(super) fn is_period(self) -> bool {
        matches!(self, Self::Day | Self::Week | Self::Month)
    }

    /// Returns whether the rows of a group are of one piece of code, so that their inclusive
    /// energies can be added.
    pub(super) fn is_code(self) -> bool {
        matches!(self, Self::Function | Self::Run)
    }

    /// Appends the name of the row's group.
    pub(super) fn append_name(self, row: &LogRow<'_>, to: &mut Vec<u8>) {
        let column = match self {
            Self::Project => Column::Project,
            Self::Function => Column::Function,
            Self::Description => Column::Description,
            Self::Run => Column::Id,
            Self::Host => Column::Hostname,
            Self::Job => Column::Job,
            Self::Rank => Column::Rank,
            Self::User => Column::User,
            Self::Status => Column::Status,
            Self::Day | Self::Week | Self::Month => return self.append_period(row, to),
        };
        to.extend_from_slice(&row.bytes(column));
    }

    fn append_period(self, row: &LogRow<'_>, to: &mut Vec<u8>) {
        let (format, length) = match self {
            Self::Week => ("%G-W%V", None),
            Self::Month => ("%Y-%m", Some("0000-00".len())),
            _ => ("%Y-%m-%d", Some(ISO_DATE.len())),
        };
        let start = row.raw(Column::StartTime);
        match length.and_then(|length| start.get(..length)) {
            Some(period) if begins_with_iso_date(start) => to.extend_from_slice(period),
            _ => {
                let period = row.start_time().map(|start| start.format(format).to_string());
                to.extend_from_slice(period.unwrap_or_default().as_bytes());
            }
        }
    }
}
