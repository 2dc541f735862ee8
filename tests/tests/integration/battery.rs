//! The batteries of a laptop, and the total of a run that was partly on them.
#![cfg(target_os = "linux")]

use eco2ai::CpuProcesses;
use eco2ai::meter::Meter;
use eco2ai::sensor::{Battery, Component, Reading, Sensor, SensorError, Share};
use eco2ai::units::Watts;
use eco2ai_tests::bench::{Bench, joules};
use eco2ai_tests::fake_tree::FakeTree;
use eco2ai_tests::scripted::{Load, Model};

const SUPPLY: &str = "sys/class/power_supply";

fn supply(tree: &FakeTree, name: &str, files: &[(&str, &str)]) {
    for (file, text) in files {
        tree.write(&format!("{SUPPLY}/{name}/{file}"), text);
    }
}

/// A battery that reports its power.
fn battery(tree: &FakeTree, name: &str, status: &str, microwatts: &str) {
    let files = [("type", "Battery"), ("status", status), ("power_now", microwatts)];
    supply(tree, name, &files);
}

fn mains(tree: &FakeTree, online: &str) {
    supply(tree, "AC", &[("type", "Mains"), ("online", online)]);
}

fn read(tree: &FakeTree) -> Result<Reading, SensorError> {
    Battery::find(&tree.sys()).expect("a battery").read()
}

#[test]
fn a_battery_in_use_measures_the_machine() {
    let tree = FakeTree::new();
    mains(&tree, "0");
    battery(&tree, "BAT0", "Discharging", "9500000");
    let mut laptop = Battery::find(&tree.sys()).unwrap();
    assert_eq!(laptop.read().unwrap(), Reading::Power(Watts(9.5)));
    assert_eq!(laptop.component(), Component::Machine);
    assert_eq!(laptop.share(&[1]), Share::CpuTime);
    assert_eq!(laptop.name(), "battery BAT0");
}

#[test]
fn without_a_power_it_is_current_times_voltage_of_either_sign() {
    for current in ["800000", "-800000"] {
        let tree = FakeTree::new();
        let files = [("type", "Battery"), ("status", "Discharging"), ("voltage_now", "12500000")];
        supply(&tree, "BAT1", &files);
        supply(&tree, "BAT1", &[("current_now", current)]);
        assert_eq!(read(&tree).unwrap(), Reading::Power(Watts(10.0)));
    }
}

#[test]
fn batteries_in_use_add_up_and_one_that_waits_is_not_in_use() {
    let tree = FakeTree::new();
    battery(&tree, "BAT0", "Discharging", "4000000");
    battery(&tree, "BAT1", "Not charging", "0");
    assert_eq!(read(&tree).unwrap(), Reading::Power(Watts(4.0)));
    battery(&tree, "BAT1", "Discharging", "5000000");
    assert_eq!(read(&tree).unwrap(), Reading::Power(Watts(9.0)));
}

#[test]
fn batteries_of_other_devices_and_absent_ones_are_not_the_machine() {
    let tree = FakeTree::new();
    battery(&tree, "hidpp_battery_0", "Discharging", "100000");
    supply(&tree, "hidpp_battery_0", &[("scope", "Device")]);
    assert!(Battery::find(&tree.sys()).is_none());
    battery(&tree, "BAT0", "Unknown", "0");
    supply(&tree, "BAT0", &[("present", "0")]);
    assert!(Battery::find(&tree.sys()).is_none());
    supply(&tree, "BAT1", &[("type", "Battery"), ("status", "Discharging"), ("energy_now", "5")]);
    assert!(Battery::find(&tree.sys()).is_none(), "it reports no power");
    supply(&tree, "BAT1", &[("power_now", "7000000")]);
    supply(&tree, "tablet_ac", &[("type", "Mains"), ("scope", "Device"), ("online", "1")]);
    assert_eq!(read(&tree).unwrap(), Reading::Power(Watts(7.0)), "the tablet is charged");
}

#[test]
fn on_mains_power_a_battery_says_nothing() {
    let tree = FakeTree::new();
    for (online, status) in [("1", "Charging"), ("1", "Full"), ("1", "Discharging"), ("0", "Full")]
    {
        mains(&tree, online);
        battery(&tree, "BAT0", status, "20000000");
        assert!(matches!(read(&tree), Err(SensorError::NotReady)), "{online} {status}");
    }
}

#[test]
fn a_power_that_a_laptop_cannot_have_is_missing() {
    let tree = FakeTree::new();
    for microwatts in ["0", "65535000000", ""] {
        battery(&tree, "BAT0", "Discharging", microwatts);
        assert!(matches!(read(&tree), Err(SensorError::Missing(_))), "{microwatts:?}");
    }
}

/// The energy and the method of a run of 10 s of which the battery shows 9 W, beside a processor of
/// 4 W. `online` is whether the machine is on mains power before the run and in each half of it.
fn run(online: [&str; 3]) -> (f64, String) {
    let tree = FakeTree::new();
    mains(&tree, online[0]);
    battery(&tree, "BAT0", "Discharging", "9000000");
    let bench = Bench::new(|clock| {
        let load = Load { clock: clock.clone(), own: 1.0, others: 0.0, memory_gib: 0.0 };
        Meter::builder(load)
            .sensor(Model(Watts(8.0)))
            .sensor(Battery::find(&tree.sys()).expect("a battery"))
    });
    bench.meter.read();
    bench.pass(10.0);
    let run = bench.tracker(CpuProcesses::Current).start().expect("a run");
    for online in &online[1..] {
        mains(&tree, online);
        bench.pass(5.0);
    }
    let record = run.stop().expect("a record");
    let energy = joules(Some(record.energy)).expect("an energy");
    (energy, record.other_method.to_string())
}

#[test]
fn a_run_on_battery_from_start_to_end_has_its_energy_as_the_total() {
    let (energy, method) = run(["0", "0", "0"]);
    assert!((energy - 90.0).abs() < 1.0, "{energy}");
    assert_eq!(method, "sampled:battery:share:rest");
}

#[test]
fn a_run_that_was_partly_on_mains_power_is_the_sum_of_its_components() {
    for online in [["1", "1", "1"], ["0", "0", "1"], ["1", "1", "0"]] {
        let (energy, method) = run(online);
        assert!((energy - 40.0).abs() < 1e-6, "{online:?}: {energy}");
        assert_eq!(method, "none", "{online:?}");
    }
}
