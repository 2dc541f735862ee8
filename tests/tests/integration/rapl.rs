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

/// The processors of the tree, on its clock.
fn packages(tree: &FakeTree) -> Rapl {
    Rapl::packages(&tree.powercap()).unwrap().on_clock(tree.clock())
}

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

    let mut packages = packages(&tree);
    assert_eq!((packages.component(), packages.zones()), (Component::Cpu, 2));
    assert_close(counted(&tree, &mut packages, 10.0, 5), 700.0);

    let mut dram = Rapl::dram(&tree.powercap()).unwrap().on_clock(tree.clock());
    assert_eq!((dram.component(), dram.zones()), (Component::Ram, 2));
    assert_close(counted(&tree, &mut dram, 10.0, 5), 100.0);
}

#[test]
fn dies_with_counters_of_their_own_are_summed() {
    let mut tree = FakeTree::new();
    tree.zone("intel-rapl:0", "package-0-die-0", Curve::Constant(50.0), 1_000_000, RANGE);
    tree.zone("intel-rapl:1", "package-0-die-1", Curve::Constant(40.0), 9_000_000, RANGE);
    let mut packages = packages(&tree);
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
    let mut packages = packages(&tree);
    assert_close(counted(&tree, &mut packages, 10.0, 5), 800.0);
}

#[test]
fn each_zone_wraps_by_itself() {
    let mut tree = FakeTree::new();
    let square = Curve::Square { low: 100.0, high: 400.0, period: 30.0 };
    tree.zone("intel-rapl:0", "package-0", Curve::Constant(280.0), SHORT_RANGE - 10, SHORT_RANGE);
    tree.zone("intel-rapl:1", "package-1", square, 3_000_000, SHORT_RANGE);
    let mut packages = packages(&tree);
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
    let mut packages = packages(&tree);
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
    tree.zone("intel-rapl:0", "package-0", Curve::Constant(0.0), 200_000_000_000, RANGE);
    let mut packages = packages(&tree);
    let first = joules(&mut packages);
    tree.set_time(1.0);
    tree.write("sys/class/powercap/intel-rapl:0/energy_uj", 3_000_000);
    assert_close(joules(&mut packages) - first, 3.0);
}

#[test]
fn a_counter_works_without_its_range() {
    for range in [None, Some(0), Some(1)] {
        let mut tree = FakeTree::new();
        tree.zone("intel-rapl:0", "package-0", Curve::Constant(50.0), SHORT_RANGE - 1, SHORT_RANGE);
        let file = "sys/class/powercap/intel-rapl:0/max_energy_range_uj";
        match range {
            Some(range) => tree.write(file, range),
            None => tree.remove(file),
        }
        let mut packages = packages(&tree);
        assert!(packages.longest_interval().unwrap().as_secs_f64() < 65_532.0 / 1000.0);
        // It wraps in the first second.
        assert_close(counted(&tree, &mut packages, 10.0, 10), 500.0);
    }
}

#[test]
fn names_are_known_in_other_spellings() {
    let mut tree = FakeTree::new();
    tree.zone("intel-rapl:0", "package_0", Curve::Constant(50.0), 1_000_000, RANGE);
    tree.zone("intel-rapl:0:0", "Core", Curve::Constant(30.0), 2_000_000, RANGE);
    tree.zone("intel-rapl:1", "Package-1", Curve::Constant(20.0), 3_000_000, RANGE);
    assert_close(counted(&tree, &mut packages(&tree), 10.0, 5), 700.0);
}

#[test]
fn the_mmio_zone_counts_where_there_is_no_other() {
    let mut tree = FakeTree::new();
    tree.zone("intel-rapl-mmio:0", "package-0", Curve::Constant(50.0), 1_000_000, RANGE);
    assert_close(counted(&tree, &mut packages(&tree), 10.0, 5), 500.0);
}

#[test]
fn the_mmio_zone_stands_for_one_that_cannot_be_read() {
    let mut tree = FakeTree::new();
    tree.zone("intel-rapl-mmio:0", "package-0", Curve::Constant(50.0), 1_000_000, RANGE);
    tree.write("sys/class/powercap/intel-rapl:0/name", "package-0");
    tree.write("sys/class/powercap/intel-rapl:0/energy_uj", "");
    let mut packages = packages(&tree);
    assert_close(counted(&tree, &mut packages, 10.0, 5), 500.0);
    assert!(!packages.is_partial());
}

