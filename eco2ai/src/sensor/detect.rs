//! Chooses the sensors that this machine has.

use std::ffi::OsString;
use std::path::PathBuf;

use super::cpu_info::CpuInfo;
use super::devices::{Device, Missing};
use super::{Component, CpuModel, NvidiaGpu, Quality, RamModel, Sensor, UsageSource};

/// Where to look for devices; tests bring trees of their own.
#[derive(Clone, Debug)]
pub(crate) struct Roots {
    pub(crate) proc: PathBuf,
    pub(crate) sys: PathBuf,
    /// A path of NVML instead of the usual ones.
    pub(crate) nvml: Option<OsString>,
}

impl Default for Roots {
    fn default() -> Self {
        Self { proc: "/proc".into(), sys: "/sys".into(), nvml: None }
    }
}

/// What a machine has.
pub(crate) struct Detected {
    pub(crate) sensors: Vec<Box<dyn Sensor>>,
    pub(crate) usage: Box<dyn UsageSource>,
    /// `{name}/{sockets} device(s), TDP:{watts}`, as `Eco2AI` writes it.
    pub(crate) cpu_name: String,
    /// `{name} {count} device(s)`, as `Eco2AI` writes it.
    pub(crate) gpu_name: String,
    /// `Linux`, `Windows` or `MacOS`, as `Eco2AI` writes it.
    pub(crate) os: String,
    pub(crate) cpu: CpuInfo,
    pub(crate) devices: Vec<Device>,
    pub(crate) missing: Vec<Missing>,
}

/// Looks at what is there. Nothing but NVML's own start takes more than a few milliseconds.
pub(crate) fn detect() -> Detected {
    detect_at(&Roots::default())
}

/// Looks under the given roots.
pub(crate) fn detect_at(roots: &Roots) -> Detected {
    let cpu = read_cpu_info(roots);
    let model = CpuModel::new(&cpu);
    let tdp = model.at_full_load() / f64::from(cpu.sockets);
    let mut detected = Detected {
        sensors: Vec::new(),
        usage: usage(),
        cpu_name: format!("{}/{} device(s), TDP:{:?}", cpu.brand, cpu.sockets, tdp.0),
        gpu_name: String::new(),
        os: os(),
        cpu,
        devices: Vec::new(),
        missing: Vec::new(),
    };
    #[cfg(target_os = "linux")]
    detected.add_linux(roots);
    if !detected.has(Component::Cpu) {
        let why = model.basis().to_owned();
        let name = detected.cpu.brand.clone();
        detected.add(name, Quality::Estimated, "utilisation x power at full load", why, model);
    }
    if !detected.has(Component::Ram) {
        let why = "no counter of memory energy".into();
        let how = "memory in use x 3/8 W per GiB";
        detected.add("memory".into(), Quality::Estimated, how, why, RamModel);
    }
    detected.add_nvidia(roots);
    detected.gpu_name = detected.name_gpus();
    detected
}

impl Detected {
    fn has(&self, component: Component) -> bool {
        self.sensors.iter().any(|sensor| sensor.component() == component)
    }

    fn add(
        &mut self,
        name: String,
        quality: Quality,
        how: &str,
        note: String,
        sensor: impl Sensor + 'static,
    ) {
        self.devices.push(Device {
            component: sensor.component(),
            name,
            quality,
            source: sensor.source().into(),
            how: how.into(),
            note: Some(note).filter(|note| !note.is_empty()),
            temperature_celsius: None,
            memory_bytes: None,
            power_limit: None,
        });
        self.sensors.push(Box::new(sensor));
    }

