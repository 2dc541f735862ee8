//! The command `eco2ai`: measures any program and reads any log.
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod calibrate;
mod completions;
mod convert;
mod devices;
mod failure;
mod live;
mod log_files;
mod man;
mod output;
mod params;
mod recover;
mod report;
mod run;
mod summary;
// The one table of the library, too: it has no public name there.
#[path = "../../text_table.rs"]
mod text_table;
mod watch;

use std::process::ExitCode;

use clap::Parser;

use crate::failure::Result;

/// Measures the energy, CO2 and cost of programs
#[derive(Parser)]
#[command(name = "eco2ai", version, after_help = EXAMPLES)]
enum Cli {
    Run(Box<run::RunArgs>),
    Devices(devices::DevicesArgs),
    Summary(summary::SummaryArgs),
    Report(report::ReportArgs),
    Watch(watch::WatchArgs),
    Params(params::ParamsArgs),
    Calibrate(calibrate::CalibrateArgs),
    Recover(recover::RecoverArgs),
    Convert(convert::ConvertArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
}

const EXAMPLES: &str = "\
Examples:
  eco2ai run -- ./train --epochs 10      measures a program and adds a row to emission.csv
  eco2ai summary emission.csv            prints the totals of each project
  eco2ai devices                         lists what this machine can measure and what is missing

Exit codes: 0 success, 1 failure, 2 wrong usage; `eco2ai run` returns the code of its command.
NO_COLOR=1 turns off colours, ECO2AI_DISABLE=1 turns off all tracking.";

fn main() -> ExitCode {
    let cli = Cli::parse();
    output::print_library_warnings(match &cli {
        Cli::Run(arguments) => !arguments.is_quiet(),
        // Its list contains them.
        Cli::Devices(_) => false,
        _ => true,
    });
    let outcome: Result = match cli {
        Cli::Run(arguments) => run::run(&arguments),
        Cli::Devices(arguments) => devices::devices(&arguments),
        Cli::Summary(arguments) => summary::summary(&arguments),
        Cli::Report(arguments) => report::report(&arguments),
        Cli::Watch(arguments) => watch::watch(&arguments),
        Cli::Params(arguments) => params::params(&arguments),
        Cli::Calibrate(arguments) => calibrate::calibrate(&arguments),
        Cli::Recover(arguments) => recover::recover(&arguments),
        Cli::Convert(arguments) => convert::convert(&arguments),
        Cli::Completions(arguments) => completions::completions::<Cli>(&arguments),
        Cli::Man(arguments) => man::man::<Cli>(&arguments),
    };
    outcome.unwrap_or_else(output::report_failure)
}
