//! Sensors, which read devices.
//!
//! A [`Sensor`] reads one device. There are three kinds, which differ in the [`Reading`] that they
//! return: a **counter** of energy (exact over any interval), a **gauge** of power (integrated by
//! the meter) and a **model** (power times utilisation, or memory in use). The kind determines the [`Quality`] of the
//! figure in the row.
//!
//! # A sensor of your own
//! A smart plug at the wall measures the whole machine ([`Component::Machine`]). Its energy
//! replaces the total, the other components stay in the row as information, and `other_energy(kWh)`
//! is the energy of the plug minus that of the other components. A device in addition to the
//! processor ([`Component::Other`]) adds to the total instead.
//!
//! ```
//! use std::sync::mpsc::{Receiver, channel};
//!
//! use eco2ai::meter::Meter;
//! use eco2ai::sensor::{Component, Quality, Reading, Sensor, SensorError};
//! use eco2ai::units::Watts;
//!
//! /// A plug that sends a value each time its power changes.
//! struct SmartPlug(Receiver<Watts>);
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
//!         // A failed request would be `SensorError::Missing`, never 0.
//!         self.0.try_recv().map(Reading::Power).map_err(|_| SensorError::NotReady)
//!     }
//!
//!     fn name(&self) -> String {
//!         "plug in the cellar".into()
//!     }
//! }
//!
//! let (plug, values) = channel();
//! plug.send(Watts(90.0))?;
//! // Before the first run that the plug measures.
//! Meter::process().add_sensor(SmartPlug(values));
//!
//! let devices = eco2ai::available_devices().devices;
//! let plug = devices.iter().find(|device| device.source == "plug").expect("it was added");
//! assert_eq!(plug.name, "plug in the cellar");
//! assert_eq!(plug.quality, Quality::Sampled);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! With the feature `test-util`, a program can test its sensor with a clock that only the test
//! advances: see [`Meter`](crate::meter::Meter).

#[cfg(any(test, all(feature = "apple", target_os = "macos", target_arch = "aarch64")))]
#[cfg_attr(not(target_os = "macos"), allow(dead_code, reason = "used on macOS"))]
mod apple_chip;
#[cfg(target_os = "linux")]
mod arm_core;
#[cfg(target_os = "linux")]
mod battery;
mod bounds;
mod component;
mod cpu_info;
mod cpu_model;
mod cpu_table;
#[cfg(target_os = "linux")]
mod cpu_topology;
#[cfg(target_os = "linux")]
mod cray;
mod detect;
mod devices;
mod found;
mod given_power;
#[cfg(target_os = "linux")]
mod hwmon;
#[cfg(target_os = "linux")]
mod kept_file;
mod microarchitecture;
#[cfg(not(feature = "nvidia"))]
mod no_nvml;
#[cfg(feature = "nvidia")]
mod nvml;
#[cfg(all(feature = "perf", target_os = "linux", target_arch = "x86_64"))]
mod perf_energy;
#[cfg(any(test, target_os = "macos"))]
#[cfg_attr(not(target_os = "macos"), allow(dead_code, reason = "used on macOS"))]
mod process_energy;
mod ram_model;
#[cfg(target_os = "linux")]
mod rapl;
mod reading;
mod roots;
#[allow(clippy::module_inception, reason = "this file is what a reader is to see first")]
mod sensor;
mod server_model;
mod share;
mod usage;
#[cfg(target_os = "linux")]
mod virtual_machine;

#[cfg(target_os = "linux")]
pub use battery::Battery;
pub use bounds::Bounds;
pub use component::Component;
pub use cpu_model::CpuModel;
#[cfg(target_os = "linux")]
pub use cray::CrayCounter;
pub(crate) use detect::detect;
#[cfg(all(test, target_os = "linux"))]
pub(crate) use detect::detect_at;
pub use devices::{Device, Devices, Missing};
pub use given_power::CpuPower;
pub(crate) use given_power::GivenPower;
#[cfg(target_os = "linux")]
pub use hwmon::Hwmon;
#[cfg(feature = "nvidia")]
pub use nvml::NvidiaGpu;
pub use ram_model::RamModel;
#[cfg(target_os = "linux")]
pub use rapl::Rapl;
pub(crate) use reading::MAX_POWER;
pub use reading::{Quality, Reading, SensorError};
#[cfg(all(test, target_os = "linux"))]
pub(crate) use roots::Roots;
pub use sensor::{DeviceProperties, Sensor};
pub use server_model::ServerModel;
pub use share::Share;
#[cfg(target_os = "linux")]
pub use usage::LinuxUsage;
#[cfg(target_os = "macos")]
pub use usage::MacUsage;
#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
pub use usage::SysinfoUsage;
#[cfg(windows)]
pub use usage::WindowsUsage;
#[cfg(windows)]
pub(crate) use usage::enter_own_job;
pub use usage::{CpuClock, Usage, UsageSource};
