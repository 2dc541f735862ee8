//! What is found of the processors of machines made of files.

use super::tests::Machine;
use super::*;
use crate::sensor::reading::Reading;

/// 280 W, 64 cores, 128 threads.
const EPYC: &str = "model name : AMD EPYC 7763 64-Core Processor\nflags : fpu sse\n\n";
const EPYC_GUEST: &str = "model name : AMD EPYC 7763 64-Core Processor\nflags : hypervisor\n\n";
const EPYC_WATTS_PER_THREAD: f64 = 280.0 / 128.0;
const ARM: &str = "processor : 0\nCPU implementer : 0x41\nCPU part : 0xd49\n\n";

const CPU_INFO: &str = "proc/cpuinfo";
const STAT: &str = "proc/stat";
const ONLINE: &str = "sys/devices/system/cpu/online";
const FIRST_LIST: &str = "sys/devices/system/cpu/cpu0/topology/package_cpus_list";
const VENDOR: &str = "sys/class/dmi/id/sys_vendor";
const PRODUCT: &str = "sys/class/dmi/id/product_name";

fn detect(name: &str, files: &[(&str, &str)]) -> Detected {
    Machine::new(name, files).detect()
}

/// `/proc/stat` with so many CPUs.
fn stat(cpus: u32) -> String {
    let lines = (0..cpus).map(|cpu| format!("cpu{cpu} 1 0 0 10 0 0 0 0 0 0\n"));
    format!("cpu  9 0 0 90 0 0 0 0 0 0\n{}intr 1\n", lines.collect::<String>())
}

/// The watts of one busy CPU, by which a process is charged.
fn watts_per_cpu(detected: &mut Detected) -> f64 {
    let mut processors =
        detected.sensors.iter_mut().filter(|sensor| sensor.component() == Component::Cpu);
    let Ok(Reading::AtFullLoad(watts)) = processors.next().unwrap().read() else {
        panic!("not a model")
    };
    watts.0 / detected.usage.read().cpus
}

fn assert_watts_per_cpu(detected: &mut Detected, expected: f64) {
    let watts = watts_per_cpu(detected);
    assert!((watts - expected).abs() < 1e-9, "{watts} instead of {expected}: {}", detected.devices);
}

/// lxcfs shows two of the machine's CPUs; the list of the package is the machine's.
fn container<'a>(stat: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let files = [(CPU_INFO, EPYC), (ONLINE, "0-1\n"), (FIRST_LIST, "0-127\n"), (STAT, stat)];
    files.into_iter().chain(more.iter().copied()).collect()
}

#[test]
fn a_container_is_charged_by_the_threads_of_the_machine() {
    let mut detected = detect("lxcfs", &container(&stat(2), &[]));
    assert_watts_per_cpu(&mut detected, EPYC_WATTS_PER_THREAD);
    assert_eq!(detected.devices.logical_cpus, 128);
    assert!(detected.usage.read().of_container);
    // lxcfs that limits all but `/proc/stat`.
    let mut detected = detect("lxcfs-stat", &container(&stat(128), &[]));
    assert_watts_per_cpu(&mut detected, EPYC_WATTS_PER_THREAD);
    assert!(!detected.usage.read().of_container);
}

#[test]
fn a_container_in_a_virtual_machine_is_charged_by_the_threads_of_the_part() {
    let files =
        [(CPU_INFO, EPYC_GUEST), (ONLINE, "0-4\n"), (FIRST_LIST, "0-4\n"), (STAT, &stat(32))];
    let mut detected = detect("lxcfs-guest", &files);
    assert_watts_per_cpu(&mut detected, EPYC_WATTS_PER_THREAD);
    assert_eq!(detected.devices.logical_cpus, 32);
}

#[test]
fn counters_that_a_container_cannot_share_are_not_used_and_named() {
    let zone = [
        ("sys/class/powercap/intel-rapl:0/name", "package-0\n"),
        ("sys/class/powercap/intel-rapl:0/energy_uj", "5\n"),
        ("sys/class/powercap/intel-rapl:0/max_energy_range_uj", "9\n"),
    ];
    let mut detected = detect("lxcfs-rapl", &container(&stat(2), &zone));
    assert_watts_per_cpu(&mut detected, EPYC_WATTS_PER_THREAD);
    let missing = &detected.devices.missing[0];
    assert!(missing.what.contains("RAPL") && missing.why.contains("lxcfs"), "{missing:?}");
    let detected = detect("rapl", &container(&stat(128), &zone));
    assert_eq!(detected.devices.devices[0].source, "rapl", "the machine's CPU time is shown");
}

