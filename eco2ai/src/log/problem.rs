//! [`Problem`]: why a row of a log cannot be used; notes on the other rows.

use std::path::PathBuf;

use serde::Serialize;

use crate::log::record_text::counted_rows;
use crate::log::serialized;
use crate::log::unwritten::Unwritten;

/// A row of a log that cannot be used. Reading continues with the next row.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # std::env::set_current_dir(&folder)?;
/// # std::fs::write("emission.csv", "project_name,start_time,duration(s),power_consumption(kWh),CO2_emissions(kg)\nMNIST,2026-01-05 10:00:00,2,much,0.2\n")?;
/// for row in eco2ai::read_log("emission.csv")? {
///     if let Err(problem) = row {
///         eprintln!("{problem}");
/// #       assert_eq!((problem.line, problem.reason.as_str()), (2, "power_consumption(kWh) = \"much\" is not a number"));
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{} line {line}: {reason}", path.display())]
#[non_exhaustive]
pub struct Problem {
    /// The path of the log.
    #[serde(rename = "file", serialize_with = "serialized::path")]
    pub path: PathBuf,
    /// The number of the row's first line, from 1; 0 if the log cannot be read any further.
    pub line: u64,
    /// Why the row cannot be used.
    pub reason: String,
}

/// Returns notes for people on the rows, one sentence each.
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
