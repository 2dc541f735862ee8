//! Runs shorter than a tick, and what readings cost.
#![cfg(target_os = "linux")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use eco2ai::CpuProcesses::{self, All, Current};
use eco2ai::Record;
use eco2ai::meter::{Clock, ManualClock, Meter};
use eco2ai::sensor::{Component, Rapl, Reading, Sensor, SensorError};
use eco2ai::units::Watts;
use eco2ai_tests::bench::{Bench, joules};
use eco2ai_tests::curve::Curve;
use eco2ai_tests::fake_tree::FakeTree;
use eco2ai_tests::scripted::{Counter, Load, Model};

fn load(clock: &ManualClock) -> Load {
    Load { clock: clock.clone(), own: 1.0, others: 0.0, memory_gib: 0.0 }
}

fn counter(clock: &ManualClock, tick: Duration) -> Counter {
    let (component, curve) = (Component::Gpu, Curve::Constant(100.0));
    Counter { clock: clock.clone(), component, curve, tick, reset_at: None }
}

/// A run during which the meter's thread has no time to take a reading.
fn short(bench: &Bench, scope: CpuProcesses, microseconds: u64) -> Record {
    let run = bench.tracker(scope).start().expect("a run");
    bench.clock.advance(Duration::from_micros(microseconds));
    run.stop().expect("a record")
}

/// Checks the run's energy: the power that a counter tells by its last ticks, which may have been seen
/// early or late, is about right.
#[track_caller]
fn assert_part_of_a_tick(record: &Record, expected: f64) {
    let energy = joules(record.energy).expect("an energy");
    assert!((0.5 * expected..1.8 * expected).contains(&energy), "{energy} J for {expected} J");
}

#[test]
fn a_run_of_a_millisecond_gets_its_part_of_a_boards_tick() {
    let bench = Bench::new(|clock| {
        Meter::builder(load(clock)).sensor(counter(clock, Duration::from_millis(100)))
    });
    // The first of the process, and later ones at all phases of the counter: in some the counter
    // moves by a whole tick.
    bench.clock.advance(Duration::from_micros(500));
    for _ in 0..110 {
        let record = short(&bench, All, 1000);
        assert_part_of_a_tick(&record, 0.1);
        bench.clock.advance(Duration::from_millis(32));
    }
}

#[test]
fn a_counter_that_is_seen_late_and_then_early_tells_no_enormous_power() {
    let bench = Bench::new(|clock| {
        Meter::builder(load(clock)).sensor(counter(clock, Duration::from_millis(100)))
    });
    bench.run(All, 1.0);
    // The first reading sees three ticks late, the second one tick early.
    bench.clock.advance(Duration::from_micros(399_500));
    assert_part_of_a_tick(&short(&bench, All, 1000), 0.1);
    // Too soon for a reading.
    assert_part_of_a_tick(&short(&bench, All, 200), 0.02);
}

#[test]
fn a_run_of_a_fraction_of_a_millisecond_gets_its_part_of_the_processors_tick() {
    let bench = Bench::new(|clock| {
        let counter =
            Counter { component: Component::Cpu, ..counter(clock, Duration::from_millis(1)) };
        Meter::builder(load(clock)).sensor(counter)
    });
    for _ in 0..50 {
        let record = short(&bench, All, 300);
        assert_part_of_a_tick(&record, 0.03);
        bench.clock.advance(Duration::from_micros(4700));
    }
}

#[test]
fn a_run_of_a_millisecond_gets_its_part_of_the_model() {
    let bench = Bench::new(|clock| Meter::builder(load(clock)).sensor(Model(Watts(80.0))));
    for _ in 0..50 {
        let record = short(&bench, Current, 1000);
        assert_part_of_a_tick(&record, 0.04);
        bench.clock.advance(Duration::from_millis(3));
    }
}

#[test]
fn the_first_run_of_a_process_may_be_shorter_than_a_tick_of_its_processor() {
    let mut tree = FakeTree::new();
    tree.zone("intel-rapl:0", "package-0", Curve::Constant(50.0), 1_000_000, 262_143_328_850);
    let before = Instant::now();
    let packages = Rapl::packages(&tree.powercap()).expect("packages");
    let opened = Instant::now();
    // The counter goes on while the rest of the machine is looked at; a power needs time to pass.
    std::thread::sleep(Duration::from_millis(20));
    let passed = opened.elapsed();
    tree.set_time(passed.as_secs_f64());
    let bench = Bench::new(|clock| Meter::builder(load(clock)).sensor(packages));
    let record = short(&bench, All, 300);
    // The power is that of at least `passed`, and of no more than all the time from `before` on.
    let most = 50.0 * 0.000_3;
    let least = most * passed.as_secs_f64() / before.elapsed().as_secs_f64();
    let (least, most) = (least * (1.0 - 1e-6), most * (1.0 + 1e-6));
    let energy = joules(record.cpu_energy).expect("an energy");
    assert!((least..=most).contains(&energy), "{energy} J for {least} to {most} J");
    assert_eq!(record.cpu_method, "sampled:rapl", "by a power, as the counter had no time to move");
}

/// A sensor that takes its time, which passes on the manual clock.
struct Slow {
    clock: ManualClock,
    takes: Duration,
    readings: Arc<AtomicU64>,
}

impl Sensor for Slow {
    fn source(&self) -> &'static str {
        "slow"
    }

    fn component(&self) -> Component {
        Component::Gpu
    }

    fn read(&mut self) -> Result<Reading, SensorError> {
        self.clock.advance(self.takes);
        self.readings.fetch_add(1, Ordering::Relaxed);
        Ok(Reading::Power(Watts(100.0)))
    }
}

/// The part of the time that readings take while runs of one length follow each other.
fn cost_of_readings(takes: Duration, length: Duration, pause: Duration) -> f64 {
    let readings = Arc::new(AtomicU64::new(0));
    let bench = Bench::new(|clock| {
        let readings = Arc::clone(&readings);
        Meter::builder(load(clock)).sensor(Slow { clock: clock.clone(), takes, readings })
    });
    // Rows are not the matter here, and there are many runs.
    let tracker = bench.builder().rows("total").build().expect("good parameters");
    // What the meter pays to learn what a reading takes is little in the long run only.
    while bench.clock.now() < takes * 20_000 {
        let run = tracker.start().expect("a run");
        let inner = tracker.start().expect("a run");
        bench.clock.advance(length);
        drop(inner);
        drop(run);
        bench.clock.advance(pause);
    }
    // Rows of other tests may have to wait.
    let _ = eco2ai::flush();
    let cost = takes.as_secs_f64() * readings.load(Ordering::Relaxed) as f64;
    cost / bench.clock.now().as_secs_f64()
}

#[test]
fn readings_take_less_than_a_hundredth_of_the_time_however_many_runs_start_and_stop() {
    for takes in [5, 50, 500, 5000].map(Duration::from_micros) {
        // Lengths and pauses in readings.
        for length in [4, 60, 1400] {
            for pause in [0, 100] {
                let part = cost_of_readings(takes, takes * length, takes * pause);
                assert!(part < 0.01, "{part} for readings of {takes:?}, runs of {length} of them");
            }
        }
    }
}
