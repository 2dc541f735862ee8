//! Sensors that take long, or hang: nobody waits for them, and what they measure later is right.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use eco2ai::CpuProcesses::Current;
use eco2ai::meter::{Clock, ManualClock, Meter};
use eco2ai::sensor::{Component, Reading, Sensor, SensorError};
use eco2ai::units::{Joules, Watts};
use eco2ai_tests::bench::{Bench, assert_joules, joules};
use eco2ai_tests::scripted::{Load, Model};

/// A sensor whose reading lasts until the test answers.
struct Blocking {
    component: Component,
    asked: Sender<()>,
    answers: Receiver<Reading>,
    read: Sender<()>,
}

impl Sensor for Blocking {
    fn source(&self) -> &'static str {
        "blocking"
    }

    fn component(&self) -> Component {
        self.component
    }

    fn read(&mut self) -> Result<Reading, SensorError> {
        let _ = self.asked.send(());
        self.answers.recv().map_err(|_| SensorError::Lost("the test is over".into()))
    }

    /// Asked when the reading is over.
    fn is_partial(&self) -> bool {
        let _ = self.read.send(());
        false
    }
}

/// The other side of it.
struct Device {
    asked: Receiver<()>,
    answers: Sender<Reading>,
    read: Receiver<()>,
}

impl Device {
    fn new(component: Component) -> (Blocking, Self) {
        let ((asked, is_asked), (answers, answer)) = (channel(), channel());
        let (read, is_read) = channel();
        let sensor = Blocking { component, asked, answers: answer, read };
        (sensor, Self { asked: is_asked, answers, read: is_read })
    }

    /// Has the meter read until it asks the device, which then takes 80 ms to answer what `reading`
    /// is in the middle of this time.
    #[track_caller]
    fn answer(&self, bench: &Bench, reading: impl FnOnce(f64) -> Reading) {
        let began = Instant::now();
        while self.asked.try_recv().is_err() {
            assert!(began.elapsed() < Duration::from_secs(60), "the meter does not ask");
            bench.meter.read();
            std::thread::yield_now();
        }
        let half = Duration::from_millis(40);
        bench.clock.advance(half);
        let answer = reading(bench.clock.now().as_secs_f64());
        bench.clock.advance(half);
        self.answers.send(answer).expect("a sensor that waits");
        self.read.recv().expect("the end of the reading");
    }
}

/// A processor that takes 40 W for this process alone.
fn bench() -> Bench {
    Bench::new(|clock| {
        let load = Load { clock: clock.clone(), own: 1.0, others: 0.0, memory_gib: 0.0 };
        Meter::builder(load).sensor(Model(Watts(80.0)))
    })
}

/// Has the meter read until it knows the answer.
#[track_caller]
fn read_until(bench: &Bench, is_known: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_known() {
        assert!(began.elapsed() < Duration::from_secs(60), "the answer has been lost");
        bench.meter.read();
        std::thread::yield_now();
    }
}

#[test]
fn a_run_starts_and_ends_while_the_sensor_blocks_and_has_no_figure_of_it() {
    let bench = bench();
    let (sensor, device) = Device::new(Component::Gpu);
    bench.meter.add_sensor(sensor);
    let record = bench.run(Current, 2.0);
    assert_joules(record.cpu_energy, 80.0);
    assert_eq!((joules(record.gpu_energy), record.gpu_method.as_str()), (None, "none"));
    assert_joules(record.energy, 80.0);
    // What it measures at last is not that of a run that came later.
    bench.pass(5.0);
    let run = bench.tracker(Current).start().expect("a run");
    device.answer(&bench, |_| Reading::Power(Watts(100.0)));
    read_until(&bench, || joules(run.snapshot().gpu_energy).is_some());
    bench.pass(1.92);
    let record = run.stop().expect("a record");
    assert_joules(record.gpu_energy, 200.0);
    assert_eq!(record.gpu_method, "sampled:blocking", "from its start to its end");
}

#[test]
fn a_counter_read_late_gives_the_run_its_energy_from_the_start_on() {
    let bench = bench();
    let (sensor, device) = Device::new(Component::Gpu);
    bench.meter.add_sensor(sensor);
    let run = bench.tracker(Current).start().expect("a run");
    // 100 W, and 200 W from the tenth second on.
    let joules_at =
        |now: f64| Reading::Energy(Joules(7e6 + 100.0 * now + 100.0 * (now - 10.0).max(0.0)));
    device.answer(&bench, joules_at);
    assert_eq!(joules(run.snapshot().gpu_energy), None, "no power is known");
    bench.clock.advance(Duration::from_secs(1));
    device.answer(&bench, joules_at);
    read_until(&bench, || joules(run.snapshot().gpu_energy).is_some());
    assert_joules(run.snapshot().gpu_energy, 100.0 * bench.clock.now().as_secs_f64());
    bench.clock.advance(Duration::from_secs(20).saturating_sub(bench.clock.now()));
    bench.meter.read();
    assert_joules(run.snapshot().gpu_energy, 100.0 * 20.0);
    // The next reading corrects this.
    device.answer(&bench, joules_at);
    read_until(&bench, || joules(run.snapshot().gpu_energy) > Some(2500.0));
    let record = run.stop().expect("a record");
    // Up to the third value, and from then on by the power since the second.
    let [second, third, end] = [1.12, 20.04, 20.08];
    let power = (100.0 * (10.0 - second) + 200.0 * (third - 10.0)) / (third - second);
    assert_joules(record.gpu_energy, 100.0 * 10.0 + 200.0 * (third - 10.0) + power * (end - third));
    assert_eq!(record.gpu_method, "measured:blocking");
    assert_joules(record.own_energy, 40.0 * end + joules(record.gpu_energy).expect("an energy"));
}

