//! The bounds of a figure contain the exact integral of the power, where the sensors and the share
//! err by as much as is published of them.

use std::time::Duration;

use eco2ai::CpuProcesses::{self, All, Current};
use eco2ai::Record;
use eco2ai::meter::{Clock, ManualClock, Meter};
use eco2ai::sensor::{Bounds, Component, Quality, Reading, Sensor, SensorError, Share};
use eco2ai::units::Watts;
use eco2ai_tests::bench::{Bench, assert_joules, joules};
use eco2ai_tests::curve::Curve;
use eco2ai_tests::scripted::{Counter, Erring, Gauge, Listed, Load, Model};

use crate::fidelity::curves;

/// A machine of two CPUs with one sensor. The process keeps one CPU busy.
fn bench<S: Sensor + 'static>(others: f64, sensor: impl FnOnce(&ManualClock) -> S) -> Bench {
    Bench::new(|clock| {
        let load = Load { clock: clock.clone(), own: 1.0, others, memory_gib: 1.0 };
        Meter::builder(load).sensor(sensor(clock))
    })
}

/// Checks the bounds of runs whose true energy is `share` of the curve's.
fn check_curve(bench: &Bench, scope: CpuProcesses, curve: Curve, share: f64) {
    for length in [0.03, 0.4, 2.5, 21.0, 317.0] {
        let start = bench.clock.now().as_secs_f64();
        let record = bench.run(scope, length);
        let truth = (curve.joules(start + length) - curve.joules(start)) * share;
        check(&record, truth, &format!("{curve:?}, run of {length} s"));
        bench.clock.advance(Duration::from_millis(137));
    }
}

#[track_caller]
fn check(record: &Record, truth: f64, what: &str) {
    let figure = joules(record.energy).expect("an energy");
    let (low, high) = (joules(record.energy_low), joules(record.energy_high));
    assert!(
        low.is_some_and(|low| low <= truth && low < figure)
            && high.is_none_or(|high| truth <= high && figure < high),
        "{what}: {truth} J is not within {low:?} to {high:?}; the figure is {figure} J"
    );
    // A long run's are not much wider than what is published.
    assert!(
        record.duration < Duration::from_secs(300) || high.is_some_and(|high| high < 1.75 * figure),
        "{what}: {high:?} for {figure} J"
    );
}

/// The published errors of sensors, and readings that are too low and too high by as much.
const COUNTERS: [(Component, &str, f64); 3] = [
    (Component::Cpu, "rapl", 0.042),
    (Component::Ram, "rapl", 0.161),
    (Component::Gpu, "nvml", 0.05),
];

#[test]
fn bounds_of_a_counter_contain_the_integral_of_every_curve() {
    for (curve, _) in curves() {
        for (component, source, error) in COUNTERS {
            for (tick_ms, factor) in [(1, 1.0 - error), (100, 1.0 + error)] {
                let tick = Duration::from_millis(tick_ms);
                let bench = bench(0.0, |clock| {
                    let clock = clock.clone();
                    let sensor = Counter { clock, component, curve, tick, reset_at: None };
                    Erring { sensor, source, factor }
                });
                check_curve(&bench, All, curve, 1.0);
            }
        }
    }
}

#[test]
fn bounds_of_a_gauge_contain_the_integral_of_every_curve() {
    for (curve, _) in curves() {
        for factor in [0.95, 1.05] {
            let bench = bench(0.0, |clock| {
                let sensor = Gauge { clock: clock.clone(), component: Component::Gpu, curve };
                Erring { sensor, source: "nvml", factor }
            });
            check_curve(&bench, All, curve, 1.0);
        }
    }
}

/// The published error of the share with a neighbour on a quarter of the threads, counter included.
const SHARED_ERROR: f64 = 0.109;

