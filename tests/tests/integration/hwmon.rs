//! Devices that show themselves through hardware monitoring, and how they nest.
#![cfg(target_os = "linux")]

use eco2ai::sensor::{Component, Hwmon, Reading, Sensor, SensorError, Share};
use eco2ai::units::{Joules, Watts};
use eco2ai_tests::curve::Curve;
use eco2ai_tests::fake_tree::FakeTree;

/// Source, component and reading of each device found.
fn found(tree: &FakeTree, has_rapl: bool) -> Vec<(String, Component, Reading)> {
    let read = |mut sensor: Hwmon| {
        (sensor.source().to_owned(), sensor.component(), sensor.read().unwrap())
    };
    Hwmon::find(&tree.sys(), has_rapl).into_iter().map(read).collect()
}

fn amd(tree: &FakeTree, card: &str, file: &str) {
    let folder = format!("sys/class/drm/{card}/device/hwmon/hwmon3");
    tree.write(&format!("{folder}/name"), "amdgpu");
    tree.write(&format!("{folder}/{file}"), 150_000_000);
}

#[test]
fn an_amd_gpu_is_a_gauge_under_either_name() {
    let tree = FakeTree::new();
    amd(&tree, "card0", "power1_average");
    amd(&tree, "card1", "power1_input");
    amd(&tree, "card1-DP-1", "power1_input");
    let gauge = ("amdgpu".to_owned(), Component::Gpu, Reading::Power(Watts(150.0)));
    assert_eq!(found(&tree, true), [gauge.clone(), gauge]);
    let share = Hwmon::find(&tree.sys(), true).pop().unwrap().share(&[1]);
    assert_eq!(share, Share::WholeThoughShared, "nothing tells who else uses it");
}

#[test]
fn an_apu_is_not_counted_beside_rapl_and_stands_for_the_processor_without() {
    let tree = FakeTree::new();
    amd(&tree, "card0", "power1_average");
    tree.write("sys/class/drm/card0/device/hwmon/hwmon3/in1_label", "vddnb");
    assert_eq!(found(&tree, true), []);
    let gauge = ("amdgpu".to_owned(), Component::Cpu, Reading::Power(Watts(150.0)));
    assert_eq!(found(&tree, false), [gauge]);
}

#[test]
fn of_an_intel_gpu_the_card_counts_and_neither_its_parts_nor_its_package() {
    let mut tree = FakeTree::new();
    let folder = "sys/class/drm/card0/device/hwmon";
    for (monitor, name, start) in [("hwmon1", "i915", 5_000_000), ("hwmon2", "i915_gt0", 7)] {
        tree.write(&format!("{folder}/{monitor}/name"), name);
        let file = format!("{folder}/{monitor}/energy1_input");
        tree.counter(&file, Curve::Constant(10.0), start, u64::MAX / 2);
    }
    let folder = "sys/class/drm/card1/device/hwmon/hwmon5";
    tree.write(&format!("{folder}/name"), "xe");
    tree.counter(&format!("{folder}/energy1_input"), Curve::Constant(20.0), 0, u64::MAX / 2);
    tree.counter(&format!("{folder}/energy2_input"), Curve::Constant(15.0), 0, u64::MAX / 2);
    tree.set_time(2.0);
    let counter =
        |source: &str, joules| (source.to_owned(), Component::Gpu, Reading::Energy(Joules(joules)));
    assert_eq!(found(&tree, true), [counter("i915", 25.0), counter("xe", 40.0)]);
}

#[test]
fn of_grace_the_chip_of_each_socket_counts() {
    let tree = FakeTree::new();
    let sensed = [
        ("Module Power Socket 0", 400),
        ("Grace Power Socket 0", 200),
        ("CPU Power Socket 0", 150),
        ("SysIO Power Socket 0", 20),
        ("Grace Power Socket 1", 210),
    ];
    for (index, (name, watts)) in sensed.into_iter().enumerate() {
        let folder = format!("sys/class/hwmon/hwmon{index}/device");
        tree.write(&format!("{folder}/power1_oem_info"), name);
        tree.write(&format!("{folder}/power1_average"), watts * 1_000_000);
    }
    let gauge = |watts| ("grace".to_owned(), Component::Cpu, Reading::Power(Watts(watts)));
    assert_eq!(found(&tree, false), [gauge(200.0), gauge(210.0)]);
}

