//! `eco2ai watch`: the runs in progress.

use std::collections::{HashMap, HashSet};
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use eco2ai::units::{ColumnUnit, Watts};
use eco2ai::{Record, Unwritten, live_runs};
use terminal_size::{Height, Width, terminal_size};

use crate::failure::{ExitCode, Result};
use crate::live::{RunPower, clock};
use crate::log_files::{LogFiles, logs_of};
use crate::output::{print, write};
use crate::text_table::{Align, TextTable, cut, name_cell};

/// Shows the runs in progress on logs, of every process
///
/// A run appears once it has lasted longer than its measuring period. Power is the average since the
/// previous period. On a terminal, the table is redrawn every second until Ctrl-C; elsewhere, it is
/// printed once.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct WatchArgs {
    #[command(flatten)]
    logs: LogFiles,
}

const EXAMPLES: &str = "\
Examples:
  eco2ai watch
  eco2ai watch emission.csv
  eco2ai watch logs/ 'node*/emission.csv'";

const REDRAW_PERIOD: Duration = Duration::from_secs(1);
const HOME: &str = "\x1b[H";
const CLEAR_LINE: &str = "\x1b[K";
const CLEAR_SCREEN: &str = "\x1b[J";
/// A terminal that is narrower has no room for all columns.
const WIDE: usize = 72;

pub(crate) fn watch(arguments: &WatchArgs) -> Result {
    let files = arguments.logs.arguments();
    let mut powers = HashMap::new();
    if !std::io::stdout().is_terminal() {
        print(Screen::read(&files)?.text(&mut powers, None))?;
        return Ok(ExitCode::SUCCESS);
    }
    write(|to| write!(to, "{HOME}{CLEAR_SCREEN}"))?;
    loop {
        let size = terminal_size().map(|(Width(width), Height(height))| (width, height));
        let screen = Screen::read(&files)?.text(&mut powers, size);
        let mut drawing = HOME.to_owned();
        for line in screen.lines() {
            // Cleared first: a full line would lose its last letter.
            drawing.extend([CLEAR_LINE, line, "\n"]);
        }
        drawing.push_str(CLEAR_SCREEN);
        write(|to| to.write_all(drawing.as_bytes()))?;
        std::thread::sleep(REDRAW_PERIOD);
    }
}

/// What is known of the logs at one moment.
struct Screen {
    runs: Vec<Record>,
    /// Lines below the table.
    notes: Vec<String>,
}

impl Screen {
    /// Reads the logs that the arguments name now: others may have appeared meanwhile.
    fn read(arguments: &[PathBuf]) -> Result<Self> {
        let (mut runs, mut notes, mut unwritten) = (Vec::new(), Vec::new(), Unwritten::default());
        let mut seen = HashSet::new();
        for argument in arguments {
            let logs = logs_of(argument)?;
            if logs.is_empty() {
                notes.push(format!("{}: no emission log found yet", argument.display()));
            }
            for log in logs.into_iter().filter(|log| seen.insert(log.clone())) {
                let (running, missing) = (live_runs(&log)?, Unwritten::from_log(&log)?);
                if running.is_empty() && missing.is_empty() && !log.exists() {
                    notes.push(format!("{}: no such file yet", log.display()));
                }
                runs.extend(running);
                unwritten += missing;
            }
        }
        runs.sort_by(|one, other| (one.start_time, &one.id).cmp(&(other.start_time, &other.id)));
        if runs.is_empty() {
            let names: Vec<_> = arguments.iter().map(|file| file.display().to_string()).collect();
            notes.insert(0, format!("{}: no run in progress", names.join(", ")));
        }
        // The table shows those in progress.
        unwritten.running = 0;
        if !unwritten.is_empty() {
            notes.push(unwritten.to_string());
        }
        Ok(Self { runs, notes })
    }

    /// Returns the table and the notes, as far as they fit a terminal of this width and height.
    fn text(&self, powers: &mut HashMap<String, RunPower>, size: Option<(u16, u16)>) -> String {
        let width = size.map_or(usize::MAX, |(width, _)| width.into());
        let table =
            if self.runs.is_empty() { String::new() } else { table(&self.runs, powers, width) };
        let mut lines: Vec<_> = table.lines().map(str::to_owned).collect();
        if let Some((_, height)) = size {
            // The cursor stands on the last line.
            let room = usize::from(height).saturating_sub(self.notes.len() + 2).max(1);
            if lines.len() > room + 1 {
                let left = lines.len() - room;
                lines.truncate(room);
                lines.push(format!("… and {left} more"));
            }
        }
        lines.extend(self.notes.iter().map(|note| cut(note, width)));
        lines.join("\n")
    }
}

fn table(runs: &[Record], known: &mut HashMap<String, RunPower>, width: usize) -> String {
    const NUMBER: Align = Align::Right;
    let mut power_of =
        |run: &Record| known.entry(run.id.clone()).or_default().update(run.duration, run.energy);
    let powers: Vec<Watts> = runs.iter().map(&mut power_of).collect();
    let power = ColumnUnit::new(powers.iter().copied());
    let energy = ColumnUnit::new(runs.iter().map(|run| run.energy));
    let co2 = ColumnUnit::new(runs.iter().map(|run| run.co2));
    let mut wide =
        TextTable::new([Align::Left, Align::Left, Align::Left, NUMBER, NUMBER, NUMBER, NUMBER]);
    let mut narrow = TextTable::new([Align::Left, NUMBER, NUMBER, NUMBER]);
    let mut push = |run: &str, project: &str, process: &str, figures: [String; 4]| {
        let [run, project, process] = [run, project, process].map(name_cell);
        let [time, power, energy, co2] = figures;
        narrow.push([run.clone(), time.clone(), power.clone(), energy.clone()]);
        wide.push([run, project, process, time, power, energy, co2]);
    };
    let heads =
        ["time".to_owned(), power.heading("power"), energy.heading("energy"), co2.heading("CO2e")];
    push("run", "project", "process", heads);
    for (run, watts) in runs.iter().zip(powers) {
        let process = format!("{}@{}", run.pid, run.hostname);
        let name = run.function.as_deref().unwrap_or_default();
        let figures =
            [clock(run.duration), power.cell(watts), energy.cell(run.energy), co2.cell(run.co2)];
        push(name, &run.project, &process, figures);
    }
    known.retain(|id, _| runs.iter().any(|run| run.id == *id));
    if width < WIDE {
        narrow.fit(width);
        narrow.to_string()
    } else {
        wide.fit(width);
        wide.to_string()
    }
}
