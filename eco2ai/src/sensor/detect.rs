//! Chooses the sensors that this machine has.

use std::ffi::OsString;
use std::path::PathBuf;

use super::cpu_info::CpuInfo;
use super::devices::{Device, Missing};
use super::{Component, CpuModel, NvidiaGpu, Quality, RamModel, Sensor, UsageSource};

/// Where to look for devices; tests bring trees of their own.
#[derive(Clone, Debug)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "no such trees there"))]
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
        use super::{Hwmon, Rapl};

        let powercap = roots.sys.join(super::rapl::POWERCAP);
        let brand = self.cpu.brand.clone();
        self.add_rapl(Component::Cpu, Rapl::packages(&powercap), &brand, &powercap);
        self.add_rapl(Component::Ram, Rapl::dram(&powercap), "memory", &powercap);
        for sensor in Hwmon::find(&roots.sys, self.has(Component::Cpu)) {
            let (quality, how) = if sensor.is_counter() {
                (Quality::Measured, "energy counter")
            } else {
                (Quality::Sampled, "power, sampled")
            };
            self.add(sensor.name().to_owned(), quality, how, String::new(), sensor);
        }
    }

    /// One kind of RAPL zones, or why there are none. A refusal is told, with the command that
    /// lifts it.
    #[cfg(target_os = "linux")]
    fn add_rapl(
        &mut self,
        component: Component,
        opened: std::io::Result<super::Rapl>,
        name: &str,
        powercap: &std::path::Path,
    ) {
        let error = match opened {
            Ok(rapl) => {
                let how = format!("energy counter, {} zone(s)", rapl.zones());
                self.add(name.into(), Quality::Measured, &how, String::new(), rapl);
                return;
            }
            Err(error) => error,
        };
        let (why, command) = match error.kind() {
            std::io::ErrorKind::PermissionDenied => {
                let command = super::Rapl::permission_command(powercap);
                crate::report::warn_once(&format!(
                    "the energy counters under {} may not be read, so energy is only estimated; \
                     to allow it until the next boot: {command}",
                    powercap.display()
                ));
                (error.to_string(), Some(command))
            }
            std::io::ErrorKind::NotFound if self.cpu.is_virtual => {
                ("a virtual machine has none".into(), None)
            }
            // Many parts have no counter of memory, but hardly any lacks one of its own.
            std::io::ErrorKind::NotFound
                if component == Component::Cpu
                    && cfg!(any(target_arch = "x86_64", target_arch = "x86")) =>
            {
                let why = format!("{error}; a container hides them, or the driver is not loaded");
                (why, Some("sudo modprobe intel_rapl_msr".into()))
            }
            _ => (error.to_string(), None),
        };
        self.missing.push(Missing {
            what: format!("energy counter of {name} (RAPL)"),
            why,
            command,
        });
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
        if gpus.is_empty() {
            self.missing.push(Missing {
                what: "NVIDIA GPU".into(),
                why: "there is a driver, but no GPU that this program may use \
                      (CUDA_VISIBLE_DEVICES) and that can be read"
                    .into(),
                command: None,
            });
        }
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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::super::Devices;
    use super::*;

    /// A machine in a folder, made of these files.
    struct Machine {
        folder: PathBuf,
    }

    impl Machine {
        fn new(name: &str, files: &[(&str, &str)]) -> Self {
            let folder = std::env::temp_dir().join(format!("eco2ai-{name}-{}", std::process::id()));
            for (path, text) in files {
                let file = folder.join(path);
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                std::fs::write(file, text).unwrap();
            }
            Self { folder }
        }

        fn detect(&self) -> Detected {
            detect_at(&Roots {
                proc: self.folder.join("proc"),
                sys: self.folder.join("sys"),
                nvml: Some("/nowhere/libnvidia-ml.so.1".into()),
            })
        }
    }

    impl Drop for Machine {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }

    const CPU_INFO: &str = "processor\t: 0\nmodel name\t: AMD EPYC 7763 64-Core Processor\n\
                            flags\t\t: fpu sse\n\nprocessor\t: 1\nmodel name\t: other\n";

    /// Two sockets of two CPUs.
    const SOCKETS: [(&str, &str); 4] = [
        ("proc/cpuinfo", CPU_INFO),
        ("sys/devices/system/cpu/online", "0-3\n"),
        ("sys/devices/system/cpu/cpu0/topology/package_cpus_list", "0-1\n"),
        ("sys/devices/system/cpu/cpu2/topology/package_cpus_list", "2-3\n"),
    ];

    fn methods(detected: &Detected) -> Vec<(Component, &str)> {
        let devices = detected.devices.iter();
        devices.map(|device| (device.component, device.source.as_str())).collect()
    }

    #[test]
    fn this_machine_has_a_processor_and_memory() {
        let detected = detect();
        assert!(detected.has(Component::Cpu) && detected.has(Component::Ram));
        assert_eq!(detected.devices.len(), detected.sensors.len());
        assert_eq!(detected.os, "Linux");
    }

    #[test]
    fn names_keep_the_forms_of_the_python_original() {
        let detected = Machine::new("names", &SOCKETS).detect();
        assert_eq!(detected.cpu_name, "AMD EPYC 7763 64-Core Processor/2 device(s), TDP:280.0");
        assert_eq!(detected.gpu_name, " 0 device(s)");
    }

    #[test]
    fn without_counters_processor_and_memory_are_estimated() {
        let detected = Machine::new("models", &SOCKETS).detect();
        assert_eq!(methods(&detected), [(Component::Cpu, "tdp"), (Component::Ram, "model")]);
        let commands: Vec<_> =
            detected.missing.iter().filter_map(|missing| missing.command.as_deref()).collect();
        let loads_driver = ["sudo modprobe intel_rapl_msr"];
        assert_eq!(commands, if cfg!(target_arch = "x86_64") { &loads_driver[..] } else { &[] });
    }

    #[test]
    fn counters_replace_the_models_part_by_part() {
        let zone = "sys/class/powercap/intel-rapl:0";
        let files = [("name", "package-0\n"), ("energy_uj", "5\n"), ("max_energy_range_uj", "9\n")];
        let files = files.map(|(file, text)| (format!("{zone}/{file}"), text));
        let mut files: Vec<(&str, &str)> =
            files.iter().map(|(file, text)| (file.as_str(), *text)).collect();
        files.extend(SOCKETS);
        let machine = Machine::new("counters", &files);
        let detected = machine.detect();
        assert_eq!(methods(&detected), [(Component::Cpu, "rapl"), (Component::Ram, "model")]);
    }

    /// What `available_devices` prints of a machine, but for the reason why there is no NVML.
    fn printed(name: &str, files: &[(&str, &str)]) -> String {
        let mut detected = Machine::new(name, files).detect();
        detected.missing.retain(|missing| missing.what != "NVIDIA GPU");
        Devices::new(detected).to_string()
    }

    #[test]
    fn a_server_with_counters_and_a_graphics_card_is_told_in_a_few_lines() {
        let zone = "sys/class/powercap/intel-rapl:0";
        let card = "sys/class/drm/card1/device/hwmon/hwmon2";
        let files = [
            (format!("{zone}/name"), "package-0\n"),
            (format!("{zone}/energy_uj"), "5\n"),
            (format!("{zone}/max_energy_range_uj"), "9\n"),
            (format!("{zone}:0/name"), "dram\n"),
            (format!("{zone}:0/energy_uj"), "7\n"),
            (format!("{zone}:0/max_energy_range_uj"), "9\n"),
            (format!("{card}/name"), "amdgpu\n"),
            (format!("{card}/power1_average"), "31000000\n"),
        ];
        let mut files: Vec<(&str, &str)> =
            files.iter().map(|(file, text)| (file.as_str(), *text)).collect();
        files.extend(SOCKETS);
        assert_eq!(
            printed("server", &files),
            "Linux, 4 logical CPU(s)\n\
             CPU      AMD EPYC 7763 64-Core Processor\n         \
             measured:rapl, energy counter, 1 zone(s)\n\
             RAM      memory\n         \
             measured:rapl, energy counter, 1 zone(s)\n\
             GPU      AMD GPU card1\n         \
             sampled:amdgpu, power, sampled\n"
        );
    }

    #[test]
    fn a_jetson_is_told_with_the_rail_that_feeds_it() {
        let monitor = "sys/class/hwmon/hwmon1";
        let files = [
            (
                "proc/cpuinfo".to_owned(),
                "processor : 0\nCPU implementer : 0x41\nCPU part : 0xd42\n",
            ),
            (format!("{monitor}/name"), "ina3221\n"),
            (format!("{monitor}/in1_label"), "VDD_IN\n"),
            (format!("{monitor}/in1_input"), "5000\n"),
            (format!("{monitor}/curr1_input"), "1200\n"),
        ];
        let files: Vec<(&str, &str)> =
            files.iter().map(|(file, text)| (file.as_str(), *text)).collect();
        let text = printed("jetson", &files);
        let rail = "machine  Jetson module (VDD_IN)\n         sampled:ina3221, power, sampled\n";
        assert!(text.contains(rail), "{text}");
    }

    #[test]
    fn a_refusal_leaves_the_model_and_tells_the_command() {
        let mut detected = Machine::new("refused", &SOCKETS).detect();
        let refused = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        detected.missing.clear();
        let powercap = "/sys/class/powercap".as_ref();
        detected.add_rapl(Component::Ram, Err(refused), "memory", powercap);
        let command = "sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj";
        assert_eq!(detected.missing.first().unwrap().command.as_deref(), Some(command));
        assert_eq!(methods(&detected), [(Component::Cpu, "tdp"), (Component::Ram, "model")]);
    }

    #[test]
    fn a_virtual_machine_is_known_by_its_flag_or_its_firmware() {
        let is_virtual =
            |files: &[(&str, &str)]| Machine::new("virtual", files).detect().cpu.is_virtual;
        let (vendor, product) = ("sys/class/dmi/id/sys_vendor", "sys/class/dmi/id/product_name");
        assert!(!is_virtual(&SOCKETS));
        assert!(is_virtual(&[(
            "proc/cpuinfo",
            "model name : x\nflags : fpu hypervisor lahf_lm\n"
        )]));
        assert!(is_virtual(&[(vendor, "QEMU\n")]));
        assert!(is_virtual(&[(vendor, "Amazon EC2\n"), (product, "m6g.large\n")]));
        assert!(!is_virtual(&[(vendor, "Amazon EC2\n"), (product, "m6g.metal\n")]));
        assert!(!is_virtual(&[(vendor, "Dell Inc.\n"), (product, "PowerEdge R740\n")]));
    }

    #[test]
    fn an_arm_processor_is_named_by_its_numbers() {
        let text = "processor : 0\nCPU implementer : 0x41\nCPU part : 0xd08\n";
        let detected = Machine::new("arm", &[("proc/cpuinfo", text)]).detect();
        assert_eq!(detected.cpu.brand, "Cortex-A72");
    }
}