#[test]
fn energy_between_runs_is_nobody_s() {
    let bench = bench();
    let (sensor, device) = Device::new(Component::Gpu);
    bench.meter.add_sensor(sensor);
    let first = bench.tracker(Current).start().expect("a run");
    device.answer(&bench, |_| Reading::Power(Watts(100.0)));
    read_until(&bench, || joules(first.snapshot().gpu_energy).is_some());
    bench.clock.advance(Duration::from_millis(9_920));
    assert_joules(first.stop().expect("a record").gpu_energy, 1000.0);
    bench.clock.advance(Duration::from_secs(10));
    let second = bench.tracker(Current).start().expect("a run");
    bench.clock.advance(Duration::from_millis(9_960));
    // The mean was 150 W since the first reading, at 40 ms, of which two thirds were active.
    device.answer(&bench, |_| Reading::Power(Watts(200.0)));
    read_until(&bench, || joules(second.snapshot().gpu_energy) > Some(1100.0));
    let record = second.stop().expect("a record");
    let correction = 50.0 * (30.0 - 0.04) + 100.0 * 0.04;
    let active = (30.04 - 10.0 - 0.08) / (30.04 - 0.08);
    assert_joules(record.gpu_energy, 100.0 * 10.04 + correction * active);
}

#[test]
fn a_slow_meter_at_the_wall_counts_for_a_run_that_it_sees_from_now_on() {
    let bench = bench();
    let (sensor, device) = Device::new(Component::Machine);
    bench.meter.add_sensor(sensor);
    let run = bench.tracker(Current).start().expect("a run");
    device.answer(&bench, |_| Reading::Power(Watts(90.0)));
    read_until(&bench, || joules(run.snapshot().other_energy).is_some());
    bench.pass(9.92);
    let record = run.stop().expect("a record");
    assert_joules(record.energy, 900.0);
    assert_eq!(record.other_method, "sampled:blocking:rest");
}

#[test]
fn a_sensor_that_hangs_is_missing_after_a_while_and_the_others_go_on() {
    let bench = bench();
    let (sensor, device) = Device::new(Component::Gpu);
    bench.meter.add_sensor(sensor);
    let run = bench.tracker(Current).start().expect("a run");
    device.answer(&bench, |_| Reading::Power(Watts(100.0)));
    read_until(&bench, || joules(run.snapshot().gpu_energy).is_some());
    bench.pass(99.92);
    let record = run.stop().expect("a record");
    assert_joules(record.cpu_energy, 4000.0);
    assert_eq!(record.gpu_method, "sampled:blocking:partial");
    let gpu = joules(record.gpu_energy).expect("an energy");
    assert!((3000.0..=4500.0).contains(&gpu), "{gpu} J: asked after 8 s, missing 30 s later");
    drop(device);
}

#[test]
fn a_sensor_that_becomes_slow_is_read_by_nobody_else_from_then_on() {
    /// Takes 50 ms at the second and third reading.
    struct BecomesSlow(ManualClock, Arc<Mutex<Vec<std::thread::ThreadId>>>);
    impl Sensor for BecomesSlow {
        fn source(&self) -> &'static str {
            "slow"
        }
        fn component(&self) -> Component {
            Component::Gpu
        }
        fn read(&mut self) -> Result<Reading, SensorError> {
            let mut readers = self.1.lock().expect("readers");
            readers.push(std::thread::current().id());
            if matches!(readers.len(), 2 | 3) {
                self.0.advance(Duration::from_millis(50));
            }
            Ok(Reading::Power(Watts(100.0)))
        }
    }
    let (bench, readers) = (bench(), Arc::<Mutex<Vec<_>>>::default());
    bench.meter.add_sensor(BecomesSlow(bench.clock.clone(), Arc::clone(&readers)));
    let read_by = |at: usize| readers.lock().expect("readers").get(at).copied();
    let run = bench.tracker(Current).start().expect("a run");
    assert_ne!(read_by(0), Some(std::thread::current().id()), "the first time");
    for reading in [1, 2] {
        bench.pass(1.0);
        // Once could be because the thread lost its CPU.
        assert_eq!(read_by(reading), Some(std::thread::current().id()), "{reading}");
    }
    read_until(&bench, || {
        bench.clock.advance(Duration::from_millis(10));
        read_by(3).is_some()
    });
    assert_ne!(read_by(3), Some(std::thread::current().id()));
    drop(run);
}

/// The clock of the system: a run that waited would never end.
#[test]
fn adding_a_sensor_that_blocks_and_a_run_beside_it_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let (sensor, device) = Device::new(Component::Other);
    let meter = Meter::builder(eco2ai_tests::scripted::Unknown).sensor(sensor).build();
    device.asked.recv().expect("a reading");
    let tracker = eco2ai::Tracker::builder().file(folder.path().join("emission.csv"));
    let tracker = tracker.meter(&meter).forget().build().expect("good parameters");
    let record = tracker.start().and_then(eco2ai::Run::stop).expect("a record");
    assert_eq!((joules(record.other_energy), record.other_method.as_str()), (None, "none"));
}
