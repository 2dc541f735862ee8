//! Chooses the sensors that this machine has.

#[cfg(all(feature = "apple", target_os = "macos", target_arch = "aarch64"))]
use super::apple_chip;
#[cfg(target_os = "linux")]
use super::battery;
use super::component::Component;
use super::cpu_info::CpuInfo;
use super::cpu_model::{self, CpuModel};
#[cfg(target_os = "linux")]
use super::cray;
use super::devices::{Device, Devices};
use super::found::Found;
use super::given_power::GivenPower;
#[cfg(target_os = "linux")]
use super::hwmon;
#[cfg(not(feature = "nvidia"))]
use super::no_nvml as nvml;
#[cfg(feature = "nvidia")]
use super::nvml;
#[cfg(target_os = "macos")]
use super::process_energy;
use super::ram_model;
#[cfg(target_os = "linux")]
use super::rapl;
#[cfg(target_os = "linux")]
use super::reading::Reading;
use super::roots::Roots;
use super::sensor::Sensor;
use super::server_model;
#[cfg(target_os = "linux")]
use super::server_model::ServerModel;
use super::usage::UsageSource;
#[cfg(target_os = "linux")]
use super::usage::{LinuxUsage, used_memory};

/// The sensors and devices of a machine.
pub(crate) struct Detected {
    pub(crate) sensors: Vec<Box<dyn Sensor>>,
    pub(crate) usage: Box<dyn UsageSource>,
    /// `{name} {count} device(s)`, as `Eco2AI` writes it.
    pub(crate) gpu_name: String,
    pub(crate) devices: Devices,
}

/// Why counters of the machine are of no use in a container whose `/proc` is that of lxcfs.
#[cfg(target_os = "linux")]
const CONTAINER_USAGE: &str = "this container shows its own CPU time and memory in place of the \
                               machine's (lxcfs), so its share of the counters is unknown";

/// Finds the sensors of this machine. This takes a few milliseconds, or longer if NVML has to be
/// initialized. Power that the user gives replaces a model, never a counter.
pub(crate) fn detect(given: GivenPower) -> Detected {
    detect_at(&Roots::default(), given)
}

/// Finds the sensors under the given roots. The order matters: a model comes after the counters
/// that replace it; node counters of HPE Cray are used for what nothing else measures; and of the
/// sensors of the whole machine only the first counts: the supply rails of a Jetson, an ACPI power
/// meter, the node counter of HPE Cray, a battery.
pub(crate) fn detect_at(roots: &Roots, given: GivenPower) -> Detected {
    let cpu = read_cpu_info(roots);
    let model = CpuModel::new(&cpu);
    // As `Eco2AI` writes it.
    let at_full_load = given.cpu.map_or(model.at_full_load(), |power| power.at_full_load);
    let tdp = at_full_load / f64::from(cpu.sockets);
    let cpu_name = format!("{}/{} device(s), TDP:{:?}", cpu.brand, cpu.sockets, tdp.0);

    let mut found = Found::default();
    #[cfg(target_os = "linux")]
    if cpu.shows_container {
        // The counters are the whole machine's, and the CPU time by which they would be shared is
        // hidden. The model needs only that of the process.
        found.add_missing("energy counters of processor and memory (RAPL)", CONTAINER_USAGE, None);
    } else {
        let substitutes = substitutes(given, &cpu, &model, roots);
        rapl::detect(roots, &cpu, &substitutes, &mut found);
    }
    #[cfg(target_os = "linux")]
    hwmon::detect(roots, &mut found);
    nvml::detect(roots, &mut found);
    #[cfg(target_os = "macos")]
    process_energy::detect(&cpu, &model, given, &mut found);
    #[cfg(all(feature = "apple", target_os = "macos", target_arch = "aarch64"))]
    apple_chip::detect(&cpu, &mut found);
    given.detect(Component::Gpu, "GPU", &mut found);
    #[cfg(target_os = "linux")]
    cray::detect(roots, &mut found);
    #[cfg(target_os = "linux")]
    battery::detect(roots, cpu.is_virtual, &mut found);
    given.detect(Component::Cpu, &cpu.brand, &mut found);
    server_model::detect(&cpu, &mut found);
    cpu_model::detect(model, &mut found);
    given.detect(Component::Ram, "memory", &mut found);
    ram_model::detect(&mut found);

    Detected {
        sensors: found.sensors,
        usage: usage(&cpu),
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

/// Chooses what replaces counters that stand still: the models that are used where there are no
/// counters. The model of a server contains memory, which has a figure of its own here.
#[cfg(target_os = "linux")]
fn substitutes(
    given: GivenPower,
    cpu: &CpuInfo,
    model: &CpuModel,
    roots: &Roots,
) -> rapl::Substitutes {
    let per_gibibyte = given.ram.unwrap_or(ram_model::PER_GIBIBYTE);
    let server = || {
        let server = ServerModel::for_cpu(cpu)?;
        let used = used_memory(&roots.proc).unwrap_or(0) as f64;
        Some(server.without_memory(per_gibibyte * (used / f64::from(1 << 30))))
    };
    rapl::Substitutes {
        cpu: given
            .cpu
            .map(Reading::from)
            .or_else(server)
            .unwrap_or(Reading::AtFullLoad(model.at_full_load())),
        ram: Reading::PerGibibyte(per_gibibyte),
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
    CpuInfo::of_this_machine()
}

#[cfg(target_os = "linux")]
fn usage(cpu: &CpuInfo) -> Box<dyn UsageSource> {
    Box::new(LinuxUsage::on(cpu))
}

#[cfg(windows)]
fn usage(_: &CpuInfo) -> Box<dyn UsageSource> {
    Box::new(super::usage::WindowsUsage::new())
}

#[cfg(target_os = "macos")]
fn usage(_: &CpuInfo) -> Box<dyn UsageSource> {
    Box::new(super::usage::MacUsage::new())
}

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
fn usage(_: &CpuInfo) -> Box<dyn UsageSource> {
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
mod counters_test;
#[cfg(all(test, target_os = "linux"))]
mod processors_test;
#[cfg(all(test, target_os = "linux"))]
mod tests;