#[test]
fn a_quota_or_an_affinity_does_not_change_the_cpus_of_the_machine() {
    let list = ("sys/devices/system/cpu/cpu0/topology/package_cpus_list", "0-63\n");
    let mut detected = detect("quota", &[(CPU_INFO, ARM), (ONLINE, "0-63\n"), list]);
    assert!((detected.usage.read().cpus - 64.0).abs() < f64::EPSILON);
}

#[test]
fn cores_that_are_offline_take_their_part_of_the_power() {
    let files = [(CPU_INFO, EPYC), (ONLINE, "0,4-7\n"), (FIRST_LIST, "0,4-7\n"), (STAT, &stat(5))];
    let mut detected = detect("offline", &files);
    assert_watts_per_cpu(&mut detected, EPYC_WATTS_PER_THREAD);
    assert_eq!(detected.devices.logical_cpus, 5);
}

#[test]
fn firmware_that_lists_each_core_or_cluster_as_a_package_adds_no_sockets() {
    let intel = "model name : Intel(R) Core(TM) Ultra 9 285K\nflags : fpu\n\n";
    let (silent_arm, riscv) = (ARM, "processor : 0\nhart : 1\nuarch : sifive,u74-mc\n\n");
    for (cpu_info, package_ids, has_nodes) in [
        (intel, Some(["0"; 24]), true),
        (intel, None, false),
        (silent_arm, None, false),
        (silent_arm, Some(std::array::from_fn(|cpu| ["0", "1", "2"][cpu / 8])), true),
        (riscv, Some(std::array::from_fn(|cpu| ["0", "1", "2"][cpu / 8])), false),
    ] {
        let mut files = vec![(CPU_INFO.to_owned(), cpu_info.to_owned())];
        files.push((ONLINE.into(), "0-23\n".into()));
        files.extend(has_nodes.then(|| ("sys/devices/system/node/has_cpu".into(), "0\n".into())));
        for cpu in 0..24 {
            let folder = format!("sys/devices/system/cpu/cpu{cpu}/topology");
            files.push((format!("{folder}/package_cpus_list"), format!("{cpu}\n")));
            let id = package_ids.map(|ids| ids[cpu].to_owned());
            files.extend(id.map(|id| (format!("{folder}/physical_package_id"), id)));
        }
        let files: Vec<_> =
            files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let cpu = detect("packages", &files).devices.cpu;
        assert!(cpu.contains("/1 device(s)"), "{cpu}");
    }
}

#[test]
fn a_server_of_two_arm_sockets_has_two_nodes() {
    let nodes = ("sys/devices/system/node/has_cpu", "0-7\n");
    let second = "sys/devices/system/cpu/cpu80/topology/package_cpus_list";
    let files =
        [(CPU_INFO, ARM), (ONLINE, "0-159\n"), nodes, (FIRST_LIST, "0-79\n"), (second, "80-159\n")];
    let cpu = detect("two-arm", &files).devices.cpu;
    assert!(cpu.contains("/2 device(s)"), "{cpu}");
}

#[test]
fn a_processor_without_a_name_counts_4_watts_per_cpu() {
    // `subset=pid` hides all of `/proc` but processes; gVisor names no processor.
    let gvisor = "processor : 0\nmodel name : unknown\nflags : fpu\n\n";
    let zeros = "cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\n";
    let nothing = ("sys/devices/system/cpu/online", "0-15\n");
    for files in [&[nothing][..], &[nothing, (CPU_INFO, gvisor), (STAT, zeros)]] {
        assert_watts_per_cpu(&mut detect("nameless", files), 4.0);
    }
}

#[test]
fn an_entry_of_the_machine_before_those_of_the_processors_is_passed_over() {
    let loongson =
        "system type : generic-loongson-machine\n\nprocessor : 0\nModel Name : Loongson-3A6000\n\n";
    let mut detected = detect("loongson", &[(CPU_INFO, loongson), (ONLINE, "0-7\n")]);
    assert!(detected.devices.cpu.starts_with("Loongson-3A6000/1 "), "{}", detected.devices.cpu);
    assert_watts_per_cpu(&mut detected, 100.0 / 8.0);
}

