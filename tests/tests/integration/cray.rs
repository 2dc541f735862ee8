//! The power management counters of HPE Cray nodes.
#![cfg(target_os = "linux")]

use eco2ai::sensor::{Component, CrayCounter, Reading, Sensor, SensorError, Share};
use eco2ai::units::{Joules, Watts};
use eco2ai_tests::fake_tree::FakeTree;

const COUNTERS: &str = "sys/cray/pm_counters";

/// Writes counters as the node controller does; `time` in microseconds.
fn counters(tree: &FakeTree, time: u64, counters: &[(&str, u64)]) {
    for (name, value) in counters {
        let unit = if name.ends_with("power") { "W" } else { "J" };
        tree.write(&format!("{COUNTERS}/{name}"), format!("{value} {unit} {time} us"));
    }
}

/// A node with two of four accelerators.
fn node() -> FakeTree {
    let tree = FakeTree::new();
    tree.write(&format!("{COUNTERS}/freshness"), 17);
    tree.write(&format!("{COUNTERS}/version"), 2);
    let energies = [("energy", 2_178_501_771), ("cpu_energy", 208_285_642)];
    counters(&tree, 1_690_000_000, &energies);
    let energies = [("memory_energy", 293_871_653), ("accel_energy", 965_530_113)];
    counters(&tree, 1_690_000_000, &energies);
    for (name, value) in [("accel0", 479_512_261), ("accel1", 486_017_852), ("accel2", 0)] {
        counters(&tree, 1_690_000_000, &[(&format!("{name}_energy"), value)]);
    }
    tree
}

#[test]
fn the_node_and_its_parts_are_counters_of_which_none_is_read_twice() {
    let tree = node();
    counters(&tree, 1_690_000_000, &[("cpu0_energy", 208_285_642), ("power", 451)]);
    let read =
        |mut counter: CrayCounter| (counter.name(), counter.component(), counter.read().unwrap());
    let counter = |name: &str, component, joules: f64| {
        (format!("HPE Cray {name}"), component, Reading::Energy(Joules(joules)))
    };
    assert_eq!(
        CrayCounter::find(&tree.sys()).into_iter().map(read).collect::<Vec<_>>(),
        [
            counter("node", Component::Machine, 2_178_501_771.0),
            counter("processors", Component::Cpu, 208_285_642.0),
            counter("memory", Component::Ram, 293_871_653.0),
            counter("accel0", Component::Gpu, 479_512_261.0),
            counter("accel1", Component::Gpu, 486_017_852.0),
        ]
    );
    let shares = CrayCounter::find(&tree.sys()).into_iter().map(|mut it| it.share(&[1]));
    assert_eq!(
        shares.take(4).collect::<Vec<_>>(),
        [Share::CpuTime, Share::CpuTime, Share::Memory, Share::WholeThoughShared]
    );
}

#[test]
fn older_nodes_have_one_counter_of_all_accelerators_and_no_time_stamps() {
    let tree = FakeTree::new();
    tree.write(&format!("{COUNTERS}/energy"), "5000 J");
    tree.write(&format!("{COUNTERS}/power"), "215 W");
    tree.write(&format!("{COUNTERS}/accel_energy"), "700 J");
    let mut found = CrayCounter::find(&tree.sys());
    assert_eq!(found.len(), 2);
    assert_eq!(found[1].read().unwrap(), Reading::Energy(Joules(700.0)));
    assert_eq!(found[0].power(), Some(Watts(215.0)));
    for joules in [5000.0, 5021.0] {
        tree.write(&format!("{COUNTERS}/energy"), format!("{joules} J"));
        assert_eq!(found[0].read().unwrap(), Reading::Energy(Joules(joules)));
    }
}

#[test]
fn between_two_updates_there_is_nothing_new() {
    let tree = node();
    let mut counter = CrayCounter::find(&tree.sys()).swap_remove(0);
    assert!(counter.read().is_ok());
    assert!(matches!(counter.read(), Err(SensorError::NotReady)));
    counters(&tree, 1_690_100_000, &[("energy", 2_178_501_816)]);
    assert_eq!(counter.read().unwrap(), Reading::Energy(Joules(2_178_501_816.0)));
}

#[test]
fn a_text_that_is_no_energy_is_missing() {
    let tree = node();
    let mut counter = CrayCounter::find(&tree.sys()).swap_remove(0);
    for text in ["", "x J 1 us", "215 W 1690000000 us"] {
        tree.write(&format!("{COUNTERS}/energy"), text);
        assert!(matches!(counter.read(), Err(SensorError::Missing(_))), "{text:?}");
    }
}

#[test]
fn without_the_folder_there_are_none() {
    assert!(CrayCounter::find(&FakeTree::new().sys()).is_empty());
}
