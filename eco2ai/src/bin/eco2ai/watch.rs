//! `eco2ai watch`: what is running now.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use eco2ai::units::{KilowattHours, Watts};
use eco2ai::{Record, Unwritten, live_runs};

use crate::failure::Result;
use crate::output::{print, write};
use crate::params::log_in_force;
use crate::run::clock;
use crate::table::Table;

/// Shows the runs on a log that are running now, in whatever process
///
/// A run is shown once it has lasted longer than its measuring period. On a terminal the table is
/// drawn anew each second, until Ctrl-C; elsewhere it is printed once.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The log [default: the one of `eco2ai params get file`]
    file: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  eco2ai watch emission.csv";

const PERIOD: Duration = Duration::from_secs(1);
const HOME: &str = "\x1b[H";
const REST_OF_LINE: &str = "\x1b[K";
const REST_OF_SCREEN: &str = "\x1b[J";

pub(crate) fn watch(arguments: &Arguments) -> Result {
    let file = arguments.file.clone().unwrap_or_else(|| log_in_force().into());
    let mut powers = Powers::default();
    let table = |powers: &mut Powers| -> Result<Vec<String>> {
        let runs = live_runs(&file)?;
        let mut lines = if runs.is_empty() {
            vec![format!("{}: no run is running", file.display())]
        } else {
            lines(&runs, powers)
        };
        let mut unwritten = Unwritten::from_log(&file)?;
        // They are shown.
        unwritten.running = 0;
        if !unwritten.is_empty() {
            lines.push(unwritten.to_string());
        }
        Ok(lines)
    };
    if !std::io::stdout().is_terminal() {
        print(table(&mut powers)?.join("\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    write(|to| write!(to, "{HOME}{REST_OF_SCREEN}"))?;
    loop {
        let lines = table(&mut powers)?;
        write(|to| {
            write!(to, "{HOME}")?;
            for line in lines {
                writeln!(to, "{line}{REST_OF_LINE}")?;
            }
            write!(to, "{REST_OF_SCREEN}")
        })?;
        std::thread::sleep(PERIOD);
    }
}

fn lines(runs: &[Record], powers: &mut Powers) -> Vec<String> {
    let mut table =
        vec![["run", "project", "process", "time", "power", "energy", "CO2"].map(str::to_owned)];
    table.extend(runs.iter().map(|run| {
        [
            run.function.clone().unwrap_or_else(|| "-".into()).replace(char::is_control, " "),
            run.project.replace(char::is_control, " "),
            format!("{}@{}", run.pid, run.hostname),
            clock(run.duration),
            powers.of(run).to_string(),
            run.power_consumption.to_string(),
            run.co2_emissions.to_string(),
        ]
    }));
    powers.forget_all_but(runs);
    Table(table).lines().collect()
}

/// The power of each run: since its state before, else since its start.
#[derive(Default)]
struct Powers(HashMap<String, (Duration, KilowattHours, Watts)>);

impl Powers {
    fn of(&mut self, run: &Record) -> Watts {
        let (duration, energy) = (run.duration, run.power_consumption);
        let (since, before, power) = self.0.get(&run.id).copied().unwrap_or((
            Duration::ZERO,
            KilowattHours::ZERO,
            Watts::ZERO,
        ));
        if duration == since {
            return power;
        }
        let power = match duration.checked_sub(since) {
            Some(time) => average(energy - before, time),
            // A new epoch.
            None => average(energy, duration),
        };
        self.0.insert(run.id.clone(), (duration, energy, power));
        power
    }

    fn forget_all_but(&mut self, runs: &[Record]) {
        self.0.retain(|id, _| runs.iter().any(|run| run.id == *id));
    }
}

/// The power that gives this energy in this time.
pub(crate) fn average(energy: KilowattHours, time: Duration) -> Watts {
    let joules = eco2ai::units::Joules::from(energy).0;
    Watts(if time.is_zero() { 0.0 } else { joules / time.as_secs_f64() })
}