#[test]
fn zones_are_found_in_a_mounted_folder_of_the_driver() {
    let mut tree = FakeTree::new();
    let (package, dram) = (Curve::Constant(50.0), Curve::Constant(7.0));
    tree.zone("intel-rapl/intel-rapl:0", "package-0", package, 1_000_000, RANGE);
    tree.zone("intel-rapl/intel-rapl:0/intel-rapl:0:0", "dram", dram, 1_000_000, RANGE);
    for powercap in [tree.powercap(), tree.powercap().join("intel-rapl")] {
        assert_eq!(Rapl::packages(&powercap).unwrap().zones(), 1);
        assert_eq!(Rapl::dram(&powercap).unwrap().zones(), 1);
    }
}

#[test]
fn sockets_that_happen_to_be_near_each_other_are_two() {
    let mut tree = FakeTree::new();
    tree.zone("intel-rapl:0", "package-0", Curve::Constant(50.0), 1_000_000, RANGE);
    tree.zone("intel-rapl:1", "package-1", Curve::Constant(50.0), 1_000_000, RANGE);
    assert_close(counted(&tree, &mut packages(&tree), 10.0, 5), 1000.0);
}

#[test]
fn a_die_that_lags_behind_its_mirror_is_not_counted() {
    let mut tree = FakeTree::new();
    for (die, start) in [50_000_000_000, 49_999_600_000, 49_999_600_000].into_iter().enumerate() {
        let (zone, name) = (format!("intel-rapl:{die}"), format!("package-0-die-{die}"));
        tree.zone(&zone, &name, Curve::Constant(400.0), start, SHORT_RANGE);
    }
    assert_close(counted(&tree, &mut packages(&tree), 10.0, 5), 4000.0);
}

#[test]
fn a_package_at_zero_is_missing_until_it_counts() {
    let mut tree = FakeTree::new();
    tree.zone("intel-rapl:0", "package-0", Curve::Constant(50.0), 1_000_000, RANGE);
    tree.zone("intel-rapl:1", "package-1", Curve::Constant(0.0), 0, RANGE);
    let mut packages = packages(&tree);
    assert_eq!(packages.zones(), 1);
    assert_close(counted(&tree, &mut packages, 10.0, 5), 500.0);
    assert!(packages.is_partial());
    tree.zone("intel-rapl:1", "package-1", Curve::Constant(20.0), 1, RANGE);
    tree.set_time(20.0);
    let before = joules(&mut packages);
    tree.set_time(30.0);
    assert_close(joules(&mut packages) - before, 700.0);
    assert!(!packages.is_partial());
}

#[test]
fn a_package_that_stands_still_is_missing() {
    let mut tree = FakeTree::new();
    tree.zone("intel-rapl:0", "package-0", Curve::Constant(50.0), 1_000_000, RANGE);
    tree.zone("intel-rapl:1", "package-1", Curve::Constant(0.0), 1_000_000, RANGE);
    let mut packages = packages(&tree);
    assert!(!packages.is_partial());
    assert_close(counted(&tree, &mut packages, 10.0, 5), 500.0);
    assert!(packages.is_partial());
}

#[test]
fn counters_that_all_stand_still_are_no_measurement() {
    let mut tree = FakeTree::new();
    tree.zone("intel-rapl:0", "package-0", Curve::Constant(0.0), 1_000_000, RANGE);
    let mut packages = packages(&tree);
    joules(&mut packages);
    tree.set_time(0.1);
    assert!(matches!(packages.read(), Err(SensorError::Missing(_))));
    tree.write("sys/class/powercap/intel-rapl:0/energy_uj", 2_000_000);
    assert_close(joules(&mut packages), 1.0);
}

