//! A run that is too short for a reading of its own goes by the process's CPU clock. One test in a
//! process of its own, so that nothing else uses the CPU.
#![cfg(target_os = "linux")]

use std::time::Duration;

use eco2ai::meter::Meter;
use eco2ai::sensor::{CpuModel, LinuxUsage, UsageSource};
use eco2ai::units::Watts;
use eco2ai_tests::bench::joules;

#[test]
fn a_short_run_is_charged_by_the_cpu_time_that_it_used() {
    let folder = tempfile::tempdir().expect("a folder");
    // A joule is a second of CPU time.
    let cpus = std::thread::available_parallelism().expect("CPUs").get();
    let model = CpuModel::from_watts(Watts(cpus as f64));
    let tracker = eco2ai::Tracker::builder()
        .file(folder.path().join("emission.csv"))
        .meter(&Meter::builder(LinuxUsage::new()).sensor(model).build())
        .forget()
        .build()
        .expect("good parameters");
    let used = LinuxUsage::new().cpu_clock().expect("a clock of the CPU time");
    // Seconds of CPU time that are charged to a run of a millisecond, and those that it used.
    let charged = |busy: bool| {
        let run = tracker.start().expect("a run");
        let before = used();
        while busy && used().saturating_sub(before) < Duration::from_millis(1) {}
        if !busy {
            std::thread::sleep(Duration::from_millis(1));
        }
        let really = used().saturating_sub(before).as_secs_f64();
        let record = run.stop().expect("a record");
        (joules(record.cpu_energy).expect("an energy"), really)
    };
    // They take turns, several between two readings: by time they would all get the same.
    let (mut at_work, mut really, mut asleep) = (0.0, 0.0, 0.0);
    for _ in 0..200 {
        let (energy, used) = charged(true);
        at_work += energy;
        really += used;
        asleep += charged(false).0;
    }
    assert!((0.8 * really..1.5 * really).contains(&at_work), "{at_work} s for {really} s");
    assert!(asleep < at_work / 2.0, "{asleep} s asleep, {at_work} s at work");
}
