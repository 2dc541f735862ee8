//! The parameters of a tracker as options. The library parses and checks their text.

use clap::builder::Str;
use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use eco2ai::{Error, Parameter, Params};

/// The parameters that were given as options.
pub(super) struct TrackerOptions(pub(super) Params);

/// The parameters that are options: `rows` is none, as a command is one run.
fn options() -> impl Iterator<Item = &'static Parameter> {
    Params::parameters().filter(|parameter| parameter.name != "rows")
}

/// Options that mean `yes` where they have no value.
const SWITCHES: [&str; 2] = ["encode_file", "ignore_warnings"];

/// What the help says of an option.
fn help(parameter: &Parameter) -> String {
    let Parameter { name, description, accepts, default, otherwise, .. } = parameter;
    let sentence = description.split_once(". ").map_or(*description, |(first, _)| first);
    let sentence = sentence.trim_end_matches('.');
    let default = match (*name, default) {
        ("description", _) => "the command line",
        (_, Some(default)) => default,
        (_, None) => otherwise,
    };
    format!("{sentence}: {accepts} [default: {default}]")
}

impl Args for TrackerOptions {
    fn augment_args(command: Command) -> Command {
        let heading = "Parameters (default: ECO2AI_… variables, then `eco2ai params`)";
        command.next_help_heading(heading).args(options().map(|parameter| {
            let name = parameter.name;
            let check = move |text: &str| match Params::default().set_text(name, text) {
                Ok(()) => Ok(text.to_owned()),
                // clap names the option and the value.
                Err(Error::Parameter { reason, .. }) => Err(reason),
                Err(error) => Err(error.to_string()),
            };
            let arg = Arg::new(name)
                .long(name.replace('_', "-"))
                .value_name(name.to_uppercase())
                .help(help(parameter))
                .value_parser(check);
            match name {
                "project" => arg.short('p'),
                "file" => arg.short('f'),
                name if SWITCHES.contains(&name) => {
                    arg.num_args(0..=1).require_equals(true).default_missing_value(Str::from("yes"))
                }
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
        for Parameter { name, .. } in options() {
            if let Some(text) = matches.get_one::<String>(name) {
                params
                    .set_text(name, text)
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
