//! Devices that report their power or energy through Linux's hardware monitoring (`hwmon`): AMD and
//! Intel GPUs, NVIDIA's Grace processor and Jetson modules.
//!
//! The figures of these devices contain each other; only the outermost usable figure is read.

use std::path::{Path, PathBuf};

use super::component::Component;
use super::found::Found;
use super::kept_file::{KeptFile, read_trimmed};
use super::reading::{Quality, Reading, SensorError};
use super::roots::Roots;
use super::sensor::Sensor;
use super::share::Share;
use crate::units::{Joules, Watts};

/// A device read through a file or two of its `hwmon` directory.
///
/// After a reset of a counter, the value falls; the meter handles this.
///
/// ```
/// use eco2ai::sensor::{Hwmon, Sensor as _};
///
/// for device in Hwmon::find("/sys".as_ref(), false) {
///     println!("{}", device.name());
/// }
/// ```
#[derive(Debug)]
pub struct Hwmon {
    source: &'static str,
    component: Component,
    name: String,
    readout: Readout,
}

/// The files that contain the figure.
#[derive(Debug)]
enum Readout {
    /// Microwatts.
    Power(KeptFile),
    /// Microjoules.
    Energy(KeptFile),
    /// Millivolts and milliamperes of one rail.
    Rail { voltage: KeptFile, current: KeptFile },
}

impl Hwmon {
    /// Finds the devices under `sys` (`/sys`). An AMD chip that contains both processor and GPU is
    /// left out if `has_rapl` is set, because the processor's counter includes it; otherwise it is
    /// counted as the processor.
    ///
    /// ```
    /// use eco2ai::sensor::{Hwmon, Sensor};
    ///
    /// for device in Hwmon::find("/sys".as_ref(), false) {
    ///     println!("{}", device.name());
    /// }
    /// ```
    pub fn find(sys: &Path, has_rapl: bool) -> Vec<Self> {
        let mut found = Vec::new();
        for card in cards(sys) {
            for directory in entries(&card.join("device/hwmon"), "hwmon") {
                found.extend(Self::gpu(&card, &directory, has_rapl));
            }
        }
        let monitors = entries(&sys.join("class/hwmon"), "hwmon");
        let grace: Vec<(PathBuf, String)> = monitors
            .iter()
            .filter_map(|it| {
                let device = it.join("device");
                let sensed = read_trimmed(device.join("power1_oem_info"))?;
                Some((device.join("power1_average"), sensed))
            })
            .collect();
        found.extend(Self::grace(&grace));
        found.extend(monitors.iter().filter_map(|directory| Self::jetson(directory)));
        found
    }

    /// A GPU of AMD or Intel.
    fn gpu(card: &Path, directory: &Path, has_rapl: bool) -> Option<Self> {
        let keep = |file: &str| readable(directory.join(file));
        let label = card.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let driver = read_trimmed(directory.join("name"))?;
        match driver.as_str() {
            "amdgpu" => {
                let readout =
                    Readout::Power(keep("power1_average").or_else(|| keep("power1_input"))?);
                // Only chips that hold the processor too have a north bridge voltage.
                let holds_cpu =
                    read_trimmed(directory.join("in1_label")).is_some_and(|it| it == "vddnb");
                if holds_cpu && has_rapl {
                    return None;
                }
                let component = if holds_cpu { Component::Cpu } else { Component::Gpu };
                let product = read_trimmed(card.join("device/product_name"));
                let name = product.filter(|name| !name.is_empty());
                let name = name.unwrap_or_else(|| format!("AMD GPU {label}"));
                Some(Self { source: "amdgpu", component, name, readout })
            }
            // `i915_gtN` are parts of it.
            "i915" | "xe" => {
                // Of `xe`, the second is the package, which the card (the first) contains.
                let energy = keep("energy1_input")
                    .or_else(|| keep("energy2_input").filter(|_| driver == "xe"))?;
                Some(Self {
                    source: if driver == "xe" { "xe" } else { "i915" },
                    component: Component::Gpu,
                    name: format!("Intel GPU {label}"),
                    readout: Readout::Energy(energy),
                })
            }
            _ => None,
        }
    }

