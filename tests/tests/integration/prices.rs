//! Each joule is charged at the price of the moment at which it was used.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Local, TimeZone, Timelike};
use eco2ai::meter::{ManualClock, Meter};
use eco2ai::sensor::Component;
use eco2ai::{CpuProcesses, Tracker};
use eco2ai_tests::curve::Curve;
use eco2ai_tests::scripted::{Counter, Load};

const HOUR: Duration = Duration::from_secs(3600);

/// A day without a change of the clock in most places, at `hour` by this machine's wall.
fn wall(hour: u32) -> SystemTime {
    let day = Local.with_ymd_and_hms(2026, 1, 14, hour, 0, 0).earliest().expect("a time");
    assert_eq!(DateTime::<Local>::from(SystemTime::from(day)).hour(), hour);
    day.into()
}

/// A machine that takes 1 kW, and a tracker that charges 5 by day and 3 by night, at a PUE of 1.5.
fn bench(clock: &ManualClock, folder: &std::path::Path) -> (Meter, Tracker) {
    let load = Load { clock: clock.clone(), own: 1.0, others: 0.0, memory_gib: 0.0 };
    let counter = Counter {
        clock: clock.clone(),
        component: Component::Gpu,
        curve: Curve::Constant(1000.0),
        tick: Duration::ZERO,
        reset_at: None,
    };
    let meter = Meter::builder(load).clock(clock.clone()).sensor(counter).build();
    let tracker = Tracker::builder()
        .file(folder.join("emission.csv"))
        .electricity_pricing([("8:00-20:00", 5.0), ("20:00-8:00", 3.0)])
        .pue(1.5)
        .cpu_processes(CpuProcesses::All)
        .meter(&meter)
        .forget()
        .build()
        .expect("good parameters");
    (meter, tracker)
}

fn assert_close(figure: f64, expected: f64) {
    assert!((figure - expected).abs() < 1e-3 * expected, "{figure} for {expected}");
}

#[test]
fn a_run_across_an_edge_is_split_and_pue_counts_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = ManualClock::new(wall(18));
    let (meter, tracker) = bench(&clock, folder.path());
    let run = tracker.start().expect("a run");
    meter.simulate(&clock, HOUR * 6);
    let record = run.stop().expect("a record");
    assert_close(record.energy.0, 6.0 * 1.5);
    assert_close(record.gpu_energy.expect("a GPU").0, 6.0);
    // Two hours by day, four by night.
    assert_close(record.cost, (2.0 * 5.0 + 4.0 * 3.0) * 1.5);
    assert_close(record.own_cost, record.cost);
    let level = record.emission_level.expect("an emission level");
    assert_close(record.co2.0, 6.0 * 1.5 * level.0 / 1000.0);
}

#[test]
fn an_edge_between_two_readings_lies_where_it_lies() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = ManualClock::new(wall(7));
    let (_, tracker) = bench(&clock, folder.path());
    let run = tracker.start().expect("a run");
    // No reading until the end.
    clock.advance(HOUR * 2);
    let record = run.stop().expect("a record");
    assert_close(record.cost, (3.0 + 5.0) * 1.5);
}

#[test]
fn nested_runs_and_epochs_are_split_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = ManualClock::new(wall(19));
    let (meter, tracker) = bench(&clock, folder.path());
    let mut training = tracker.start_training().expect("a training");
    let inner = tracker.start().expect("a run");
    meter.simulate(&clock, HOUR * 2);
    let inner = inner.stop().expect("a record");
    assert_close(inner.cost, (5.0 + 3.0) * 1.5);
    let first = training.new_epoch([("loss", 1)]).expect("a record");
    assert_close(first.cost, (5.0 + 3.0) * 1.5);
    assert!(first.own_cost.abs() < 1e-3, "{}", first.own_cost);
    meter.simulate(&clock, HOUR);
    let second = training.new_epoch([("loss", 1)]).expect("a record");
    assert_close(second.cost, 3.0 * 1.5);
    assert_close(second.own_cost, 3.0 * 1.5);
}

#[test]
fn a_run_without_a_reading_for_months_is_charged_at_the_price_of_each_hour() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = ManualClock::new(wall(20));
    let (_, tracker) = bench(&clock, folder.path());
    let run = tracker.start().expect("a run");
    // Some 800 changes of the price; the machine's clock may be changed by an hour on the way.
    clock.advance(HOUR * 24 * 400);
    let record = run.stop().expect("a record");
    assert_close(record.cost, 24.0 * 400.0 * (5.0 + 3.0) / 2.0 * 1.5);
}

#[test]
fn runs_that_use_other_tariffs_or_none_at_the_same_time_are_charged_at_their_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = ManualClock::new(wall(18));
    let (meter, by_day) = bench(&clock, folder.path());
    let builder = || {
        let builder = Tracker::builder().file(folder.path().join("emission.csv")).meter(&meter);
        builder.cpu_processes(CpuProcesses::All).forget()
    };
    let other = builder().electricity_pricing([("19:00-7:00", 1), ("7:00-19:00", 10)]);
    let other = other.build().expect("good parameters");
    let free = builder().build().expect("good parameters");
    let runs = [&by_day, &other, &free].map(|tracker| tracker.start_detached().expect("a run"));
    meter.simulate(&clock, HOUR * 4);
    let [by_day, other, free] = runs.map(|run| run.stop().expect("a record"));
    // Each has a third of 1 kW.
    assert_close(by_day.cost, (2.0 * 5.0 + 2.0 * 3.0) / 3.0 * 1.5);
    assert_close(other.cost, (10.0 + 3.0 * 1.0) / 3.0);
    assert!(free.cost.abs() < f64::EPSILON);
}
