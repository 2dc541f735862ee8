//! `eco2ai help`: the same as `--help`.

use clap::Command;

use crate::failure::{ExitCode, Failure, Result};
use crate::output::print;

/// Prints the help of this command or of a subcommand
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct HelpArgs {
    /// The subcommand, such as run or params set
    subcommand: Vec<String>,
}

const EXAMPLES: &str = "\
Examples:
  eco2ai help run
  eco2ai help params set";

pub(crate) fn help(arguments: &HelpArgs, command: Command) -> Result {
    let mut command = find(command, &arguments.subcommand)?;
    print(command.render_long_help().ansi().to_string().trim_end())?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the subcommand with this path.
pub(crate) fn find(mut command: Command, path: &[String]) -> Result<Command> {
    command.build();
    for name in path {
        let names = || command.get_subcommands().map(Command::get_name).collect::<Vec<_>>();
        command = command.find_subcommand(name).cloned().ok_or_else(|| {
            let hint = match names().as_slice() {
                [] => String::new(),
                names => format!("; there are {}", names.join(", ")),
            };
            Failure::usage(format!("{name}: no such subcommand{hint}"))
        })?;
    }
    Ok(command)
}
