//! `eco2ai watch`: the runs in progress.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use eco2ai::{Record, Unwritten, live_runs};

use crate::failure::Result;
use crate::live::{RunPower, clock};
use crate::log_files::{log_in_force, logs_of, pattern};
use crate::output::{print, write};
use crate::text_table::{Align, TextTable, name_cell};

/// Shows the runs in progress on logs, of every process
///
/// A run appears once it has lasted longer than its measuring period. On a terminal, the table is
/// redrawn every second until Ctrl-C; elsewhere, it is printed once.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct WatchArgs {
    /// Logs, folders of logs, or patterns such as 'logs/*.csv' [default: the value of `eco2ai params
    /// get file`]
    files: Vec<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  eco2ai watch emission.csv
  eco2ai watch logs/";

const REDRAW_PERIOD: Duration = Duration::from_secs(1);
const HOME: &str = "\x1b[H";
const CLEAR_LINE: &str = "\x1b[K";
const CLEAR_SCREEN: &str = "\x1b[J";

pub(crate) fn watch(arguments: &WatchArgs) -> Result {
    let mut files = arguments.files.clone();
    if files.is_empty() {
        files.push(pattern(&log_in_force()).into());
    }
    let mut powers = HashMap::new();
    if !std::io::stdout().is_terminal() {
        print(screen(&files, &mut powers)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    write(|to| write!(to, "{HOME}{CLEAR_SCREEN}"))?;
    loop {
        let screen = screen(&files, &mut powers)?;
        write(|to| {
            write!(to, "{HOME}")?;
            for line in screen.lines() {
                writeln!(to, "{line}{CLEAR_LINE}")?;
            }
            write!(to, "{CLEAR_SCREEN}")
        })?;
        std::thread::sleep(REDRAW_PERIOD);
    }
}

/// Returns the table of the runs in progress, and a line on rows that are not written yet. Logs that
/// have appeared meanwhile are included.
fn screen(files: &[PathBuf], powers: &mut HashMap<String, RunPower>) -> Result<String> {
    let (mut runs, mut unwritten) = (Vec::new(), Unwritten::default());
    for file in files {
        for log in logs_of(file)? {
            runs.extend(live_runs(&log)?);
            unwritten += Unwritten::from_log(&log)?;
        }
    }
    runs.sort_by(|one, other| (one.start_time, &one.id).cmp(&(other.start_time, &other.id)));
    let mut screen = if runs.is_empty() {
        let names: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
        format!("{}: no run in progress", names.join(", "))
    } else {
        table(&runs, powers).to_string()
    };
    // The table shows those in progress.
    unwritten.running = 0;
    if !unwritten.is_empty() {
        screen.push('\n');
        screen.push_str(&unwritten.to_string());
    }
    Ok(screen)
}

fn table(runs: &[Record], powers: &mut HashMap<String, RunPower>) -> TextTable<7> {
    const NUMBER: Align = Align::Right;
    let mut table =
        TextTable::new([Align::Left, Align::Left, Align::Left, NUMBER, NUMBER, NUMBER, NUMBER]);
    table.push(["run", "project", "process", "time", "power", "energy", "CO2"].map(str::to_owned));
    for run in runs {
        let (duration, energy) = (run.duration, run.energy);
        let power = powers.entry(run.id.clone()).or_default().update(duration, energy);
        table.push([
            name_cell(run.function.as_deref().unwrap_or_default()),
            name_cell(&run.project),
            format!("{}@{}", run.pid, run.hostname),
            clock(duration),
            power.to_string(),
            energy.to_string(),
            run.co2.to_string(),
        ]);
    }
    powers.retain(|id, _| runs.iter().any(|run| run.id == *id));
    table
}
