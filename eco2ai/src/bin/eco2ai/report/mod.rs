//! `eco2ai report`: a self-contained page about one or more logs.

mod axis;
mod baseline;
mod breakdown;
mod call_tree;
mod chart;
mod epochs;
mod failed;
mod flame;
mod format;
mod index;
mod interner;
mod largest_runs;
mod log_totals;
mod logged_run;
mod logs;
mod options;
mod page;
mod period;
mod scale;
mod timeline;

use std::path::PathBuf;

use self::baseline::Baseline;
use self::logs::Logs;
use self::options::{EquivalentsRegion, ReportOptions};
use self::period::Period;
use crate::destination::{failed, refuse_log, write_to};
use crate::failure::{ExitCode, Failure, Result};
use crate::log_files::LogFiles;
use crate::moment::Moment;
use crate::output::{note, warning};

/// Writes a self-contained HTML page about logs
///
/// The page is one file, makes no network requests, and prints well. A time is a year, month, day,
/// minute or second, such as 2026, 2026-03, 2026-03-01 or 2026-03-01T08:30, in the time zone of this
/// machine, or an age, such as 7d.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ReportArgs {
    #[command(flatten)]
    logs: LogFiles,
    /// Writes the page to this file; `-` is standard output
    #[arg(short, long, default_value = "report.html", value_name = "FILE")]
    output: PathBuf,
    /// Opens the page in the browser
    #[arg(long)]
    open: bool,
    /// Sets the title of the page
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// Leaves out runs that started before this year, month, day, time or age: 2026-01, 7d
    #[arg(long, value_name = "TIME")]
    since: Option<Moment>,
    /// Leaves out runs that started later; a day or month itself is included
    #[arg(long, value_name = "TIME")]
    until: Option<Moment>,
    /// Compares with an earlier log, or with a period of the same logs: `2026-02`,
    /// `2026-02-01..2026-02-14`, or `previous`, which is as long as the one from --since on
    #[arg(long, value_name = "LOG|PERIOD")]
    against: Option<String>,
    /// Computes the CO2e of the same energy in other places, such as FR,DE,US-CA
    #[arg(long, value_name = "PLACES", value_delimiter = ',')]
    also: Vec<String>,
    /// Sets the region of the everyday equivalents; by default, that of the logs
    #[arg(long, value_enum, value_name = "REGION")]
    equivalents: Option<EquivalentsRegion>,
}

const EXAMPLES: &str = "\
Examples:
  eco2ai report --open emission.csv
  eco2ai report logs/ --output june.html --title 'Our June' --since 2026-06 --until 2026-06
  eco2ai report emission.csv --since 2026-06-08 --until 2026-06-14 --against previous
  eco2ai report emission.csv --against last-year.csv --also FR,DE,US-CA";

pub(crate) fn report(arguments: &ReportArgs) -> Result {
    let output = &arguments.output;
    let to_standard_output = output.as_os_str() == "-";
    // Fails before a long log is read.
    refuse_log(output)?;
    if arguments.open && to_standard_output {
        return Err(Failure::usage("--open needs a file; choose one with --output"));
    }
    let period = Period::new(arguments.since, arguments.until);
    let options = ReportOptions {
        title: arguments.title.clone(),
        period: period.describe(),
        also: options::places(&arguments.also)?,
        equivalents: arguments.equivalents,
    };
    let files = &arguments.logs.paths()?;
    let baseline = match &arguments.against {
        Some(against) => Some(Baseline::read(against, files, &period)?),
        None => None,
    };
    let logs = Logs::read(files, &period)?;
    for remark in &logs.notes {
        warning(remark);
    }
    let page = page::page(files, &logs, &options, baseline.as_ref());
    write_to(output, |to| to.write_all(page.as_bytes()).map_err(|error| failed(output, &error)))?;
    if to_standard_output {
        return Ok(ExitCode::SUCCESS);
    }
    note(format_args!("{}: {} KiB", output.display(), page.len().div_ceil(1024)));
    if arguments.open {
        open::that_detached(output).map_err(|error| {
            Failure::new(format!("{}: cannot open a browser: {error}", output.display()))
        })?;
    }
    Ok(ExitCode::SUCCESS)
}
