//! The arguments that the macros know, and what to say of those that they do not.

/// Which macro the arguments are for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Macro {
    /// `#[track]`.
    Track,
    /// `set_params!`.
    SetParams,
}

/// An argument.
#[derive(Clone, Copy)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// How it is written.
    pub(crate) example: &'static str,
}

/// What values an argument takes.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// Text that may be empty.
    Text,
    /// Text that may not be empty.
    NonEmptyText,
    /// A number within bounds, both included.
    Number { min: f64, max: f64, meaning: &'static str },
    /// A country's code or name.
    Country,
    /// `provider:region`.
    Cloud,
    /// A price, or prices for parts of the day.
    Price,
    /// Watts at full load, or when idle and at full load.
    CpuPower,
    /// One of these words.
    Choice { words: &'static [&'static str] },
    /// Yes, no, or a file name.
    YesNoOrFile,
    /// Yes or no.
    YesNo,
    /// An expression that no literal can be.
    Parent,
    /// The macro's own: text.
    Name,
    /// The macro's own: a path.
    Crate,
    /// The macro's own: a word without value.
    Flag,
}

/// Makes the list of the parameters and the rows of their table for the documentation.
macro_rules! parameters {
    ($(
        $(#[$doc:meta])*
        $name:ident: $value:ty {
            kind: $kind:ident $({ $($limits:tt)* })?,
            accepts: $accepts:literal,
            text: $text:literal,
            $(default: $default:literal,)?
            $(otherwise: $otherwise:literal,)?
            example: $example:literal,
            $(python: $python:literal,)?
        }
    )*) => {
        /// The parameters, in the order of the documentation.
        const PARAMETERS: &[Parameter] = &[$(
            Parameter {
                name: stringify!($name),
                kind: Kind::$kind $({ $($limits)* })?,
                example: concat!(stringify!($name), " = ", $example),
            },
        )*];

        /// The names of the Python library that are different here.
        const PYTHON_NAMES: &[(&str, &str)] = &[$($(($python, stringify!($name)),)?)*];

        /// The rows of the table of arguments.
        macro_rules! documented {
            () => {
                concat!($(
                    "| `", stringify!($name), "` | ", $accepts, " | ",
                    $("`", $default, "`",)? $($otherwise,)? " |\n",
                )*)
            };
        }
    };
}

include!("table.rs");

#[allow(clippy::single_component_path_imports, reason = "gives the macro a path")]
pub(crate) use documented;

const fn own(name: &'static str, kind: Kind, example: &'static str) -> Parameter {
    Parameter { name, kind, example }
}

/// What both macros know beside the parameters.
const OF_BOTH: &[Parameter] = &[own("crate", Kind::Crate, "crate = ::eco2ai")];

/// What only the attribute knows.
const OF_TRACK: &[Parameter] = &[
    own("parent", Kind::Parent, "parent = run.handle()"),
    own("name", Kind::Name, r#"name = "training""#),
    own("err", Kind::Flag, "err"),
];

/// The argument called `name`, or what to say where there is none.
pub(crate) fn find(of: Macro, name: &str) -> Result<&'static Parameter, String> {
    let of_track: &[Parameter] = match of {
        Macro::Track => OF_TRACK,
        Macro::SetParams => &[],
    };
    let legal = || PARAMETERS.iter().chain(OF_BOTH).chain(of_track);
    if let Some(parameter) = legal().find(|parameter| parameter.name == name) {
        return Ok(parameter);
    }
    if OF_TRACK.iter().any(|parameter| parameter.name == name) {
        return Err(format!("`{name}` is an argument of `#[track]` alone, not a saved parameter"));
    }
    if let Some((_, ours)) = PYTHON_NAMES.iter().find(|(python, _)| *python == name) {
        return Err(format!("unknown argument `{name}`: Eco2AI's `{name}` is `{ours}` here"));
    }
    let nearest = legal()
        .map(|parameter| (strsim::levenshtein(parameter.name, name), parameter.name))
        .min()
        .filter(|(distance, nearest)| {
            *distance <= 2.max(nearest.len() / 3) && *distance < name.len()
        })
        .map(|(_, nearest)| format!("; did you mean `{nearest}`?"));
    let names: Vec<&str> = legal().map(|parameter| parameter.name).collect();
    Err(format!(
        "unknown argument `{name}`{}\nthe arguments are: {}",
        nearest.unwrap_or_default(),
        names.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::{Macro, find};

    fn refusal(of: Macro, name: &str) -> String {
        find(of, name).err().unwrap_or_default()
    }

    #[test]
    fn a_slip_is_answered_with_the_nearest_name() {
        let told = refusal(Macro::Track, "projct");
        assert!(told.starts_with("unknown argument `projct`; did you mean `project`?"), "{told}");
        assert!(told.contains("the arguments are: project, description, "), "{told}");
        assert!(!refusal(Macro::Track, "xyz").contains("did you mean"));
    }

    #[test]
    fn names_from_python_are_translated() {
        assert!(refusal(Macro::Track, "alpha_2_code").ends_with("is `country` here"));
    }

    #[test]
    fn set_params_accepts_only_parameters_that_can_be_saved() {
        assert!(find(Macro::Track, "parent").is_ok());
        for name in ["parent", "name", "err"] {
            assert!(refusal(Macro::SetParams, name).contains("`#[track]` alone"), "{name}");
        }
    }
}
