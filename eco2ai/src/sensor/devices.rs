//! What was found on this machine, for people to read.

use std::fmt;

use serde::Serialize;

use super::detect::{Detected, detect};
use super::{Component, Quality};
use crate::units::Watts;

/// The devices of this machine, and how the energy of each will be measured. Print it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Devices {
    /// `Linux`, `Windows` or `MacOS`.
    pub os: String,
    /// The processor, how many sockets, and its thermal design power.
    pub cpu: String,
    /// Logical CPUs.
    pub logical_cpus: u32,
    /// Whether this is a virtual machine.
    pub is_virtual_machine: bool,
    /// What is measured or estimated.
    pub devices: Vec<Device>,
    /// What could be measured on other machines, and why it cannot be here.
    pub missing: Vec<Missing>,
}

/// A device whose energy is counted.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Device {
    /// Which column its energy goes to.
    pub component: Component,
    /// What it is called.
    pub name: String,
    /// How good its figures are.
    pub quality: Quality,
    /// The source, as it stands in the row's method.
    pub source: String,
    /// How it is measured, in words.
    pub how: String,
    /// Why it is only estimated, and from what.
    pub note: Option<String>,
    /// Its temperature now.
    pub temperature_celsius: Option<u32>,
    /// Its memory in bytes.
    pub memory_bytes: Option<u64>,
    /// The power that it may take.
    #[serde(rename = "power_limit_watts")]
    pub power_limit: Option<Watts>,
}

/// A figure that this machine does not give.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Missing {
    /// What is missing.
    pub what: String,
    /// Why.
    pub why: String,
    /// The command that would allow it, where there is one.
    pub command: Option<String>,
}

/// Looks at the machine and tells which devices it has, and how each will be measured.
pub fn available_devices() -> Devices {
    Devices::new(detect())
}

impl Devices {
    pub(super) fn new(detected: Detected) -> Self {
        Self {
            os: detected.os,
            cpu: detected.cpu_name,
            logical_cpus: detected.cpu.logical,
            is_virtual_machine: detected.cpu.is_virtual,
            devices: detected.devices,
            missing: detected.missing,
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
                writeln!(f, "         to allow it: {command}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = match self.component {
            Component::Cpu => "CPU",
            Component::Gpu => "GPU",
            Component::Ram => "RAM",
            Component::Other => "other",
            Component::Machine => "machine",
        };
        let quality = match self.quality {
            Quality::Estimated => "estimated",
            Quality::Sampled => "sampled",
            Quality::Measured => "measured",
        };
        writeln!(f, "{part:<8} {}", self.name)?;
        writeln!(f, "         {quality}:{}, {}", self.source, self.how)?;
        if let Some(note) = &self.note {
            writeln!(f, "         {note}")?;
        }
        let temperature = self.temperature_celsius.map(|degrees| format!("{degrees} °C"));
        let gibibyte = (1_u64 << 30) as f64;
        let memory = self.memory_bytes.map(|it| format!("{:.1} GiB", it as f64 / gibibyte));
        let limit = self.power_limit.map(|watts| format!("limit {watts}"));
        let facts: Vec<String> = [temperature, memory, limit].into_iter().flatten().collect();
        if !facts.is_empty() {
            writeln!(f, "         {}", facts.join(", "))?;
        }
        Ok(())
    }
}
