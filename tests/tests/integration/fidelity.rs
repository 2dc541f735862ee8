//! How near a run's energy comes to the exact integral of the power.
//!
//! **Counters.** The goal is half a percent for runs of 200 ticks or more. Of the time between its last
//! refresh and an edge of the run a counter tells nothing: up to a tick at either edge. The meter goes
//! on at the power of the last ticks; where the power jumps just then, it errs by the jump times what is
//! left of the tick, and no way of reading can know better without waiting for the next refresh, which
//! would hold the user's function up. (At the start, the refresh that follows tells the energy of the
//! whole tick, but not how much of it came before the run. Sharing it by time would be worse: a run
//! most often begins with a jump.) So a run of n ticks errs by one tick at peak power at the most,
//! which is half a percent where n is 200 times the peak over the mean: 200 for a steady power, 800
//! for the spikes below.
//!
//! **Gauges.** The goal is two percent for runs of 20 samples per period of the curve, or 30 000 in all.
//! Each jump falls somewhere between two samples, and the trapezoid errs by up to half of the jump times
//! that gap, in either direction: for a square wave of 20 samples per period each period errs by 3.6 %
//! (one standard deviation, at mean power), a run of K periods by 3.6 % / √K. So ten periods stay below
//! two percent; a shorter run may err by half a sample for each jump in it. Where samples are too few for
//! the shape of the curve, each meets it by chance: the spikes of 0.06 s below err by 0.6 % (one standard
//! deviation) with 30 000 samples, and with fewer by as much as the root of their number is smaller. Only
//! more samples would do better, and they have their price.

use std::time::Duration;

use eco2ai::CpuProcesses;
use eco2ai::meter::{Clock, ManualClock, Meter};
use eco2ai::sensor::{Component, Sensor};
use eco2ai_tests::bench::{Bench, joules};
use eco2ai_tests::curve::Curve;
use eco2ai_tests::scripted::{Counter, Gauge, Load};

/// A machine whose energy is that of one sensor.
fn bench<S: Sensor + 'static>(sensor: impl FnOnce(&ManualClock) -> S) -> Bench {
    Bench::new(|clock| {
        let load = Load { clock: clock.clone(), own: 1.0, others: 0.0, memory_gib: 1.0 };
        Meter::builder(load).sensor(sensor(clock))
    })
}

/// Energy of a run of this length in joules, and when it began.
fn run(bench: &Bench, seconds: f64) -> (f64, f64) {
    let start = bench.clock.now().as_secs_f64();
    let record = bench.run(CpuProcesses::All, seconds);
    (joules(record.energy).expect("an energy"), start)
}

