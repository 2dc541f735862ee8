//! What is found on machines made of files.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::units::Watts;

/// A machine in a folder, made of these files.
pub(super) struct Machine {
    pub(super) folder: PathBuf,
}

impl Machine {
    pub(super) fn new(name: &str, files: &[(&str, &str)]) -> Self {
        // Tests of one name do not share a folder.
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let (id, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(format!("eco2ai-{name}-{id}-{count}"));
        let machine = Self { folder };
        for (path, text) in files {
            machine.write(path, text.as_bytes());
        }
        machine
    }

    pub(super) fn write(&self, path: &str, text: &[u8]) {
        let file = self.folder.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    pub(super) fn detect(&self) -> Detected {
        self.detect_with(GivenPower::default())
    }

    pub(super) fn detect_with(&self, given: GivenPower) -> Detected {
        let roots = Roots {
            proc: self.folder.join("proc"),
            sys: self.folder.join("sys"),
            nvml: Some("/nowhere/libnvidia-ml.so.1".into()),
        };
        detect_at(&roots, given)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

pub(super) const CPU_INFO: &str = "processor\t: 0\nmodel name\t: AMD EPYC 7763 64-Core Processor\n\
                        flags\t\t: fpu sse\n\nprocessor\t: 1\nmodel name\t: other\n";

/// Two sockets.
pub(super) const SOCKETS: [(&str, &str); 6] = [
    ("proc/cpuinfo", CPU_INFO),
    ("sys/devices/system/cpu/online", "0-255\n"),
    ("sys/devices/system/cpu/cpu0/topology/package_cpus_list", "0-63,128-191\n"),
    ("sys/devices/system/cpu/cpu0/topology/physical_package_id", "0\n"),
    ("sys/devices/system/cpu/cpu64/topology/package_cpus_list", "64-127,192-255\n"),
    ("sys/devices/system/cpu/cpu64/topology/physical_package_id", "1\n"),
];

pub(super) fn methods(detected: &Detected) -> Vec<(Component, &str)> {
    let devices = detected.devices.devices.iter();
    devices.map(|device| (device.component, device.source.as_str())).collect()
}

#[test]
fn this_machine_has_a_processor_and_memory() {
    let detected = detect(GivenPower::default());
    let components: Vec<_> = methods(&detected).iter().map(|(component, _)| *component).collect();
    assert!(components.contains(&Component::Cpu));
    let has_server_model = detected.devices.devices.iter().any(|it| it.source == "server");
    assert_ne!(components.contains(&Component::Ram), has_server_model, "it contains memory");
    assert_eq!(detected.devices.devices.len(), detected.sensors.len());
    assert_eq!(detected.devices.os, "Linux");
}

#[test]
fn names_keep_the_forms_of_the_python_original() {
    let detected = Machine::new("names", &SOCKETS).detect();
    assert_eq!(detected.devices.cpu, "AMD EPYC 7763 64-Core Processor/2 device(s), TDP:280.0");
    assert_eq!(detected.gpu_name, " 0 device(s)");
}

#[test]
fn without_counters_processor_and_memory_are_estimated() {
    let detected = Machine::new("models", &SOCKETS).detect();
    assert_eq!(methods(&detected), [(Component::Cpu, "tdp"), (Component::Ram, "model")]);
    let commands: Vec<_> =
        detected.devices.missing.iter().filter_map(|missing| missing.command.as_deref()).collect();
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
    detected.devices.missing.retain(|missing| missing.what != "NVIDIA GPU");
    detected.devices.to_string()
}

#[test]
fn a_server_with_counters_and_a_graphics_card_is_printed_in_a_few_lines() {
    let zone = "sys/class/powercap/intel-rapl:0";
    let other = "sys/class/powercap/intel-rapl:1";
    let card = "sys/class/drm/card1/device/hwmon/hwmon2";
    let files = [
        (format!("{zone}/name"), "package-0\n"),
        (format!("{zone}/energy_uj"), "5\n"),
        (format!("{zone}/max_energy_range_uj"), "9\n"),
        (format!("{zone}:0/name"), "dram\n"),
        (format!("{zone}:0/energy_uj"), "7\n"),
        (format!("{zone}:0/max_energy_range_uj"), "9\n"),
        (format!("{other}/name"), "package-1\n"),
        (format!("{other}/energy_uj"), "6\n"),
        (format!("{other}:0/name"), "dram\n"),
        (format!("{other}:0/energy_uj"), "8\n"),
        (format!("{card}/name"), "amdgpu\n"),
        (format!("{card}/power1_average"), "31000000\n"),
    ];
    let mut files: Vec<(&str, &str)> =
        files.iter().map(|(file, text)| (file.as_str(), *text)).collect();
    files.extend(SOCKETS);
    assert_eq!(
        printed("server", &files),
        "Linux, 256 logical CPU(s)\n\
         CPU      AMD EPYC 7763 64-Core Processor\n         \
         measured:rapl, energy counter, 2 zone(s)\n\
         RAM      memory\n         \
         measured:rapl, energy counter, 2 zone(s)\n\
         GPU      AMD GPU card1\n         \
         sampled:amdgpu, power, sampled\n"
    );
}

#[test]
fn a_jetson_is_printed_with_the_rail_that_feeds_it() {
    let monitor = "sys/class/hwmon/hwmon1";
    let files = [
        ("proc/cpuinfo".to_owned(), "processor : 0\nCPU implementer : 0x41\nCPU part : 0xd42\n"),
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
fn of_the_sensors_of_a_whole_machine_only_the_first_counts() {
    let (meter, battery) = ("sys/class/hwmon/hwmon0", "sys/class/power_supply/BAT0");
    let files = [
        (format!("{meter}/name"), "power_meter\n"),
        (format!("{meter}/power1_average"), "90000000\n"),
        ("sys/cray/pm_counters/energy".to_owned(), "5000 J 1690000000 us\n"),
        ("sys/cray/pm_counters/cpu_energy".to_owned(), "3000 J 1690000000 us\n"),
        (format!("{battery}/type"), "Battery\n"),
        (format!("{battery}/status"), "Discharging\n"),
        (format!("{battery}/power_now"), "9000000\n"),
    ];
    let mut files: Vec<(&str, &str)> =
        files.iter().map(|(file, text)| (file.as_str(), *text)).collect();
    files.extend(SOCKETS);
    let detected = Machine::new("several", &files).detect();
    assert_eq!(
        methods(&detected),
        [(Component::Machine, "power_meter"), (Component::Cpu, "cray"), (Component::Ram, "model"),]
    );
    let unused = detected
        .devices
        .missing
        .iter()
        .filter(|missing| missing.why == "ACPI power meter measures the whole machine already");
    let names: Vec<&str> = unused.map(|missing| missing.what.as_str()).collect();
    assert_eq!(names, ["HPE Cray node", "battery BAT0"]);
}

#[test]
fn a_virtual_machine_does_not_count_the_battery_of_its_host() {
    let battery = "sys/class/power_supply/BAT0";
    let files = [
        ("proc/cpuinfo".to_owned(), "model name : x\nflags : fpu hypervisor\n"),
        (format!("{battery}/type"), "Battery\n"),
        (format!("{battery}/status"), "Discharging\n"),
        (format!("{battery}/power_now"), "9000000\n"),
    ];
    let files: Vec<(&str, &str)> =
        files.iter().map(|(file, text)| (file.as_str(), *text)).collect();
    let text = printed("host-battery", &files);
    assert!(!text.contains("machine  "), "{text}");
    let missing = "missing  battery BAT0: a virtual machine shows the battery of its host\n";
    assert!(text.contains(missing), "{text}");
}

#[test]
fn an_arm_processor_is_named_by_its_numbers() {
    let text = "processor : 0\nCPU implementer : 0x41\nCPU part : 0xd08\n";
    let detected = Machine::new("arm", &[("proc/cpuinfo", text)]).detect();
    assert!(detected.devices.cpu.starts_with("Cortex-A72/1 device(s)"), "{}", detected.devices.cpu);
}

/// `/proc/cpuinfo` of a virtual machine on a processor of AMD.
fn amd(family: u32, model: u32, name: &str) -> String {
    format!(
        "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: {family}\nmodel\t\t: {model}\n\
         model name\t: {name}\nstepping\t: 1\nflags\t\t: fpu hypervisor lahf_lm\n\n"
    )
}

/// The devices of a machine with this `/proc/cpuinfo` and eight CPUs.
fn eight_cpus(cpuinfo: &str, more: &[(&str, &str)], given: GivenPower) -> Detected {
    let mut files = vec![("proc/cpuinfo", cpuinfo), ("sys/devices/system/cpu/online", "0-7\n")];
    files.extend(more);
    Machine::new("eight", &files).detect_with(given)
}

#[test]
fn a_virtual_machine_on_a_known_server_has_the_watts_of_published_servers() {
    let detected = eight_cpus(&amd(26, 2, "AMD EPYC"), &[], GivenPower::default());
    assert_eq!(methods(&detected), [(Component::Cpu, "server")], "the figure contains memory");
    let text = detected.devices.to_string();
    assert!(text.contains("Turin: median of 41 published servers x 8 threads"), "{text}");
    assert_eq!(detected.devices.cpu, "AMD EPYC/1 device(s), TDP:32.0", "Eco2AI's form");
}

#[test]
fn a_server_whose_counters_cannot_be_read_is_modelled_as_a_virtual_machine_on_it() {
    let cpuinfo = amd(25, 1, "AMD EPYC 7763 64-Core Processor").replace("hypervisor ", "");
    let detected = eight_cpus(&cpuinfo, &[], GivenPower::default());
    assert_eq!(methods(&detected), [(Component::Cpu, "server")]);
    assert!(!detected.devices.is_virtual_machine);
}

#[test]
fn clients_hidden_parts_and_parts_without_published_servers_keep_the_other_models() {
    for (cpuinfo, source) in [
        (amd(25, 33, "AMD Ryzen 9 5950X 16-Core Processor"), "tdp"),
        (amd(15, 107, "QEMU Virtual CPU version 2.5+"), "default"),
        (amd(25, 160, "AMD EPYC"), "default"),
        (amd(25, 48, "AMD EPYC 7A53 64-Core Processor"), "default"),
        ("processor : 0\nCPU implementer : 0x41\nCPU part : 0xd40\n".into(), "default"),
        (String::new(), "default"),
    ] {
        let detected = eight_cpus(&cpuinfo, &[], GivenPower::default());
        assert_eq!(methods(&detected), [(Component::Cpu, source), (Component::Ram, "model")]);
    }
}

#[test]
fn a_counter_of_memory_is_not_counted_again_in_the_model_of_a_server() {
    let zone = "sys/class/powercap/intel-rapl:0:0";
    let files = [("name", "dram\n"), ("energy_uj", "5\n"), ("max_energy_range_uj", "9\n")];
    let files = files.map(|(file, text)| (format!("{zone}/{file}"), text));
    let files: Vec<(&str, &str)> =
        files.iter().map(|(file, text)| (file.as_str(), *text)).collect();
    let detected = eight_cpus(&amd(25, 1, "AMD EPYC"), &files, GivenPower::default());
    assert_eq!(methods(&detected), [(Component::Ram, "rapl"), (Component::Cpu, "default")]);
}

#[test]
fn a_power_that_is_given_replaces_each_model_and_no_counter() {
    let given = GivenPower {
        cpu: Some(crate::sensor::CpuPower::from_watts(Watts(65.0))),
        ram: Some(Watts(0.2)),
        gpu: Some(Watts(250.0)),
    };
    let detected = eight_cpus(&amd(26, 2, "AMD EPYC"), &[], given);
    let all = [(Component::Gpu, "given"), (Component::Cpu, "given"), (Component::Ram, "given")];
    assert_eq!(methods(&detected), all);
    assert_eq!(detected.devices.cpu, "AMD EPYC/1 device(s), TDP:65.0");
    assert_eq!(detected.gpu_name, "GPU 1 device(s)");

    let memory_alone = GivenPower { cpu: None, gpu: None, ..given };
    let detected = eight_cpus(&amd(26, 2, "AMD EPYC"), &[], memory_alone);
    assert_eq!(methods(&detected), [(Component::Cpu, "server")], "it contains memory");

    let zone = "sys/class/powercap/intel-rapl:0";
    let card = "sys/class/drm/card1/device/hwmon/hwmon2";
    let files = [
        (format!("{zone}/name"), "package-0\n"),
        (format!("{zone}/energy_uj"), "5\n"),
        (format!("{zone}/max_energy_range_uj"), "9\n"),
        (format!("{card}/name"), "amdgpu\n"),
        (format!("{card}/power1_average"), "31000000\n"),
    ];
    let files: Vec<(&str, &str)> =
        files.iter().map(|(file, text)| (file.as_str(), *text)).collect();
    let detected = eight_cpus(&amd(26, 2, "AMD EPYC"), &files, given);
    let counters =
        [(Component::Cpu, "rapl"), (Component::Gpu, "amdgpu"), (Component::Ram, "given")];
    assert_eq!(methods(&detected), counters);
}
