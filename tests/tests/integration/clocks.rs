//! The calendar may be set and the machine may sleep: durations and energies stay what they are.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Local, TimeZone};
use eco2ai::CpuProcesses::All;
use eco2ai::Record;
use eco2ai::meter::{Clock, ManualClock, Meter};
use eco2ai::sensor::{Component, RamModel};
use eco2ai::units::Watts;
use eco2ai_tests::bench::{Bench, assert_joules};
use eco2ai_tests::curve::Curve;
use eco2ai_tests::scripted::{Counter, Gauge, Load, Model};

const HOUR: Duration = Duration::from_secs(3600);

/// 100 W of a counter, 20 W of a gauge, 40 W of a model and 0.75 W of memory in use.
const WATTS: f64 = 160.75;

fn bench() -> Bench {
    Bench::new(|clock| {
        let load = Load { clock: clock.clone(), own: 1.0, others: 0.0, memory_gib: 1.0 };
        let counter = Counter {
            clock: clock.clone(),
            component: Component::Gpu,
            curve: Curve::Constant(100.0),
            tick: Duration::ZERO,
            reset_at: None,
        };
        let gauge = Gauge {
            clock: clock.clone(),
            component: Component::Other,
            curve: Curve::Constant(20.0),
        };
        let meter = Meter::builder(load).sensor(counter).sensor(gauge);
        meter.sensor(Model(Watts(80.0))).sensor(RamModel)
    })
}

/// A run of ten seconds in the middle of which the calendar is set to `to`.
fn run_while_set(bench: &Bench, to: SystemTime) -> Record {
    let run = bench.tracker(All).start().expect("a run");
    bench.pass(5.0);
    bench.clock.set_wall(to);
    bench.pass(5.0);
    run.stop().expect("a record")
}

#[test]
fn a_calendar_that_is_set_changes_no_duration_and_no_energy() {
    let bench = bench();
    for to in
        [bench.clock.wall() - HOUR, bench.clock.wall() + HOUR * 24 * 400, SystemTime::UNIX_EPOCH]
    {
        let record = run_while_set(&bench, to);
        assert_eq!(record.duration, Duration::from_secs(10), "{to:?}");
        assert_joules(record.energy, WATTS * 10.0);
    }
}

/// A time on a plain winter's day, by this machine's wall.
fn at(hour: u32) -> SystemTime {
    Local.with_ymd_and_hms(2026, 1, 14, hour, 0, 0).earliest().expect("a time").into()
}

#[test]
fn a_calendar_that_is_set_over_an_edge_of_the_prices_charges_each_part_at_its_own() {
    // (at the start, what it is set to after 5 of 10 seconds, the mean of the two prices)
    for (from, to, mean) in [(at(12), at(22), 4.0), (at(22), at(12), 4.0), (at(12), at(13), 5.0)] {
        let bench = bench();
        bench.clock.set_wall(from);
        let tracker = bench
            .builder()
            .cpu_processes(All)
            .electricity_pricing([("8:00-20:00", 5.0), ("20:00-8:00", 3.0)])
            .build()
            .expect("good parameters");
        let run = tracker.start().expect("a run");
        bench.pass(5.0);
        bench.clock.set_wall(to);
        bench.pass(5.0);
        let record = run.stop().expect("a record");
        assert_joules(record.energy, WATTS * 10.0);
        let price = record.cost / record.energy.0;
        // The next reading sees that it was set: a tenth of a second may be charged at the other.
        assert!(
            (price - mean).abs() < 0.021,
            "{price} from {} to {}",
            DateTime::<Local>::from(from),
            DateTime::<Local>::from(to)
        );
    }
}

#[test]
fn after_a_pause_of_ten_hours_without_a_reading_all_figures_are_right() {
    let bench = bench();
    let run = bench.tracker(All).start().expect("a run");
    bench.pass(5.0);
    // As where the process was stopped, while devices went on.
    bench.clock.advance(HOUR * 10);
    let record = run.stop().expect("a record");
    assert_eq!(record.duration, HOUR * 10 + Duration::from_secs(5));
    assert_joules(record.energy, WATTS * 36_005.0);
    assert_joules(bench.run(All, 3.0).energy, WATTS * 3.0);
}

/// A processor that counts nothing while the machine sleeps, and begins anew when it wakes up.
#[test]
fn a_counter_that_begins_anew_after_the_machine_slept_gives_nothing_below_zero() {
    let slept = 5.0;
    let bench = Bench::new(|clock: &ManualClock| {
        let load = Load { clock: clock.clone(), own: 1.0, others: 0.0, memory_gib: 0.0 };
        Meter::builder(load).sensor(Counter {
            clock: clock.clone(),
            component: Component::Cpu,
            curve: Curve::Constant(50.0),
            tick: Duration::from_millis(1),
            reset_at: Some(slept),
        })
    });
    let run = bench.tracker(All).start().expect("a run");
    bench.pass(slept);
    // The meter's clock stands still in a suspend, the calendar does not.
    bench.clock.set_wall(bench.clock.wall() + HOUR * 8);
    bench.pass(5.0);
    let record = run.stop().expect("a record");
    assert_eq!(record.duration, Duration::from_secs(10));
    assert_joules(record.cpu_energy, 500.0);
}
