//! A run that is too short for a reading of its own goes by the process's CPU clock. One test in a
//! process of its own, so that nothing else uses the CPU.
#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};

use eco2ai::meter::Meter;
use eco2ai::sensor::{CpuModel, LinuxUsage};
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
    let run = |busy: bool| {
        let run = tracker.start().expect("a run");
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(1) {
            if !busy {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        joules(run.stop().expect("a record").cpu_energy).expect("an energy")
    };
    let median = |busy| {
        let mut energies: Vec<f64> = (0..101).map(|_| run(busy)).collect();
        energies.sort_by(f64::total_cmp);
        energies[50]
    };
    let (at_work, asleep) = (median(true), median(false));
    assert!((0.000_5..0.002).contains(&at_work), "{at_work} s of CPU time in a millisecond");
    assert!(asleep < at_work / 2.0, "{asleep} s asleep, {at_work} s at work");
}