#[test]
fn an_arm_chip_of_two_kinds_of_cores_has_the_power_of_both() {
    let core = |part| format!("processor : 0\nCPU implementer : 0x41\nCPU part : {part}\n\n");
    let rk3588 = core("0xd05").repeat(4) + &core("0xd0b").repeat(4);
    let mut detected = detect("rk3588", &[(CPU_INFO, &rk3588), (ONLINE, "0-7\n")]);
    assert_watts_per_cpu(&mut detected, (3.7 + 12.0) / 8.0);
    let cpu = detected.devices.cpu;
    assert_eq!(
        cpu, "Cortex-A55 + Cortex-A76/1 device(s), TDP:15.7",
        "one device, whatever its cores"
    );
}

/// Whichever of its cores comes first, an unknown one does not count like its smaller neighbour.
#[test]
fn an_arm_chip_with_a_kind_of_core_that_is_not_in_the_table_says_so() {
    let a53 = |count| arm_core(0, "0xd03").repeat(count);
    let a73 = |count| arm_core(0, "0xd09").repeat(count);
    // Of Samsung, without a name.
    let mongoose = arm_core(0, "0x002").replace(": 0x41", ": 0x53").repeat(4);
    for (chip, cpu_info, cpus, name, watts) in [
        ("S922X", a53(2) + &a73(4), "0-5\n", "Cortex-A53 + Cortex-A73", 2.0 * 0.925 + 4.0 * 4.0),
        ("A311D2", a73(4) + &a53(4), "0-7\n", "Cortex-A73 + Cortex-A53", 3.7 + 4.0 * 4.0),
        ("Exynos 8895", a53(4) + &mongoose, "0-7\n", "Cortex-A53 + unknown", 3.7 + 4.0 * 4.0),
    ] {
        let mut detected = detect("mixed", &[(CPU_INFO, &cpu_info), (ONLINE, cpus)]);
        let count = f64::from(detected.devices.logical_cpus);
        assert_watts_per_cpu(&mut detected, watts / count);
        let device = &detected.devices.devices[0];
        assert_eq!((&*device.name, &*device.source), (name, "default"), "{chip}");
        let note = device.note.as_ref().unwrap();
        assert!(note.starts_with("not in the table: 4 W for each "), "{note}");
    }
}

/// NVIDIA's GB10 has 20 cores, and CIX's CD8180 has 12, whose entries are long.
#[test]
fn the_kinds_of_all_cores_of_a_chip_are_found() {
    let long = |part| arm_core(0, part).replace("cpuid", &"sve2 ".repeat(80));
    let small = long("0xd05").repeat(16);
    let cpu_info = small.clone() + &long("0xd0b").repeat(4);
    assert!(small.len() > 2 * 4096 && cpu_info.len() < 16 << 10);
    let mut detected = detect("twenty", &[(CPU_INFO, &cpu_info), (ONLINE, "0-19\n")]);
    assert_watts_per_cpu(&mut detected, (4.0 * 3.7 + 12.0) / 20.0);
    // A longer list ends at the last whole entry.
    let cpu_info = long("0xd05").repeat(100);
    let mut detected = detect("hundred", &[(CPU_INFO, &cpu_info), (ONLINE, "0-99\n")]);
    assert_watts_per_cpu(&mut detected, 3.7 / 4.0);
}

/// An entry of `/proc/cpuinfo` of a kernel for 64 bits.
fn arm_core(cpu: u32, part: &str) -> String {
    format!(
        "processor\t: {cpu}\nBogoMIPS\t: 108.00\nFeatures\t: fp asimd evtstrm crc32 cpuid\n\
         CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: {part}\n\
         CPU revision\t: 3\n\n"
    )
}

#[test]
fn a_raspberry_pi_has_the_power_of_its_cores() {
    // 3 B, 4 B and 5.
    for (part, name, watts) in
        [("0xd03", "Cortex-A53", 3.7), ("0xd08", "Cortex-A72", 7.5), ("0xd0b", "Cortex-A76", 12.0)]
    {
        let cores: String = (0..4).map(|cpu| arm_core(cpu, part)).collect();
        let board = "Revision\t: c03114\nSerial\t\t: 1\nModel\t\t: Raspberry Pi\n";
        let cpu_info = format!("{cores}{board}");
        // Of a kernel for 32 bits.
        let old = cpu_info
            .replace("BogoMIPS", "model name\t: ARMv7 Processor rev 3 (v7l)\nBogoMIPS")
            .replace("Revision", "Hardware\t: BCM2835\nRevision");
        for cpu_info in [cpu_info, old] {
            let mut detected = detect("pi", &[(CPU_INFO, &cpu_info), (ONLINE, "0-3\n")]);
            assert_watts_per_cpu(&mut detected, watts / 4.0);
            assert!(
                detected.devices.cpu.starts_with(&format!("{name}/1 ")),
                "{}",
                detected.devices
            );
        }
    }
}

