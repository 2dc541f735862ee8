//! The command `eco2ai`: measures any program, reads any log.

mod failure;
mod report;

use std::process::ExitCode;

use clap::Parser;

use crate::failure::Result;

/// Tells what programs cost in energy, CO2 and money.
#[derive(Parser)]
#[command(version)]
enum Command {
    Report(report::Arguments),
}

fn main() -> ExitCode {
    let outcome: Result = match Command::parse() {
        Command::Report(arguments) => report::report(&arguments),
    };
    outcome.unwrap_or_else(|failure| failure.tell())
}
