//! `eco2ai watch`: the runs in progress.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use eco2ai::{Record, Unwritten, live_runs};

use crate::failure::Result;
use crate::live::{RunPower, clock};
use crate::log_files::log_in_force;
use crate::output::{print, write};
use crate::text_table::{Align, TextTable, name_cell};

/// Shows the runs in progress on a log, of every process
///
/// A run appears once it has lasted longer than its measuring period. On a terminal, the table is
/// redrawn every second until Ctrl-C; elsewhere, it is printed once.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct WatchArgs {
    /// The log [default: the value of `eco2ai params get file`]
    file: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  eco2ai watch emission.csv";

const REDRAW_PERIOD: Duration = Duration::from_secs(1);
const HOME: &str = "\x1b[H";
const CLEAR_LINE: &str = "\x1b[K";
const CLEAR_SCREEN: &str = "\x1b[J";

pub(crate) fn watch(arguments: &WatchArgs) -> Result {
    let file = arguments.file.clone().unwrap_or_else(|| log_in_force().into());
    let mut powers = HashMap::new();
    if !std::io::stdout().is_terminal() {
        print(screen(&file, &mut powers)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    write(|to| write!(to, "{HOME}{CLEAR_SCREEN}"))?;
    loop {
        let screen = screen(&file, &mut powers)?;
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

/// Returns the table of the runs in progress, and a line on rows that are not written yet.
fn screen(log: &Path, powers: &mut HashMap<String, RunPower>) -> Result<String> {
    let runs = live_runs(log)?;
    let mut screen = if runs.is_empty() {
        format!("{}: no run in progress", log.display())
    } else {
        table(&runs, powers).to_string()
    };
    let mut unwritten = Unwritten::from_log(log)?;
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
