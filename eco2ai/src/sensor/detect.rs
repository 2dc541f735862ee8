//! Chooses the sensors that this machine has.

use super::component::Component;
use super::cpu_info::CpuInfo;
use super::cpu_model::{self, CpuModel};
use super::devices::{Device, Devices};
use super::found::Found;
use super::given_power::GivenPower;
#[cfg(target_os = "linux")]
use super::hwmon;
use super::nvml;
use super::ram_model;
#[cfg(target_os = "linux")]
use super::rapl;
use super::roots::Roots;
use super::sensor::Sensor;
use super::server_model;
use super::usage::UsageSource;

/// The sensors and devices of a machine.
pub(crate) struct Detected {
    pub(crate) sensors: Vec<Box<dyn Sensor>>,
    pub(crate) usage: Box<dyn UsageSource>,
    /// `{name} {count} device(s)`, as `Eco2AI` writes it.
    pub(crate) gpu_name: String,
    pub(crate) devices: Devices,
}

/// Finds the sensors of this machine. This takes a few milliseconds, or longer if NVML has to be
/// initialized. Power that the user gives replaces a model, never a counter.
pub(crate) fn detect(given: GivenPower) -> Detected {
    detect_at(&Roots::default(), given)
}

/// Finds the sensors under the given roots. The order matters: a model comes after the counters
/// that replace it.
pub(crate) fn detect_at(roots: &Roots, given: GivenPower) -> Detected {
    let cpu = read_cpu_info(roots);
    let model = CpuModel::new(&cpu);
    // As `Eco2AI` writes it.
    let at_full_load = given.cpu.map_or(model.at_full_load(), |power| power.at_full_load);
    let tdp = at_full_load / f64::from(cpu.sockets);
    let cpu_name = format!("{}/{} device(s), TDP:{:?}", cpu.brand, cpu.sockets, tdp.0);

    let mut found = Found::default();
    #[cfg(target_os = "linux")]
    rapl::detect(roots, &cpu, &mut found);
    #[cfg(target_os = "linux")]
    hwmon::detect(roots, &mut found);
    given.detect(Component::Cpu, &cpu.brand, &mut found);
    server_model::detect(&cpu, &mut found);
    cpu_model::detect(model, &mut found);
    given.detect(Component::Ram, "memory", &mut found);
    ram_model::detect(&mut found);
    nvml::detect(roots, &mut found);
    given.detect(Component::Gpu, "GPU", &mut found);

    Detected {
        sensors: found.sensors,
        usage: usage(),
        gpu_name: name_gpus(&found.devices),
        devices: Devices {
            os: os(),
            cpu: cpu_name,
            logical_cpus: cpu.logical,
            is_virtual_machine: cpu.is_virtual,
            devices: found.devices,
            missing: found.missing,
        },
    }
}

/// The first GPU's name and how many there are; `Eco2AI` takes all to be alike.
fn name_gpus(devices: &[Device]) -> String {
    let mut gpus = devices.iter().filter(|device| device.component == Component::Gpu);
    let name = gpus.next().map_or("", |gpu| gpu.name.as_str());
    let count = if name.is_empty() { 0 } else { 1 + gpus.count() };
    format!("{name} {count} device(s)")
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
    Box::new(super::usage::LinuxUsage::new())
}

#[cfg(not(target_os = "linux"))]
fn usage() -> Box<dyn UsageSource> {
    Box::new(super::usage::SysinfoUsage::new())
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

#[cfg(all(test, target_os = "linux"))]
mod tests;