#[test]
fn a_grace_superchip_is_two_chips() {
    let files = [
        (CPU_INFO, &*arm_core(0, "0xd4f")),
        (ONLINE, "0-143\n"),
        ("sys/devices/system/node/has_cpu", "0-1\n"),
        ("sys/devices/system/cpu/cpu0/topology/physical_package_id", "0\n"),
        (FIRST_LIST, "0-71\n"),
        ("sys/devices/system/cpu/cpu72/topology/physical_package_id", "1\n"),
        ("sys/devices/system/cpu/cpu72/topology/package_cpus_list", "72-143\n"),
        ("sys/devices/soc0/soc_id", "jep106:036b:0241\n"),
    ];
    let mut detected = detect("grace", &files);
    assert_watts_per_cpu(&mut detected, 500.0 / 144.0);
    assert_eq!(detected.devices.cpu, "NVIDIA Grace/2 device(s), TDP:250.0");
    // Another maker's processor with the same core, as a virtual machine.
    let mut detected = detect(
        "graviton-4",
        &[(CPU_INFO, &*arm_core(0, "0xd4f")), (ONLINE, "0-3\n"), (VENDOR, "Amazon EC2\n")],
    );
    assert_watts_per_cpu(&mut detected, 4.0);
    assert!(detected.devices.is_virtual_machine);
}

#[test]
fn servers_with_the_core_of_altra_and_graviton_2_have_published_powers() {
    for (cpus, vendor) in [("0-79\n", "GIGABYTE\n"), ("0-3\n", "Amazon EC2\n")] {
        let cpu_info = arm_core(0, "0xd0c");
        let detected = detect("n1", &[(CPU_INFO, &cpu_info), (ONLINE, cpus), (VENDOR, vendor)]);
        assert_eq!(detected.devices.devices[0].source, "server");
        assert_eq!(detected.devices.is_virtual_machine, vendor.starts_with("Amazon"));
    }
}

#[test]
fn a_model_that_does_not_tell_small_cores_apart_says_so() {
    let capacity = |cpu| format!("sys/devices/system/cpu/cpu{cpu}/cpu_capacity");
    let capacities: Vec<_> = [530, 530, 1024, 1024]
        .into_iter()
        .enumerate()
        .map(|(cpu, of)| (capacity(cpu), of))
        .collect();
    let cpu_info: String =
        ["0xd05", "0xd05", "0xd0b", "0xd0b"].map(|part| arm_core(0, part)).concat();
    let mut files = vec![(CPU_INFO, cpu_info), (ONLINE, "0-3\n".into())];
    files.extend(capacities.iter().map(|(path, of)| (path.as_str(), format!("{of}\n"))));
    let files: Vec<_> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let detected = detect("big-little", &files);
    let note = detected.devices.devices[0].note.clone().unwrap();
    assert!(note.contains("2 of 4 CPUs are slower"), "{note}");
}

#[test]
fn signs_that_are_not_utf_8_do_not_hide_a_name() {
    let machine = Machine::new("latin-1", &[(ONLINE, "0-11\n"), (FIRST_LIST, "0-11\n")]);
    let text = b"model name : Intel\xae Core\x99 i7-9750H CPU @ 2.60GHz\nflags : fpu\n\n";
    machine.write(CPU_INFO, text);
    let cpu = machine.detect().devices.cpu;
    assert_eq!(cpu, "Intel Core i7-9750H CPU @ 2.60GHz/1 device(s), TDP:45.0");
}

fn is_virtual(files: &[(&str, &str)]) -> bool {
    detect("virtual", files).devices.is_virtual_machine
}

