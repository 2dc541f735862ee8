//! What is found of the counters of machines made of files.

use std::time::Duration;

use super::tests::{CPU_INFO, Machine, SOCKETS, methods};
use super::*;
use crate::sensor::devices::Missing;
use crate::sensor::reading::Reading;
use crate::units::{Joules, Watts};

/// Two sockets, of which only the first has a counter.
const ONE_COUNTER: [(&str, &str); 8] = [
    SOCKETS[0],
    SOCKETS[1],
    SOCKETS[2],
    SOCKETS[3],
    SOCKETS[4],
    SOCKETS[5],
    ("sys/class/powercap/intel-rapl:0/name", "package-0\n"),
    ("sys/class/powercap/intel-rapl:0/energy_uj", "5000000000\n"),
];

#[test]
fn a_socket_without_a_counter_is_noted_and_makes_the_figure_partial() {
    let detected = Machine::new("one-counter", &ONE_COUNTER).detect();
    assert!(detected.sensors[0].is_partial());
    let lacking = |it: &&Missing| it.lacking == Some(Component::Cpu);
    let missing = detected.devices.missing.iter().find(lacking).unwrap();
    assert_eq!(missing.why, "1 of 2 sockets have a zone");
}

#[test]
fn counters_that_stand_still_are_replaced_by_the_model_until_they_move() {
    let machine = Machine::new("still", &ONE_COUNTER);
    let mut detected = machine.detect();
    let counter = &mut detected.sensors[0];
    counter.read().unwrap();
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(counter.read().unwrap(), Reading::AtFullLoad(Watts(560.0)));
    assert!(!counter.is_partial(), "the model covers both sockets");
    let file = machine.folder.join("sys/class/powercap/intel-rapl:0/energy_uj");
    std::fs::write(file, "5000000001\n").unwrap();
    assert_eq!(counter.read().unwrap(), Reading::Energy(Joules(1e-6)));
}

#[test]
fn counters_that_stand_still_are_replaced_by_what_is_used_where_there_are_none() {
    let identified = CPU_INFO.replace(
        "flags",
        "vendor_id : AuthenticAMD\ncpu family : 25\nmodel : 1\nstepping : 1\nflags",
    );
    let memory = "MemTotal: 10485760 kB\nMemFree: 0 kB\nMemAvailable: 2097152 kB\n";
    let mut files = ONE_COUNTER.to_vec();
    files[0].1 = &identified;
    files.push(("proc/meminfo", memory));
    let machine = Machine::new("still-server", &files);
    let model = |given| {
        let counter = &mut machine.detect_with(given).sensors[0];
        counter.read().unwrap();
        std::thread::sleep(Duration::from_millis(100));
        counter.read().unwrap()
    };
    // Memory has a figure of its own: 8 GiB of 3/8 W.
    let server = ServerModel::new("Milan", 256).unwrap();
    let (idle, full) = (server.idle() - Watts(3.0), server.at_full_load() - Watts(3.0));
    assert_eq!(model(GivenPower::default()), Reading::IdleToFull { idle, full });
    let cpu = Some("100..500".parse().unwrap());
    let given = Reading::IdleToFull { idle: Watts(100.0), full: Watts(500.0) };
    assert_eq!(model(GivenPower { cpu, ..GivenPower::default() }), given);
}

#[test]
fn counters_that_a_container_hides_are_noted_with_what_shows_them() {
    let command = |machine: &Machine| {
        let missing = machine.detect().devices.missing;
        let counter = missing.into_iter().find(|it| it.what.ends_with("Processor (RAPL)")).unwrap();
        assert_eq!(counter.why, "this container hides /sys/devices/virtual/powercap");
        counter.command.unwrap()
    };
    let mount = "-v /sys/devices/virtual/powercap/intel-rapl:/sys/class/powercap:ro";

    let empty = Machine::new("hidden", &SOCKETS);
    std::fs::create_dir_all(empty.folder.join("sys/devices/virtual/powercap")).unwrap();
    std::fs::create_dir_all(empty.folder.join("sys/class/powercap")).unwrap();
    assert!(command(&empty).contains(mount));

    let dangling = Machine::new("dangling", &SOCKETS);
    let powercap = dangling.folder.join("sys/class/powercap");
    std::fs::create_dir_all(&powercap).unwrap();
    let target = "../../devices/virtual/powercap/intel-rapl/intel-rapl:0";
    std::os::unix::fs::symlink(target, powercap.join("intel-rapl:0")).unwrap();
    assert!(command(&dangling).contains(mount));
}

#[test]
fn a_counter_of_the_whole_platform_is_not_that_of_the_processor() {
    let files = [
        SOCKETS[0],
        ("sys/class/powercap/intel-rapl:0/name", "psys\n"),
        ("sys/class/powercap/intel-rapl:0/energy_uj", "5000000000\n"),
    ];
    let detected = Machine::new("psys", &files).detect();
    assert_eq!(methods(&detected)[0], (Component::Cpu, "tdp"));
    assert!(detected.devices.missing[0].why.contains("psys"));
}

#[test]
fn a_counter_of_a_node_that_shows_0_is_named_and_not_used() {
    let folder = "sys/cray/pm_counters";
    let counters = ["energy", "cpu_energy", "memory_energy", "accel0_energy"];
    let files = counters.map(|counter| (format!("{folder}/{counter}"), "0 J 0 us\n"));
    let mut files: Vec<(&str, &str)> =
        files.iter().map(|(file, text)| (file.as_str(), *text)).collect();
    files.push(SOCKETS[0]);
    let detected = Machine::new("cray-zero", &files).detect();
    assert_eq!(methods(&detected), [(Component::Cpu, "tdp"), (Component::Ram, "model")]);
    let is_zero = |it: &&Missing| it.why == "its counter shows 0";
    let named: Vec<_> =
        detected.devices.missing.iter().filter(is_zero).map(|it| it.what.as_str()).collect();
    assert_eq!(named, ["HPE Cray node", "HPE Cray processors", "HPE Cray memory"]);
}

#[test]
fn a_counter_of_a_node_that_cannot_be_opened_is_named() {
    let folder = "sys/cray/pm_counters";
    let machine = Machine::new("cray-closed", &[SOCKETS[0]]);
    machine.write(&format!("{folder}/accel0_energy"), b"700 J 1 us\n");
    for counter in ["energy", "accel1_energy"] {
        let link = machine.folder.join(folder).join(counter);
        std::os::unix::fs::symlink("nowhere", link).unwrap();
    }
    let devices = machine.detect().devices;
    let missing = |name| devices.missing.iter().find(|it| it.what == name).unwrap();
    assert_eq!(missing("HPE Cray node").lacking, None);
    assert_eq!(missing("HPE Cray accel1").lacking, Some(Component::Gpu), "of two accelerators");
}
