//! `eco2ai summary`: what logs add up to.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;
use eco2ai::{GroupBy, Summary};
use serde_json::{Value, json};

use crate::failure::{Failure, Result};
use crate::json;
use crate::output::{print, warning, write};

/// Sums up logs, of this tool and of Eco2AI, as if they were one
///
/// Energy, CO2 and cost are counted once also where runs nest. Rows that cannot be used are left
/// out, and told on standard error with their line.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Logs to read
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// What the rows of one line have in common
    #[arg(long, value_enum, default_value_t, value_name = "GROUP")]
    by: By,
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  eco2ai summary emission.csv
  eco2ai summary --by day node*/emission.csv
  eco2ai summary --by function --format csv emission.csv > functions.csv
  eco2ai summary --format json emission.csv | jq .total.energy_kwh";

#[derive(Clone, Copy, Default, ValueEnum)]
enum By {
    /// The project
    #[default]
    Project,
    /// The tracked function, or the program of `eco2ai run`
    Function,
    /// The day on which they started, where they ran
    Day,
    /// The machine
    Host,
    /// How they ended
    Status,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Table,
    /// With Eco2AI's columns, in kWh, kg and seconds
    Csv,
    /// One object
    Json,
}

/// So many unusable rows are told one by one.
const TOLD: usize = 20;

pub(crate) fn summary(arguments: &Arguments) -> Result {
    let by = match arguments.by {
        By::Project => GroupBy::Project,
        By::Function => GroupBy::Function,
        By::Day => GroupBy::Day,
        By::Host => GroupBy::Host,
        By::Status => GroupBy::Status,
    };
    let mut summary = Summary::by(by, &arguments.files)?;
    for problem in summary.problems.iter().take(TOLD) {
        warning(format_args!("{problem}; the row is left out"));
    }
    let told = summary.problems.len().min(TOLD);
    let more = summary.unusable_rows - told as u64;
    if more > 0 {
        warning(format_args!("{more} more rows are left out"));
    }
    let unusable_rows = std::mem::take(&mut summary.unusable_rows);
    // The others are reported already. The table ends with them.
    if !matches!(arguments.format, Format::Table) {
        for note in summary.notes() {
            warning(note);
        }
    }
    match arguments.format {
        Format::Table => print(&summary)?,
        Format::Csv => write(|to| summary.write_csv_to(to))?,
        Format::Json => {
            let text = serde_json::to_string_pretty(&object(&summary, unusable_rows, arguments.by));
            print(text.map_err(Failure::new)?)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn object(summary: &Summary, unusable_rows: u64, by: By) -> Value {
    let by = by.to_possible_value().map_or_else(String::new, |by| by.get_name().to_owned());
    let groups = summary.groups.iter().map(|(name, totals)| {
        let mut group = json::totals(totals);
        group.insert(by.clone(), name.as_str().into());
        Value::Object(group)
    });
    let problems = summary.problems.iter().map(|problem| {
        json!({
            "file": problem.path.to_string_lossy(),
            "line": problem.line,
            "reason": problem.reason,
        })
    });
    json!({
        "by": by,
        "groups": groups.collect::<Vec<_>>(),
        "total": json::totals(&summary.total),
        "unusable_rows": unusable_rows,
        "repeated_rows": summary.repeated_rows,
        "undated_rows": summary.undated_rows,
        "unwritten": {
            "running": summary.unwritten.running,
            "interrupted": summary.unwritten.interrupted,
            "waiting": summary.unwritten.waiting,
        },
        "problems": problems.collect::<Vec<_>>(),
    })
}