#[test]
fn bounds_contain_the_process_part_beside_a_neighbour_on_a_quarter_of_the_threads() {
    // The neighbour's half of a CPU takes more than its CPU time says, or less, and the counter errs
    // in the same direction.
    for (counter, whole) in [(0.042, SHARED_ERROR), (-0.042, -SHARED_ERROR)] {
        let by_time = 1.0 / 1.5;
        let true_share = by_time * (1.0 + counter) / (1.0 + whole);
        for (curve, _) in curves() {
            for tick_ms in [1, 100] {
                let tick = Duration::from_millis(tick_ms);
                let bench = bench(0.5, |clock| {
                    let (clock, component) = (clock.clone(), Component::Cpu);
                    let sensor = Counter { clock, component, curve, tick, reset_at: None };
                    Erring { sensor, source: "rapl", factor: 1.0 + counter }
                });
                check_curve(&bench, Current, curve, true_share);
            }
        }
    }
}

fn rapl(clock: &ManualClock) -> Erring<Counter> {
    let (clock, component, tick) = (clock.clone(), Component::Cpu, Duration::from_millis(1));
    let curve = Curve::Constant(100.0);
    let sensor = Counter { clock, component, curve, tick, reset_at: None };
    Erring { sensor, source: "rapl", factor: 1.0 }
}

#[test]
fn nothing_is_published_of_a_share_where_others_take_more_than_a_quarter() {
    let record = bench(0.6, rapl).run(Current, 10.0);
    assert_eq!((record.energy_low, record.energy_high), (None, None));
    // Of the whole machine there is.
    let record = bench(0.6, rapl).run(All, 10.0);
    let figure = joules(record.energy).expect("an energy");
    // The counter's error, and ten of ten thousand ticks.
    assert_joules(record.energy_low, figure / 1.043);
    assert_joules(record.energy_high, figure / 0.957);
}

#[test]
fn bounds_of_models_contain_what_the_published_error_allows() {
    for factor in [0.61, 1.39] {
        let bench = bench(0.0, |_| Erring { sensor: Model(Watts(100.0)), source: "tdp", factor });
        let answers = vec![Some(Reading::PerGibibyte(Watts(0.375)))];
        let sensor = Listed { component: Component::Ram, answers, share: Share::Memory };
        bench.meter.add_sensor(Erring { sensor, source: "model", factor });
        for length in [0.4, 317.0] {
            let record = bench.run(Current, length);
            check(&record, (50.0 + 0.375) * length, "models");
        }
    }
}

#[test]
fn a_total_is_bounded_below_by_what_is_known_of_its_components() {
    let bench = bench(0.0, rapl);
    let whole = bench.run(All, 10.0);
    assert!(whole.energy_high.is_some());
    // Nothing is known of another device, but that it takes 0 or more.
    let gauge = Gauge {
        clock: bench.clock.clone(),
        component: Component::Other,
        curve: Curve::Constant(15.0),
    };
    bench.meter.add_sensor(gauge);
    let record = bench.run(All, 10.0);
    assert_joules(record.energy, 1150.0);
    assert_joules(record.energy_low, joules(whole.energy_low).expect("a bound"));
    assert_eq!(record.energy_high, None);
}

#[test]
fn a_total_without_the_energy_of_a_device_that_cannot_be_read_has_no_upper_bound() {
    let bench = bench(0.0, rapl);
    bench.meter.add_sensor(Listed {
        component: Component::Gpu,
        answers: vec![None],
        share: Share::Whole,
    });
    let record = bench.run(All, 10.0);
    assert!(record.gpu_energy.is_none() && record.energy_low.is_some(), "{record}");
    assert_eq!(record.energy_high, None);
}

#[test]
fn a_partial_figure_has_a_lower_bound_only() {
    let missing = [None, None, None, None].into_iter();
    let watts = Some(Reading::Power(Watts(100.0)));
    let answers = std::iter::repeat_n(watts, 400).chain(missing).chain([watts]).collect();
    let bench = bench(0.0, |_| {
        let sensor = Listed { component: Component::Gpu, answers, share: Share::Whole };
        Erring { sensor, source: "nvml", factor: 1.0 }
    });
    let record = bench.run(All, 60.0);
    assert!(record.gpu_method.is_partial(), "{}", record.gpu_method);
    let figure = joules(record.energy).expect("an energy");
    assert!(joules(record.energy_low).is_some_and(|low| 0.8 * figure < low && low < figure));
    assert_eq!(record.energy_high, None);
}

