//! The power meters of ACPI (`power_meter`): NVIDIA's Grace processor, and the whole machine on
//! many servers.

use std::ffi::OsStr;
use std::ops::RangeInclusive;

use super::monitor::{Finding, Hwmon, Monitor, Readout, entries};
use crate::sensor::component::Component;

/// The plausible power of a machine, in watts. Firmware that has no figure reports 0, or the
/// highest number of 32 bits in milliwatts: 4.29 MW. Source: ACPI specification, `_PMM`.
const MACHINE_POWER: RangeInclusive<f64> = 1.0..=100_000.0;
/// The highest plausible power of a socket, in watts.
const MAX_SOCKET_POWER: f64 = 3000.0;

/// Grace reports for each socket the module, the Grace chip in it, and the cores and the rest in
/// that: the chip is the processor.
const GRACE_CHIP: [&str; 2] = ["Grace Power Socket", "CPU Power Socket"];

/// Finds the meters.
pub(super) fn find(monitors: &[Monitor]) -> Vec<Finding> {
    let (mut sockets, mut machines) = (Vec::new(), Vec::new());
    for monitor in monitors {
        let measured = monitor.text("power1_oem_info").unwrap_or_default();
        if measured.contains("Power Socket") {
            sockets.push((monitor, measured));
        } else if monitor.name == "power_meter" {
            machines.push(monitor);
        }
    }
    let mut findings = grace(&sockets);
    match machines.as_slice() {
        [] => {}
        [meter] => findings.push(machine(meter)),
        meters => findings.push(Finding::unused(
            format!("{} ACPI power meters", meters.len()),
            "it is not known which parts of the machine they measure",
        )),
    }
    findings
}

fn grace(sockets: &[(&Monitor, String)]) -> Vec<Finding> {
    let chip = GRACE_CHIP
        .into_iter()
        .find(|kind| sockets.iter().any(|(_, measured)| measured.starts_with(kind)));
    let finding = |(monitor, measured): &(&Monitor, String)| {
        if chip.is_none_or(|chip| !measured.starts_with(chip)) {
            let why = "contains the processor, or is contained in it";
            return Finding::unused(measured.as_str(), why);
        }
        match monitor.open("power1_average") {
            Ok(Some(power)) => Finding::Sensor(Hwmon {
                source: "grace",
                component: Component::Cpu,
                name: measured.clone(),
                how: "power, sampled".into(),
                readout: Readout::Power(power),
                plausible: 0.0..=MAX_SOCKET_POWER,
                runtime_status: None,
            }),
            opened => Finding::Unreadable {
                component: Component::Cpu,
                source: "grace",
                name: measured.clone(),
                why: opened.err().map_or("no power".into(), |error| error.to_string()),
            },
        }
    };
    sockets.iter().map(finding).collect()
}

/// The meter of the whole machine, if it is one and has a figure.
fn machine(meter: &Monitor) -> Finding {
    let name = "ACPI power meter";
    if meter.text("power1_is_battery").is_some_and(|text| text == "1") {
        return Finding::unused(name, "it measures a battery");
    }
    let measured = entries(&meter.file("measures"), "");
    let is_machine = |name: &OsStr| {
        let name = name.as_encoded_bytes();
        name.starts_with(b"LNXSYBUS") || name.starts_with(b"LNXSYSTM")
    };
    if !measured.is_empty() && !measured.iter().filter_map(|it| it.file_name()).any(is_machine) {
        return Finding::unused(name, "it measures only a part of the machine");
    }
    let power = match meter.open("power1_average") {
        Ok(Some(power)) => power,
        Ok(None) => return Finding::unused(name, "it reports no power"),
        Err(error) => return Finding::unused(name, format!("it cannot be read: {error}")),
    };
    match power.read_u64().map(|microwatts| microwatts as f64 * 1e-6) {
        Ok(watts) if MACHINE_POWER.contains(&watts) => {}
        Ok(watts) => return Finding::unused(name, format!("it shows {watts} W")),
        Err(error) => return Finding::unused(name, format!("it cannot be read: {error}")),
    }
    let interval = meter.text("power1_average_interval").and_then(|text| text.parse::<f64>().ok());
    Finding::Sensor(Hwmon {
        source: "power_meter",
        component: Component::Machine,
        name: name.into(),
        how: match interval {
            Some(milliseconds) if milliseconds > 0.0 => {
                format!("power, average of {} s, sampled", milliseconds * 1e-3)
            }
            _ => "power, sampled".into(),
        },
        readout: Readout::Power(power),
        plausible: MACHINE_POWER,
        runtime_status: None,
    })
}
