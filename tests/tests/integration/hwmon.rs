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
