//! RAPL zones in all their spellings, on a tree whose counters follow power curves.
#![cfg(target_os = "linux")]

use std::fs::Permissions;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;

use eco2ai::sensor::{Component, Rapl, Reading, Sensor, SensorError};
use eco2ai_tests::curve::Curve;
use eco2ai_tests::fake_tree::FakeTree;
use eco2ai_tests::program::{program, run, said};

/// The usual range of an Intel counter.
const RANGE: u64 = 262_143_328_850;
/// A short one, as AMD has.
const SHORT_RANGE: u64 = 65_532_610_987;

fn joules(sensor: &mut Rapl) -> f64 {
    match sensor.read().unwrap() {
        Reading::Energy(energy) => energy.0,
        other => panic!("{other:?}"),
    }
}

/// The energy that `sensor` counts while the tree's clock goes to `seconds` in equal steps.
fn counted(tree: &FakeTree, sensor: &mut Rapl, seconds: f64, steps: u32) -> f64 {
    tree.set_time(0.0);
    let first = joules(sensor);
    let mut last = first;
    for step in 1..=steps {
        tree.set_time(seconds * f64::from(step) / f64::from(steps));
        last = joules(sensor);
    }
    last - first
}

#[track_caller]
fn assert_close(counted: f64, exact: f64) {
    assert!((counted - exact).abs() < 1e-4, "{counted} J, expected {exact} J");
}

#[test]
fn only_packages_count_whatever_else_stands_beside_them() {
    let mut tree = FakeTree::new();
    tree.zone("intel-rapl:0", "package-0", Curve::Constant(50.0), 1_000_000, RANGE);
    tree.zone("intel-rapl:0:0", "core", Curve::Constant(30.0), 2_000_000, RANGE);
    tree.zone("intel-rapl:0:1", "uncore", Curve::Constant(5.0), 3_000_000, RANGE);
    tree.zone("intel-rapl:0:2", "dram", Curve::Constant(7.0), 4_000_000, RANGE);
    tree.zone("intel-rapl:1", "package-1", Curve::Constant(20.0), 5_000_000, RANGE);
    tree.zone("intel-rapl:1:0", "dram", Curve::Constant(3.0), 6_000_000, RANGE);
    tree.zone("intel-rapl:2", "psys", Curve::Constant(90.0), 7_000_000, RANGE);
    tree.zone("intel-rapl-mmio:0", "package-0", Curve::Constant(50.0), 8_000_000, RANGE);
    tree.write("sys/class/powercap/intel-rapl/enabled", 1);

    let mut packages = Rapl::packages(&tree.powercap()).unwrap();
    assert_eq!((packages.component(), packages.zones()), (Component::Cpu, 2));
    assert_close(counted(&tree, &mut packages, 10.0, 5), 700.0);

    let mut dram = Rapl::dram(&tree.powercap()).unwrap();
    assert_eq!((dram.component(), dram.zones()), (Component::Ram, 2));
    assert_close(counted(&tree, &mut dram, 10.0, 5), 100.0);
}

#[test]
fn dies_with_counters_of_their_own_are_summed() {
    let mut tree = FakeTree::new();
    tree.zone("intel-rapl:0", "package-0-die-0", Curve::Constant(50.0), 1_000_000, RANGE);
    tree.zone("intel-rapl:1", "package-0-die-1", Curve::Constant(40.0), 9_000_000, RANGE);
    let mut packages = Rapl::packages(&tree.powercap()).unwrap();
    assert_close(counted(&tree, &mut packages, 10.0, 5), 900.0);
}

#[test]
fn dies_that_mirror_one_counter_are_counted_once() {
    let mut tree = FakeTree::new();
    for die in 0..4 {
        let (zone, name) = (format!("intel-rapl:{die}"), format!("package-0-die-{die}"));
        tree.zone(&zone, &name, Curve::Constant(50.0), 5_000_000, SHORT_RANGE);
    }
    tree.zone("intel-rapl:4", "package-1-die-0", Curve::Constant(30.0), 77_000_000, SHORT_RANGE);
    let mut packages = Rapl::packages(&tree.powercap()).unwrap();
    assert_close(counted(&tree, &mut packages, 10.0, 5), 800.0);
}

