//! The parameters: their names, their text forms, and which values they may have.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::carbon::{Place, Pricing, Tariff};
use crate::error::{Error, Result};
use crate::scope::Scope;

/// See [`Params::NAMES`].
pub(super) const NAMES: [&str; 14] = [
    "project",
    "description",
    "file",
    "measure_period",
    "country",
    "region",
    "cloud",
    "emission_level",
    "pue",
    "electricity_pricing",
    "cpu_processes",
    "rows",
    "encode_file",
    "ignore_warnings",
];

/// What Eco2AI for Python calls them, where that is another name.
const PYTHON_NAMES: [(&str, &str); 4] = [
    ("project_name", "project"),
    ("experiment_description", "description"),
    ("file_name", "file"),
    ("alpha_2_code", "country"),
];

/// Whose energy a run is charged with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CpuProcesses {
    /// This process and its children.
    #[default]
    Current,
    /// The whole machine.
    All,
}

impl From<CpuProcesses> for Scope {
    fn from(processes: CpuProcesses) -> Self {
        match processes {
            CpuProcesses::Current => Self::Process,
            CpuProcesses::All => Self::Machine,
        }
    }
}

/// How many rows a tracked function leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rows {
    /// One per run.
    #[default]
    Each,
    /// One per function and process, with the number of calls.
    Total,
}

/// Whether an obfuscated copy of each row is written, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum EncodeFile {
    /// No copy.
    #[default]
    No,
    /// Beside the log, with `encoded_` before its name.
    Yes,
    /// In this file.
    File(PathBuf),
}

/// Parameters as given in one place: `None` where that place says nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Params {
    /// The project that the run belongs to.
    pub project: Option<String>,
    /// What the run is about.
    pub description: Option<String>,
    /// The CSV file that gets the row. A relative path is one in the working directory of the
    /// process that runs, also where it was saved by another one, as Eco2AI has it.
    pub file: Option<PathBuf>,
    /// Seconds between two readings, 0.01 to 3600.
    pub measure_period: Option<f64>,
    /// ISO 3166 alpha-2 or alpha-3 code, or English name.
    pub country: Option<String>,
    /// ISO 3166-2 code or name; needs a country.
    pub region: Option<String>,
    /// `provider:region`.
    pub cloud: Option<String>,
    /// kg/MWh, which is gCO2e/kWh; 0 or more. It wins over the figure of the place, whichever of
    /// the two was given where.
    pub emission_level: Option<f64>,
    /// Power usage effectiveness of the data centre, 1 or more.
    pub pue: Option<f64>,
    /// Price per kWh, or prices for intervals that cover the day.
    pub electricity_pricing: Option<Pricing>,
    /// Whose energy a run is charged with.
    pub cpu_processes: Option<CpuProcesses>,
    /// How many rows a tracked function leaves.
    pub rows: Option<Rows>,
    /// Whether an obfuscated copy is written.
    pub encode_file: Option<EncodeFile>,
    /// Whether warnings are kept silent.
    pub ignore_warnings: Option<bool>,
}

impl Params {
    /// The names of all parameters, the same in the attribute, the builder, the environment (in
    /// capitals after `ECO2AI_`), the saved file and on the command line.
    pub const NAMES: [&str; 14] = NAMES;

    /// Sets the parameter `name` from its text form.
    ///
    /// # Errors
    /// Where there is no such parameter, or `text` is not one of its values: then nothing is set.
    pub fn set_text(&mut self, name: &str, text: &str) -> Result<()> {
        let mut one = Self::default();
        match name {
            "project" => one.project = Some(text.to_owned()),
            "description" => one.description = Some(text.to_owned()),
            "file" => one.file = Some(text.into()),
            "measure_period" => one.measure_period = Some(number("measure_period", text)?),
            "country" => one.country = Some(text.to_owned()),
            "region" => one.region = Some(text.to_owned()),
            "cloud" => one.cloud = Some(text.to_owned()),
            "emission_level" => one.emission_level = Some(number("emission_level", text)?),
            "pue" => one.pue = Some(number("pue", text)?),
            "electricity_pricing" => one.electricity_pricing = Some(Pricing::Text(text.into())),
            "cpu_processes" => one.cpu_processes = Some(text.parse()?),
            "rows" => one.rows = Some(text.parse()?),
            "encode_file" => one.encode_file = Some(EncodeFile::from_text(text)),
            "ignore_warnings" => one.ignore_warnings = Some(yes_or_no("ignore_warnings", text)?),
            _ => return Err(unknown(name)),
        }
        one.check()?;
        if one.country.is_some() || one.cloud.is_some() {
            one.check_place()?;
        }
        // Not `over`: here each parameter stands for itself.
        let old = std::mem::replace(self, one);
        self.fill(&old);
        self.fill_place(&old);
        Ok(())
    }

