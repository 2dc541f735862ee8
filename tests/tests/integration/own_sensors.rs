//! Sensors of the user's own: a device beside the processor, or a meter at the wall.

use std::time::{Duration, SystemTime};

use eco2ai::CpuProcesses::{All, Current};
use eco2ai::meter::{Clock, ManualClock, Meter};
use eco2ai::sensor::{Component, Reading, Sensor, SensorError, Share};
use eco2ai::units::{Joules, Watts};
use eco2ai_tests::bench::{Bench, assert_about, assert_joules, joules};
use eco2ai_tests::curve::Curve;
use eco2ai_tests::scripted::{Gauge, Load, Model};

fn gauge(clock: &ManualClock, component: Component, watts: f64) -> Gauge {
    Gauge { clock: clock.clone(), component, curve: Curve::Constant(watts) }
}

/// A processor that takes 40 W for this process alone.
fn bench() -> Bench {
    Bench::new(|clock| {
        let load = Load { clock: clock.clone(), own: 1.0, others: 0.0, memory_gib: 0.0 };
        Meter::builder(load).sensor(Model(Watts(80.0)))
    })
}

#[test]
fn another_device_adds_to_the_total() {
    let bench = bench();
    bench.meter.add_sensor(gauge(&bench.clock, Component::Other, 15.0));
    let record = bench.run(Current, 10.0);
    assert_joules(record.cpu_energy, 400.0);
    assert_joules(record.other_energy, 150.0);
    assert_joules(record.energy, 550.0);
    assert_joules(record.own_energy, 550.0);
    assert_eq!(record.other_method, "sampled:gauge");
}

#[test]
fn a_wall_meter_replaces_the_total_and_the_parts_stay_as_information() {
    let bench = bench();
    bench.meter.add_sensor(gauge(&bench.clock, Component::Other, 15.0));
    bench.meter.add_sensor(gauge(&bench.clock, Component::Machine, 90.0));
    let record = bench.run(Current, 10.0);
    assert_joules(record.energy, 900.0);
    assert_joules(record.own_energy, 900.0);
    assert_joules(record.process_energy, 900.0);
    assert_joules(record.cpu_energy, 400.0);
    // All that the processor did not use, the other device's part included.
    assert_joules(record.other_energy, 500.0);
    assert_eq!(record.other_method, "sampled:gauge:rest");
}

/// A sensor with a share of its own.
struct Shared(Gauge, Share);

impl Sensor for Shared {
    fn source(&self) -> &str {
        self.0.source()
    }

    fn component(&self) -> Component {
        self.0.component()
    }

    fn read(&mut self) -> Result<Reading, SensorError> {
        self.0.read()
    }

    fn share(&mut self, _: &[u32]) -> Share {
        self.1
    }
}

#[test]
fn the_share_of_a_wall_meter_by_cpu_time_leaves_out_the_gpus_of_others() {
    for (gpu_share, expected) in [(0.0, 25.0), (0.5, 25.0 + 450.0), (1.0, 25.0 + 900.0)] {
        let bench = Bench::new(|clock| {
            // A quarter of the CPU time is this process's.
            let load = Load { clock: clock.clone(), own: 1.0, others: 3.0, memory_gib: 0.0 };
            let wall = gauge(clock, Component::Machine, 1000.0);
            let gpus = gauge(clock, Component::Gpu, 900.0);
            Meter::builder(load)
                .sensor(Shared(wall, Share::CpuTime))
                .sensor(Shared(gpus, Share::Fraction(gpu_share)))
        });
        // The share of the first reading is not known yet.
        bench.meter.read();
        bench.pass(10.0);
        let record = bench.run(Current, 10.0);
        assert_about(record.energy, expected * 10.0, 0.5);
        assert_eq!(record.other_method, "sampled:gauge:share:rest");
    }
}

#[test]
fn the_wall_meter_counts_for_runs_that_it_saw_from_start_to_end() {
    let bench = bench();
    let outer = bench.tracker(All).start().expect("a run");
    bench.pass(10.0);
    bench.meter.add_sensor(gauge(&bench.clock, Component::Machine, 90.0));
    bench.pass(5.0);
    let inner = bench.tracker(All).start().expect("a run");
    bench.pass(5.0);
    let (inner, outer) = (inner.stop().expect("a record"), outer.stop().expect("a record"));
    // 90 W for a part of the time would be less than the processor alone used.
    assert_joules(outer.energy, 40.0 * 20.0);
    assert_eq!((joules(outer.other_energy), outer.other_method.as_str()), (None, "none"));
    assert_joules(inner.energy, 90.0 * 5.0);
    assert_eq!(inner.other_method, "sampled:gauge:rest");
}

