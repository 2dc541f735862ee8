//! What is reported of monitors that are not used, and the cards that the environment selects.

use eco2ai_tests::fake_tree::FakeTree;

use super::*;
use crate::sensor::reading::{Reading, SensorError};
use crate::sensor::sensor::Sensor as _;
use crate::units::Watts;

/// What is found: `name` of a sensor, `name: reason` of the rest.
fn found(tree: &FakeTree, has_rapl: bool, variables: &Variables) -> Vec<String> {
    let text = |finding| match finding {
        Finding::Sensor(sensor) => sensor.name,
        Finding::Unused { name, why } => format!("{name}: {why}"),
        Finding::Unreadable { name, why, .. } => format!("{name}, unreadable: {why}"),
    };
    search(&tree.sys(), has_rapl, variables).into_iter().map(text).collect()
}

fn unselected(tree: &FakeTree, has_rapl: bool) -> Vec<String> {
    found(tree, has_rapl, &Variables::default())
}

fn amd(tree: &FakeTree, card: &str) -> String {
    let folder = format!("sys/class/drm/{card}/device/hwmon/hwmon3");
    tree.write(&format!("{folder}/name"), "amdgpu");
    tree.write(&format!("{folder}/power1_average"), 150_000_000);
    folder
}

#[test]
fn cards_that_rocm_does_not_show_to_the_program_are_named_and_not_counted() {
    let tree = FakeTree::new();
    for card in ["card0", "card1", "card10", "card2"] {
        amd(&tree, card);
    }
    tree.write("sys/class/drm/card10/device/unique_id", "00ab");
    let hidden = |card: &str, by: &str| format!("AMD GPU {card}: {by} hides it from this program");
    let (rocr, hip) = ("ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES");
    let variables = Variables {
        rocr: Some("2,GPU-00AB".into()),
        hip: Some("0".into()),
        ..Variables::default()
    };
    assert_eq!(
        found(&tree, true, &variables),
        [
            hidden("card0", rocr),
            hidden("card1", rocr),
            "AMD GPU card2".into(),
            hidden("card10", hip),
        ]
    );
}

#[test]
fn rocm_numbers_the_cards_as_the_driver_does() {
    let tree = FakeTree::new();
    for (card, minor, node) in [("card0", 128, 2), ("card1", 129, 1)] {
        amd(&tree, card);
        tree.write(&format!("sys/class/drm/{card}/device/drm/renderD{minor}/dev"), "");
        let properties = format!("simd_count 304\ndrm_render_minor {minor}");
        tree.write(&format!("sys/class/kfd/kfd/topology/nodes/{node}/properties"), properties);
    }
    tree.write("sys/class/kfd/kfd/topology/nodes/0/properties", "drm_render_minor 0");
    let variables = Variables { rocr: Some("0".into()), ..Variables::default() };
    let hidden = "AMD GPU card0: ROCR_VISIBLE_DEVICES hides it from this program";
    assert_eq!(found(&tree, true, &variables), [hidden, "AMD GPU card1"]);
}

#[test]
fn a_monitor_that_repeats_another_is_named_with_the_reason() {
    let tree = FakeTree::new();
    let folder = amd(&tree, "card0");
    tree.write(&format!("{folder}/in1_label"), "vddnb");
    let intel = "sys/class/drm/card1/device/hwmon";
    for (monitor, name) in [("hwmon1", "i915"), ("hwmon2", "i915_gt0")] {
        tree.write(&format!("{intel}/{monitor}/name"), name);
        tree.write(&format!("{intel}/{monitor}/energy1_input"), 5);
    }
    tree.write("sys/class/hwmon/hwmon5/device/power1_oem_info", "Module Power Socket 0");
    tree.write("sys/class/hwmon/hwmon6/device/power1_oem_info", "Grace Power Socket 0");
    tree.write("sys/class/hwmon/hwmon6/device/power1_average", 5);
    assert_eq!(
        unselected(&tree, true),
        [
            "AMD GPU card0: the counter of the processor contains it",
            "Intel GPU card1",
            "Intel GPU card1, i915_gt0: the counter of the card contains it",
            "Module Power Socket 0: contains the processor, or is contained in it",
            "Grace Power Socket 0",
        ]
    );
}