#[test]
fn of_a_jetson_only_the_rail_that_feeds_the_module_counts() {
    let tree = FakeTree::new();
    let folder = "sys/class/hwmon/hwmon1";
    tree.write(&format!("{folder}/name"), "ina3221");
    for (rail, label) in [(1, "VDD_CPU_GPU_CV"), (2, "VDD_IN"), (3, "VDD_SOC")] {
        tree.write(&format!("{folder}/in{rail}_label"), label);
        tree.write(&format!("{folder}/in{rail}_input"), 5000 * rail);
        tree.write(&format!("{folder}/curr{rail}_input"), 1200);
    }
    let gauge = ("ina3221".to_owned(), Component::Machine, Reading::Power(Watts(12.0)));
    assert_eq!(found(&tree, false), [gauge]);
    let share = Hwmon::find(&tree.sys(), false).pop().unwrap().share(&[1]);
    assert_eq!(share, Share::CpuTime);
}

/// A chip with rails: label, millivolts, milliamperes.
fn rails(tree: &FakeTree, monitor: &str, rails: &[(&str, i32, i32)]) {
    let folder = format!("sys/class/hwmon/{monitor}");
    tree.write(&format!("{folder}/name"), "ina3221");
    for (rail, (label, millivolts, milliamperes)) in (1..).zip(rails) {
        tree.write(&format!("{folder}/in{rail}_label"), label);
        tree.write(&format!("{folder}/in{rail}_input"), millivolts);
        tree.write(&format!("{folder}/curr{rail}_input"), milliamperes);
    }
}

#[test]
fn the_supply_rails_of_a_module_are_added_up_over_all_chips() {
    let machine = |source: &str, watts| {
        [(source.to_owned(), Component::Machine, Reading::Power(Watts(watts)))]
    };
    let orin = FakeTree::new();
    let gpu = ("VDD_GPU_SOC", 20_000, 200);
    rails(&orin, "hwmon3", &[gpu, ("VDD_CPU_CV", 20_000, 100), ("VIN_SYS_5V0", 5000, 900)]);
    // Contained in `VIN_SYS_5V0`.
    rails(&orin, "hwmon4", &[("NC", 0, 0), ("VDDQ_VDD2_1V8AO", 5000, 200)]);
    assert_eq!(found(&orin, false), machine("ina3221", 4.0 + 2.0 + 4.5));

    let xavier = FakeTree::new();
    rails(&xavier, "hwmon1", &[("GPU", 1000, 1000), ("CPU", 1000, 2000), ("SOC", 1000, 3000)]);
    assert_eq!(found(&xavier, false), [], "half of the rails is not the module");
    rails(&xavier, "hwmon2", &[("CV", 1000, 500), ("VDDRQ", 1000, 500), ("SYS5V", 5000, 400)]);
    assert_eq!(found(&xavier, false), machine("ina3221", 9.0));

    let thor = FakeTree::new();
    // A rail that is off shows less than 0.
    let rest = [("VDD_CPU_SOC_MSS", 10_000, 600), ("VIN_SYS_5V0", 5000, 1000)];
    rails(&thor, "hwmon1", &[("VDD_GPU", 10_000, -40), rest[0], rest[1]]);
    assert_eq!(found(&thor, false), machine("ina3221", 11.0));
    tree_of_thors_board(&thor);
    assert_eq!(found(&thor, false), machine("ina238", 23.0));
}

/// The monitor of the carrier board, which also supplies the module.
fn tree_of_thors_board(tree: &FakeTree) {
    tree.write("sys/class/hwmon/hwmon5/name", "ina238");
    tree.write("sys/class/hwmon/hwmon5/power1_input", 23_000_000);
}

#[test]
fn an_empty_file_of_a_card_may_hold_a_power_later() {
    let tree = FakeTree::new();
    amd(&tree, "card0", "power1_average");
    let file = "sys/class/drm/card0/device/hwmon/hwmon3/power1_average";
    tree.write(file, "");
    let mut card = Hwmon::find(&tree.sys(), true).pop().expect("the card is there");
    assert!(matches!(card.read(), Err(SensorError::Missing(_))), "which is not 0");
    tree.write(file, 20_000_000);
    assert_eq!(card.read().unwrap(), Reading::Power(Watts(20.0)));
}