    /// The text form of the parameter `name`, if it is given: [`set_text`](Self::set_text) reads
    /// it back.
    pub fn text(&self, name: &str) -> Option<String> {
        match name {
            "project" => self.project.clone(),
            "description" => self.description.clone(),
            "file" => self.file.as_ref().map(|file| file.display().to_string()),
            "measure_period" => self.measure_period.map(|seconds| seconds.to_string()),
            "country" => self.country.clone(),
            "region" => self.region.clone(),
            "cloud" => self.cloud.clone(),
            "emission_level" => self.emission_level.map(|level| level.to_string()),
            "pue" => self.pue.map(|pue| pue.to_string()),
            "electricity_pricing" => self.electricity_pricing.as_ref().map(|pricing| {
                Tariff::new(pricing).map_or_else(|_| pricing.to_string(), |t| t.to_string())
            }),
            "cpu_processes" => self.cpu_processes.map(|value| value.to_string()),
            "rows" => self.rows.map(|value| value.to_string()),
            "encode_file" => self.encode_file.as_ref().map(ToString::to_string),
            "ignore_warnings" => {
                self.ignore_warnings.map(|ignore| if ignore { "yes" } else { "no" }.to_owned())
            }
            _ => None,
        }
    }

    /// Leaves the parameter `name` open; a name that is no parameter's does nothing. Without its
    /// country a region means nothing, and is left open with it.
    pub(crate) fn unset(&mut self, name: &str) {
        match name {
            "project" => self.project = None,
            "description" => self.description = None,
            "file" => self.file = None,
            "measure_period" => self.measure_period = None,
            "country" => (self.country, self.region) = (None, None),
            "region" => self.region = None,
            "cloud" => self.cloud = None,
            "emission_level" => self.emission_level = None,
            "pue" => self.pue = None,
            "electricity_pricing" => self.electricity_pricing = None,
            "cpu_processes" => self.cpu_processes = None,
            "rows" => self.rows = None,
            "encode_file" => self.encode_file = None,
            "ignore_warnings" => self.ignore_warnings = None,
            _ => {}
        }
    }

    /// Checks each value by itself, except the names of places, which
    /// [`check_place`](Self::check_place) checks together.
    pub(crate) fn check(&self) -> Result<()> {
        let range = |parameter, value: Option<f64>, least: f64, most: f64, reason: &str| match value
        {
            Some(value) if !(value.is_finite() && (least..=most).contains(&value)) => {
                Err(wrong(parameter, &value.to_string(), reason))
            }
            _ => Ok(()),
        };
        let filled = |parameter, empty: bool| {
            if empty { Err(wrong(parameter, "", "it must not be empty")) } else { Ok(()) }
        };
        filled("project", self.project.as_ref().is_some_and(|name| name.trim().is_empty()))?;
        filled("file", self.file.as_ref().is_some_and(|file| file.as_os_str().is_empty()))?;
        let copy = self.encode_file.as_ref();
        let nameless = |copy: &EncodeFile| *copy == EncodeFile::File(PathBuf::new());
        filled("encode_file", copy.is_some_and(nameless))?;
        let period = "it is in seconds, from 0.01 to 3600";
        range("measure_period", self.measure_period, 0.01, 3600.0, period)?;
        let level = "it is in kg/MWh and must be 0 or more";
        range("emission_level", self.emission_level, 0.0, f64::MAX, level)?;
        range("pue", self.pue, 1.0, f64::MAX, "it must be 1 or more")?;
        if let Some(pricing) = &self.electricity_pricing {
            Tariff::new(pricing)?;
        }
        Ok(())
    }

    /// Checks that the place exists.
    pub(crate) fn check_place(&self) -> Result<()> {
        self.place().map(drop)
    }

    /// The place that these parameters mean.
    pub(crate) fn place(&self) -> Result<Place> {
        Place::find(
            self.country.as_deref(),
            self.region.as_deref(),
            self.cloud.as_deref(),
            self.emission_level,
        )
    }

