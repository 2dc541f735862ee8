//! What a report is about, as its arguments say.

use std::collections::HashMap;

use eco2ai::carbon::Place;

use crate::failure::{Failure, Result};

/// What a report is about.
pub(super) struct ReportOptions {
    /// In place of `Energy report`.
    pub(super) title: Option<String>,
    /// The period, as text; `None` for all rows.
    pub(super) period: Option<String>,
    /// The places whose carbon intensity is compared.
    pub(super) also: Vec<Place>,
    /// The region whose equivalents are shown; `None` for that of the logs.
    pub(super) equivalents: Option<EquivalentsRegion>,
}

/// A region that has equivalents of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum EquivalentsRegion {
    /// The European Union
    Eu,
    /// The United States
    Us,
}

impl EquivalentsRegion {
    /// Returns the name of the region in the table of equivalents.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Eu => "EU",
            Self::Us => "US",
        }
    }
}

/// Finds the places of `--also`: countries, and regions such as `US-CA`; each once.
pub(super) fn places(names: &[String]) -> Result<Vec<Place>> {
    let mut seen = HashMap::new();
    for name in names.iter().map(|name| name.trim()).filter(|name| !name.is_empty()) {
        let place = match (Place::find(Some(name), None, None, None), name.split_once('-')) {
            (Ok(place), _) => place,
            (Err(_), Some((country, _)))
                if Place::find(Some(country), None, None, None).is_ok() =>
            {
                Place::find(Some(country), Some(name), None, None).map_err(|error| also(&error))?
            }
            (Err(error), _) => return Err(also(&error)),
        };
        let number = seen.len();
        seen.entry(place.label.clone()).or_insert((number, place));
    }
    let mut places: Vec<_> = seen.into_values().collect();
    places.sort_by_key(|(number, _)| *number);
    Ok(places.into_iter().map(|(_, place)| place).collect())
}

fn also(error: &eco2ai::Error) -> Failure {
    Failure::usage(format!("--also: {error}"))
}
