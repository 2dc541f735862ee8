//! What is found on machines made of files.

use std::path::PathBuf;

use super::*;
use crate::units::Watts;

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
        self.detect_with(GivenPower::default())
    }

    fn detect_with(&self, given: GivenPower) -> Detected {
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
fn a_virtual_machine_is_known_by_its_flag_or_its_firmware() {
    let is_virtual =
        |files: &[(&str, &str)]| Machine::new("virtual", files).detect().devices.is_virtual_machine;
    let (vendor, product) = ("sys/class/dmi/id/sys_vendor", "sys/class/dmi/id/product_name");
    assert!(!is_virtual(&SOCKETS));
    assert!(is_virtual(&[("proc/cpuinfo", "model name : x\nflags : fpu hypervisor lahf_lm\n")]));
    assert!(is_virtual(&[(vendor, "QEMU\n")]));
    assert!(is_virtual(&[(vendor, "Amazon EC2\n"), (product, "m6g.large\n")]));
    assert!(!is_virtual(&[(vendor, "Amazon EC2\n"), (product, "m6g.metal\n")]));
    assert!(!is_virtual(&[(vendor, "Dell Inc.\n"), (product, "PowerEdge R740\n")]));
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
    let all = [(Component::Cpu, "given"), (Component::Ram, "given"), (Component::Gpu, "given")];
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