/// Each with its period in seconds.
pub(crate) fn curves() -> Vec<(Curve, f64)> {
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
            let bench = bench(|clock| Counter {
                clock: clock.clone(),
                component: Component::Gpu,
                curve,
                tick,
                reset_at: None,
            });
            for length in LENGTHS_S {
                let (energy, start) = run(&bench, length);
                let truth = curve.joules(start + length) - curve.joules(start);
                let ticks = if tick_ms == 0 { f64::INFINITY } else { length / tick.as_secs_f64() };
                let error = (energy - truth).abs();
                // What a counter hides between two refreshes: a tick at peak power.
                let hidden = tick.as_secs_f64().max(0.001) * curve.peak();
                let mean = truth / length;
                let allowed =
                    if ticks >= 200.0 * curve.peak() / mean { truth * 0.005 } else { hidden };
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
        let bench = bench(|clock| Gauge { clock: clock.clone(), component: Component::Gpu, curve });
        for length in LENGTHS_S {
            let (energy, start) = run(&bench, length);
            let truth = curve.joules(start + length) - curve.joules(start);
            let samples = length / 0.1;
            let error = (energy - truth).abs();
            // 20 samples per period, and ten periods.
            let smooth = period >= 2.0 && length >= 10.0 * period;
            let allowed = if smooth {
                truth * 0.02
            } else if samples >= 3000.0 {
                truth * 0.02 * (30_000.0 / samples).sqrt().max(1.0)
            } else {
                // Each jump lies somewhere between two samples.
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

#[test]
fn a_power_that_grows_is_integrated_as_it_grows() {
    let curve = Curve::Ramp { from: 20.0, slope: 10.0 };
    let bench = bench(|clock| Gauge { clock: clock.clone(), component: Component::Gpu, curve });
    for length in [0.4, 2.5, 21.0, 317.0] {
        let (energy, start) = run(&bench, length);
        let truth = curve.joules(start + length) - curve.joules(start);
        assert!((energy - truth).abs() <= truth * 1e-4, "{length} s: {energy} J for {truth} J");
    }
}

#[test]
fn a_reset_in_a_long_run_stays_within_half_a_percent() {
    for (curve, _) in curves() {
        let bench = bench(|clock| Counter {
            clock: clock.clone(),
            component: Component::Gpu,
            curve,
            tick: Duration::from_millis(100),
            reset_at: Some(1234.56),
        });
        let (energy, _) = run(&bench, 3600.0);
        let truth = curve.joules(3600.0);
        assert!((energy - truth).abs() <= truth * 0.005, "{curve:?}: {energy} J for {truth} J");
    }
}

#[test]
fn short_runs_within_a_long_one_take_nothing_from_it_and_add_nothing() {
    for (curve, _) in curves() {
        for (tick_ms, longest_us) in [(20, 15_000), (100, 90_000), (100, 300_000)] {
            let tick = Duration::from_millis(tick_ms);
            let bench = bench(|clock| Counter {
                clock: clock.clone(),
                component: Component::Gpu,
                curve,
                tick,
                reset_at: None,
            });
            let tracker = bench.builder().cpu_processes(CpuProcesses::All).rows("total");
            let tracker = tracker.build().expect("good parameters");
            let outer = bench.tracker(CpuProcesses::All).start().expect("a run");
            // Readings fall at all phases of the counter, often or always within one of its ticks.
            let mut random = 1_u64;
            while bench.clock.now() < Duration::from_secs(20) {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let inner = tracker.start().expect("a run");
                bench.clock.advance(Duration::from_micros(300 + (random >> 33) % longest_us));
                drop(inner);
            }
            let record = outer.stop().expect("a record");
            let energy = joules(record.energy).expect("an energy");
            let truth = curve.joules(bench.clock.now().as_secs_f64());
            let allowed = tick.as_secs_f64() * curve.peak();
            assert!(
                (energy - truth).abs() <= allowed,
                "{curve:?}, tick {tick_ms} ms: {energy} J for {truth} J, allowed {allowed}"
            );
        }
    }
}

#[cfg(target_os = "linux")]
mod on_a_tree {
    use eco2ai::sensor::{Rapl, Reading, SensorError};
    use eco2ai_tests::fake_tree::FakeTree;

    use super::*;

    /// A processor on a tree that goes with the clock.
    struct OnTree {
        tree: FakeTree,
        clock: ManualClock,
        packages: Rapl,
    }

    impl Sensor for OnTree {
        fn source(&self) -> &str {
            self.packages.source()
        }

        fn component(&self) -> Component {
            self.packages.component()
        }

        fn read(&mut self) -> Result<Reading, SensorError> {
            self.tree.set_time(self.clock.now().as_secs_f64());
            self.packages.read()
        }

        fn tick(&self) -> Duration {
            self.packages.tick()
        }

        fn longest_interval(&self) -> Option<Duration> {
            self.packages.longest_interval()
        }
    }

    #[test]
    fn counters_that_wrap_are_read_often_enough_whatever_the_period() {
        // As on AMD: it wraps within four minutes.
        const RANGE: u64 = 65_532_610_987;
        let curve = Curve::Square { low: 100.0, high: 400.0, period: 90.0 };
        let mut tree = FakeTree::new();
        tree.zone("intel-rapl:0", "package-0", curve, RANGE - 1_000_000, RANGE);
        let packages = Rapl::packages(&tree.powercap()).expect("packages").on_clock(tree.clock());
        let bench = bench(|clock| OnTree { tree, clock: clock.clone(), packages });
        let tracker = bench.builder().cpu_processes(CpuProcesses::All).measure_period(3600);
        let run = tracker.build().expect("good parameters").start().expect("a run");
        bench.pass(3600.0);
        let record = run.stop().expect("a record");
        let energy = joules(record.energy).expect("an energy");
        let truth = curve.joules(3600.0);
        assert!((energy - truth).abs() <= truth * 0.005, "{energy} J for {truth} J");
    }
}