#[test]
fn a_virtual_machine_is_known_by_its_flag() {
    assert!(is_virtual(&[(CPU_INFO, EPYC_GUEST)]));
    assert!(!is_virtual(&[(CPU_INFO, EPYC)]));
    // Where `/proc/cpuinfo` is hidden.
    let alias = "sys/devices/system/cpu/modalias";
    let features = "cpu:type:x86,ven0002fam0019mod0001:feature:,0000,0080";
    assert!(is_virtual(&[(alias, &format!("{features},009F,00C0\n"))]));
    assert!(!is_virtual(&[(alias, &format!("{features},00C0\n")), (VENDOR, "Hetzner\n")]));
}

#[test]
fn an_arm_guest_is_known_by_its_firmware() {
    let is_virtual = |files: &[(&str, &str)]| {
        is_virtual(&files.iter().copied().chain([(CPU_INFO, ARM)]).collect::<Vec<_>>())
    };
    for vendor in [
        "QEMU",
        "Amazon EC2",
        "Alibaba Cloud",
        "Hetzner",
        "Scaleway",
        "DigitalOcean",
        "Vultr",
        "UpCloud",
        "Akamai",
        "Linode",
        "Tencent Cloud",
    ] {
        assert!(is_virtual(&[(VENDOR, &format!("{vendor}\n"))]), "{vendor}");
    }
    for (vendor, product) in [
        ("Google", "Google Compute Engine"),
        ("Microsoft Corporation", "Virtual Machine"),
        ("Apple Inc.", "Apple Virtualization Generic Platform"),
    ] {
        assert!(is_virtual(&[(VENDOR, vendor), (PRODUCT, product)]), "{vendor}");
    }
    let tag = "sys/class/dmi/id/chassis_asset_tag";
    assert!(is_virtual(&[(tag, "OracleCloud.com\n")]));
    assert!(is_virtual(&[(tag, "7783-7084-3265-9085-8269-3286-77\n")]));
    let uuid = "sys/class/dmi/id/product_uuid";
    assert!(is_virtual(&[(uuid, "ec2e1916-9099-7caf-fd21-012345abcdef\n")]));
    // No firmware tables at all.
    assert!(is_virtual(&[("proc/device-tree/compatible", "linux,dummy-virt\0")]));
    assert!(is_virtual(&[("proc/sys/kernel/osrelease", "6.10.14-linuxkit\n")]));
    assert!(!is_virtual(&[("proc/sys/kernel/osrelease", "6.1.0-13-cloud-arm64\n")]));
}

#[test]
fn a_guest_on_apple_hardware_shows_no_kind_of_core() {
    let apple = |part| format!("processor : 0\nCPU implementer : 0x61\nCPU part : {part}\n\n");
    assert!(is_virtual(&[(CPU_INFO, &apple("0x000"))]));
    assert!(!is_virtual(&[(CPU_INFO, &apple("0x022"))]));
}

#[test]
fn a_whole_machine_of_a_cloud_is_not_virtual() {
    let google = [(VENDOR, "Google\n"), (PRODUCT, "Google Compute Engine\n")];
    assert!(!is_virtual(&[(CPU_INFO, EPYC), google[0], google[1]]));
    assert!(!is_virtual(&[(CPU_INFO, EPYC), (VENDOR, "Alibaba Cloud\n")]));
    assert!(!is_virtual(&[(CPU_INFO, ARM), (VENDOR, "Amazon EC2\n"), (PRODUCT, "c7g.metal\n")]));
    for (vendor, product) in [
        ("Dell Inc.", "PowerEdge R740"),
        ("ASUSTeK COMPUTER INC.", "Pro WS 565-ACE"),
        ("GIGABYTE", "R272-P30-JG"),
        ("Google", "Eve"),
    ] {
        assert!(!is_virtual(&[(CPU_INFO, ARM), (VENDOR, vendor), (PRODUCT, product)]), "{vendor}");
    }
    let tag = ("sys/class/dmi/id/chassis_asset_tag", "OracleCloud.com\n");
    assert!(!is_virtual(&[(CPU_INFO, EPYC), (VENDOR, "Oracle Corporation\n"), tag]));
}

/// The first domain of Xen sees the processors that Xen gives it, like any other.
#[test]
fn the_first_domain_of_xen_has_virtual_cpus() {
    let files = [(CPU_INFO, EPYC_GUEST), ("sys/hypervisor/type", "xen\n"), (ONLINE, "0-1\n")];
    assert_watts_per_cpu(&mut detect("dom0", &files), EPYC_WATTS_PER_THREAD);
}