/// A sensor that says its own error.
struct Plug;

impl Sensor for Plug {
    fn source(&self) -> &'static str {
        "plug"
    }

    fn component(&self) -> Component {
        Component::Machine
    }

    fn read(&mut self) -> Result<Reading, SensorError> {
        Ok(Reading::Power(Watts(90.0)))
    }

    fn bounds(&self, _: Quality) -> Bounds {
        Bounds { low: 0.5, high: 2.0 }
    }
}

#[test]
fn a_sensor_says_its_own_error_and_a_wall_meter_s_bounds_the_total() {
    let bench = bench(0.0, |_| Model(Watts(80.0)));
    bench.meter.add_sensor(Plug);
    let tracker = bench.builder().cpu_processes(All).pue(1.5).build().expect("good parameters");
    let run = tracker.start().expect("a run");
    bench.pass(100.0);
    let record = run.stop().expect("a record");
    assert_joules(record.energy, 13_500.0);
    // Errors add up: the plug's, and that of sampling it.
    let sampling = 2.5 / (100.0_f64 / 0.0927).sqrt();
    assert_joules(record.energy_low, 13_500.0 / (2.0 + sampling));
    assert_joules(record.energy_high, 13_500.0 / (0.5 - sampling));
}

#[test]
fn each_of_many_short_calls_adds_what_is_unknown_of_its_edges() {
    let bench = bench(0.0, rapl);
    let tracker = bench.builder().cpu_processes(All).rows("total").build().expect("parameters");
    // Calls of a tenth of a second, which add up to ten.
    for _ in 0..100 {
        let run = tracker.start().expect("a run");
        bench.pass(0.1);
        drop(run);
    }
    eco2ai::flush().expect("written");
    let row = eco2ai::read_log(bench.log()).expect("a log").next().expect("a row").expect("good");
    let width = |record: &Record| record.energy_high.expect("a bound").0 / record.energy.0;
    assert_eq!(row.calls, 100);
    let short = bench.run(All, 0.1);
    assert!((width(&row) - width(&short)).abs() < 0.01);
    assert!(width(&row) > 1.03 * width(&bench.run(All, 10.0)));
}

#[test]
fn the_bounds_of_epochs_add_up_and_contain_those_of_the_training() {
    let bench = bench(0.0, rapl);
    let mut training = bench.tracker(All).start_training().expect("a training");
    for _ in 0..3 {
        bench.pass(10.0);
        training.new_epoch([("loss", 0.5)]).expect("a row");
    }
    bench.pass(10.0);
    let whole = training.stop().expect("a record");
    let rows: Vec<_> =
        eco2ai::read_log(bench.log()).expect("a log").map(|row| row.expect("good")).collect();
    assert_eq!(rows.len(), 4);
    let sum = |of: fn(&Record) -> f64| rows.iter().map(of).sum::<f64>();
    let low = sum(|row| joules(row.energy_low).expect("a bound"));
    let high = sum(|row| joules(row.energy_high).expect("a bound"));
    // Each epoch has edges of its own.
    let of_whole = [whole.energy_low, whole.energy_high].map(|it| joules(it).expect("a bound"));
    assert!(0.995 * of_whole[0] < low && low < of_whole[0], "{low} J, {of_whole:?}");
    assert!(of_whole[1] < high && high < 1.005 * of_whole[1], "{high} J, {of_whole:?}");
    let total = eco2ai::summary(bench.log()).expect("a summary").total;
    assert_joules(total.energy_low, low);
    assert_joules(total.energy_high, high);
    assert_joules(total.energy, joules(whole.energy).expect("an energy"));
}
