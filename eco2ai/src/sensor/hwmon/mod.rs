//! Devices that report their power or energy through Linux's hardware monitoring (`hwmon`): AMD and
//! Intel GPUs, NVIDIA's Grace processor and Jetson modules, and the power meters of ACPI.
//!
//! The figures of these devices contain each other; only the outermost usable figure is read. Each
//! monitor of power that is not used is reported with the reason.

mod amd;
mod intel;
mod jetson;
mod monitor;
mod power_meter;
mod visible_cards;

use std::path::Path;

use monitor::{Card, Finding, Monitor};
use visible_cards::Variables;

use super::component::Component;
use super::found::Found;
use super::roots::Roots;

pub use monitor::Hwmon;

impl Hwmon {
    /// Finds the devices under `sys` (`/sys`) that this program may use, as selected by
    /// `ROCR_VISIBLE_DEVICES` and the other variables of AMD's runtime. An AMD chip that contains
    /// both processor and GPU is left out if `has_rapl` is set, because the processor's counter
    /// includes it; otherwise it is counted as the processor.
    ///
    /// ```
    /// use eco2ai::sensor::{Hwmon, Sensor};
    ///
    /// for device in Hwmon::find("/sys".as_ref(), false) {
    ///     println!("{}", device.name());
    /// }
    /// ```
    pub fn find(sys: &Path, has_rapl: bool) -> Vec<Self> {
        let findings = search(sys, has_rapl, &Variables::read()).into_iter();
        let sensor = |finding| match finding {
            Finding::Sensor(sensor) => Some(sensor),
            Finding::Unused { .. } | Finding::Unreadable { .. } => None,
        };
        findings.filter_map(sensor).collect()
    }
}

/// Adds the devices that are there. Comes after the processor's own counters.
pub(crate) fn detect(roots: &Roots, found: &mut Found) {
    for finding in search(&roots.sys, found.has(Component::Cpu), &Variables::read()) {
        match finding {
            Finding::Sensor(sensor) if sensor.component == Component::Machine => {
                found.add_machine(sensor);
            }
            Finding::Sensor(sensor) => found.add(sensor),
            Finding::Unused { name, why } => found.add_missing(name, why, None),
            Finding::Unreadable { component, source, name, why } => {
                found.add_unreadable(component, source, name, why, None);
            }
        }
    }
}

fn search(sys: &Path, has_rapl: bool, variables: &Variables) -> Vec<Finding> {
    let cards = Card::list(sys);
    let monitors = Monitor::list(&sys.join("class/hwmon"));
    let mut findings = amd::find(sys, &cards, has_rapl, variables);
    findings.extend(intel::find(&cards));
    let unreadable = cards.iter().filter(|card| card.monitors.iter().any(|it| it.name.is_empty()));
    findings.extend(unreadable.map(|card| {
        Finding::unused(format!("GPU {}", card.label), "the name of its monitor cannot be read")
    }));
    findings.extend(jetson::find(&monitors));
    findings.extend(power_meter::find(&monitors));
    let is_read = |name: &str| {
        let mut findings = findings.iter();
        findings.any(|it| matches!(it, Finding::Sensor(sensor) if sensor.source == name))
    };
    let unknown = monitors.iter().filter(|monitor| is_unknown(monitor) && !is_read(&monitor.name));
    let why = "it is not known which part of the machine it measures";
    let unknown: Vec<Finding> = unknown
        .map(|monitor| Finding::unused(format!("monitor {}", monitor.label()), why))
        .collect();
    findings.extend(unknown);
    findings
}

/// Returns whether a monitor measures the power or energy of something that is not known.
fn is_unknown(monitor: &Monitor) -> bool {
    let is_known = ["amdgpu", "i915", "xe", "ina3221", "power_meter"]
        .contains(&monitor.name.as_str())
        || monitor.name.starts_with("i915_gt");
    let measures = ["power1_input", "power1_average", "energy1_input"];
    // The monitor of a battery repeats the figures of the battery.
    !is_known
        && measures.iter().any(|file| monitor.has(file))
        && !monitor.has("power1_oem_info")
        && !monitor.has("device/type")
}

#[cfg(test)]
mod tests;