    /// These parameters, and for what they leave open those of `lower`.
    ///
    /// `country`, `region` and `cloud` mean one place together: who names a country or a cloud
    /// region here hides all three of `lower`, and a region here is one of the country of `lower`.
    pub(crate) fn over(&self, lower: &Self) -> Self {
        let mut merged = self.clone();
        merged.fill(lower);
        if self.country.is_none() && self.cloud.is_none() {
            if self.region.is_some() {
                merged.country.clone_from(&lower.country);
            } else {
                merged.fill_place(lower);
            }
        }
        merged
    }

    /// Takes from `lower` what is open, except the place.
    fn fill(&mut self, lower: &Self) {
        fn fill<T: Clone>(open: &mut Option<T>, lower: Option<&T>) {
            if open.is_none() {
                *open = lower.cloned();
            }
        }
        fill(&mut self.project, lower.project.as_ref());
        fill(&mut self.description, lower.description.as_ref());
        fill(&mut self.file, lower.file.as_ref());
        fill(&mut self.measure_period, lower.measure_period.as_ref());
        fill(&mut self.emission_level, lower.emission_level.as_ref());
        fill(&mut self.pue, lower.pue.as_ref());
        fill(&mut self.electricity_pricing, lower.electricity_pricing.as_ref());
        fill(&mut self.cpu_processes, lower.cpu_processes.as_ref());
        fill(&mut self.rows, lower.rows.as_ref());
        fill(&mut self.encode_file, lower.encode_file.as_ref());
        fill(&mut self.ignore_warnings, lower.ignore_warnings.as_ref());
    }

    /// Takes from `lower` each part of the place that is open.
    fn fill_place(&mut self, lower: &Self) {
        for (open, lower) in [
            (&mut self.country, &lower.country),
            (&mut self.region, &lower.region),
            (&mut self.cloud, &lower.cloud),
        ] {
            if open.is_none() {
                open.clone_from(lower);
            }
        }
    }
}

fn wrong(parameter: &'static str, value: &str, reason: &str) -> Error {
    Error::Parameter { parameter, value: value.to_owned(), reason: reason.to_owned() }
}

/// The error for a name that is no parameter's.
pub(crate) fn unknown(name: &str) -> Error {
    let hint = suggestion(name).map_or_else(
        || format!("there are {}", NAMES.join(", ")),
        |meant| format!("did you mean `{meant}`?"),
    );
    Error::UnknownParameter { name: name.to_owned(), hint }
}

/// The parameter that was probably meant by `name`.
pub(crate) fn suggestion(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    let python = PYTHON_NAMES.iter().find(|(python, _)| *python == name);
    python.map(|(_, ours)| *ours).or_else(|| {
        NAMES
            .into_iter()
            .map(|known| (strsim::damerau_levenshtein(&name, known), known))
            .filter(|(distance, known)| *distance <= known.len() / 3)
            .min_by_key(|(distance, _)| *distance)
            .map(|(_, known)| known)
    })
}

fn number(parameter: &'static str, text: &str) -> Result<f64> {
    text.trim().parse().map_err(|_| wrong(parameter, text, "it must be a number"))
}

fn yes_or_no(parameter: &'static str, text: &str) -> Result<bool> {
    parse_yes_or_no(text).ok_or_else(|| wrong(parameter, text, "it must be yes or no"))
}

/// `yes`, `true`, `on` and `1`, or their contraries.
fn parse_yes_or_no(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "yes" | "true" | "on" | "1" => Some(true),
        "no" | "false" | "off" | "0" => Some(false),
        _ => None,
    }
}

impl CpuProcesses {
    pub(crate) const ALLOWED: &str = "it must be `current` or `all`";

    /// The one that `text` names.
    pub(crate) fn named(text: &str) -> Option<Self> {
        match text.trim().to_lowercase().as_str() {
            "current" => Some(Self::Current),
            "all" => Some(Self::All),
            _ => None,
        }
    }
}

impl FromStr for CpuProcesses {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::named(text).ok_or_else(|| wrong("cpu_processes", text, Self::ALLOWED))
    }
}

impl fmt::Display for CpuProcesses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Current => "current",
            Self::All => "all",
        })
    }
}

impl Rows {
    pub(crate) const ALLOWED: &str = "it must be `each` or `total`";

    /// The one that `text` names.
    pub(crate) fn named(text: &str) -> Option<Self> {
        match text.trim().to_lowercase().as_str() {
            "each" => Some(Self::Each),
            "total" => Some(Self::Total),
            _ => None,
        }
    }
}

