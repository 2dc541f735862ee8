//! `eco2ai completions`: a script that completes the command in a shell.

use clap::Command;
use clap_complete::{Shell, generate};

use crate::failure::{ExitCode, Result};
use crate::output::write;

/// Prints a script that completes this command in a shell
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

const EXAMPLES: &str = "\
Examples:
  eco2ai completions bash > ~/.local/share/bash-completion/completions/eco2ai
  eco2ai completions zsh > ~/.zfunc/_eco2ai";

pub(crate) fn completions(arguments: &CompletionsArgs, mut command: Command) -> Result {
    // `generate` panics if it cannot write, so it writes to memory.
    let mut script = Vec::new();
    generate(arguments.shell, &mut command, "eco2ai", &mut script);
    write(|to| to.write_all(&script))?;
    Ok(ExitCode::SUCCESS)
}