    /// RAPL and hardware monitoring.
    #[cfg(target_os = "linux")]
    fn add_linux(&mut self, roots: &Roots) {
        use std::io::ErrorKind;

        use super::rapl::POWERCAP;
        use super::{Hwmon, Rapl};

        let powercap = roots.sys.join(POWERCAP);
        let rapl = [(Rapl::packages(&powercap), "processor"), (Rapl::dram(&powercap), "memory")];
        for (opened, part) in rapl {
            match opened {
                Ok(rapl) => {
                    let how = format!("energy counter, {} zone(s)", rapl.zones());
                    let name = match part {
                        "processor" => self.cpu.brand.clone(),
                        _ => part.into(),
                    };
                    self.add(name, Quality::Measured, &how, String::new(), rapl);
                }
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                    let command = Rapl::permission_command(&powercap);
                    crate::report::warn_once(&format!(
                        "the energy counters under {} may not be read, so the energy is only \
                         estimated; to allow it until the next boot: {command}",
                        powercap.display()
                    ));
                    self.missing.push(Missing {
                        what: format!("energy counter of the {part} (RAPL)"),
                        why: error.to_string(),
                        command: Some(command),
                    });
                }
                Err(error) => {
                    let why = match (error.kind(), self.cpu.is_virtual) {
                        (ErrorKind::NotFound, true) => "a virtual machine has none".into(),
                        _ => error.to_string(),
                    };
                    self.missing.push(Missing {
                        what: format!("energy counter of the {part} (RAPL)"),
                        why,
                        command: None,
                    });
                }
            }
        }
        for sensor in Hwmon::find(&roots.sys, self.has(Component::Cpu)) {
            let (quality, how) = if sensor.is_counter() {
                (Quality::Measured, "energy counter")
            } else {
                (Quality::Sampled, "power, sampled")
            };
            self.add(sensor.name().to_owned(), quality, how, String::new(), sensor);
        }
    }

    fn add_nvidia(&mut self, roots: &Roots) {
        let found = match &roots.nvml {
            None => NvidiaGpu::all(),
            Some(library) => NvidiaGpu::all_from(library, None, None),
        };
        let gpus = match found {
            Ok(gpus) => gpus,
            Err(error) => {
                self.missing.push(Missing {
                    what: "NVIDIA GPU".into(),
                    why: error.to_string(),
                    command: None,
                });
                return;
            }
        };
        for gpu in gpus {
            let facts = gpu.facts();
            let quality = gpu.quality();
            let how = gpu.basis();
            self.add(gpu.name().to_owned(), quality, how, String::new(), gpu);
            if let Some(device) = self.devices.last_mut() {
                device.temperature_celsius = facts.temperature_celsius;
                device.memory_bytes = facts.memory_bytes;
                device.power_limit = facts.power_limit;
            }
        }
    }

    /// The first GPU's name and how many there are; `Eco2AI` takes all to be alike.
    fn name_gpus(&self) -> String {
        let mut gpus = self.devices.iter().filter(|device| device.component == Component::Gpu);
        let name = gpus.next().map_or("", |gpu| gpu.name.as_str());
        let count = if name.is_empty() { 0 } else { 1 + gpus.count() };
        format!("{name} {count} device(s)")
    }
}

#[cfg(target_os = "linux")]
fn read_cpu_info(roots: &Roots) -> CpuInfo {
    CpuInfo::read(&roots.proc, &roots.sys)
}

#[cfg(not(target_os = "linux"))]
fn read_cpu_info(_: &Roots) -> CpuInfo {
    CpuInfo::read()
}

#[cfg(target_os = "linux")]
fn usage() -> Box<dyn UsageSource> {
    Box::new(super::LinuxUsage::new())
}

#[cfg(not(target_os = "linux"))]
fn usage() -> Box<dyn UsageSource> {
    Box::new(super::SysinfoUsage::new())
}

fn os() -> String {
    let name = match std::env::consts::OS {
        "linux" => "Linux",
        "windows" => "Windows",
        "macos" => "MacOS",
        other => other,
    };
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_machine_has_a_processor_and_memory_and_is_looked_at_quickly() {
        let begun = std::time::Instant::now();
        let detected = detect();
        println!("{:?}", begun.elapsed());
        assert!(detected.has(Component::Cpu) && detected.has(Component::Ram));
        assert!(detected.cpu_name.contains(" device(s), TDP:"), "{}", detected.cpu_name);
        assert!(detected.gpu_name.ends_with(" device(s)"), "{}", detected.gpu_name);
        assert_eq!(detected.devices.len(), detected.sensors.len());
    }
}