#[test]
fn a_card_whose_monitor_hides_its_name_is_named() {
    let tree = FakeTree::new();
    tree.write("sys/class/drm/card0/device/hwmon/hwmon3/power1_average", 5);
    let named = ["GPU card0: the name of its monitor cannot be read"];
    assert_eq!(unselected(&tree, true), named);
}

#[test]
fn a_monitor_of_an_unknown_part_is_named_unless_it_measures_no_power() {
    let tree = FakeTree::new();
    for (monitor, name, file) in [
        ("hwmon0", "coretemp", "temp1_input"),
        ("hwmon1", "corsairpsu", "power1_input"),
        ("hwmon2", "BAT0", "power1_input"),
        ("hwmon3", "ina3221", "in1_label"),
        ("hwmon4", "", "power1_average"),
    ] {
        tree.write(&format!("sys/class/hwmon/{monitor}/name"), name);
        tree.write(&format!("sys/class/hwmon/{monitor}/{file}"), "VDD_CORE");
    }
    tree.write("sys/class/hwmon/hwmon2/device/type", "Battery");
    assert_eq!(
        unselected(&tree, true),
        [
            "rails VDD_CORE: it is not known which of them supply the machine",
            "monitor corsairpsu: it is not known which part of the machine it measures",
            "monitor hwmon4: it is not known which part of the machine it measures",
        ]
    );
}

#[test]
fn a_power_meter_without_a_figure_or_of_a_part_is_not_used() {
    let meter = |files: &[(&str, &str)]| {
        let tree = FakeTree::new();
        tree.write("sys/class/hwmon/hwmon0/name", "power_meter");
        for (file, text) in files {
            tree.write(&format!("sys/class/hwmon/hwmon0/device/{file}"), text);
        }
        unselected(&tree, true)
    };
    let watts = ("power1_average", "262000000");
    assert_eq!(meter(&[watts]), ["ACPI power meter"]);
    assert_eq!(meter(&[watts, ("measures/LNXSYBUS:00/path", "")]), ["ACPI power meter"]);
    for (files, reason) in [
        (&[("power1_average", "0")][..], "it shows 0 W"),
        (&[("power1_average", "4294967295000")], "it shows 4294967.295 W"),
        (&[("power1_oem_info", "")], "it reports no power"),
        (&[watts, ("power1_is_battery", "1")], "it measures a battery"),
        (&[watts, ("measures/device:1f/path", "")], "it measures only a part of the machine"),
    ] {
        assert_eq!(meter(files), [format!("ACPI power meter: {reason}")]);
    }
}

#[test]
fn a_card_that_sleeps_is_not_read_and_counts_as_0() {
    let tree = FakeTree::new();
    let folder = amd(&tree, "card0");
    let state = "sys/class/drm/card0/device/power/runtime_status";
    tree.write(&format!("{folder}/power1_average"), "");
    tree.write(state, "suspended");
    let mut findings = search(&tree.sys(), true, &Variables::default()).into_iter();
    let Some(Finding::Sensor(mut card)) = findings.next() else { panic!("no sensor") };
    assert_eq!(card.how(), "power, sampled; asleep now");
    assert_eq!(card.read().unwrap(), Reading::Power(Watts(0.0)));
    tree.write(state, "active");
    assert!(matches!(card.read(), Err(SensorError::Missing(_))), "awake, but no figure");
    tree.write(&format!("{folder}/power1_average"), 30_000_000);
    assert_eq!(card.read().unwrap(), Reading::Power(Watts(30.0)));
}

#[test]
fn a_counter_of_a_card_that_sleeps_stands_still() {
    let tree = FakeTree::new();
    let folder = "sys/class/drm/card0/device";
    tree.write(&format!("{folder}/hwmon/hwmon1/name"), "xe");
    tree.write(&format!("{folder}/hwmon/hwmon1/energy1_input"), 7_000_000);
    tree.write(&format!("{folder}/power/runtime_status"), "suspended");
    let mut findings = search(&tree.sys(), true, &Variables::default()).into_iter();
    let Some(Finding::Sensor(mut card)) = findings.next() else { panic!("no sensor") };
    assert!(matches!(card.read(), Err(SensorError::NotReady)), "its count is not known yet");
    tree.write(&format!("{folder}/power/runtime_status"), "active");
    let count = card.read().unwrap();
    tree.write(&format!("{folder}/power/runtime_status"), "suspended");
    tree.write(&format!("{folder}/hwmon/hwmon1/energy1_input"), 8_000_000);
    assert_eq!(card.read().unwrap(), count);
}