#[test]
fn each_zone_wraps_by_itself() {
    let mut tree = FakeTree::new();
    let square = Curve::Square { low: 100.0, high: 400.0, period: 30.0 };
    tree.zone("intel-rapl:0", "package-0", Curve::Constant(280.0), RANGE - 10, SHORT_RANGE);
    tree.zone("intel-rapl:1", "package-1", square, 3_000_000, SHORT_RANGE);
    let mut packages = Rapl::packages(&tree.powercap()).unwrap();
    let longest = packages.longest_interval().unwrap().as_secs_f64();
    assert!(longest > 10.0 && longest < 65_532.0 / 1000.0, "{longest} s: wraps are not missed");
    // An hour: the first counter wraps fifteen times, the other as often.
    let exact = 280.0 * 3600.0 + square.joules(3600.0);
    let counted = counted(&tree, &mut packages, 3600.0, 120);
    assert!((counted - exact).abs() < 1e-6 * exact, "{counted} J, expected {exact} J");
}

#[test]
fn a_failed_reading_is_missing_and_costs_nothing_afterwards() {
    let mut tree = FakeTree::new();
    tree.zone("intel-rapl:0", "package-0", Curve::Constant(50.0), 100_000_000_000, RANGE);
    let mut packages = Rapl::packages(&tree.powercap()).unwrap();
    tree.set_time(0.0);
    let first = joules(&mut packages);
    tree.write("sys/class/powercap/intel-rapl:0/energy_uj", "");
    assert!(matches!(packages.read(), Err(SensorError::Missing(_))));
    tree.set_time(10.0);
    assert_close(joules(&mut packages) - first, 500.0);
}

#[test]
fn a_reset_is_no_wrap() {
    let mut tree = FakeTree::new();
    tree.zone("intel-rapl:0", "package-0", Curve::Constant(50.0), 900_000_000, RANGE);
    let mut packages = Rapl::packages(&tree.powercap()).unwrap();
    let first = joules(&mut packages);
    tree.write("sys/class/powercap/intel-rapl:0/energy_uj", 3_000_000);
    assert_close(joules(&mut packages) - first, 3.0);
}

#[test]
fn no_zone_and_a_dead_counter_are_told_apart() {
    let mut tree = FakeTree::new();
    let error = |tree: &FakeTree| Rapl::packages(&tree.powercap()).unwrap_err();
    assert_eq!(error(&tree).kind(), ErrorKind::NotFound);

    tree.zone("intel-rapl:0", "package-0", Curve::Constant(0.0), 0, RANGE);
    assert_eq!(error(&tree).kind(), ErrorKind::InvalidData, "stands at 0, as in virtual machines");
}

#[test]
fn a_forbidden_counter_is_an_error_that_names_the_file() {
    let mut tree = FakeTree::new();
    tree.zone("intel-rapl:0", "package-0", Curve::Constant(0.0), 5, RANGE);
    let file = tree.powercap().join("intel-rapl:0/energy_uj");
    std::fs::set_permissions(&file, Permissions::from_mode(0o000)).unwrap();
    let mut command = program(env!("CARGO_BIN_EXE_rapl"), tree.root());
    command.arg(tree.powercap());
    if std::fs::File::open(&file).is_ok() {
        // Root may read everything: nobody asks, who may come up to the file.
        std::fs::set_permissions(tree.root(), Permissions::from_mode(0o755)).unwrap();
        command.uid(65534).gid(65534);
    }
    let text = said(&run(&mut command));
    assert!(text.starts_with("PermissionDenied: "), "{text}");
    assert!(text.contains("intel-rapl:0/energy_uj"), "{text}");
}
