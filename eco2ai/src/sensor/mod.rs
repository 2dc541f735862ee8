//! Reading devices: what a sensor is, and one file per way of sensing.
//!
//! A [`Sensor`] reads one device. Three kinds exist, told by the [`Reading`] it gives:
//! a **counter** of energy (exact over any interval), a **gauge** of power (integrated by the
//! meter) and a **model** (utilisation times watts). The kind decides the [`Quality`] of the
//! figure in the row.
//!
//! # A sensor of your own
//! A smart plug at the wall sees the whole machine ([`Component::Machine`]): it replaces the total,
//! the components stay as information, and `other_energy(kWh)` is what the plug saw beyond them. A
//! device beside the processor ([`Component::Other`]) adds to the total instead.
//!
//! ```
//! use std::time::{Duration, SystemTime};
//!
//! use eco2ai::Tracker;
//! use eco2ai::meter::{ManualClock, Meter};
//! use eco2ai::sensor::{Component, CpuModel, Reading, Sensor, SensorError, Usage, UsageSource};
//! use eco2ai::units::{KilowattHours, Watts};
//!
//! struct SmartPlug;
//!
//! impl Sensor for SmartPlug {
//!     fn source(&self) -> &str {
//!         "plug"
//!     }
//!
//!     fn component(&self) -> Component {
//!         Component::Machine
//!     }
//!
//!     fn read(&mut self) -> Result<Reading, SensorError> {
//!         // Here you would ask the plug; a question that fails is `SensorError::Missing`, never 0.
//!         Ok(Reading::Power(Watts(90.0)))
//!     }
//! }
//!
//! # struct OneOfTwoCpus(ManualClock);
//! # impl UsageSource for OneOfTwoCpus {
//! #     fn read(&mut self) -> Usage {
//! #         let mut usage = Usage::default();
//! #         usage.cpus = 2.0;
//! #         usage.own_cpu = Some(eco2ai::meter::Clock::now(&self.0));
//! #         usage.busy_cpu = usage.own_cpu;
//! #         usage
//! #     }
//! #     fn refresh(&mut self) {}
//! #     fn processes(&self) -> &[u32] {
//! #         &[]
//! #     }
//! # }
//! # let folder = tempfile::tempdir()?;
//! # let file = folder.path().join("emission.csv");
//! // In a program: `Meter::process().add_sensor(SmartPlug)`, before its first run. In a test a clock
//! // that stands still, and a usage of the test's own.
//! let clock = ManualClock::new(SystemTime::now());
//! let meter = Meter::builder(OneOfTwoCpus(clock.clone()))
//!     .clock(clock.clone())
//!     .sensor(CpuModel::from_watts(Watts(80.0)))
//!     .sensor(SmartPlug)
//!     .build();
//! let tracker = Tracker::builder().meter(&meter).file(file).forget().build()?;
//! let run = tracker.start()?;
//! meter.simulate(&clock, Duration::from_secs(3600));
//! let record = run.stop()?;
//!
//! let about = |energy: KilowattHours, expected: f64| (energy.0 - expected).abs() < 1e-6;
//! assert!(about(record.energy, 0.090), "what the plug saw");
//! assert!(about(record.cpu_energy.unwrap(), 0.040), "one of two CPUs, for information");
//! assert!(about(record.other_energy.unwrap(), 0.050), "the rest");
//! assert_eq!(record.other_method, "sampled:plug:rest");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cpu_info;
mod cpu_model;
mod cpu_table;
mod detect;
mod devices;
#[cfg(target_os = "linux")]
mod hwmon;
#[cfg(target_os = "linux")]
mod kept_file;
mod nvml;
mod ram_model;
#[cfg(target_os = "linux")]
mod rapl;
mod usage;
mod visible_devices;

use std::time::Duration;

use serde::Serialize;

pub use cpu_model::CpuModel;
pub(crate) use detect::detect;
pub use devices::{Device, Devices, Missing, available_devices};
#[cfg(target_os = "linux")]
pub use hwmon::Hwmon;
pub use nvml::NvidiaGpu;
pub use ram_model::RamModel;
#[cfg(target_os = "linux")]
pub use rapl::Rapl;
#[cfg(target_os = "linux")]
pub use usage::LinuxUsage;
#[cfg(not(target_os = "linux"))]
pub use usage::SysinfoUsage;
pub use usage::{CpuClock, Usage, UsageSource};