#[test]
fn a_power_far_above_the_limit_of_a_card_is_missing() {
    let tree = FakeTree::new();
    amd(&tree, "card0", "power1_average");
    let folder = "sys/class/drm/card0/device/hwmon/hwmon3";
    let read = |limit: Option<u64>, power: u64| {
        if let Some(limit) = limit {
            tree.write(&format!("{folder}/power1_cap"), limit);
        }
        tree.write(&format!("{folder}/power1_average"), power);
        Hwmon::find(&tree.sys(), true).pop().unwrap().read()
    };
    let largest = 4_294_967_295_000_000;
    assert!(matches!(read(None, largest), Err(SensorError::Missing(_))), "no limit is known");
    assert!(matches!(read(Some(200_000_000), largest), Err(SensorError::Missing(_))));
    assert!(matches!(read(Some(200_000_000), 401_000_000), Err(SensorError::Missing(_))));
    let peak = read(Some(200_000_000), 230_000_000).unwrap();
    assert_eq!(peak, Reading::Power(Watts(230.0)), "a short peak");
}

#[test]
fn where_the_counter_of_an_intel_card_stays_0_that_of_its_package_counts() {
    let mut tree = FakeTree::new();
    let folder = "sys/class/drm/card0/device/hwmon/hwmon5";
    tree.write(&format!("{folder}/name"), "xe");
    tree.write(&format!("{folder}/energy1_input"), 0);
    let package = format!("{folder}/energy2_input");
    tree.counter(&package, Curve::Constant(15.0), 977_000_000, u64::MAX / 2);
    let mut card = Hwmon::find(&tree.sys(), true).pop().unwrap();
    assert_eq!(card.how(), "energy counter, of the package without its memory");
    assert_eq!(card.read().unwrap(), Reading::Energy(Joules(977.0)));
    tree.set_time(2.0);
    // The choice stands: another counter would look like a jump.
    tree.write(&format!("{folder}/energy1_input"), 5_000_000_000_u64);
    assert_eq!(card.read().unwrap(), Reading::Energy(Joules(1007.0)));
}

#[test]
fn a_counter_that_shows_0_has_no_reading_rather_than_no_energy() {
    let tree = FakeTree::new();
    let folder = "sys/class/drm/card0/device/hwmon/hwmon5";
    tree.write(&format!("{folder}/name"), "i915");
    tree.write(&format!("{folder}/energy1_input"), 0);
    let mut card = Hwmon::find(&tree.sys(), true).pop().unwrap();
    assert!(matches!(card.read(), Err(SensorError::Missing(why)) if why.ends_with("shows 0")));
    assert!(card.how().contains("no reading now"), "{}", card.how());
    tree.write(&format!("{folder}/energy1_input"), 7_000_000);
    assert_eq!(card.read().unwrap(), Reading::Energy(Joules(7.0)));
}

#[test]
fn an_acpi_power_meter_measures_the_machine() {
    let tree = FakeTree::new();
    let folder = "sys/class/hwmon/hwmon1";
    tree.write(&format!("{folder}/name"), "power_meter");
    tree.write(&format!("{folder}/power1_average"), 262_000_000);
    tree.write(&format!("{folder}/power1_average_interval"), 1000);
    tree.write(&format!("{folder}/power1_oem_info"), "");
    let gauge = ("power_meter".to_owned(), Component::Machine, Reading::Power(Watts(262.0)));
    assert_eq!(found(&tree, true), [gauge]);
    let mut meter = Hwmon::find(&tree.sys(), true).pop().unwrap();
    assert_eq!(meter.how(), "power, average of 1 s, sampled");
    assert_eq!(meter.share(&[1]), Share::CpuTime);
    // Firmware that has no figure.
    for microwatts in [0, 4_294_967_295_000_u64] {
        tree.write(&format!("{folder}/power1_average"), microwatts);
        assert!(matches!(meter.read(), Err(SensorError::Missing(_))));
    }
}

#[test]
fn a_failed_reading_is_missing_and_other_monitors_are_left_alone() {
    let tree = FakeTree::new();
    tree.write("sys/class/hwmon/hwmon0/name", "coretemp");
    tree.write("sys/class/drm/card0/device/hwmon/hwmon9/name", "nouveau");
    tree.write("sys/class/drm/card0/device/hwmon/hwmon9/power1_input", 1);
    amd(&tree, "card1", "power1_average");
    let mut sensors = Hwmon::find(&tree.sys(), true);
    assert_eq!(sensors.len(), 1);
    tree.write("sys/class/drm/card1/device/hwmon/hwmon3/power1_average", "");
    assert!(matches!(sensors[0].read(), Err(SensorError::Missing(_))));
}
