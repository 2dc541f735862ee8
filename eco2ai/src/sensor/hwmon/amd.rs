//! AMD GPUs.

use std::io;
use std::path::Path;

use super::monitor::{Card, Finding, Hwmon, Monitor, Readout, is_asleep};
use super::visible_cards::Variables;
use crate::sensor::component::Component;
use crate::sensor::kept_file::{KeptFile, read_trimmed};

const DRIVER: &str = "amdgpu";
/// No single card takes more: an MI355X is limited to 1400 W.
const MAX_POWER: f64 = 3000.0;
/// A card can exceed its limit for a short time. A figure of more than so many times the limit is
/// taken for an error of the sensor.
const EXCURSION: f64 = 2.0;

/// Finds the cards. A chip that contains both processor and GPU is not used if `has_rapl` is set,
/// because the processor's counter includes it; otherwise it counts as the processor.
pub(super) fn find(
    sys: &Path,
    cards: &[Card],
    has_rapl: bool,
    variables: &Variables,
) -> Vec<Finding> {
    let is_amd = |monitor: &&Monitor| monitor.name == DRIVER;
    let found: Vec<(&Card, &Monitor)> =
        cards.iter().filter_map(|card| Some((card, card.monitors.iter().find(is_amd)?))).collect();
    let cards: Vec<&Card> = found.iter().map(|(card, _)| *card).collect();
    let hiding = variables.hiding(sys, &cards);
    let found = found.into_iter().zip(hiding);
    found.map(|((card, monitor), hiding)| gpu(card, monitor, has_rapl, hiding)).collect()
}

fn gpu(card: &Card, monitor: &Monitor, has_rapl: bool, hiding: Option<&str>) -> Finding {
    let product = read_trimmed(card.path.join("device/product_name"));
    let name = product.filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| format!("AMD GPU {}", card.label));
    // Only chips that hold the processor too have a north bridge voltage.
    let holds_cpu = monitor.text("in1_label").is_some_and(|label| label == "vddnb");
    if holds_cpu && has_rapl {
        return Finding::unused(name, "the counter of the processor contains it");
    }
    let component = if holds_cpu { Component::Cpu } else { Component::Gpu };
    if let Some(variable) = hiding.filter(|_| !holds_cpu) {
        return Finding::unused(name, format!("{variable} hides it from this program"));
    }
    let runtime_status = card.runtime_status();
    match power_file(monitor, is_asleep(runtime_status.as_ref())) {
        Ok(Some(power)) => Finding::Sensor(Hwmon {
            source: DRIVER,
            component,
            name,
            how: "power, sampled".into(),
            readout: Readout::Power(power),
            plausible: 0.0..=max_power(monitor),
            runtime_status,
        }),
        Ok(None) => Finding::unused(name, "its driver reports no power"),
        Err(error) => Finding::Unreadable {
            component,
            source: DRIVER,
            name,
            why: format!("its power cannot be read: {error}"),
        },
    }
}

/// Opens the file with the power: the one that holds a number now, else the first that there is. An
/// empty one may hold a number later: the kernel refuses to read a card that sleeps.
fn power_file(monitor: &Monitor, is_asleep: bool) -> io::Result<Option<KeptFile>> {
    let average = monitor.open("power1_average")?;
    if average.as_ref().is_some_and(|file| is_asleep || file.read_u64().is_ok()) {
        return Ok(average);
    }
    let input = monitor.open("power1_input")?;
    let has_number = input.as_ref().is_some_and(|file| !is_asleep && file.read_u64().is_ok());
    Ok(if has_number { input } else { average.or(input) })
}

/// The highest power that the card can show, in watts.
fn max_power(monitor: &Monitor) -> f64 {
    let limit = |file| monitor.text(file)?.parse::<f64>().ok();
    let limits = [limit("power1_cap"), limit("power1_cap_max")].into_iter().flatten();
    let limit = limits.fold(0.0, f64::max) * 1e-6;
    if limit > 0.0 { (limit * EXCURSION).min(MAX_POWER) } else { MAX_POWER }
}