    /// Grace reports for each socket the module, the Grace chip in it, and the cores and the rest
    /// in that: the chip is the processor.
    fn grace(sensors: &[(PathBuf, String)]) -> Vec<Self> {
        let of = |kind: &str| -> Vec<&(PathBuf, String)> {
            sensors.iter().filter(|(_, sensed)| sensed.starts_with(kind)).collect()
        };
        let mut chosen = of("Grace Power Socket");
        if chosen.is_empty() {
            chosen = of("CPU Power Socket");
        }
        let gauge = |(path, sensed): &(PathBuf, String)| {
            Some(Self {
                source: "grace",
                component: Component::Cpu,
                name: sensed.clone(),
                readout: Readout::Power(readable(path.clone())?),
            })
        };
        chosen.into_iter().filter_map(gauge).collect()
    }

    /// Jetson: the rail that feeds the whole module; the others hang on it.
    fn jetson(directory: &Path) -> Option<Self> {
        if read_trimmed(directory.join("name"))? != "ina3221" {
            return None;
        }
        let rail = (1..=3).find(|rail| {
            read_trimmed(directory.join(format!("in{rail}_label")))
                .is_some_and(|label| label == "VDD_IN")
        })?;
        Some(Self {
            source: "ina3221",
            component: Component::Machine,
            name: "Jetson module (VDD_IN)".into(),
            readout: Readout::Rail {
                voltage: readable(directory.join(format!("in{rail}_input")))?,
                current: readable(directory.join(format!("curr{rail}_input")))?,
            },
        })
    }
}

/// Adds the devices that are there. Comes after the processor's own counters.
pub(crate) fn detect(roots: &Roots, found: &mut Found) {
    for sensor in Hwmon::find(&roots.sys, found.has(Component::Cpu)) {
        found.add(sensor);
    }
}

impl Sensor for Hwmon {
    fn source(&self) -> &'static str {
        self.source
    }

    fn component(&self) -> Component {
        self.component
    }

    fn read(&mut self) -> Result<Reading, SensorError> {
        let read = |file: &KeptFile| {
            file.read_u64().map(|value| value as f64).map_err(|error| {
                let text = format!("{}: {error}", file.path().display());
                // A card that was pulled out or whose driver is gone stays away.
                match error.raw_os_error() {
                    Some(NO_SUCH_DEVICE) => SensorError::Lost(text),
                    _ => SensorError::Missing(text),
                }
            })
        };
        Ok(match &self.readout {
            Readout::Power(power) => Reading::Power(Watts(read(power)? * 1e-6)),
            Readout::Energy(energy) => Reading::Energy(Joules(read(energy)? * 1e-6)),
            Readout::Rail { voltage, current } => {
                Reading::Power(Watts(read(voltage)? * read(current)? * 1e-6))
            }
        })
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    fn quality(&self) -> Quality {
        match self.readout {
            Readout::Energy(_) => Quality::Measured,
            Readout::Power(_) | Readout::Rail { .. } => Quality::Sampled,
        }
    }

    fn share(&mut self, processes: &[u32]) -> Share {
        let _ = processes;
        match self.component {
            // A whole module: its processors show best who uses it.
            Component::Cpu | Component::Machine => Share::CpuTime,
            Component::Ram => Share::Memory,
            // Nothing shows who else uses the GPU.
            Component::Gpu | Component::Other => Share::WholeThoughShared,
        }
    }
}

/// `ENODEV` of Linux.
const NO_SUCH_DEVICE: i32 = 19;

/// The file, if it can be read and holds a number now.
fn readable(path: PathBuf) -> Option<KeptFile> {
    KeptFile::open(path).ok().filter(|file| file.read_u64().is_ok())
}

/// The graphics cards: `card0`, but not its outputs (`card0-HDMI-A-1`).
fn cards(sys: &Path) -> Vec<PathBuf> {
    let mut cards = entries(&sys.join("class/drm"), "card");
    cards.retain(|card| {
        card.file_name().is_some_and(|name| !name.as_encoded_bytes().contains(&b'-'))
    });
    cards
}

/// Returns the entries of a directory whose names begin with `prefix`, sorted.
fn entries(directory: &Path, prefix: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| entry.file_name().as_encoded_bytes().starts_with(prefix.as_bytes()))
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    paths
}
