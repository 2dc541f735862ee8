//! The devices of a machine, for people and programs.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::component::Component;
use super::reading::Quality;
use super::sensor::{DeviceProperties, Sensor};
use crate::scope::Scope;
use crate::units::Watts;

/// The devices of this machine, and how the energy of each is measured. `Display` writes a table.
///
/// ```
/// let devices = eco2ai::available_devices();
/// println!("{devices}");
/// assert!(devices.logical_cpus > 0);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Devices {
    /// `Linux`, `Windows` or `MacOS`.
    pub os: String,
    /// The name of the processor, the number of sockets, and the thermal design power in watts.
    pub cpu: String,
    /// The number of logical CPUs.
    pub logical_cpus: u32,
    /// Whether the machine is virtual.
    pub is_virtual_machine: bool,
    /// The devices whose energy is measured or estimated.
    pub devices: Vec<Device>,
    /// The figures that this machine does not provide, and the devices that were found and are not
    /// counted, with the reasons.
    pub missing: Vec<Missing>,
}

/// A device whose energy is counted.
///
/// ```
/// for device in &eco2ai::available_devices().devices {
///     println!("{}: {} ({})", device.component, device.name, device.quality);
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Device {
    /// The component, which determines the column of the energy.
    pub component: Component,
    /// The name of the device.
    pub name: String,
    /// The quality of the figures.
    pub quality: Quality,
    /// The source, as in the row's method.
    pub source: String,
    /// How the device is measured, in words.
    pub how: String,
    /// The scope of runs in which the figures count, in place of other figures of the component;
    /// `None` if they count in both.
    pub scope: Option<Scope>,
    /// Why the energy is only estimated, and from what, if so.
    pub note: Option<String>,
    /// The temperature in degrees Celsius at the time of detection.
    pub temperature_celsius: Option<u32>,
    /// The memory of the device, in bytes.
    pub memory_bytes: Option<u64>,
    /// The power limit, in watts.
    #[serde(rename = "power_limit_watts")]
    pub power_limit: Option<Watts>,
}

/// A figure that this machine does not provide, or a device that was found and is not counted.
///
/// ```
/// for missing in &eco2ai::available_devices().missing {
///     if let Some(command) = &missing.command {
///         println!("to measure the {}: {command}", missing.what);
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Missing {
    /// The missing figure or device, in words.
    pub what: String,
    /// The reason.
    pub why: String,
    /// The command that enables the figure, if there is one.
    pub command: Option<String>,
    /// The component whose figures lack this device. `None` if they are complete without it, or if
    /// the machine has no such figure at all.
    pub lacking: Option<Component>,
}

impl Device {
    /// Returns the device that `sensor` reads.
    pub(crate) fn new(sensor: &dyn Sensor) -> Self {
        let DeviceProperties { temperature_celsius, memory_bytes, power_limit } =
            sensor.properties();
        Self {
            component: sensor.component(),
            name: sensor.name(),
            quality: sensor.quality(),
            source: sensor.source().to_owned(),
            how: sensor.how(),
            scope: sensor.scope(),
            note: sensor.note(),
            temperature_celsius,
            memory_bytes,
            power_limit,
        }
    }
}

impl fmt::Display for Devices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = if self.is_virtual_machine { ", virtual machine" } else { "" };
        writeln!(f, "{}, {} logical CPU(s){machine}", self.os, self.logical_cpus)?;
        for device in &self.devices {
            write!(f, "{device}")?;
        }
        for missing in &self.missing {
            writeln!(f, "missing  {}: {}", missing.what, missing.why)?;
            if let Some(command) = &missing.command {
                writeln!(f, "         to enable it: {command}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<8} {}", self.component, self.name)?;
        writeln!(f, "         {}:{}, {}", self.quality, self.source, self.how)?;
        if let Some(scope) = self.scope {
            let component = self.component;
            writeln!(
                f,
                "         in runs of scope {scope}, in place of other figures of {component}"
            )?;
        }
        if let Some(note) = &self.note {
            writeln!(f, "         {note}")?;
        }
        let temperature = self.temperature_celsius.map(|degrees| format!("{degrees} °C"));
        let gibibyte = (1_u64 << 30) as f64;
        let memory = self.memory_bytes.map(|it| format!("{:.1} GiB", it as f64 / gibibyte));
        let limit = self.power_limit.map(|watts| format!("power limit {watts}"));
        let properties: Vec<String> = [temperature, memory, limit].into_iter().flatten().collect();
        if !properties.is_empty() {
            writeln!(f, "         {}", properties.join(", "))?;
        }
        Ok(())
    }
}
