//! `eco2ai devices`: what this machine can measure.

use std::process::ExitCode;

use eco2ai::available_devices;

use crate::failure::{Failure, Result};
use crate::output::{print, write};

/// Lists what this machine can measure, how, and what is missing
///
/// Each component is measured (from an energy counter), sampled (from power readings) or estimated
/// (from a model, whose inputs the next line names). For each missing component, the list gives the
/// reason and, if there is one, the command that enables it.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DevicesArgs {
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  eco2ai devices
  eco2ai devices --json | jq '.missing[].command'";

pub(crate) fn devices(arguments: &DevicesArgs) -> Result {
    let devices = available_devices();
    if arguments.json {
        print(serde_json::to_string_pretty(&devices).map_err(Failure::new)?)?;
    } else {
        write(|to| write!(to, "{devices}"))?;
    }
    Ok(ExitCode::SUCCESS)
}
