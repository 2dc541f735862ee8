//! A process that does little now and then: readings that cost more than its work wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use proptest::collection::vec;
use proptest::prelude::*;

use super::clock::ManualClock;
use super::{Meter, Start};
use crate::scope::Scope;
use crate::sensor::{
    Component, CpuClock, CpuModel, Reading, Sensor, SensorError, Usage, UsageSource,
};
use crate::status::Status;
use crate::units::Watts;

/// One of two CPUs, which the test uses; reading takes 50 µs.
#[derive(Clone)]
struct Work {
    clock: ManualClock,
    own_ns: Arc<AtomicU64>,
    readings: Arc<AtomicU64>,
    /// How often its CPU clock was looked at.
    samples: Arc<AtomicU64>,
}

impl Work {
    fn new() -> Self {
        let clock = ManualClock::new(SystemTime::UNIX_EPOCH);
        let [own_ns, readings, samples] = std::array::from_fn(|_| Arc::default());
        Self { clock, own_ns, readings, samples }
    }

    fn own(&self) -> Duration {
        Duration::from_nanos(self.own_ns.load(Ordering::Relaxed))
    }

    /// Uses a CPU for a time.
    fn work(&self, time: Duration) {
        let ns = u64::try_from(time.as_nanos()).unwrap();
        self.own_ns.fetch_add(ns, Ordering::Relaxed);
        self.clock.advance(time);
    }

    fn readings(&self) -> u64 {
        self.readings.load(Ordering::Relaxed)
    }

    fn samples(&self) -> u64 {
        self.samples.load(Ordering::Relaxed)
    }
}

impl UsageSource for Work {
    fn read(&mut self) -> Usage {
        self.readings.fetch_add(1, Ordering::Relaxed);
        self.work(Duration::from_micros(50));
        let mut usage = Usage::default();
        usage.cpus = 2.0;
        usage.own_cpu = Some(self.own());
        usage.busy_cpu = usage.own_cpu;
        usage
    }

    fn refresh(&mut self) {}

    fn processes(&self) -> &[u32] {
        &[]
    }

    fn cpu_clock(&self) -> Option<CpuClock> {
        let work = self.clone();
        Some(Arc::new(move || {
            work.samples.fetch_add(1, Ordering::Relaxed);
            work.own()
        }))
    }
}

/// A counter of the energy of this process alone: 10 W of its CPU time.
struct OwnEnergy(Work);

impl Sensor for OwnEnergy {
    fn source(&self) -> &'static str {
        "own"
    }

    fn component(&self) -> Component {
        Component::Cpu
    }

    fn scope(&self) -> Option<Scope> {
        Some(Scope::Process)
    }

    fn read(&mut self) -> Result<Reading, SensorError> {
        Ok(Reading::Energy(Watts(10.0) * self.0.own()))
    }
}

/// A run of this work; returns its own energy by the processor in joules.
fn run(meter: &Meter, work: impl FnOnce()) -> f64 {
    let started = meter.start(Start {
        summed: None,
        parent: None,
        detached: false,
        scope: Scope::Process,
        period: Duration::from_secs(1),
        prices: None,
        settings: 0,
    });
    work();
    let stopped = meter.stop(started.key, Status::Ok).unwrap();
    stopped.energy.received.own[Component::Cpu]
}

fn meter(work: &Work) -> Meter {
    meter_with(work, CpuModel::from_watts(Watts(20.0)))
}

fn meter_with(work: &Work, sensor: impl Sensor + 'static) -> Meter {
    let meter = Meter::builder(work.clone()).clock(work.clock.clone()).sensor(sensor).build();
    // The mean of what readings cost.
    for _ in 0..50 {
        meter.read();
    }
    meter
}

#[test]
fn calls_that_do_little_pay_for_few_readings() {
    let work = Work::new();
    let meter = meter(&work);
    let before = work.readings();
    for _ in 0..1000 {
        work.clock.advance(Duration::from_micros(980));
        run(&meter, || work.work(Duration::from_micros(20)));
    }
    let readings = work.readings() - before;
    // At 50 µs each, a fortieth of 20 ms.
    assert!((5..=15).contains(&readings), "{readings} readings");
}

/// Calls of two functions that take these CPU times in turn, each period; between them the process
/// uses a little CPU time as well. Returns the joules of both, over those of their CPU time.
fn parts_of_calls(
    (work, meter): (&Work, &Meter),
    calls: u32,
    period: Duration,
    between: Duration,
    each: [Duration; 2],
) -> [f64; 2] {
    let mut joules = [0.0; 2];
    for _ in 0..calls {
        for (joules, time) in joules.iter_mut().zip(each) {
            work.work(between);
            work.clock.advance(period.saturating_sub(between + time));
            *joules += run(meter, || work.work(time));
        }
    }
    // 20 W for two CPUs.
    let expected = |time: Duration| 10.0 * (time * calls).as_secs_f64();
    [joules[0] / expected(each[0]), joules[1] / expected(each[1])]
}

