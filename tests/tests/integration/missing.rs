//! What cannot be read is missing and said to be, never 0; and what follows is right.
#![cfg(target_os = "linux")]

use std::time::Duration;

use eco2ai::CpuProcesses::{All, Current};
use eco2ai::Record;
use eco2ai::meter::{Clock, ManualClock, Meter, MeterBuilder};
use eco2ai::sensor::{
    Component, NvidiaGpu, Rapl, Reading, Sensor, SensorError, Usage, UsageSource,
};
use eco2ai::units::{Joules, Watts};
use eco2ai_tests::bench::{Bench, assert_about, assert_joules, joules};
use eco2ai_tests::curve::Curve;
use eco2ai_tests::fake_nvml::FakeNvml;
use eco2ai_tests::fake_nvml::script::{Device, Script};
use eco2ai_tests::fake_tree::FakeTree;
use eco2ai_tests::scripted::{Counter, Gauge, Load, Model};

fn load(clock: &ManualClock) -> Load {
    Load { clock: clock.clone(), own: 1.0, others: 0.0, memory_gib: 0.0 }
}

/// A sensor that cannot be read from one second to another.
struct Silent<S> {
    sensor: S,
    clock: ManualClock,
    from: f64,
    to: f64,
}

impl<S: Sensor> Sensor for Silent<S> {
    fn source(&self) -> &str {
        self.sensor.source()
    }

    fn component(&self) -> Component {
        self.sensor.component()
    }

    fn read(&mut self) -> Result<Reading, SensorError> {
        if (self.from..self.to).contains(&self.clock.now().as_secs_f64()) {
            return Err(SensorError::Missing("not now".into()));
        }
        self.sensor.read()
    }
}

/// A counter or a gauge of a steady 100 W, silent from one second to another.
fn bench(counts: bool, from: f64, to: f64) -> Bench {
    Bench::new(|clock| {
        let meter = Meter::builder(load(clock));
        let (clock, component, curve) = (clock.clone(), Component::Gpu, Curve::Constant(100.0));
        if counts {
            let tick = Duration::ZERO;
            let sensor = Counter { clock: clock.clone(), component, curve, tick, reset_at: None };
            meter.sensor(Silent { sensor, clock, from, to })
        } else {
            let sensor = Gauge { clock: clock.clone(), component, curve };
            meter.sensor(Silent { sensor, clock, from, to })
        }
    })
}

/// Lets so many seconds pass, with a reading at the end of each.
fn pass(bench: &Bench, seconds: u32) {
    for _ in 0..seconds {
        bench.clock.advance(Duration::from_secs(1));
        bench.meter.read();
    }
}

fn gpu(record: &Record) -> (Option<f64>, &str) {
    (joules(record.gpu_energy).map(f64::round), record.gpu_method.as_str())
}

#[test]
fn a_reading_or_two_that_are_missing_cost_nothing() {
    for counts in [true, false] {
        let bench = bench(counts, 4.5, 6.5);
        let run = bench.tracker(All).start().expect("a run");
        pass(&bench, 6);
        assert_eq!(joules(run.snapshot().gpu_energy).map(f64::round), Some(600.0), "as it goes on");
        pass(&bench, 4);
        let record = run.stop().expect("a record");
        assert_joules(record.gpu_energy, 1000.0);
        let quality = if counts { "measured:counter" } else { "sampled:gauge" };
        assert_eq!(record.gpu_method, quality);
    }
}

