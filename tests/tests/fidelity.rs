//! How near a run's energy comes to the exact integral of the power.

use std::time::{Duration, SystemTime};

use eco2ai::meter::{ManualClock, Meter};
use eco2ai::sensor::Component;
use eco2ai::units::Joules;
use eco2ai::{CpuProcesses, Tracker};
use eco2ai_tests::curve::Curve;
use eco2ai_tests::scripted::{Counter, Gauge, Load};

struct Bench {
    clock: ManualClock,
    meter: Meter,
    tracker: Tracker,
    _folder: tempfile::TempDir,
}

fn bench(sensor: impl FnOnce(&ManualClock) -> Box<dyn FnOnce(&Meter)>) -> Bench {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = ManualClock::new(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000));
    let load = Load { clock: clock.clone(), own: 1.0, others: 0.0, memory_gib: 1.0 };
    let meter = Meter::builder(load).clock(clock.clone()).build();
    sensor(&clock)(&meter);
    let tracker = Tracker::builder()
        .file(folder.path().join("emission.csv"))
        .cpu_processes(CpuProcesses::All)
        .meter(&meter)
        .build()
        .expect("good parameters");
    Bench { clock, meter, tracker, _folder: folder }
}

impl Bench {
    /// Energy of a run of this length in joules, and when it began.
    fn run(&self, time: Duration) -> (f64, f64) {
        use eco2ai::meter::Clock;
        let start = self.clock.now().as_secs_f64();
        let run = self.tracker.start().expect("a run");
        self.meter.simulate(&self.clock, time);
        let record = run.stop().expect("a record");
        (Joules::from(record.power_consumption).0, start)
    }
}

/// Each with its period in seconds.
fn curves() -> Vec<(Curve, f64)> {
    let (low, high) = (20.0, 300.0);
    let mut curves = vec![(Curve::Constant(75.0), f64::INFINITY)];
    for period in [0.3, 1.0, 2.7, 10.0, 30.0] {
        curves.push((Curve::Square { low, high, period }, period));
        curves.push((Curve::Sawtooth { low, high, period }, period));
        let width = period / 5.0;
        curves.push((Curve::Spikes { base: low, peak: high, width, period }, period));
    }
    curves
}

const LENGTHS_S: [f64; 7] = [0.001, 0.03, 0.4, 2.5, 21.0, 317.0, 3600.0];

#[test]
fn counters_come_within_half_a_percent_of_the_integral() {
    for (curve, _) in curves() {
        for tick_ms in [0, 1, 20, 100] {
            let tick = Duration::from_millis(tick_ms);
            let bench = bench(|clock| {
                let counter = Counter {
                    clock: clock.clone(),
                    component: Component::Gpu,
                    curve,
                    tick,
                    reset_at: None,
                };
                Box::new(move |meter| meter.add_sensor(counter))
            });
            for length in LENGTHS_S {
                let (energy, start) = bench.run(Duration::from_secs_f64(length));
                let truth = curve.joules(start + length) - curve.joules(start);
                let ticks = if tick_ms == 0 { f64::INFINITY } else { length / tick.as_secs_f64() };
                let error = (energy - truth).abs();
                // What a counter hides between two refreshes nobody can know: a tick at peak power.
                let hidden = tick.as_secs_f64().max(0.001) * curve.peak();
                let allowed = match ticks {
                    2000.0.. => truth * 0.005,
                    200.0.. => hidden.max(truth * 0.005),
                    _ => hidden,
                };
                assert!(
                    error <= allowed,
                    "{curve:?}, tick {tick_ms} ms, run of {length} s: \
                     {energy} J for {truth} J, allowed {allowed}"
                );
                // The next run begins at another phase.
                bench.clock.advance(Duration::from_millis(137));
            }
        }
    }
}

#[test]
fn gauges_come_within_two_percent_of_the_integral() {
    for (curve, period) in curves() {
        let bench = bench(|clock| {
            let gauge = Gauge { clock: clock.clone(), component: Component::Gpu, curve };
            Box::new(move |meter| meter.add_sensor(gauge))
        });
        for length in LENGTHS_S {
            let (energy, start) = bench.run(Duration::from_secs_f64(length));
            let truth = curve.joules(start + length) - curve.joules(start);
            let samples = length / 0.1;
            let error = (energy - truth).abs();
            let smooth = period >= 2.0 && length >= 10.0 * period;
            let allowed = if smooth || samples >= 3000.0 {
                truth * 0.02
            } else {
                // Where in the gap between two samples an edge of the curve lies nobody can know.
                let edges = (length / period * 2.0).ceil() + 1.0;
                (edges * 0.1f64.min(length) * curve.peak() / 2.0).max(truth * 0.02)
            };
            assert!(
                error <= allowed,
                "{curve:?}, run of {length} s: {energy} J for {truth} J, allowed {allowed}"
            );
            bench.clock.advance(Duration::from_millis(137));
        }
    }
}
