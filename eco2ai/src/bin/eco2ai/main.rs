//! The command `eco2ai`: measures any program and reads any log.
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod budget;
mod calibrate;
mod compare;
mod completions;
mod convert;
mod destination;
mod devices;
mod export;
mod failure;
mod help;
mod live;
mod log_files;
mod man;
mod metrics;
mod moment;
mod output;
mod params;
mod recover;
mod report;
mod run;
mod serve;
mod summary;
// The one table of the library, too: it has no public name there.
#[path = "../../text_table.rs"]
mod text_table;
mod watch;

use clap::{Arg, ArgAction, Command, CommandFactory, FromArgMatches, Parser};

use crate::failure::Result;

/// Measures the energy, CO2 and cost of programs
#[derive(Parser)]
#[command(
    name = "eco2ai",
    version,
    after_help = EXAMPLES,
    disable_help_subcommand = true,
    disable_version_flag = true
)]
enum Cli {
    Run(Box<run::RunArgs>),
    Devices(devices::DevicesArgs),
    Summary(summary::SummaryArgs),
    Compare(compare::CompareArgs),
    Report(report::ReportArgs),
    Watch(watch::WatchArgs),
    Export(export::ExportArgs),
    Serve(serve::ServeArgs),
    Params(params::ParamsArgs),
    Calibrate(calibrate::CalibrateArgs),
    Recover(recover::RecoverArgs),
    Convert(convert::ConvertArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
    Help(help::HelpArgs),
}

const EXAMPLES: &str = "\
Examples:
  eco2ai run -- ./train --epochs 10   measures a program and logs a row
  eco2ai summary                      prints the totals of each project
  eco2ai devices                      lists what this machine can measure

Exit codes:
  0  success
  1  failure
  2  wrong usage
  3  over the budget
  4  worse than allowed (`eco2ai compare`)
  `eco2ai run` returns the code of its command, if that is not 0.

Environment:
  ECO2AI_DISABLE=1     turns off all tracking
  ECO2AI_CONFIG        names the file of saved parameters
  ECO2AI_COUNTRY, …    set parameters; `eco2ai params` lists them
  NO_COLOR=1           turns off colours; CLICOLOR_FORCE=1 turns them on";

fn main() {
    let cli = match Cli::from_arg_matches_mut(&mut command().get_matches()) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
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
        Cli::Compare(arguments) => compare::compare(&arguments),
        Cli::Report(arguments) => report::report(&arguments),
        Cli::Watch(arguments) => watch::watch(&arguments),
        Cli::Export(arguments) => export::export(&arguments),
        Cli::Serve(arguments) => serve::serve(&arguments),
        Cli::Help(arguments) => help::help(&arguments, command()),
        Cli::Params(arguments) => params::params(&arguments),
        Cli::Calibrate(arguments) => calibrate::calibrate(&arguments),
        Cli::Recover(arguments) => recover::recover(&arguments),
        Cli::Convert(arguments) => convert::convert(&arguments),
        Cli::Completions(arguments) => completions::completions(&arguments, command()),
        Cli::Man(arguments) => man::man(&arguments, command()),
    };
    outcome.unwrap_or_else(output::report_failure).exit()
}

/// Returns the command with its options for help, whose descriptions are in the mood of the others.
fn command() -> Command {
    let version = Arg::new("version").short('V').long("version").action(ArgAction::Version);
    with_help(Cli::command().arg(version.help("Prints the version")))
}

fn with_help(command: Command) -> Command {
    let help = Arg::new("help").short('h').long("help").action(ArgAction::Help);
    let help = help.help("Prints help; -h prints a summary").help_heading(None::<&str>);
    command
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .arg(help)
        .mut_subcommands(with_help)
}
