//! The parameters of a tracker as options. The library parses and checks their text.

use clap::builder::Str;
use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use eco2ai::Params;

/// The parameters that were given as options.
pub(super) struct TrackerOptions(pub(super) Params);

/// Option, value, help. An option has the name of its parameter, with `-` for `_`. `rows` is
/// missing because a command is one run.
const OPTIONS: [(&str, &str, &str); 13] = [
    ("project", "NAME", "Project of the row"),
    ("description", "TEXT", "Description of the run [default: the command line]"),
    ("file", "CSV", "Log to add the row to [default: emission.csv]"),
    ("measure-period", "SECONDS", "Time between two readings, from 0.01 to 3600 [default: 1]"),
    (
        "country",
        "COUNTRY",
        "ISO 3166 alpha-2 or alpha-3 code, or English name [default: from the time zone]",
    ),
    ("region", "REGION", "ISO 3166-2 code or name; requires a country"),
    (
        "cloud",
        "PROVIDER:REGION",
        "Cloud region, such as gcp:europe-west1; sets the place and the PUE",
    ),
    (
        "emission-level",
        "KG/MWH",
        "Carbon intensity in kg/MWh (equal to gCO2e/kWh) [default: from the place]",
    ),
    ("pue", "RATIO", "Power usage effectiveness of the data centre [default: 1]"),
    ("electricity-pricing", "PRICES", "Price per kWh, or '8:30-19:00=5.2, 19:00-8:30=3'"),
    (
        "cpu-processes",
        "SCOPE",
        "`current`: the command and its processes; `all`: the machine [default: current]",
    ),
    ("encode-file", "FILE", "Also writes an obfuscated row, to encoded_… or to FILE"),
    ("ignore-warnings", "YES", "Silences the library's warnings"),
];

/// Options that mean `yes` without a value.
const SWITCHES: [&str; 2] = ["encode-file", "ignore-warnings"];

/// Returns the name of the parameter that an option sets.
fn parameter(option: &str) -> String {
    option.replace('-', "_")
}

impl Args for TrackerOptions {
    fn augment_args(command: Command) -> Command {
        let heading = "Parameters (default: ECO2AI_… variables, then `eco2ai params`)";
        command.next_help_heading(heading).args(OPTIONS.map(|(option, value, help)| {
            let check = move |text: &str| {
                Params::default().set_text(&parameter(option), text).map(|()| text.to_owned())
            };
            let mut arg =
                Arg::new(option).long(option).value_name(value).help(help).value_parser(check);
            if SWITCHES.contains(&option) {
                arg = arg
                    .num_args(0..=1)
                    .require_equals(true)
                    .default_missing_value(Str::from("yes"));
            }
            match option {
                "project" => arg.short('p'),
                "file" => arg.short('f'),
                _ => arg,
            }
        }))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for TrackerOptions {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut params = Params::default();
        for (option, ..) in OPTIONS {
            if let Some(text) = matches.get_one::<String>(option) {
                params
                    .set_text(&parameter(option), text)
                    .map_err(|error| clap::Error::raw(ErrorKind::ValueValidation, error))?;
            }
        }
        Ok(Self(params))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_but_rows_is_an_option() {
        let options = OPTIONS.map(|(option, ..)| parameter(option));
        let wanted: Vec<_> = Params::NAMES.into_iter().filter(|name| *name != "rows").collect();
        assert_eq!(options.to_vec(), wanted);
    }
}
