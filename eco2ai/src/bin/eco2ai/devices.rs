//! `eco2ai devices`: what this machine can measure.

use std::io::IsTerminal;

use eco2ai::{Devices, available_devices};
use terminal_size::{Width, terminal_size};

use crate::failure::{ExitCode, Failure, Result};
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

/// The indent of what is said about a device.
const INDENT: &str = "         ";

pub(crate) fn devices(arguments: &DevicesArgs) -> Result {
    let devices = available_devices();
    if arguments.json {
        print(serde_json::to_string_pretty(&devices).map_err(Failure::new)?)?;
    } else if std::io::stdout().is_terminal()
        && let Some((Width(width), _)) = terminal_size()
    {
        print(wrapped(&devices, width.into()))?;
    } else {
        write(|to| write!(to, "{devices}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the text about devices with lines of this width. Commands keep their line, so that they
/// can be copied.
fn wrapped(devices: &Devices, width: usize) -> String {
    let options = textwrap::Options::new(width).subsequent_indent(INDENT).break_words(false);
    let commands: Vec<&str> =
        devices.missing.iter().filter_map(|missing| missing.command.as_deref()).collect();
    let text = devices.to_string();
    let lines = text.lines().map(|line| {
        if commands.iter().any(|command| line.ends_with(command)) {
            line.to_owned()
        } else {
            textwrap::fill(line, &options)
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrow_terminal_wraps_all_but_commands() {
        let devices: Devices = serde_json::from_value(serde_json::json!({
            "os": "Linux",
            "cpu": "",
            "logical_cpus": 2,
            "is_virtual_machine": false,
            "devices": [],
            "missing": [{
                "what": "energy counter of the processor",
                "why": "only root may read it",
                "command": "sudo chmod -R a+r /sys/class/powercap",
                "lacking": null,
            }],
        }))
        .unwrap();
        assert_eq!(
            wrapped(&devices, 36),
            "Linux, 2 logical CPU(s)\n\
             missing  energy counter of the\n         \
             processor: only root may\n         \
             read it\n         \
             to enable it: sudo chmod -R a+r /sys/class/powercap"
        );
    }
}