#[test]
fn a_device_that_is_silent_for_long_is_missing_for_that_time_and_marked() {
    for (counts, method) in [(true, "measured:counter"), (false, "sampled:gauge")] {
        let bench = bench(counts, 10.5, 100.5);
        let before = bench.tracker(All).start().expect("a run");
        pass(&bench, 40);
        let before = before.stop().expect("a record");
        // It is known up to the tenth second, and taken to go on until its silence is told.
        assert_about(before.gpu_energy, 1000.0, 200.0);
        assert_eq!(before.gpu_method, format!("{method}:partial"));

        let amid = bench.tracker(All).start().expect("a run");
        pass(&bench, 10);
        assert_eq!(gpu(&amid.stop().expect("a record")), (None, "none"), "missing, not 0");

        // What was counted before this run and in the silence is not this run's.
        let across = bench.tracker(All).start().expect("a run");
        pass(&bench, 70);
        let across = across.stop().expect("a record");
        assert_about(across.gpu_energy, 1900.0, 1.0);
        assert_eq!(across.gpu_method, format!("{method}:partial"));

        let after = bench.tracker(All).start().expect("a run");
        pass(&bench, 10);
        assert_eq!(gpu(&after.stop().expect("a record")), (Some(1000.0), method));
    }
}

#[test]
fn a_device_that_is_silent_from_the_first_reading_on_marks_the_run() {
    for (until, energy) in [(5.5, 400.0), (0.5, 900.0)] {
        let bench = bench(true, 0.0, until);
        let run = bench.tracker(All).start().expect("a run");
        pass(&bench, 10);
        let record = run.stop().expect("a record");
        assert_eq!(gpu(&record), (Some(energy), "measured:counter:partial"));
    }
}

#[test]
fn where_the_wall_meter_fell_silent_the_parts_are_the_total() {
    let bench = Bench::new(|clock| {
        let sensor = Gauge {
            clock: clock.clone(),
            component: Component::Machine,
            curve: Curve::Constant(90.0),
        };
        let wall = Silent { sensor, clock: clock.clone(), from: 10.5, to: 1e9 };
        let cpu = Model(Watts(80.0));
        Meter::builder(load(clock)).sensor(cpu).sensor(wall)
    });
    let seen = bench.tracker(All).start().expect("a run");
    pass(&bench, 10);
    assert_joules(seen.stop().expect("a record").energy, 900.0);
    let amid = bench.tracker(All).start().expect("a run");
    pass(&bench, 10);
    assert_joules(amid.stop().expect("a record").energy, 400.0);
}

/// The boards of one library, a reading each second.
struct Boards {
    nvml: FakeNvml,
    bench: Bench,
}

impl Boards {
    fn new(devices: Vec<Device>) -> Self {
        let nvml = FakeNvml::new(Script { devices, ..Script::default() });
        let bench = Bench::new(|clock| {
            let gpus = NvidiaGpu::all_from(&nvml.library(), None, None).expect("boards");
            gpus.into_iter().fold(Meter::builder(load(clock)), MeterBuilder::sensor)
        });
        Self { nvml, bench }
    }

    fn run(&self, seconds: u32) -> Record {
        let run = self.bench.tracker(All).start().expect("a run");
        for _ in 0..seconds {
            self.bench.clock.advance(Duration::from_secs(1));
            self.nvml.set_time(self.bench.clock.now().as_secs_f64());
            self.bench.meter.read();
        }
        run.stop().expect("a record")
    }
}

/// A board at this place of the bus, which takes 100 W.
fn board(bus: u32) -> Device {
    Device {
        uuid: format!("GPU-{bus:02x}aaaaaa-0000-0000-0000-000000000000"),
        bus_id: format!("00000000:{bus:02X}:00.0"),
        ..Device::default()
    }
}

#[test]
fn a_board_that_falls_off_the_bus_is_marked_and_the_others_go_on() {
    let boards = Boards::new(vec![Device { lost_at: Some(4.5), ..board(1) }, board(2)]);
    assert_eq!(gpu(&boards.run(10)), (Some(400.0 + 1000.0), "measured:nvml:partial"));
    assert_eq!(gpu(&boards.run(10)), (Some(1000.0), "measured:nvml:partial"), "one is missing");
}

#[test]
fn the_only_board_falls_off_the_bus() {
    let boards = Boards::new(vec![Device { lost_at: Some(4.5), ..board(1) }]);
    assert_eq!(gpu(&boards.run(10)), (Some(400.0), "measured:nvml:partial"));
    assert_eq!(gpu(&boards.run(10)), (None, "none"));
}