impl FromStr for Rows {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::named(text).ok_or_else(|| wrong("rows", text, Self::ALLOWED))
    }
}

impl fmt::Display for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Each => "each",
            Self::Total => "total",
        })
    }
}

impl EncodeFile {
    /// `no`, `yes`, or the name of a file: the form in the environment and in the saved file.
    fn from_text(text: &str) -> Self {
        match parse_yes_or_no(text) {
            Some(true) => Self::Yes,
            Some(false) => Self::No,
            None => Self::File(text.into()),
        }
    }
}

impl fmt::Display for EncodeFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::No => f.write_str("no"),
            Self::Yes => f.write_str("yes"),
            Self::File(file) => write!(f, "{}", file.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value of each parameter that is not its default.
    pub(crate) const VALUES: [(&str, &str); 14] = [
        ("project", "MNIST"),
        ("description", "two \"layers\",\nüber alles"),
        ("file", "a folder/my emissions.csv"),
        ("measure_period", "0.5"),
        ("country", "US"),
        ("region", "California"),
        ("cloud", "gcp:us-west2"),
        ("emission_level", "123.456"),
        ("pue", "1.2"),
        ("electricity_pricing", "8:30-19:00=5.2, 19:00-8:30=3"),
        ("cpu_processes", "all"),
        ("rows", "total"),
        ("encode_file", "copy.csv"),
        ("ignore_warnings", "yes"),
    ];

    #[test]
    fn every_parameter_is_set_by_its_text_and_gives_it_back() {
        let mut params = Params::default();
        for (index, (name, text)) in VALUES.into_iter().enumerate() {
            assert_eq!(name, NAMES[index]);
            assert_eq!(params.text(name), None);
            params.set_text(name, text).unwrap();
        }
        for (name, text) in VALUES {
            assert_eq!(params.text(name).as_deref(), Some(text), "{name}");
        }
        for (name, _) in VALUES {
            params.unset(name);
            assert_eq!(params.text(name), None, "{name}");
        }
    }

    #[test]
    fn a_wrong_value_is_an_error_that_names_parameter_value_and_what_is_allowed() {
        for (name, text, allowed) in [
            ("project", " ", "empty"),
            ("file", "", "empty"),
            ("measure_period", "0.001", "0.01 to 3600"),
            ("measure_period", "3601", "0.01 to 3600"),
            ("measure_period", "nan", "0.01 to 3600"),
            ("measure_period", "1s", "a number"),
            ("country", "Narnia", "ISO 3166"),
            ("cloud", "gcp:nowhere", "provider:region"),
            ("emission_level", "-1", "0 or more"),
            ("emission_level", "inf", "0 or more"),
            ("pue", "0.99", "1 or more"),
            ("electricity_pricing", "cheap", "8:30-19:00=5.2"),
            ("cpu_processes", "some", "`current` or `all`"),
            ("rows", "all", "`each` or `total`"),
            ("encode_file", "", "empty"),
            ("ignore_warnings", "maybe", "yes or no"),
        ] {
            let mut params = Params::default();
            let error = params.set_text(name, text).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(allowed), "{name}={text}: {error}");
            assert_eq!(params, Params::default(), "{name}={text}");
        }
    }

    #[test]
    fn an_unknown_name_is_an_error_that_says_which_was_meant() {
        let error = |name| Params::default().set_text(name, "x").unwrap_err().to_string();
        assert!(error("projct").contains("`project`"), "{}", error("projct"));
        assert!(error("alpha_2_code").contains("`country`"));
        assert!(error("colour").contains("measure_period"));
    }

    #[test]
    fn a_place_hides_the_lower_one_whole() {
        let place = |country: &str, region: &str, cloud: &str| {
            let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            Params {
                country: given(country),
                region: given(region),
                cloud: given(cloud),
                ..Params::default()
            }
        };
        let saved = place("US", "California", "");
        assert_eq!(place("FR", "", "").over(&saved), place("FR", "", ""));
        assert_eq!(place("", "Texas", "").over(&saved), place("US", "Texas", ""));
        assert_eq!(place("", "", "aws:us-east-1").over(&saved), place("", "", "aws:us-east-1"));
        assert_eq!(place("", "", "").over(&saved), saved);
        assert_eq!(place("", "Texas", "").over(&place("", "", "aws:us-east-1")).cloud, None);
    }
}
