//! `eco2ai man`: manual pages, from the help of the commands.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use crate::failure::{ExitCode, Failure, Result};
use crate::help::find;
use crate::output::write;

/// Prints the manual page of this command or of a subcommand
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ManArgs {
    /// The subcommand, such as run or params set
    subcommand: Vec<String>,
    /// Writes the pages of all subcommands to this folder instead, which is created
    #[arg(short, long, value_name = "FOLDER", conflicts_with = "subcommand")]
    output: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  eco2ai man run | man -l -
  eco2ai man --output ~/.local/share/man/man1";

pub(crate) fn man(arguments: &ManArgs, command: Command) -> Result {
    let command = find(command, &arguments.subcommand)?;
    if let Some(folder) = &arguments.output {
        fs::create_dir_all(folder)
            .and_then(|()| write_pages(&command, folder))
            .map_err(|error| Failure::new(format!("{}: {error}", folder.display())))?;
        return Ok(ExitCode::SUCCESS);
    }
    let page = page(command).map_err(Failure::new)?;
    write(|to| to.write_all(&page))?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the pages of a command and of all commands below it.
fn write_pages(command: &Command, folder: &Path) -> io::Result<()> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    fs::write(folder.join(format!("{name}.1")), page(command.clone())?)?;
    command.get_subcommands().try_for_each(|command| write_pages(command, folder))
}

fn page(mut command: Command) -> io::Result<Vec<u8>> {
    let sections = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    command = command.after_help(None::<&str>);
    let source = concat!("eco2ai ", env!("CARGO_PKG_VERSION"));
    let mut page = Vec::new();
    Man::new(command).manual("eco2ai").source(source).render(&mut page)?;
    after_help(&sections).to_writer(&mut page)?;
    Ok(page)
}

/// Returns what follows the options: sections whose lines are kept, below their headings.
fn after_help(text: &str) -> Roff {
    let mut page = Roff::new();
    for line in text.lines() {
        match line.strip_suffix(':') {
            Some(heading) if !line.starts_with(' ') => {
                // A heading ends the mode in which lines are kept.
                page.control("SH", [heading.to_uppercase().as_str()]).control("nf", [])
            }
            _ => page.text([roman(line.strip_prefix("  ").unwrap_or(line))]),
        };
    }
    page
}
