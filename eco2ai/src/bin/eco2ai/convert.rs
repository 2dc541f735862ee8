//! `eco2ai convert`: adds this version's columns to a log that lacks some.

use crate::failure::Result;
use crate::log_files::LogFiles;

/// Adds this version's columns to logs of Eco2AI or of earlier versions
///
/// Tracking never does so by itself. The converted log keeps its cells, its owner and its mode; the
/// old file is kept next to it. Eco2AI for Python cannot write to a converted log.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ConvertArgs {
    #[command(flatten)]
    logs: LogFiles,
}

const EXAMPLES: &str = "\
Examples:
  eco2ai convert emission.csv";

pub(crate) fn convert(arguments: &ConvertArgs) -> Result {
    arguments.logs.for_each(|file| {
        let Some(done) = eco2ai::convert(file)? else {
            return Ok("already has all columns; nothing changed".to_owned());
        };
        let left_out = match done.left_out {
            0 => String::new(),
            1 => "; 1 line that is not a row remains only there".to_owned(),
            lines => format!("; {lines} lines that are not rows remain only there"),
        };
        Ok(format!(
            "{} columns added to {} rows; the old file is {}{left_out}",
            done.columns.len(),
            done.rows,
            done.old.display()
        ))
    })
}