use crate::units::{Joules, Watts};

/// What a sensor senses, and so which column of the row its energy goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Component {
    /// Processors.
    Cpu,
    /// Graphics and other accelerators.
    Gpu,
    /// Memory.
    Ram,
    /// Anything else that adds to the total, such as a disk or a network card.
    Other,
    /// The whole machine, as a wall meter sees it: it replaces the total, and the components stay
    /// in the row as information.
    Machine,
}

impl Component {
    /// All components, in the order of their columns.
    pub const ALL: [Self; 5] = [Self::Cpu, Self::Gpu, Self::Ram, Self::Other, Self::Machine];
}

/// One reading of a device.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Reading {
    /// A counter: energy since some moment in the past. It never falls, except when the device is
    /// reset; a sensor whose counter wraps resolves the wrap itself.
    Energy(Joules),
    /// A gauge: the power at this moment.
    Power(Watts),
    /// A model: the power of the whole component when every CPU of the machine is busy; the meter
    /// multiplies it by the utilisation.
    AtFullLoad(Watts),
    /// A model: the power of one GiB of memory; the meter multiplies it by the memory in use.
    PerGibibyte(Watts),
}

impl Reading {
    /// How a figure that comes from such readings was obtained.
    pub fn quality(&self) -> Quality {
        match self {
            Self::Energy(_) => Quality::Measured,
            Self::Power(_) => Quality::Sampled,
            Self::AtFullLoad(_) | Self::PerGibibyte(_) => Quality::Estimated,
        }
    }
}

/// How a figure was obtained, from the weakest to the strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Quality {
    /// From a model.
    Estimated,
    /// From readings of power, integrated over time.
    Sampled,
    /// From a counter of energy.
    Measured,
}

impl Quality {
    /// As in a row's method: `estimated`, `sampled` or `measured`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Estimated => "estimated",
            Self::Sampled => "sampled",
            Self::Measured => "measured",
        }
    }
}

/// Which part of a device's energy belongs to this process (`cpu_processes = "current"`).
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Share {
    /// The process's CPU time over the machine's busy CPU time.
    CpuTime,
    /// The process's resident memory over the machine's used memory.
    Memory,
    /// This fraction, from 0 to 1, as the device itself tells.
    Fraction(f64),
    /// All of it: nobody else uses the device.
    Whole,
    /// All of it, although others use the device too and nothing tells how much: marked in the row.
    /// So are the first two where the platform does not tell the machine's usage.
    WholeThoughShared,
}

/// Why a reading is missing. A missing reading is never taken for 0.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SensorError {
    /// This time there was no reading; the next may succeed.
    #[error("{0}")]
    Missing(String),
    /// The device is gone and will not be read again.
    #[error("{0}")]
    Lost(String),
}

/// A source of energy figures. Implement it to plug in a device of your own.
pub trait Sensor: Send {
    /// The short name of the source, as it stands in the row's method: `rapl`, `nvml`, `tdp`…
    fn source(&self) -> &str;

    /// What it senses.
    fn component(&self) -> Component;

    /// Reads the device now.
    ///
    /// # Errors
    /// [`SensorError::Missing`] where this reading failed, [`SensorError::Lost`] where all later
    /// ones will.
    fn read(&mut self) -> Result<Reading, SensorError>;

    /// How often a counter is refreshed at the least; zero where it is always current. Between two
    /// refreshes the meter goes on at the last known power.
    fn tick(&self) -> Duration {
        Duration::ZERO
    }

    /// The longest time between two readings that keeps the counter unambiguous (it wraps).
    fn longest_interval(&self) -> Option<Duration> {
        None
    }

    /// Beside a counter: the power now, to go on with until the counter has moved for the first
    /// time. Asked once, where the counter begins, and once more where it begins anew after it
    /// could not be read.
    fn power(&mut self) -> Option<Watts> {
        None
    }

    /// The part of the device's energy that belongs to the process and its children, whose ids are
    /// `processes`. Asked once per measuring period.
    fn share(&mut self, processes: &[u32]) -> Share {
        let _ = processes;
        match self.component() {
            Component::Cpu => Share::CpuTime,
            Component::Ram => Share::Memory,
            Component::Gpu | Component::Other | Component::Machine => Share::Whole,
        }
    }
}
