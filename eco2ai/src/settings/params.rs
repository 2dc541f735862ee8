//! The parameters: their names, their text forms, and their allowed values. All of it is generated
//! from the list of parameters, which the macros use too.

use std::path::PathBuf;
use std::time::Duration;

use super::choices::{CpuProcesses, EncodeFile, Rows};
use super::kind::{self, Form, Kind};
use crate::carbon::{Place, Pricing};
use crate::error::{Error, Result};
use crate::sensor::CpuPower;
use crate::units::{GramsPerKwh, Watts};

/// Defines [`Params`], the description of each parameter, and the values in force.
macro_rules! parameters {
    ($(
        $(#[doc = $doc:literal])*
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
        /// The parameters given by one source; `None` for those that the source does not give.
        ///
        /// ```
        /// let mut params = eco2ai::Params::default();
        /// params.set_text("measure_period", "0.5")?;
        /// params.country = Some("FR".into());
        ///
        /// assert_eq!(params.measure_period, Some(std::time::Duration::from_millis(500)));
        /// assert_eq!(params.text("country").as_deref(), Some("FR"));
        /// assert!(params.set_text("pue", "0.5").is_err(), "a ratio below 1");
        /// # Ok::<(), eco2ai::Error>(())
        /// ```
        #[derive(Clone, Debug, Default, PartialEq)]
        #[non_exhaustive]
        pub struct Params {
            $(
                $(#[doc = $doc])*
                ///
                #[doc = concat!("Text form: ", $text, ". Default: ", $("`", $default, "`",)? $($otherwise,)? ".")]
                pub $name: Option<$value>,
            )*
        }

        /// The descriptions of all parameters, in the order of the documentation.
        static PARAMETERS: &[Parameter] = &[$(
            Parameter {
                name: stringify!($name),
                description: concat!($($doc),*).trim_ascii(),
                accepts: $text,
                default: (&[$($default)?] as &[&str]).first().copied(),
                otherwise: concat!($($otherwise)?),
                example: $example,
                python_name: (&[$($python)?] as &[&str]).first().copied(),
                form: <kind::$kind as Kind<$value>>::FORM,
            },
        )*];

        /// The kind of each parameter.
        mod kind_of {
            use super::kind;

            $(pub(super) const fn $name() -> kind::$kind {
                kind::$kind $({ $($limits)* })?
            })*
        }

        impl Params {
            /// Returns the parameter `name` with the value of a text form, and checks that value.
            fn parse(name: &str, text: &str) -> Result<Self> {
                let mut params = Self::default();
                match name {
                    $(stringify!($name) => {
                        let parsed = kind_of::$name().parse(text).map_err(|reason| wrong(stringify!($name), text, reason))?;
                        params.$name = Some(parsed);
                    })*
                    _ => return Err(unknown(name)),
                }
                params.check()?;
                Ok(params)
            }

            /// Returns the text form of the parameter `name`, which [`set_text`](Self::set_text)
            /// accepts. `None` if the parameter is not given or does not exist.
            pub fn text(&self, name: &str) -> Option<String> {
                match name {
                    $(stringify!($name) => {
                        self.$name.as_ref().map(|value| kind_of::$name().text(value))
                    })*
                    _ => None,
                }
            }

            /// Unsets the parameter `name`; does nothing if no parameter has this name. Unsetting
            /// the country also unsets the region, which has no meaning without its country.
            pub(crate) fn unset(&mut self, name: &str) {
                match name {
                    $(stringify!($name) => self.$name = None,)*
                    _ => {}
                }
                if name == "country" {
                    self.region = None;
                }
            }

            /// Checks each value separately, except the names of places, which
            /// [`check_place`](Self::check_place) checks together.
            pub(crate) fn check(&self) -> Result<()> {
                $(if let Some(value) = &self.$name {
                    let kind = kind_of::$name();
                    kind.check(value).map_err(|reason| {
                        wrong(stringify!($name), &kind.text(value), reason)
                    })?;
                })*
                Ok(())
            }

            /// Sets each parameter that is not given to its value in `lower`.
            fn fill(&mut self, lower: &Self) {
                $(if self.$name.is_none() {
                    self.$name.clone_from(&lower.$name);
                })*
            }
        }

        /// The values in force of the parameters that have a default.
        #[derive(Clone, Debug)]
        pub(crate) struct Values {
            $($(#[doc = concat!("Default: `", $default, "`.")] pub(crate) $name: $value,)?)*
        }

        impl From<&Params> for Values {
            fn from(params: &Params) -> Self {
                Self {
                    $($($name: params.$name.clone().unwrap_or_else(|| {
                        kind_of::$name().parse($default).unwrap_or_default()
                    }),)?)*
                }
            }
        }

        impl Values {
            /// Returns the text form of the parameter `name`, if it has a default.
            pub(super) fn text(&self, name: &str) -> Option<String> {
                match name {
                    $($(stringify!($name) => {
                        // This one has a default.
                        const { assert!(!$default.is_empty()) };
                        Some(kind_of::$name().text(&self.$name))
                    })?)*
                    _ => None,
                }
            }
        }
    };
}

eco2ai_macros::__parameters!();

/// A description of a parameter.
///
/// ```
/// let pue = eco2ai::Params::parameters().find(|parameter| parameter.name == "pue").unwrap();
/// assert_eq!((pue.accepts, pue.default), ("ratio, 1 or more", Some("1")));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parameter {
    /// The name, which is the same in the attribute, the builder, the environment (in capitals
    /// after `ECO2AI_`), the saved file and on the command line.
    pub name: &'static str,
    /// The meaning of the parameter, in words.
    pub description: &'static str,
    /// The accepted text forms, with the unit.
    pub accepts: &'static str,
    /// The text form of the default, if there is a fixed default.
    pub default: Option<&'static str>,
    /// A description of the value if none is given, for a parameter without a fixed default; else
    /// empty.
    pub otherwise: &'static str,
    /// An example of a value, as written in the attribute.
    pub example: &'static str,
    /// The name in Eco2AI for Python, if it differs.
    pub python_name: Option<&'static str>,
    pub(super) form: Form,
}

impl Params {
    /// Iterates over the descriptions of all parameters, in the order of the documentation.
    pub fn parameters() -> impl ExactSizeIterator<Item = &'static Parameter> {
        PARAMETERS.iter()
    }

    /// Iterates over the names of all parameters.
    pub fn names() -> impl ExactSizeIterator<Item = &'static str> {
        PARAMETERS.iter().map(|parameter| parameter.name)
    }

    /// Sets the parameter `name` from its text form.
    ///
    /// # Errors
    /// Returns [`Error::UnknownParameter`] if there is no such parameter, and [`Error::Parameter`]
    /// if `text` is not an allowed value. In both cases nothing is set.
    pub fn set_text(&mut self, name: &str, text: &str) -> Result<()> {
        let one = Self::parse(name, text)?;
        if one.names_place() {
            one.check_place()?;
        }
        // Not `over`, which treats the parameters of a place as one.
        let old = std::mem::replace(self, one);
        self.fill(&old);
        Ok(())
    }

    /// Checks that the place exists.
    pub(crate) fn check_place(&self) -> Result<()> {
        self.place().map(drop)
    }

    /// Returns whether a whole place is given, which hides the place of lower sources.
    pub(crate) fn names_place(&self) -> bool {
        self.country.is_some() || self.cloud.is_some()
    }

    /// Finds the place of these parameters.
    pub(crate) fn place(&self) -> Result<Place> {
        Place::find(
            self.country.as_deref(),
            self.region.as_deref(),
            self.cloud.as_deref(),
            self.emission_level,
        )
    }

    /// Merges these parameters with those of `lower`, which apply where these are not given.
    ///
    /// `country`, `region` and `cloud` together describe one place. A country or a cloud region in
    /// `self` hides all three of `lower`; a region alone is a region of the country of `lower`.
    pub(crate) fn over(&self, lower: &Self) -> Self {
        let mut merged = self.clone();
        merged.fill(lower);
        if self.names_place() {
            merged.country.clone_from(&self.country);
            merged.region.clone_from(&self.region);
        }
        if self.names_place() || self.region.is_some() {
            merged.cloud.clone_from(&self.cloud);
        }
        merged
    }
}

fn wrong(parameter: &'static str, value: &str, reason: String) -> Error {
    Error::Parameter { parameter, value: value.to_owned(), reason }
}

/// Returns the error for a name that no parameter has.
pub(crate) fn unknown(name: &str) -> Error {
    let hint = suggestion(name).map_or_else(
        || format!("the parameters are {}", Params::names().collect::<Vec<_>>().join(", ")),
        |meant| format!("did you mean `{meant}`?"),
    );
    Error::UnknownParameter { name: name.to_owned(), hint }
}

/// Returns the parameter that was probably meant by `name`: its name in Python, the nearest name, or
/// the only one that contains it or is contained in it.
pub(crate) fn suggestion(name: &str) -> Option<&'static str> {
    const MIN_PART: usize = 4;
    let name = name.to_lowercase();
    let python = PARAMETERS.iter().find(|parameter| parameter.python_name == Some(&name));
    let nearest = || {
        Params::names()
            .map(|known| (strsim::damerau_levenshtein(&name, known), known))
            .filter(|(distance, known)| *distance <= known.len() / 3)
            .min_by_key(|(distance, _)| *distance)
            .map(|(_, known)| known)
    };
    let has_part = |whole: &str, part: &str| part.len() >= MIN_PART && whole.contains(part);
    let with_part = || {
        let mut alike =
            Params::names().filter(|known| has_part(known, &name) || has_part(&name, known));
        alike.next().filter(|_| alike.next().is_none())
    };
    python.map(|parameter| parameter.name).or_else(nearest).or_else(with_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value of each parameter that is not its default.
    const VALUES: &[(&str, &str)] = &[
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
        ("cpu_power", "35..120"),
        ("ram_power", "0.3"),
        ("gpu_power", "250"),
        ("rows", "total"),
        ("encode_file", "copy.csv"),
        ("ignore_warnings", "yes"),
    ];

    #[test]
    fn every_parameter_is_set_by_its_text_and_gives_it_back() {
        let mut params = Params::default();
        assert!(Params::names().eq(VALUES.iter().map(|(name, _)| *name)));
        for (name, text) in VALUES {
            assert_eq!(params.text(name), None);
            params.set_text(name, text).unwrap();
        }
        for (name, text) in VALUES {
            assert_eq!(params.text(name).as_deref(), Some(*text), "{name}");
        }
        for (name, _) in VALUES {
            params.unset(name);
            assert_eq!(params.text(name), None, "{name}");
        }
    }

    #[test]
    fn an_error_names_the_parameter_the_value_and_the_allowed_values() {
        for (name, text, allowed) in [
            ("project", " ", "empty"),
            ("file", "", "empty"),
            ("measure_period", "0.001", "0.01 to 3600"),
            ("measure_period", "3601", "0.01 to 3600"),
            ("measure_period", "nan", "0.01 to 3600"),
            ("measure_period", "1s", "a number"),
            ("country", "Narnia", "ISO 3166"),
            ("cloud", "gcp:nowhere", "provider:region"),
            ("emission_level", "-1", "0 kg/MWh or more"),
            ("emission_level", "inf", "0 kg/MWh or more"),
            ("pue", "0.99", "1 or more"),
            ("electricity_pricing", "cheap", "8:30-19:00=5.2"),
            ("cpu_processes", "some", "`current` or `all`"),
            ("cpu_power", "120..35", "35..120"),
            ("cpu_power", "-1", "35..120"),
            ("ram_power", "-1", "0 W/GiB or more"),
            ("gpu_power", "inf", "0 W or more"),
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
    fn every_default_is_a_value_that_reads_back() {
        let values = Values::from(&Params::default());
        for parameter in Params::parameters() {
            let name = parameter.name;
            assert_eq!(values.text(name).as_deref(), parameter.default, "{name}");
            assert_ne!(parameter.default.is_none(), parameter.otherwise.is_empty(), "{name}");
            if let Some(default) = parameter.default {
                Params::default().set_text(name, default).unwrap();
            }
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
