//! The command `eco2ai`: measures any program, reads any log.

mod completions;
mod convert;
mod devices;
mod failure;
mod json;
mod output;
mod params;
mod recover;
mod report;
mod run;
mod summary;
mod table;
mod watch;

use std::process::ExitCode;

use clap::Parser;

use crate::failure::{Failure, Result};

/// Tells what programs cost in energy, CO2 and money.
#[derive(Parser)]
#[command(name = "eco2ai", version, after_help = EXAMPLES)]
enum Command {
    Run(Box<run::Arguments>),
    Devices(devices::Arguments),
    Summary(summary::Arguments),
    Report(report::Arguments),
    Watch(watch::Arguments),
    Params(params::Arguments),
    Recover(recover::Arguments),
    Convert(convert::Arguments),
    Completions(completions::Arguments),
}

const EXAMPLES: &str = "\
Examples:
  eco2ai run -- ./train --epochs 10      measure a program, and add a row to emission.csv
  eco2ai summary emission.csv            what it came to, per project
  eco2ai devices                         what this machine can measure, and what it lacks

Exit codes: 0 done, 1 failed, 2 wrong usage; `eco2ai run` passes on the command's own.
NO_COLOR=1 turns colours off, ECO2AI_DISABLE=1 all tracking.";

fn main() -> ExitCode {
    let command = Command::parse();
    output::tell_warnings(match &command {
        Command::Run(arguments) => !arguments.quiet(),
        // It tells the same in its table.
        Command::Devices(_) => false,
        _ => true,
    });
    let outcome: Result = match command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Devices(arguments) => devices::devices(&arguments),
        Command::Summary(arguments) => summary::summary(&arguments),
        Command::Report(arguments) => report::report(&arguments),
        Command::Watch(arguments) => watch::watch(&arguments),
        Command::Params(arguments) => params::params(&arguments),
        Command::Recover(arguments) => recover::recover(&arguments),
        Command::Convert(arguments) => convert::convert(&arguments),
        Command::Completions(arguments) => completions::completions::<Command>(&arguments),
    };
    outcome.unwrap_or_else(Failure::tell)
}
