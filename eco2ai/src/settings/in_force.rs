//! The current value of each parameter, and its source.

use std::fmt;

use super::params::Params;
use super::resolve::Settings;
use super::sources::Sources;
use crate::text_table::{Align, TextTable};

/// The source of a parameter's value.
///
/// ```
/// use eco2ai::{Origin, get_params};
///
/// let given = get_params().iter().filter(|one| one.origin != Origin::Default).count();
/// println!("{given} parameters are set somewhere");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// An argument of the attribute or the builder.
    Argument,
    /// A variable `ECO2AI_*`.
    Environment,
    /// The memory of this program: the project, description, log, measuring period or PUE that was
    /// given to an earlier tracker of the same executable.
    Remembered,
    /// The saved parameters of this user, written by `set_params!` or `eco2ai params set`.
    Saved,
    /// The library's default.
    Default,
    /// Derived from another fact, which the text names: a cloud region, the time zone or a table.
    Derived(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Argument => "argument",
            Self::Environment => "environment",
            Self::Remembered => "remembered",
            Self::Saved => "saved",
            Self::Default => "default",
            Self::Derived(from) => from,
        })
    }
}

/// A parameter with its current value and the source of that value.
///
/// ```
/// for parameter in &eco2ai::get_params() {
///     println!("{}: {:?} ({})", parameter.name, parameter.value, parameter.origin);
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParameterInForce {
    /// The parameter's name.
    pub name: &'static str,
    /// The value in text form. `None` if no source gives a value and there is no default.
    pub value: Option<String>,
    /// The source of the value.
    pub origin: Origin,
}

/// The current values of all parameters. `Display` writes a table with one line for each.
///
/// ```
/// let params = eco2ai::get_params();
/// assert!(params.get("project").is_some());
/// assert!(params.get("projct").is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParametersInForce(Vec<ParameterInForce>);

impl ParametersInForce {
    /// Iterates over all parameters, in the order of the documentation.
    pub fn iter(&self) -> std::slice::Iter<'_, ParameterInForce> {
        self.0.iter()
    }

    /// Returns the parameter with the given name. `None` if there is none.
    pub fn get(&self, name: &str) -> Option<&ParameterInForce> {
        self.0.iter().find(|parameter| parameter.name == name)
    }
}

impl<'a> IntoIterator for &'a ParametersInForce {
    type Item = &'a ParameterInForce;
    type IntoIter = std::slice::Iter<'a, ParameterInForce>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for ParametersInForce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = TextTable::new([Align::Left; 3]);
        for ParameterInForce { name, value, origin } in self {
            let value = value.as_deref().unwrap_or("-").replace(char::is_control, " ");
            table.push([(*name).to_owned(), value, origin.to_string()]);
        }
        writeln!(f, "{table}")
    }
}

/// Returns the value that each parameter has if no argument is given, and the source of that value.
/// A run under another run takes the values of that run instead.
///
/// ```
/// let params = eco2ai::get_params();
/// println!("{params}"); // a line for each
/// let rows = params.get("rows").unwrap();
/// println!("{} = {:?}: {}", rows.name, rows.value, rows.origin);
/// ```
pub fn get_params() -> ParametersInForce {
    let sources = Sources::current();
    sources.report();
    ParametersInForce::new(&Params::default(), &sources, &sources.settings)
}

impl ParametersInForce {
    pub(super) fn new(given: &Params, sources: &Sources, settings: &Settings) -> Self {
        let merged = given.over(&sources.params);
        let one = |name: &'static str| {
            let Some(value) = merged.text(name) else {
                let (value, origin) = not_given(name, &merged, settings);
                return ParameterInForce { name, value, origin };
            };
            let origin = [
                (given, Origin::Argument),
                (&sources.environment, Origin::Environment),
                (&sources.files.remembered, Origin::Remembered),
                (&sources.files.saved, Origin::Saved),
            ]
            .into_iter()
            .find_map(|(params, origin)| params.text(name).map(|_| origin));
            let origin = origin.unwrap_or(Origin::Default);
            ParameterInForce { name, value: Some(value), origin }
        };
        Self(Params::names().map(one).collect())
    }
}

/// Returns the value of a parameter that no source gives.
fn not_given(name: &str, merged: &Params, settings: &Settings) -> (Option<String>, Origin) {
    let place = &settings.place;
    let by_cloud = merged.cloud.as_ref().map(|cloud| Origin::Derived(format!("cloud {cloud}")));
    let (country, region) = place.label.split_once('/').unwrap_or((&place.label, ""));
    match (name, by_cloud) {
        ("emission_level", _) => {
            (Some(place.emission_level.0.to_string()), Origin::Derived(place.source.clone()))
        }
        ("country", Some(cloud)) => (Some(country.to_owned()), cloud),
        ("region", Some(cloud)) if !region.is_empty() => (Some(region.to_owned()), cloud),
        ("country", None) if country != "World" => {
            (Some(country.to_owned()), Origin::Derived("time zone".to_owned()))
        }
        ("pue", Some(cloud)) => (settings.text(name), cloud),
        _ => (settings.text(name), Origin::Default),
    }
}
