//! `eco2ai devices`: what this machine can measure.

use std::process::ExitCode;

use eco2ai::available_devices;

use crate::failure::{Failure, Result};
use crate::output::{print, write};

/// Tells what this machine can measure, how, and what it lacks
///
/// Each part's figures are measured (by a counter of energy), sampled (from readings of power) or
/// estimated (from a model: the line below says from what). What is missing comes with the reason
/// and, where there is one, the command that would allow it.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Prints JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  eco2ai devices
  eco2ai devices --json | jq '.missing[].command'";

pub(crate) fn devices(arguments: &Arguments) -> Result {
    let devices = available_devices();
    if arguments.json {
        print(serde_json::to_string_pretty(&devices).map_err(Failure::new)?)?;
    } else {
        write(|to| write!(to, "{devices}"))?;
    }
    Ok(ExitCode::SUCCESS)
}
