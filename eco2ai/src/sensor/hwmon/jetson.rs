//! NVIDIA's Jetson modules, which measure their supply rails with chips of Texas Instruments.

use std::io;

use super::monitor::{Finding, Hwmon, Monitor, Rail, Readout};
use crate::sensor::component::Component;

/// The highest plausible power of a module with its carrier board, in watts. A Thor module is
/// limited to 130 W.
const MAX_POWER: f64 = 1000.0;

/// The rails through which a module is supplied, by the labels of their chips: each list is that of
/// a family of modules. Rails that no list names are contained in these.
///
/// Sources: NVIDIA, "Jetson Linux Developer Guide", "Platform Power and Performance" of each family
/// ("`VDDQ_VDD2_1V8AO` power is also included in `VIN_SYS_5V0` power"); NVIDIA, "Jetson AGX Xavier
/// Series Product Design Guide", section 5.6.2.
const INPUTS: [(&str, &[&str]); 6] = [
    ("Jetson Nano, Xavier NX, Orin NX and Nano, TX1, TX2", &["VDD_IN"]),
    ("Jetson Nano with older labels", &["POM_5V_IN"]),
    ("Jetson Xavier NX with older labels", &["5V_IN"]),
    ("Jetson AGX Orin", &["VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"]),
    ("Jetson AGX Xavier", &["GPU", "CPU", "SOC", "CV", "VDDRQ", "SYS5V"]),
    ("Jetson Thor", &["VDD_GPU", "VDD_CPU_SOC_MSS", "VIN_SYS_5V0"]),
];
/// A rail of Thor, whose carrier board has a monitor of its own (`ina238`) that measures board and
/// module.
const THOR: &str = "VDD_CPU_SOC_MSS";

/// A rail with its label.
struct Labelled<'m> {
    label: String,
    monitor: &'m Monitor,
    channel: u32,
}

/// Finds the module.
pub(super) fn find(monitors: &[Monitor]) -> Vec<Finding> {
    let rails: Vec<Labelled<'_>> = monitors
        .iter()
        .filter(|monitor| monitor.name == "ina3221")
        // The label of the seventh voltage is that of a sum.
        .flat_map(|monitor| (1..=3).map(move |channel| (monitor, channel)))
        .filter_map(|(monitor, channel)| {
            let label = monitor.text(&format!("in{channel}_label"))?;
            // Not connected.
            (label != "NC" && !label.is_empty()).then_some(Labelled { label, monitor, channel })
        })
        .collect();
    let rail = |label: &str| rails.iter().find(|rail| rail.label == label);
    let all: Vec<&str> = rails.iter().map(|rail| rail.label.as_str()).collect();
    let board = monitors.iter().find(|monitor| monitor.name == "ina238");
    if let Some(board) = board.filter(|_| rail(THOR).is_some())
        && let Ok(Some(power)) = board.open("power1_input")
    {
        let name = "Jetson with its carrier board (VIN)";
        return vec![sensor(name, "ina238", Readout::Power(power)), contained(&all, "VIN")];
    }
    let inputs = INPUTS.iter().map(|(_, labels)| *labels);
    let Some(labels) = inputs.into_iter().find(|it| it.iter().all(|it| rail(it).is_some())) else {
        if all.is_empty() {
            return Vec::new();
        }
        let why = "it is not known which of them supply the machine";
        return vec![Finding::unused(format!("rails {}", all.join(", ")), why)];
    };
    let total = labels.join(" + ");
    let name = format!("Jetson module ({total})");
    let opened: io::Result<Vec<Option<Rail>>> =
        labels.iter().filter_map(|label| rail(label)).map(Labelled::open).collect();
    let module = match opened {
        Ok(rails) if rails.iter().all(Option::is_some) => {
            sensor(&name, "ina3221", Readout::Rails(rails.into_iter().flatten().collect()))
        }
        Ok(_) => Finding::unused(name, "a rail has no voltage or no current"),
        Err(error) => Finding::unused(name, format!("it cannot be read: {error}")),
    };
    let others: Vec<&str> = all.into_iter().filter(|label| !labels.contains(label)).collect();
    let mut findings = vec![module];
    if !others.is_empty() {
        findings.push(contained(&others, &total));
    }
    findings
}

impl Labelled<'_> {
    fn open(&self) -> io::Result<Option<Rail>> {
        let voltage = self.monitor.open(&format!("in{}_input", self.channel))?;
        let current = self.monitor.open(&format!("curr{}_input", self.channel))?;
        Ok(voltage.zip(current).map(|(voltage, current)| Rail { voltage, current }))
    }
}

fn sensor(name: &str, source: &'static str, readout: Readout) -> Finding {
    Finding::Sensor(Hwmon {
        source,
        component: Component::Machine,
        name: name.into(),
        how: "power, sampled".into(),
        readout,
        plausible: 0.0..=MAX_POWER,
        runtime_status: None,
    })
}

fn contained(labels: &[&str], total: &str) -> Finding {
    Finding::unused(format!("rails {}", labels.join(", ")), format!("contained in {total}"))
}