#[test]
fn a_zone_that_is_gone_for_a_while_counts_again_when_it_is_back() {
    const ZONE: &str = "sys/class/powercap/intel-rapl:1";
    let mut tree = FakeTree::new();
    tree.zone("intel-rapl:0", "package-0", Curve::Constant(50.0), 1_000_000, RANGE);
    tree.zone("intel-rapl:1", "package-1", Curve::Constant(20.0), 5_000_000, RANGE);
    let mut packages = packages(&tree);
    let first = joules(&mut packages);
    // An open file of a zone that is removed cannot be read any more.
    tree.set_time(1.0);
    tree.write(&format!("{ZONE}/energy_uj"), "");
    tree.remove(ZONE);
    assert_close(joules(&mut packages) - first, 50.0);
    assert!(packages.is_partial());
    // It comes back as new files with the same counter.
    tree.write(&format!("{ZONE}/name"), "package-1");
    tree.write(&format!("{ZONE}/max_energy_range_uj"), RANGE);
    tree.set_time(2.0);
    packages.share(&[]);
    assert_close(joules(&mut packages) - first, 2.0 * 70.0);
    assert!(!packages.is_partial());
}

#[test]
fn a_zone_that_appears_later_counts_from_then_on() {
    let mut tree = FakeTree::new();
    tree.zone("intel-rapl:0", "package-0", Curve::Constant(50.0), 1_000_000, RANGE);
    tree.zone("intel-rapl:1", "package-1", Curve::Constant(20.0), 0, RANGE);
    tree.write("sys/class/powercap/intel-rapl:1/energy_uj", "");
    let mut packages = packages(&tree);
    assert!(packages.is_partial(), "it holds no number");
    let first = joules(&mut packages);
    tree.set_time(10.0);
    packages.share(&[]);
    assert_close(joules(&mut packages) - first, 500.0);
    tree.set_time(20.0);
    assert_close(joules(&mut packages) - first, 500.0 + 700.0);
    assert!(!packages.is_partial());
}

#[test]
fn no_zone_and_a_dead_counter_are_told_apart() {
    let mut tree = FakeTree::new();
    let error = |tree: &FakeTree| Rapl::packages(&tree.powercap()).unwrap_err();
    assert_eq!(error(&tree).kind(), ErrorKind::NotFound);

    tree.zone("intel-rapl:0", "package-0", Curve::Constant(0.0), 0, RANGE);
    assert_eq!(error(&tree).kind(), ErrorKind::InvalidData, "stands at 0, as in virtual machines");

    tree.write("sys/class/powercap/intel-rapl:0/name", "psys");
    assert_eq!(error(&tree).kind(), ErrorKind::NotFound, "a platform is more than its processor");
}

/// What a user other than root finds under `powercap` if `file` is closed to him.
fn found_without(tree: &FakeTree, file: &str) -> String {
    let file = tree.powercap().join(file);
    std::fs::set_permissions(&file, Permissions::from_mode(0o000)).unwrap();
    let mut command = program(env!("CARGO_BIN_EXE_rapl"), tree.root());
    command.arg(tree.powercap());
    if std::fs::File::open(&file).is_ok() {
        // Root may read every file. The other user must be able to reach the folder.
        std::fs::set_permissions(tree.root(), Permissions::from_mode(0o755)).unwrap();
        command.uid(65534).gid(65534);
    }
    said(&run(&mut command))
}

#[test]
fn a_forbidden_counter_is_an_error_that_names_the_file() {
    let mut tree = FakeTree::new();
    tree.zone("intel-rapl:0", "package-0", Curve::Constant(0.0), 5, RANGE);
    let text = found_without(&tree, "intel-rapl:0/energy_uj");
    assert!(text.starts_with("PermissionDenied: "), "{text}");
    assert!(text.contains("intel-rapl:0/energy_uj"), "{text}");
}

#[test]
fn one_of_two_counters_that_is_forbidden_leaves_the_other() {
    let mut tree = FakeTree::new();
    tree.zone("intel-rapl:0", "package-0", Curve::Constant(0.0), 5, RANGE);
    tree.zone("intel-rapl:1", "package-1", Curve::Constant(0.0), 7, RANGE);
    assert_eq!(found_without(&tree, "intel-rapl:1/energy_uj").trim(), "packages: 1, true");
}

#[test]
fn a_forbidden_range_costs_no_counter() {
    let mut tree = FakeTree::new();
    tree.zone("intel-rapl:0", "package-0", Curve::Constant(0.0), 5, RANGE);
    let text = found_without(&tree, "intel-rapl:0/max_energy_range_uj");
    assert_eq!(text.trim(), "packages: 1, false");
}
