//! `eco2ai params`: the saved parameters.

use std::process::ExitCode;

use clap::builder::PossibleValuesParser;
use eco2ai::{Origin, Params, get_params, save_params, saved_params_path, unset_params};

use crate::failure::{Failure, Result};
use crate::output::{print, warning, write};

/// Shows and changes the saved parameters
///
/// Without a subcommand it shows all parameters in force, and where each value comes from. Saved
/// ones count for every tracker of this user, unless an argument or a variable ECO2AI_… says
/// otherwise.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,
}

const EXAMPLES: &str = "\
Examples:
  eco2ai params
  eco2ai params get country
  eco2ai params set project=MNIST country=FR pue=1.2
  eco2ai params set 'electricity_pricing=8:30-19:00=5.2, 19:00-8:30=3'
  eco2ai params unset pue";

#[derive(clap::Subcommand)]
enum Action {
    /// Shows the value in force of a parameter, or all with their origins
    Get {
        #[arg(value_parser = PossibleValuesParser::new(Params::names()))]
        name: Option<String>,
    },
    /// Saves values
    Set {
        /// What to save
        #[arg(required = true, value_name = "NAME=VALUE")]
        values: Vec<String>,
    },
    /// Forgets saved values
    Unset {
        /// What to forget
        #[arg(required = true, value_parser = PossibleValuesParser::new(Params::names()))]
        names: Vec<String>,
    },
    /// Shows where they are saved
    Path,
}

pub(crate) fn params(arguments: &Arguments) -> Result {
    match &arguments.action {
        None | Some(Action::Get { name: None }) => {
            let all = get_params();
            write(|to| write!(to, "{all}"))?;
        }
        Some(Action::Get { name: Some(name) }) => {
            let value = get_params().get(name).and_then(|parameter| parameter.value.clone());
            let no_value = || Failure::new(format!("{name}: no value is given"));
            print(value.ok_or_else(no_value)?)?;
        }
        Some(Action::Set { values }) => set(values)?,
        Some(Action::Unset { names }) => unset_params(names)?,
        Some(Action::Path) => print(saved_params_path()?.display())?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The log where no file is named.
pub(crate) fn log_in_force() -> String {
    get_params().get("file").and_then(|file| file.value.clone()).unwrap_or_default()
}

fn set(values: &[String]) -> Result<()> {
    let mut params = Params::default();
    let mut names = Vec::new();
    for value in values {
        let Some((name, text)) = value.split_once('=') else {
            return Err(Failure::usage(format!("{value}: write it as NAME=VALUE")));
        };
        params.set_text(name, text)?;
        names.push(name);
    }
    save_params(&params)?;
    let in_force = get_params();
    for name in names {
        if in_force.get(name).is_some_and(|parameter| parameter.origin == Origin::Environment) {
            let variable = name.to_uppercase();
            warning(format_args!("{name} is saved, but ECO2AI_{variable} is set and counts"));
        }
    }
    Ok(())
}