#[test]
fn a_driver_that_is_loaded_anew_costs_nothing() {
    let boards = Boards::new(vec![Device { reset_at: Some(4.5), ..board(1) }]);
    let record = boards.run(10);
    assert_joules(record.gpu_energy, 1000.0);
    assert_eq!(record.gpu_method, "measured:nvml");
}

#[test]
fn instead_of_a_counter_that_stands_still_the_power_is_used() {
    for seconds in [1, 2, 10] {
        let boards = Boards::new(vec![Device { counter_factor: 0.0, ..board(1) }]);
        let record = boards.run(seconds);
        assert_joules(record.gpu_energy, 100.0 * f64::from(seconds));
        assert_eq!(record.gpu_method, "sampled:nvml", "{seconds} s");
    }
    // No energy is counted twice or lost when the counter stops in the middle of a run.
    let boards = Boards::new(vec![Device { frozen_at: Some(5.0), ..board(1) }, board(2)]);
    assert_eq!(gpu(&boards.run(5)), (Some(1000.0), "measured:nvml"));
    assert_eq!(gpu(&boards.run(10)), (Some(2000.0), "sampled:nvml"));
    assert_eq!(gpu(&boards.run(10)), (Some(2000.0), "sampled:nvml"));
}

#[test]
fn a_counter_that_jumps_or_counts_too_much_adds_no_energy_that_the_board_cannot_use() {
    let boards = Boards::new(vec![Device { jump_at: Some(4.5), ..board(1) }]);
    assert_eq!(gpu(&boards.run(10)), (Some(1000.0), "sampled:nvml"));
    let boards = Boards::new(vec![Device { counter_factor: 10.0, ..board(1) }]);
    assert_eq!(gpu(&boards.run(10)), (Some(1000.0), "sampled:nvml"));
}

#[test]
fn instead_of_a_counter_that_shows_half_of_the_power_the_power_is_used() {
    let boards = Boards::new(vec![Device { counter_factor: 0.5, ..board(1) }]);
    boards.run(20);
    assert_eq!(gpu(&boards.run(10)), (Some(1000.0), "sampled:nvml"));
}

#[test]
fn a_power_that_is_wrong_or_missing_does_not_disturb_a_counter() {
    let wrong = Device { power_factor: 50.0, ..board(1) };
    let fails = ["field 186", "nvmlDeviceGetPowerUsage"].map(|call| (call.to_owned(), 3));
    let missing = Device { fails: fails.into(), ..board(2) };
    let boards = Boards::new(vec![wrong, missing]);
    assert_eq!(gpu(&boards.run(30)), (Some(6000.0), "measured:nvml"));
}

#[test]
fn a_power_far_above_the_limit_is_missing_and_marked_until_it_is_right_again() {
    let fails = [("nvmlDeviceGetTotalEnergyConsumption".to_owned(), 3)];
    let right = Device { fails: fails.into(), ..board(1) };
    let absurd = Device { curve: Curve::Constant(593.0), power_limit: 160_000, ..right.clone() };
    let boards = Boards::new(vec![absurd.clone()]);
    assert_eq!(gpu(&boards.run(10)), (None, "none"));
    boards.nvml.play(Script { devices: vec![right.clone()], ..Script::default() });
    assert_eq!(
        gpu(&boards.run(10)),
        (Some(900.0), "sampled:nvml:partial"),
        "from its first reading"
    );
    assert_eq!(gpu(&boards.run(10)), (Some(1000.0), "sampled:nvml"));
    // A single one is bridged by the power before it.
    let run = boards.bench.tracker(All).start().expect("a run");
    for devices in [vec![absurd], vec![right]] {
        boards.nvml.play(Script { devices, ..Script::default() });
        pass(&boards.bench, 1);
    }
    assert_eq!(gpu(&run.stop().expect("a record")), (Some(200.0), "sampled:nvml"));
}