#[test]
fn another_device_that_is_added_to_a_run_is_counted_from_then_on_and_marked() {
    let bench = bench();
    let run = bench.tracker(Current).start().expect("a run");
    bench.pass(10.0);
    bench.meter.add_sensor(gauge(&bench.clock, Component::Other, 15.0));
    bench.meter.read();
    bench.pass(4.0);
    let record = run.stop().expect("a record");
    assert_joules(record.other_energy, 60.0);
    assert_joules(record.energy, 40.0 * 14.0 + 60.0);
    assert_eq!(record.other_method, "sampled:gauge:partial");
    assert_eq!(bench.run(Current, 1.0).other_method, "sampled:gauge", "of the next run all");
}

/// Panics when it is read for the third time.
struct Careless(u32);

impl Sensor for Careless {
    fn source(&self) -> &'static str {
        "careless"
    }

    fn component(&self) -> Component {
        Component::Other
    }

    fn read(&mut self) -> Result<Reading, SensorError> {
        self.0 += 1;
        assert!(self.0 < 3, "a mistake in the user's sensor");
        Ok(Reading::Power(Watts(10.0)))
    }
}

/// Reports figures that cannot be.
struct Impossible;

impl Sensor for Impossible {
    fn source(&self) -> &'static str {
        "impossible"
    }

    fn component(&self) -> Component {
        Component::Other
    }

    fn read(&mut self) -> Result<Reading, SensorError> {
        Ok(Reading::Power(Watts(f64::NAN)))
    }
}

#[test]
fn a_sensor_that_panics_or_reports_nonsense_changes_no_other_figure() {
    let bench = bench();
    bench.meter.add_sensor(Careless(0));
    bench.meter.add_sensor(Impossible);
    let run = bench.tracker(Current).start().expect("a run");
    for _ in 0..10 {
        bench.clock.advance(Duration::from_secs(1));
        bench.meter.read();
    }
    let record = run.stop().expect("a record");
    assert_joules(record.cpu_energy, 400.0);
    assert_joules(record.other_energy, 10.0);
    assert_eq!(record.other_method, "sampled:careless:partial");
    let after = bench.run(Current, 5.0);
    assert_eq!((joules(after.other_energy), after.other_method.as_str()), (None, "none"));
}

/// Has something new to report once in so many seconds only.
struct Polled {
    clock: ManualClock,
    every: u64,
    reported: Option<u64>,
    reading: fn(f64) -> Reading,
}

impl Polled {
    fn new(bench: &Bench, every: u64, reading: fn(f64) -> Reading) -> Self {
        Self { clock: bench.clock.clone(), every, reported: None, reading }
    }
}

impl Sensor for Polled {
    fn source(&self) -> &'static str {
        "polled"
    }

    fn component(&self) -> Component {
        Component::Other
    }

    fn read(&mut self) -> Result<Reading, SensorError> {
        let now = self.clock.now();
        let poll = now.as_secs() / self.every;
        if self.reported.replace(poll) == Some(poll) {
            return Err(SensorError::NotReady);
        }
        Ok((self.reading)(now.as_secs_f64()))
    }
}

/// Reads a sensor of 50 W each second for 10 s.
#[track_caller]
fn assert_goes_on(reading: fn(f64) -> Reading, method: &str) {
    let bench = bench();
    bench.meter.add_sensor(Polled::new(&bench, 3, reading));
    let run = bench.tracker(Current).start().expect("a run");
    for _ in 0..10 {
        bench.clock.advance(Duration::from_secs(1));
        bench.meter.read();
    }
    let record = run.stop().expect("a record");
    assert_joules(record.other_energy, 500.0);
    assert_eq!(record.other_method, method, "nothing new is no failure");
}

#[test]
fn between_two_polls_a_gauge_and_a_counter_go_on_at_their_last_power() {
    assert_goes_on(|_| Reading::Power(Watts(50.0)), "sampled:polled");
    assert_goes_on(|now| Reading::Energy(Joules(50.0 * now)), "measured:polled");
}

#[test]
fn a_sensor_that_has_not_reported_yet_counts_nothing_which_is_not_0() {
    let bench = bench();
    let mut silent = Polled::new(&bench, 1_000, |_| Reading::Power(Watts(50.0)));
    silent.reported = Some(0);
    bench.meter.add_sensor(silent);
    let record = bench.run(Current, 10.0);
    assert_joules(record.cpu_energy, 400.0);
    assert_eq!((joules(record.other_energy), record.other_method.as_str()), (None, "none"));
}

/// A meter may have no other sensor than the user's.
#[test]
fn a_meter_of_one_sensor_measures_just_that() {
    let clock = ManualClock::new(SystemTime::UNIX_EPOCH);
    let load = Load { clock: clock.clone(), own: 0.0, others: 0.0, memory_gib: 0.0 };
    let bench = Bench::new(|_| Meter::builder(load));
    bench.meter.add_sensor(gauge(&bench.clock, Component::Machine, 90.0));
    let record = bench.run(All, 2.0);
    assert_joules(record.energy, 180.0);
    for method in [&record.cpu_method, &record.gpu_method, &record.ram_method] {
        assert_eq!(method, "none", "what is not measured is none, not 0");
    }
    assert_eq!(joules(record.cpu_energy), None);
}
