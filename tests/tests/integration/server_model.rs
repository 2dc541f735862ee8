//! The model of a server without a counter.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use eco2ai::CpuProcesses::{All, Current};
use eco2ai::meter::Meter;
use eco2ai::sensor::{RamModel, ServerModel};
use eco2ai::units::Watts;
use eco2ai_tests::bench::{Bench, assert_about, assert_joules};
use eco2ai_tests::scripted::{Load, Model};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What the model takes for a virtual CPU of an unknown processor, at full load.
const WATTS_OF_UNKNOWN: f64 = 4.0;

/// Watts of virtual machines of 2, 8 and 64 CPUs on each microarchitecture: by the model, with the
/// percentiles computed from the table here, and by the model of an unknown processor.
fn table() -> String {
    let published = fs::read_to_string(root().join("eco2ai/data/server_watts.csv")).expect("CSV");
    let mut text = String::from(
        "| microarchitecture | servers | CPUs | idle | half | full | unknown: half | full |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for line in published.lines().skip(1) {
        let (name, numbers) = line.split_once(',').expect("a name");
        let numbers: Vec<f64> = numbers.split(',').map(|cell| cell.parse().expect("W")).collect();
        let [servers, _, idle_low, idle_high, _, full_low, full_high] = numbers[..] else {
            panic!("{line}");
        };
        for threads in [2, 8, 64_u32] {
            let model = ServerModel::new(name, threads).expect("a model");
            let times = f64::from(threads);
            write!(text, "| {name} | {servers} | {threads} |").expect("a string");
            for load in [0.0, 0.5, 1.0] {
                let at = |idle: f64, full: f64| idle + (full - idle) * load;
                let watts = at(model.idle().0, model.at_full_load().0);
                let (low, high) =
                    (at(idle_low, full_low) * times, at(idle_high, full_high) * times);
                write!(text, " {watts:.1} ({low:.1} to {high:.1}) |").expect("a string");
            }
            let unknown = WATTS_OF_UNKNOWN * times;
            writeln!(text, " {:.0} | {unknown:.0} |", unknown / 2.0).expect("a string");
        }
    }
    text
}

#[test]
fn the_documentation_shows_what_the_model_gives_for_each_microarchitecture() {
    let documented = fs::read_to_string(root().join("docs/server-model.md")).expect("a page");
    let documented = documented.replace("\r\n", "\n");
    let table = table();
    assert!(documented.contains(&table), "docs/server-model.md is to hold:\n{table}");
}

/// A machine of two CPUs, of which the process and the others keep these busy.
fn machine(own: f64, others: f64) -> Bench {
    Bench::new(|clock| {
        let load = Load { clock: clock.clone(), own, others, memory_gib: 1.0 };
        Meter::builder(load).sensor(ServerModel::new("Milan", 2).expect("in the table"))
    })
}

/// Watts of two threads of Milan, idle and at full load.
const IDLE: f64 = 2.0 * 0.424;
const FULL: f64 = 2.0 * 1.916;

#[test]
fn the_machine_takes_its_idle_power_and_more_with_its_utilisation() {
    for (own, others) in [(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (1.0, 1.0), (2.0, 0.0)] {
        let watts = IDLE + (FULL - IDLE) * (own + others) / 2.0;
        let all = machine(own, others).run(All, 20.0);
        // The machine's busy time is known in steps of 10 ms.
        assert_about(all.cpu_energy, watts * 20.0, 0.05);
        assert_eq!(all.cpu_method, "estimated:server");
        let current = machine(own, others).run(Current, 20.0);
        let share = if own > 0.0 { own / (own + others) } else { 0.0 };
        assert_about(current.cpu_energy, watts * 20.0 * share, 0.05);
        assert_eq!(current.cpu_method, "estimated:server:share");
    }
}

#[test]
fn processes_of_a_machine_share_all_of_its_power_however_often_it_is_read() {
    // Two processes, each as it sees itself and the other one.
    for period in [0.01, 1.0, 60.0_f64] {
        let of = |own: f64, others: f64| {
            let bench = machine(own, others);
            let tracker = bench.builder().measure_period(period).build().expect("a tracker");
            let run = tracker.start().expect("a run");
            bench.pass(60.0);
            run.stop().expect("a record").cpu_energy.expect("an energy")
        };
        let watts = IDLE + (FULL - IDLE) * 0.75;
        // The busy time of the machine is known in steps of 10 ms.
        assert_about(of(0.5, 1.0) + of(1.0, 0.5), watts * 60.0, watts * 0.6);
    }
}

#[test]
fn memory_is_included_and_has_no_figure_of_its_own() {
    let record = machine(1.0, 0.0).run(Current, 10.0);
    assert_eq!((record.ram_energy, record.ram_method.as_str()), (None, "included"));
    assert!(record.to_string().ends_with("\n  RAM   included"), "{record}");
    assert_eq!(record.cpu_energy, Some(record.energy), "the total is that of the one figure");
    let other = Bench::new(|clock| {
        let load = Load { clock: clock.clone(), own: 1.0, others: 0.0, memory_gib: 1.0 };
        Meter::builder(load).sensor(Model(Watts(80.0))).sensor(RamModel)
    });
    let record = other.run(Current, 10.0);
    assert_joules(record.ram_energy, 3.75);
    assert_eq!(record.ram_method, "estimated:model");
}

#[test]
fn a_row_that_says_included_reads_back_and_is_summed_up() {
    let bench = machine(1.0, 0.0);
    let record = bench.run(Current, 10.0);
    let rows: Vec<_> =
        eco2ai::read_log(bench.log()).expect("a log").map(|row| row.expect("a row")).collect();
    assert_eq!(rows, std::slice::from_ref(&record));
    let summary = eco2ai::summary(bench.log()).expect("a summary");
    assert_eq!(summary.total.energy, record.energy);
}
