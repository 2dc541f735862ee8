//! The parameters among the environment variables.

use std::ffi::OsString;
use std::fmt;

use super::params::{self, Params};

/// Variables of this crate that are not parameters.
const OTHER_VARIABLES: [&str; 3] = ["config", "disable", "parent"];

/// An invalid value in the environment or in a file of parameters, which is passed over. `Display`
/// names the variable or the file, the value, and what is allowed.
///
/// ```
/// for invalid in eco2ai::invalid_params() {
///     eprintln!("{invalid}");
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidParam {
    /// The parameter. `None` if a file cannot be read, or has a value under another name.
    pub parameter: Option<&'static str>,
    message: String,
}

impl InvalidParam {
    pub(super) fn new(parameter: Option<&'static str>, message: String) -> Self {
        Self { parameter, message }
    }
}

impl fmt::Display for InvalidParam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// What the environment contains.
#[derive(Debug, Default)]
pub(super) struct Environment {
    pub(super) params: Params,
    pub(super) invalid: Vec<InvalidParam>,
    /// A message for each variable `ECO2AI_…` that has no meaning.
    pub(super) unknown: Vec<String>,
}

impl Environment {
    /// Reads the parameters among the variables. Empty variables are ignored.
    pub(super) fn new(variables: impl Iterator<Item = (OsString, OsString)>) -> Self {
        let mut environment = Self::default();
        for (variable, value) in variables {
            let Some(variable) = variable.to_str() else { continue };
            let Some(name) = variable.strip_prefix("ECO2AI_") else { continue };
            let name = name.to_lowercase();
            let Some(known) = Params::names().find(|known| *known == name) else {
                environment.unknown.extend(unknown(variable, &name));
                continue;
            };
            let reason = match value.to_str() {
                None => "not valid UTF-8".to_owned(),
                Some("") => continue,
                Some(text) => match environment.params.set_text(known, text) {
                    Ok(()) => continue,
                    Err(error) => error.to_string(),
                },
            };
            let invalid = InvalidParam::new(Some(known), format!("{variable}: {reason}"));
            environment.invalid.push(invalid);
        }
        environment
    }
}

/// Returns the message on a variable without a parameter, unless it has another meaning.
fn unknown(variable: &str, name: &str) -> Option<String> {
    if OTHER_VARIABLES.contains(&name) {
        return None;
    }
    let slip = |known: &&&str| strsim::damerau_levenshtein(name, known) <= 2;
    let meant = params::suggestion(name).or_else(|| OTHER_VARIABLES.iter().find(slip).copied());
    Some(match meant {
        Some(meant) => format!("{variable}: did you mean ECO2AI_{}?", meant.to_uppercase()),
        None => format!(
            "{variable} has no effect: no parameter has this name; `eco2ai params` lists the \
             parameters"
        ),
    })
}
