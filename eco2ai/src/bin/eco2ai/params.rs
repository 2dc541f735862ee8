//! `eco2ai params`: the saved parameters.

use clap::builder::PossibleValuesParser;
use eco2ai::{Origin, Params, get_params, save_params, saved_params_path, unset_params};
use serde_json::json;

use crate::failure::{ExitCode, Failure, Result};
use crate::output::{print, warning};

/// Shows and changes the saved parameters
///
/// Without a subcommand, prints all parameters in force and the origin of each value. A saved value
/// applies to every tracker of this user, unless an argument, a variable ECO2AI_… or a value that the
/// program remembers from an earlier tracker overrides it.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct ParamsArgs {
    /// Prints JSON: each parameter with its name, value and origin
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    action: Option<Action>,
}

const EXAMPLES: &str = "\
Examples:
  eco2ai params
  eco2ai params get country
  eco2ai params set project=MNIST country=FR pue=1.2
  eco2ai params set 'electricity_pricing=8:30-19:00=5.2, 19:00-8:30=3'
  eco2ai params unset pue
  eco2ai params --json | jq '.[] | select(.origin == \"saved\")'";

#[derive(clap::Subcommand)]
enum Action {
    /// Prints the value of a parameter, or all values with their origins
    Get {
        /// The parameter
        #[arg(value_parser = PossibleValuesParser::new(Params::names()))]
        name: Option<String>,
    },
    /// Saves values
    Set {
        /// One or more values
        #[arg(required = true, value_name = "NAME=VALUE")]
        values: Vec<String>,
    },
    /// Removes saved values
    Unset {
        /// One or more parameters
        #[arg(required = true, value_parser = PossibleValuesParser::new(Params::names()))]
        names: Vec<String>,
    },
    /// Prints the path of the file that holds the saved values
    Path,
}

pub(crate) fn params(arguments: &ParamsArgs) -> Result {
    match &arguments.action {
        None if arguments.json => print(json()?)?,
        None | Some(Action::Get { name: None }) => print(get_params().to_string().trim_end())?,
        Some(Action::Get { name: Some(name) }) => {
            let value = get_params().get(name).and_then(|parameter| parameter.value.clone());
            print(value.ok_or_else(|| Failure::new(format!("{name}: no value is set")))?)?;
        }
        Some(Action::Set { values }) => set(values)?,
        Some(Action::Unset { names }) => unset_params(names)?,
        Some(Action::Path) => print(saved_params_path()?.display())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn json() -> Result<String> {
    let list: Vec<_> = get_params()
        .iter()
        .map(|parameter| {
            json!({
                "name": parameter.name,
                "value": parameter.value,
                "origin": parameter.origin.to_string(),
            })
        })
        .collect();
    serde_json::to_string_pretty(&list).map_err(Failure::new)
}

fn set(values: &[String]) -> Result<()> {
    let mut params = Params::default();
    for value in values {
        let Some((name, text)) = value.split_once('=') else {
            return Err(Failure::usage(format!("{value}: expected NAME=VALUE")));
        };
        params.set_text(name, text)?;
    }
    save(&params)
}

/// Saves the parameters, and warns of those that the environment overrides.
pub(crate) fn save(params: &Params) -> Result<()> {
    save_params(params)?;
    let in_force = get_params();
    for name in Params::names().filter(|name| params.text(name).is_some()) {
        if in_force.get(name).is_some_and(|parameter| parameter.origin == Origin::Environment) {
            let variable = name.to_uppercase();
            warning(format_args!(
                "{name} is saved, but the variable ECO2AI_{variable} overrides it"
            ));
        }
    }
    Ok(())
}