#[test]
fn a_zone_that_fails_for_a_moment_is_no_wrap() {
    const FILE: &str = "sys/class/powercap/intel-rapl:0/energy_uj";
    let mut tree = FakeTree::new();
    let (start, range) = (100_000_000_000, 262_143_328_850);
    tree.zone("intel-rapl:0", "package-0", Curve::Constant(50.0), start, range);
    let bench = Bench::new(|clock| {
        let packages = Rapl::packages(&tree.powercap()).expect("packages");
        Meter::builder(load(clock)).sensor(packages.on_clock(tree.clock()))
    });
    let run = bench.tracker(All).start().expect("a run");
    for second in 1..=10_u32 {
        bench.clock.advance(Duration::from_secs(1));
        tree.set_time(second.into());
        if second == 5 {
            tree.write(FILE, "");
        }
        bench.meter.read();
    }
    let record = run.stop().expect("a record");
    assert_joules(record.cpu_energy, 500.0);
    assert_eq!(record.cpu_method, "measured:rapl");
}

/// A counter that is found to stand still after three seconds: from then on a model.
struct StandsStill(ManualClock);

impl Sensor for StandsStill {
    fn source(&self) -> &'static str {
        "counter"
    }

    fn component(&self) -> Component {
        Component::Cpu
    }

    fn read(&mut self) -> Result<Reading, SensorError> {
        let is_known = self.0.now() >= Duration::from_secs(3);
        Ok(if is_known { Reading::AtFullLoad(Watts(80.0)) } else { Reading::Energy(Joules(5.0)) })
    }
}

#[test]
fn a_model_that_replaces_a_counter_covers_the_time_since_its_last_reading() {
    let bench = Bench::new(|clock| Meter::builder(load(clock)).sensor(StandsStill(clock.clone())));
    let run = bench.tracker(All).start().expect("a run");
    bench.clock.advance(Duration::from_secs(4));
    let record = run.stop().expect("a record");
    // One of two CPUs is busy.
    assert_joules(record.cpu_energy, 4.0 * 80.0 / 2.0);
    assert_eq!(record.cpu_method, "estimated:counter");
}

/// A processor of two sockets, one of which cannot be read at first.
struct TwoSockets(ManualClock);

impl Sensor for TwoSockets {
    fn source(&self) -> &'static str {
        "two-sockets"
    }

    fn component(&self) -> Component {
        Component::Cpu
    }

    fn read(&mut self) -> Result<Reading, SensorError> {
        Ok(Reading::Power(Watts(if self.is_partial() { 50.0 } else { 100.0 })))
    }

    fn is_partial(&self) -> bool {
        self.0.now() < Duration::from_secs(20)
    }
}

#[test]
fn a_sensor_that_lacks_a_part_of_its_device_marks_the_runs_of_that_time() {
    let bench = Bench::new(|clock| Meter::builder(load(clock)).sensor(TwoSockets(clock.clone())));
    assert_eq!(bench.run(All, 10.0).cpu_method, "sampled:two-sockets:partial");
    assert_eq!(bench.run(All, 15.0).cpu_method, "sampled:two-sockets:partial");
    assert_eq!(bench.run(All, 10.0).cpu_method, "sampled:two-sockets");
}

/// The usage of a process some of whose children cannot be seen.
struct HiddenChildren(Load);

impl UsageSource for HiddenChildren {
    fn read(&mut self) -> Usage {
        let mut usage = self.0.read();
        usage.is_partial = true;
        usage
    }

    fn refresh(&mut self) {
        self.0.refresh();
    }

    fn processes(&self) -> &[u32] {
        self.0.processes()
    }
}

#[test]
fn children_that_cannot_be_seen_mark_what_depends_on_them() {
    let bench = Bench::new(|clock| {
        let component = Component::Gpu;
        let gpu = Gauge { clock: clock.clone(), component, curve: Curve::Constant(100.0) };
        Meter::builder(HiddenChildren(load(clock))).sensor(Model(Watts(80.0))).sensor(gpu)
    });
    let record = bench.run(Current, 10.0);
    assert_eq!(record.cpu_method, "estimated:model:partial");
    assert_eq!(record.gpu_method, "sampled:gauge");
    assert_eq!(bench.run(All, 10.0).cpu_method, "estimated:model", "no part of the machine");
}
