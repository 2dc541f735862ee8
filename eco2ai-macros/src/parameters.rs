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
    NonEmpty,
    /// A number within bounds, both included.
    Number { least: f64, most: f64, meaning: &'static str },
    /// A country's code or name.
    Country,
    /// `provider:region`.
    Cloud,
    /// A price, or prices for parts of the day.
    Pricing,
    /// One of these words.
    Choice([&'static str; 2]),
    /// Yes, no, or a file name.
    EncodeFile,
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

const PARAMETERS: [Parameter; 18] = {
    const fn parameter(name: &'static str, kind: Kind, example: &'static str) -> Parameter {
        Parameter { name, kind, example }
    }
    [
        parameter("project", Kind::NonEmpty, r#"project = "MNIST""#),
        parameter("description", Kind::Text, r#"description = "two layers""#),
        parameter("file", Kind::NonEmpty, r#"file = "emission.csv""#),
        parameter(
            "measure_period",
            Kind::Number { least: 0.01, most: 3600.0, meaning: "0.01 to 3600 seconds" },
            "measure_period = 1",
        ),
        parameter("country", Kind::Country, r#"country = "FR""#),
        parameter("region", Kind::NonEmpty, r#"region = "California""#),
        parameter("cloud", Kind::Cloud, r#"cloud = "gcp:europe-west1""#),
        parameter(
            "emission_level",
            Kind::Number { least: 0.0, most: f64::MAX, meaning: "0 kg/MWh or more" },
            "emission_level = 436.5",
        ),
        parameter(
            "pue",
            Kind::Number { least: 1.0, most: f64::MAX, meaning: "1 or more" },
            "pue = 1.2",
        ),
        parameter("electricity_pricing", Kind::Pricing, "electricity_pricing = 0.3"),
        parameter("cpu_processes", Kind::Choice(["current", "all"]), r#"cpu_processes = "all""#),
        parameter("rows", Kind::Choice(["each", "total"]), r#"rows = "total""#),
        parameter("encode_file", Kind::EncodeFile, "encode_file = true"),
        parameter("ignore_warnings", Kind::YesNo, "ignore_warnings = true"),
        parameter("crate", Kind::Crate, "crate = ::eco2ai"),
        // From here on for the attribute alone.
        parameter("parent", Kind::Parent, "parent = run.handle()"),
        parameter("name", Kind::Name, r#"name = "training""#),
        parameter("err", Kind::Flag, "err"),
    ]
};

/// How many of them `set_params!` knows.
const OF_SET_PARAMS: usize = 15;

/// The names of the Python library that are different here.
const PYTHON_NAMES: [(&str, &str); 4] = [
    ("project_name", "project"),
    ("experiment_description", "description"),
    ("file_name", "file"),
    ("alpha_2_code", "country"),
];

/// The argument called `name`, or what to say where there is none.
pub(crate) fn find(of: Macro, name: &str) -> Result<&'static Parameter, String> {
    let legal: &'static [Parameter] = match of {
        Macro::Track => &PARAMETERS,
        Macro::SetParams => &PARAMETERS[..OF_SET_PARAMS],
    };
    if let Some(parameter) = legal.iter().find(|parameter| parameter.name == name) {
        return Ok(parameter);
    }
    if PARAMETERS.iter().any(|parameter| parameter.name == name) {
        return Err(format!("`{name}` is an argument of `#[track]` alone, not a saved parameter"));
    }
    if let Some((_, ours)) = PYTHON_NAMES.iter().find(|(python, _)| *python == name) {
        return Err(format!("unknown argument `{name}`: Eco2AI's `{name}` is `{ours}` here"));
    }
    let nearest = legal
        .iter()
        .map(|parameter| (distance(parameter.name, name), parameter.name))
        .min()
        .filter(|(distance, nearest)| {
            *distance <= 2.max(nearest.len() / 3) && *distance < name.len()
        })
        .map(|(_, nearest)| format!("; did you mean `{nearest}`?"));
    let names: Vec<&str> = legal.iter().map(|parameter| parameter.name).collect();
    Err(format!(
        "unknown argument `{name}`{}\nthe arguments are: {}",
        nearest.unwrap_or_default(),
        names.join(", ")
    ))
}

/// How many letters must be put in, taken out or changed to get from `a` to `b` (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, to) in b.chars().enumerate() {
            let changed = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Macro, distance, find};

    fn refusal(of: Macro, name: &str) -> String {
        find(of, name).err().unwrap_or_default()
    }

    #[test]
    fn a_slip_is_answered_with_the_nearest_name() {
        let told = refusal(Macro::Track, "projct");
        assert!(told.starts_with("unknown argument `projct`; did you mean `project`?"), "{told}");
        assert!(told.contains("project, description, file, measure_period"), "{told}");
        assert!(!refusal(Macro::Track, "xyz").contains("did you mean"));
    }

    #[test]
    fn names_from_python_are_translated() {
        assert!(refusal(Macro::Track, "alpha_2_code").ends_with("is `country` here"));
    }

    #[test]
    fn what_cannot_be_saved_is_no_parameter_of_set_params() {
        assert!(find(Macro::Track, "parent").is_ok());
        for name in ["parent", "name", "err"] {
            assert!(refusal(Macro::SetParams, name).contains("`#[track]` alone"), "{name}");
        }
    }

    #[test]
    fn distance_counts_single_letters() {
        assert_eq!(distance("pue", "pue"), 0);
        assert_eq!(distance("pue", "peu"), 2);
        assert_eq!(distance("", "pue"), 3);
    }
}
