//! One row of the log.

use std::time::Duration;

use chrono::{DateTime, FixedOffset};

use crate::settings::CpuProcesses;
use crate::units::{GramsPerKwh, KilogramsCo2e, KilowattHours};

/// How a run ended, from the best to the worst.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// It came to its end.
    #[default]
    Ok,
    /// It returned an error.
    Error,
    /// Its future was dropped before its end.
    Cancelled,
    /// It panicked.
    Panicked,
    /// Its process died.
    Interrupted,
}

/// What one run used, and how that is known: one row of the log.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Record {
    /// UUID of the run.
    pub id: String,
    /// Project.
    pub project: String,
    /// Description of the experiment.
    pub description: String,
    /// The epoch in Eco2AI's form (`epoch: 3, loss: 0.1, `), or `N/A`.
    pub epoch: String,
    /// When the run started, in the machine's time zone.
    pub start_time: DateTime<FixedOffset>,
    /// How long it ran.
    pub duration: Duration,
    /// Inclusive energy: the run and all that ran under it, times PUE.
    pub power_consumption: KilowattHours,
    /// CO2 equivalents of the inclusive energy.
    pub co2_emissions: KilogramsCo2e,
    /// Processor, in Eco2AI's form: `name/sockets device(s), TDP:watts`.
    pub cpu_name: String,
    /// Graphics processors, in Eco2AI's form: `name count device(s)`.
    pub gpu_name: String,
    /// Operating system.
    pub os: String,
    /// Place, as `FR` or `US/California`.
    pub place: String,
    /// Price of the inclusive energy, in the currency of the tariff; 0 where none was given.
    pub cost: f64,
    /// The run under which this one ran.
    pub parent_id: Option<String>,
    /// The tracked function.
    pub function: Option<String>,
    /// How the run ended.
    pub status: Status,
    /// How many calls the row stands for.
    pub calls: u64,
    /// Whose energy was counted.
    pub scope: CpuProcesses,
    /// Own energy: without what ran under it, times PUE.
    pub own_energy: KilowattHours,
    /// CO2 equivalents of the own energy.
    pub own_co2: KilogramsCo2e,
    /// Price of the own energy.
    pub own_cost: f64,
    /// Energy of the whole process (or machine) while the run ran, times PUE.
    pub process_energy: KilowattHours,
    /// Inclusive energy of processors, at the device.
    pub cpu_energy: Option<KilowattHours>,
    /// Inclusive energy of graphics processors, at the device.
    pub gpu_energy: Option<KilowattHours>,
    /// Inclusive energy of memory, at the device.
    pub ram_energy: Option<KilowattHours>,
    /// Inclusive energy of other devices, at the device.
    pub other_energy: Option<KilowattHours>,
    /// How `cpu_energy` was obtained: `quality:source[:share]`, or `none`.
    pub cpu_method: String,
    /// How `gpu_energy` was obtained.
    pub gpu_method: String,
    /// How `ram_energy` was obtained.
    pub ram_method: String,
    /// How `other_energy` was obtained.
    pub other_method: String,
    /// Carbon intensity that was used.
    pub emission_level: GramsPerKwh,
    /// Where that intensity comes from.
    pub emission_source: String,
    /// Power usage effectiveness that was used.
    pub pue: f64,
    /// Name of the machine.
    pub hostname: String,
    /// Id of the process.
    pub pid: u32,
    /// Version of this crate.
    pub version: String,
}
