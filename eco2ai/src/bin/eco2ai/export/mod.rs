//! `eco2ai export`: logs in the formats of other programs.

mod format;
mod json_lines;
#[cfg(feature = "parquet")]
mod parquet;
mod prometheus;

use std::path::PathBuf;

use clap::ValueEnum;
use eco2ai::{Record, live_runs, read_logs};

use crate::destination::{self, Output};
use crate::failure::{ExitCode, Failure, Result};
use crate::log_files::LogFiles;
use crate::output::warning;
use format::{Format, LeftOut};

/// Writes logs in the formats of other programs
///
/// Reads several logs as if they were one. Invalid rows are left out; the first 20 are reported on
/// standard error with their lines.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    logs: LogFiles,
    /// Sets the output format
    #[arg(long, value_enum)]
    format: FormatName,
    /// Writes to this file, and replaces it at once when all is written; `-` is standard output
    #[arg(short, long, default_value = "-", value_name = "FILE")]
    output: PathBuf,
    /// Writes the runs in progress, with their energy so far, instead of the rows
    #[arg(long)]
    live: bool,
}

const EXAMPLES: &str = "\
Examples:
  eco2ai export --format prometheus --output /var/lib/node_exporter/eco2ai.prom logs/
  eco2ai export --format json-lines emission.csv | jq .own_energy_kwh
  eco2ai export --format parquet --output emission.parquet emission.csv";

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatName {
    /// Totals as metrics, for the textfile collector of Prometheus' node exporter
    Prometheus,
    /// One object per row, with null for what is blank
    JsonLines,
    /// The columns of the log with types; needs the feature `parquet`
    Parquet,
}

impl FormatName {
    fn writer<'a>(self, to: Output<'a>, live: bool) -> Result<Box<dyn Format + 'a>> {
        Ok(match self {
            Self::Prometheus if live => Box::new(prometheus::LiveRuns::new(to)),
            Self::Prometheus => Box::new(prometheus::Rows::new(to)),
            Self::JsonLines => Box::new(json_lines::JsonLines::new(to)),
            #[cfg(feature = "parquet")]
            Self::Parquet => Box::new(parquet::Parquet::new(to).map_err(Failure::new)?),
            #[cfg(not(feature = "parquet"))]
            Self::Parquet => {
                return Err(Failure::usage(
                    "this eco2ai was built without Parquet; install it with \
                     `cargo install eco2ai --features parquet`",
                ));
            }
        })
    }
}

/// The rest is counted.
const MAX_PRINTED_PROBLEMS: u64 = 20;

pub(crate) fn export(arguments: &ExportArgs) -> Result {
    let logs = arguments.logs.paths_from_now_on()?;
    let output = &arguments.output;
    if arguments.format == FormatName::Parquet {
        destination::refuse_terminal(output)?;
    }
    destination::write_to(output, |to| {
        let mut writer = arguments.format.writer(to, arguments.live)?;
        let failed = |error| destination::failed(output, &error);
        let mut left_out = LeftOut::default();
        if arguments.live {
            for log in &logs {
                for run in live_runs(log)? {
                    writer.write_row(&run).map_err(failed)?;
                }
            }
        } else {
            left_out = write_rows(&logs, |row| writer.write_row(row).map_err(failed))?;
        }
        writer.finish(left_out).map_err(failed)
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Calls `write` for each row of the logs.
fn write_rows(logs: &[PathBuf], mut write: impl FnMut(&Record) -> Result<()>) -> Result<LeftOut> {
    let mut rows = read_logs(logs)?;
    let (mut record, mut problems) = (Record::default(), 0_u64);
    while let Some(row) = rows.read_into(&mut record) {
        match row {
            Ok(()) => write(&record)?,
            Err(problem) if problem.line == 0 => {
                return Err(Failure::new(format!(
                    "{}: {}",
                    problem.path.display(),
                    problem.reason
                )));
            }
            Err(problem) => {
                problems += 1;
                if problems <= MAX_PRINTED_PROBLEMS {
                    warning(format_args!("{problem}; row left out"));
                }
            }
        }
    }
    if problems > MAX_PRINTED_PROBLEMS {
        warning(format_args!("{} more rows left out", problems - MAX_PRINTED_PROBLEMS));
    }
    for note in rows.notes() {
        warning(note);
    }
    Ok(LeftOut { unusable: problems, repeated: rows.repeated_rows() })
}
