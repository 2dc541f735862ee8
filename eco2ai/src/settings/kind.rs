//! The kinds of parameters: their allowed values, and the text form of these.

use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::choices::{EncodeFile, parse_yes_or_no};
use super::placeholders;
use crate::carbon::{Pricing, Tariff};
use crate::error::InvalidArgument;
use crate::sensor;
use crate::units::{GramsPerKwh, Watts};

/// How a value is written in the file of saved parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Number,
    Switch,
}

/// The allowed values of a parameter of type `T`. The error text says what is allowed.
pub(super) trait Kind<T> {
    /// How a value is written in the file of saved parameters.
    const FORM: Form = Form::Text;

    /// Parses a text form.
    fn parse(&self, text: &str) -> Result<T, String>;

    /// Returns the text form of a value, which [`parse`](Self::parse) accepts.
    fn text(&self, value: &T) -> String;

    /// Checks a value on its own.
    fn check(&self, value: &T) -> Result<(), String>;
}

/// Any text.
pub(super) struct Text;

impl Kind<String> for Text {
    fn parse(&self, text: &str) -> Result<String, String> {
        Ok(text.to_owned())
    }

    fn text(&self, value: &String) -> String {
        value.clone()
    }

    fn check(&self, _: &String) -> Result<(), String> {
        Ok(())
    }
}

/// The name of a country, which is checked together with the region and the cloud region.
pub(super) use Text as Country;
/// The name of a cloud region, which is checked together with the country.
pub(super) use Text as Cloud;

/// Text that is not empty.
pub(super) struct NonEmptyText;

fn check_filled(is_empty: bool) -> Result<(), String> {
    if is_empty { Err("must not be empty".into()) } else { Ok(()) }
}

impl Kind<String> for NonEmptyText {
    fn parse(&self, text: &str) -> Result<String, String> {
        Ok(text.to_owned())
    }

    fn text(&self, value: &String) -> String {
        value.clone()
    }

    fn check(&self, value: &String) -> Result<(), String> {
        check_filled(value.trim().is_empty())
    }
}

/// The path of a log.
impl Kind<PathBuf> for NonEmptyText {
    fn parse(&self, text: &str) -> Result<PathBuf, String> {
        Ok(text.into())
    }

    fn text(&self, value: &PathBuf) -> String {
        value.display().to_string()
    }

    fn check(&self, value: &PathBuf) -> Result<(), String> {
        check_filled(value.as_os_str().is_empty())?;
        placeholders::check(value)
    }
}

/// A number within bounds, both included.
pub(super) struct Number {
    pub(super) min: f64,
    pub(super) max: f64,
    /// The bounds and the unit, in words.
    pub(super) meaning: &'static str,
}

/// A quantity that is given as a number.
pub(super) trait Quantity: Sized {
    fn from_number(number: f64) -> Option<Self>;
    fn number(&self) -> f64;
}

impl Quantity for f64 {
    fn from_number(number: f64) -> Option<Self> {
        Some(number)
    }

    fn number(&self) -> f64 {
        *self
    }
}

impl Quantity for GramsPerKwh {
    fn from_number(number: f64) -> Option<Self> {
        Some(Self(number))
    }

    fn number(&self) -> f64 {
        self.0
    }
}

impl Quantity for Watts {
    fn from_number(number: f64) -> Option<Self> {
        Some(Self(number))
    }

    fn number(&self) -> f64 {
        self.0
    }
}

/// In seconds.
impl Quantity for Duration {
    fn from_number(seconds: f64) -> Option<Self> {
        Self::try_from_secs_f64(seconds).ok()
    }

    fn number(&self) -> f64 {
        self.as_secs_f64()
    }
}

impl Number {
    fn allowed(&self) -> String {
        format!("must be {}", self.meaning)
    }
}

impl<T: Quantity> Kind<T> for Number {
    const FORM: Form = Form::Number;

    fn parse(&self, text: &str) -> Result<T, String> {
        let number = text.trim().parse().map_err(|_| "must be a number".to_owned())?;
        T::from_number(number).ok_or_else(|| self.allowed())
    }

    fn text(&self, value: &T) -> String {
        value.number().to_string()
    }

    fn check(&self, value: &T) -> Result<(), String> {
        let number = value.number();
        if number.is_finite() && (self.min..=self.max).contains(&number) {
            Ok(())
        } else {
            Err(self.allowed())
        }
    }
}

/// A price of electricity, or prices for parts of the day.
pub(super) struct Price;

impl Kind<Pricing> for Price {
    fn parse(&self, text: &str) -> Result<Pricing, String> {
        Ok(Pricing::Text(text.into()))
    }

    fn text(&self, value: &Pricing) -> String {
        Tariff::parse(value).map_or_else(|_| value.to_string(), |tariff| tariff.to_string())
    }

    fn check(&self, value: &Pricing) -> Result<(), String> {
        Tariff::parse(value).map(drop)
    }
}

/// Watts at full load, or when idle and at full load.
pub(super) struct CpuPower;

impl Kind<sensor::CpuPower> for CpuPower {
    const FORM: Form = Form::Number;

    fn parse(&self, text: &str) -> Result<sensor::CpuPower, String> {
        text.parse().map_err(|refused: InvalidArgument| refused.reason)
    }

    fn text(&self, value: &sensor::CpuPower) -> String {
        value.to_string()
    }

    fn check(&self, value: &sensor::CpuPower) -> Result<(), String> {
        value.check().map_err(str::to_owned)
    }
}

/// One of several words.
pub(super) struct Choice {
    pub(super) words: &'static [&'static str],
}

impl<T: FromStr + Display> Kind<T> for Choice {
    fn parse(&self, text: &str) -> Result<T, String> {
        let quoted = || self.words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>();
        text.parse().map_err(|_| format!("must be {}", quoted().join(" or ")))
    }

    fn text(&self, value: &T) -> String {
        value.to_string()
    }

    fn check(&self, _: &T) -> Result<(), String> {
        Ok(())
    }
}

/// Yes, no, or the name of a file.
pub(super) struct YesNoOrFile;

impl Kind<EncodeFile> for YesNoOrFile {
    fn parse(&self, text: &str) -> Result<EncodeFile, String> {
        Ok(EncodeFile::from(text))
    }

    fn text(&self, value: &EncodeFile) -> String {
        value.to_string()
    }

    fn check(&self, value: &EncodeFile) -> Result<(), String> {
        check_filled(*value == EncodeFile::File(PathBuf::new()))
    }
}

/// Yes or no.
pub(super) struct YesNo;

impl Kind<bool> for YesNo {
    const FORM: Form = Form::Switch;

    fn parse(&self, text: &str) -> Result<bool, String> {
        parse_yes_or_no(text).ok_or_else(|| "must be yes or no".to_owned())
    }

    fn text(&self, value: &bool) -> String {
        if *value { "yes" } else { "no" }.to_owned()
    }

    fn check(&self, _: &bool) -> Result<(), String> {
        Ok(())
    }
}
