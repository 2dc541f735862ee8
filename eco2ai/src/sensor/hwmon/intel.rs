//! Intel GPUs, with the drivers `i915` and `xe`.

use std::io;

use super::monitor::{Card, Energy, Finding, Hwmon, Monitor, Readout};
use crate::sensor::component::Component;
use crate::sensor::kept_file::KeptFile;

/// Finds the cards.
///
/// Each has one monitor for the card; `i915` also has one for each part (`i915_gt0`). The counters
/// of `xe` are `energy1` for the card, which contains `energy2` for the package. On some cards only
/// the second one counts. Source: Linux, `Documentation/ABI/testing/sysfs-driver-intel-xe-hwmon`.
pub(super) fn find(cards: &[Card]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for card in cards {
        for monitor in &card.monitors {
            match monitor.name.as_str() {
                "i915" => findings.push(gpu(card, monitor, "i915", &["energy1_input"])),
                "xe" => {
                    findings.push(gpu(card, monitor, "xe", &["energy1_input", "energy2_input"]));
                }
                part if part.starts_with("i915_gt") => findings.push(Finding::unused(
                    format!("Intel GPU {}, {part}", card.label),
                    "the counter of the card contains it",
                )),
                _ => {}
            }
        }
    }
    findings
}

fn gpu(card: &Card, monitor: &Monitor, source: &'static str, counters: &[&str]) -> Finding {
    let name = format!("Intel GPU {}", card.label);
    let opened: io::Result<Vec<Option<KeptFile>>> =
        counters.iter().map(|counter| monitor.open(counter)).collect();
    match opened.map(|files| files.into_iter().flatten().collect::<Vec<_>>()) {
        Ok(files) if files.is_empty() => Finding::unused(name, "its driver reports no energy"),
        Ok(files) => Finding::Sensor(Hwmon {
            source,
            component: Component::Gpu,
            name,
            how: "energy counter".into(),
            readout: Readout::Energy(Energy::new(files)),
            plausible: 0.0..=f64::MAX,
            runtime_status: card.runtime_status(),
        }),
        Err(error) => Finding::Unreadable {
            component: Component::Gpu,
            source,
            name,
            why: format!("its counter cannot be read: {error}"),
        },
    }
}