#[test]
fn calls_receive_the_energy_of_their_cpu_time_however_rare_they_are() {
    let us = Duration::from_micros;
    for (period, between, each) in [
        (us(1_000), us(0), [us(20), us(20)]),
        (us(1_000), us(10), [us(20), us(200)]),
        (us(19_000), us(40), [us(20), us(60)]),
        // More edges than samples of the CPU clock.
        (us(50), us(3), [us(10), us(10)]),
        (us(30), us(2), [us(5), us(20)]),
    ] {
        let work = Work::new();
        for meter in [meter(&work), meter_with(&work, OwnEnergy(work.clone()))] {
            let parts = parts_of_calls((&work, &meter), 5_000, period, between, each);
            // A reading's own CPU time, a fortieth of all, is a run's where it is taken at the end of
            // that.
            let is_near = |part: &f64| (0.9..1.12).contains(part);
            assert!(parts.iter().all(is_near), "{period:?}, {between:?}, {each:?}: {parts:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn runs_and_the_time_between_them_receive_all_energy_and_nothing_below_zero(
        steps in vec((any::<bool>(), 0_u64..300, 0_u64..3_000), 1..200),
    ) {
        let work = Work::new();
        let meter = meter(&work);
        let before = work.own();
        let mut of_runs = 0.0;
        for (is_run, work_us, wait_us) in steps {
            let act = || {
                work.work(Duration::from_micros(work_us));
                work.clock.advance(Duration::from_micros(wait_us));
            };
            if is_run {
                let own = run(&meter, act);
                prop_assert!(own >= 0.0, "{own}");
                of_runs += own;
            } else {
                act();
            }
        }
        meter.read();
        let (given, carry) = meter.state.ledger.lock().given_and_carry(Scope::Process);
        let (given, carry) = (given[Component::Cpu], carry[Component::Cpu]);
        prop_assert!((given - of_runs).abs() < 1e-9, "{given} of {of_runs}");
        let all = 10.0 * work.own().saturating_sub(before).as_secs_f64();
        prop_assert!(carry + given > -1e-9 && carry + given < all + 1e-9, "{given}, {carry} of {all}");
    }
}

/// Takes short calls until the time no longer pays for samples of the CPU clock, as it does after a
/// pause.
fn use_up_samples(work: &Work, meter: &Meter) {
    loop {
        let before = work.samples();
        run(meter, || work.work(Duration::from_micros(1)));
        if work.samples() == before {
            return;
        }
    }
}

#[test]
fn samples_of_the_cpu_clock_are_taken_at_two_edges_that_follow_each_other() {
    let work = Work::new();
    let meter = meter(&work);
    let us = Duration::from_micros;
    use_up_samples(&work, &meter);
    let mut sampled = Vec::new();
    for _ in 0..2_000 {
        let before = work.samples();
        let mut between = 0;
        run(&meter, || {
            between = work.samples();
            work.work(us(1));
        });
        sampled.extend([between > before, work.samples() > between]);
    }
    let pairs = sampled.chunk_by(|one, next| one == next).filter(|edges| edges[0]);
    let lengths: Vec<usize> = pairs.map(<[bool]>::len).collect();
    assert!(lengths.iter().all(|length| *length == 2), "{lengths:?}");
    // One for each 200 µs.
    assert!((9..=11).contains(&lengths.len()), "{lengths:?}");
}

#[test]
fn a_sensor_that_is_added_counts_from_the_very_next_edge() {
    let work = Work::new();
    let meter = meter(&work);
    use_up_samples(&work, &meter);
    let before = work.readings();
    run(&meter, || ());
    assert_eq!(work.readings(), before, "the last reading is recent");
    meter.add_sensor(OwnEnergy(work.clone()));
    run(&meter, || ());
    assert_eq!(work.readings(), before + 1);
}

#[test]
fn a_process_that_works_and_a_run_that_is_long_are_read() {
    let work = Work::new();
    let meter = meter(&work);
    let ms = Duration::from_millis;
    let readings_of = |act: &dyn Fn() -> f64| {
        let before = work.readings();
        act();
        work.readings() - before
    };
    run(&meter, || ());
    // Much work that is not tracked must not reach the run after it.
    work.work(ms(50));
    assert_eq!(readings_of(&|| run(&meter, || ())), 1);
    // Waits for longer than the resolution.
    assert_eq!(readings_of(&|| run(&meter, || work.clock.advance(ms(50)))), 1);
    // Nobody has looked for long.
    work.clock.advance(ms(200));
    assert_eq!(readings_of(&|| run(&meter, || ())), 1);
}
