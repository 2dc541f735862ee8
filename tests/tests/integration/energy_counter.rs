//! The energy of the process without a run: it agrees with the runs, and is read while nothing runs.

use eco2ai::CpuProcesses::Current;
use eco2ai::Scope;
use eco2ai::meter::Meter;
use eco2ai::sensor::Component;
use eco2ai::units::Watts;
use eco2ai_tests::bench::{Bench, assert_about, assert_joules};
use eco2ai_tests::curve::Curve;
use eco2ai_tests::scripted::{Gauge, Load, Model};

/// A processor that takes 40 W for this process, and as much for the others.
fn bench() -> Bench {
    Bench::new(|clock| {
        let load = Load { clock: clock.clone(), own: 1.0, others: 1.0, memory_gib: 0.0 };
        Meter::builder(load).sensor(Model(Watts(80.0)))
    })
}

#[test]
fn the_total_is_the_own_energy_of_all_runs_and_what_no_run_received() {
    let bench = bench();
    let before = bench.run(Current, 1.0);
    assert_joules(before.own_energy, 40.0);
    let counter = bench.builder().pue(1.5).build().unwrap().start_counter().unwrap();
    bench.pass(3.0);
    let outer = bench.tracker(Current).start().expect("a run");
    bench.pass(2.0);
    let inner = bench.run(Current, 4.0);
    let outer = outer.stop().expect("a record");
    bench.pass(5.0);

    let process = counter.read(Scope::Process);
    let own = inner.own_energy + outer.own_energy;
    assert_joules(own, 40.0 * 6.0);
    let [cpu, gpu, ram, _] = &process.components;
    assert_joules(cpu.energy, 40.0 * (3.0 + 6.0 + 5.0));
    assert_eq!(cpu.method, "estimated:model");
    assert_eq!((gpu.energy, ram.energy), (None, None), "no sensor, no figure");
    assert_joules(process.energy, 1.5 * 40.0 * 14.0);
    assert_eq!(process.duration.as_secs(), 14);
    let level = outer.emission_level.expect("a level");
    assert!((process.co2.0 - (level * process.energy).0).abs() < 1e-12);

    let machine = counter.read(Scope::Machine);
    assert_joules(machine.energy, 1.5 * 80.0 * 14.0);
}

#[test]
fn readings_are_taken_while_a_counter_lives() {
    let bench = Bench::new(|clock| {
        let load = Load { clock: clock.clone(), own: 1.0, others: 0.0, memory_gib: 0.0 };
        let curve = Curve::Square { low: 0.0, high: 100.0, period: 10.0 };
        let gauge = Gauge { clock: clock.clone(), component: Component::Gpu, curve };
        Meter::builder(load).sensor(gauge)
    });
    let counter = bench.tracker(Current).start_counter().expect("a counter");
    bench.pass(10.0);
    assert_about(counter.read(Scope::Process).components[1].energy, 500.0, 20.0);
    // Two readings, at both ends, would make 1000 J of the same ten seconds.
    drop(counter);
}

#[test]
fn two_counters_count_the_same_energy_each_from_its_start() {
    let bench = bench();
    let tracker = bench.tracker(Current);
    let first = tracker.start_counter().expect("a counter");
    bench.pass(2.0);
    let second = tracker.start_counter().expect("a counter");
    bench.pass(3.0);
    drop(second.read(Scope::Process));
    assert_joules(second.read(Scope::Process).energy, 120.0);
    drop(second);
    bench.pass(1.0);
    assert_joules(first.read(Scope::Process).energy, 240.0);
}

#[test]
fn energy_costs_what_it_costs_when_it_is_used() {
    let bench = bench();
    // Whatever the zone: the price changes in the middle of some hour, and is 1 in half of the time.
    let halves: Vec<_> = (0..24)
        .flat_map(|hour| {
            let half = |minute: u8, price: f64| {
                let (end_hour, end) = if minute == 0 { (hour, 30) } else { ((hour + 1) % 24, 0) };
                (format!("{hour}:{minute:02}-{end_hour}:{end:02}"), price)
            };
            [half(0, 1.0), half(30, 3.0)]
        })
        .collect();
    let tracker = bench.builder().electricity_pricing(halves).build().expect("good parameters");
    let counter = tracker.start_counter().expect("a counter");
    for _ in 0..3 {
        bench.pass(1200.0);
        drop(counter.read(Scope::Process));
    }
    let totals = counter.read(Scope::Process);
    assert_joules(totals.energy, 40.0 * 3600.0);
    assert!((totals.cost - 2.0 * totals.energy.0).abs() < 1e-9, "{totals:?}");
}
