//! Which part of the machine's energy a run is charged with: the process's, or all of it.
#![cfg(target_os = "linux")]

use std::time::Duration;

use eco2ai::meter::{ManualClock, Meter, MeterBuilder};
use eco2ai::sensor::{
    Component, CpuModel, LinuxUsage, NvidiaGpu, RamModel, Rapl, Reading, Sensor, SensorError,
    Share, Usage, UsageSource,
};
use eco2ai::units::Watts;
use eco2ai::{CpuProcesses, Record, Scope};
use eco2ai_tests::bench::{Bench, assert_joules};
use eco2ai_tests::curve::Curve;
use eco2ai_tests::fake_nvml::FakeNvml;
use eco2ai_tests::fake_nvml::script::{Device, Process, Script};
use eco2ai_tests::fake_tree::{FakeProcess, FakeTree};
use eco2ai_tests::scripted::{Counter, Gauge, Listed, Load, Model};

const OWN: u32 = 100;
const STRANGER: u32 = 999;
/// Ticks of CPU time in a second.
const HZ: u64 = 100;
const RANGE: u64 = 262_143_328_850;

/// A machine of two CPUs whose packages take 50 W and whose memory takes 8 W. The process keeps
/// half a CPU busy, the others one and a half; of 4 GiB in use it holds 1 GiB.
struct Machine {
    tree: FakeTree,
    bench: Bench,
    second: u32,
}

impl Machine {
    fn new() -> Self {
        let mut tree = FakeTree::new();
        tree.zone("intel-rapl:0", "package-0", Curve::Constant(50.0), 1_000_000, RANGE);
        tree.zone("intel-rapl:0:0", "dram", Curve::Constant(8.0), 9_000_000, RANGE);
        set(&tree, 0, HZ / 2);
        let bench = Bench::new(|_| {
            Meter::builder(LinuxUsage::at(&tree.proc(), OWN))
                .sensor(Rapl::packages(&tree.powercap()).expect("packages"))
                .sensor(Rapl::dram(&tree.powercap()).expect("memory"))
        });
        Self { tree, bench, second: 0 }
    }

    /// Lets seconds pass, with a reading at the end of each.
    fn pass(&mut self, seconds: u32, own_per_second: u64) {
        for _ in 0..seconds {
            self.second += 1;
            self.bench.clock.advance(Duration::from_secs(1));
            self.tree.set_time(f64::from(self.second));
            set(&self.tree, self.second.into(), own_per_second);
            self.bench.meter.read();
        }
    }
}

/// Sets the tree to what it shows after so many seconds.
fn set(tree: &FakeTree, second: u64, own_per_second: u64) {
    tree.machine(1000 + second * 2 * HZ, 4 << 20);
    let pages = (1_u64 << 30) / page_bytes();
    let own = 50 + second * own_per_second;
    tree.process(FakeProcess { pid: OWN, parent: 1, own, pages, ..FakeProcess::default() });
}

/// The size of a page, as the usage of one page shows it.
fn page_bytes() -> u64 {
    let tree = FakeTree::new();
    tree.process(FakeProcess { pid: OWN, pages: 1, ..FakeProcess::default() });
    LinuxUsage::at(&tree.proc(), OWN).read().own_memory.expect("a page")
}

#[test]
fn the_process_gets_its_part_by_cpu_time_and_memory_and_the_machine_gets_all() {
    let mut machine = Machine::new();
    // On no thread, so that each is a root of its own.
    let all = machine.bench.tracker(CpuProcesses::All).start_detached().expect("a run");
    let current = machine.bench.tracker(CpuProcesses::Current).start().expect("a run");
    machine.pass(10, HZ / 2);
    let (current, all) = (current.stop().expect("a record"), all.stop().expect("a record"));

    assert_joules(current.cpu_energy, 50.0 * 10.0 * 0.25);
    assert_joules(current.ram_energy, 8.0 * 10.0 * 0.25);
    assert_eq!(current.cpu_method, "measured:rapl:share");
    assert_eq!(current.ram_method, "measured:rapl:share");
    assert_eq!(current.scope, Scope::Process);

    assert_joules(all.cpu_energy, 500.0);
    assert_joules(all.ram_energy, 80.0);
    assert_eq!(
        (all.cpu_method.as_str(), all.ram_method.as_str()),
        ("measured:rapl", "measured:rapl")
    );
    assert_eq!(all.scope, Scope::Machine);
    // Each scope is split between its own runs: neither takes from the other.
    assert_joules(current.process_energy, 125.0 + 20.0);
    assert_joules(all.process_energy, 580.0);
}

#[test]
fn the_share_is_that_of_each_stretch_not_of_all_time() {
    let mut machine = Machine::new();
    let busy = machine.bench.tracker(CpuProcesses::Current).start().expect("a run");
    machine.pass(10, HZ / 2);
    busy.stop().expect("a record");
    let at_rest = machine.bench.tracker(CpuProcesses::Current).start().expect("a run");
    // From here on the process uses nothing: its counter stays where it is.
    for second in 11..=20_u32 {
        machine.bench.clock.advance(Duration::from_secs(1));
        machine.tree.set_time(f64::from(second));
        machine.tree.machine(1000 + u64::from(second) * 2 * HZ, 4 << 20);
        machine.bench.meter.read();
    }
    assert_joules(at_rest.stop().expect("a record").cpu_energy, 0.0);
}

#[test]
fn a_nested_run_counts_in_the_scope_of_its_root() {
    let mut machine = Machine::new();
    for (root, nested, cpu) in [
        (CpuProcesses::All, CpuProcesses::Current, 50.0),
        (CpuProcesses::Current, CpuProcesses::All, 12.5),
    ] {
        let outer = machine.bench.tracker(root).start().expect("a run");
        let inner = machine.bench.tracker(nested).start().expect("a run");
        machine.pass(4, HZ / 2);
        let (inner, outer) = (inner.stop().expect("a record"), outer.stop().expect("a record"));
        assert_eq!((inner.scope, outer.scope), (root.into(), root.into()));
        assert_joules(inner.cpu_energy, cpu * 4.0);
        assert_joules(outer.cpu_energy, cpu * 4.0);
        assert_joules(outer.own_energy, 0.0);
    }
}

/// A processor whose energy is reported of this process alone: 3 W.
struct OfProcess(Counter);

impl Sensor for OfProcess {
    fn source(&self) -> &str {
        self.0.source()
    }

    fn component(&self) -> Component {
        Component::Cpu
    }

    fn scope(&self) -> Option<Scope> {
        Some(Scope::Process)
    }

    fn read(&mut self) -> Result<Reading, SensorError> {
        self.0.read()
    }
}

#[test]
fn a_counter_of_this_process_replaces_the_model_in_its_scope_only() {
    let bench = Bench::new(|clock| {
        let load = Load { clock: clock.clone(), own: 0.5, others: 1.0, memory_gib: 2.0 };
        Meter::builder(load).sensor(Model(Watts(80.0))).sensor(RamModel)
    });
    // Whichever comes first.
    bench.meter.add_sensor(OfProcess(Counter {
        clock: bench.clock.clone(),
        component: Component::Cpu,
        curve: Curve::Constant(3.0),
        tick: Duration::ZERO,
        reset_at: None,
    }));
    bench.meter.read();
    let all = bench.tracker(CpuProcesses::All).start_detached().expect("a run");
    let current = bench.tracker(CpuProcesses::Current).start().expect("a run");
    bench.pass(20.0);
    let (current, all) = (current.stop().expect("a record"), all.stop().expect("a record"));
    assert_joules(current.cpu_energy, 3.0 * 20.0);
    assert_eq!(current.cpu_method, "measured:counter");
    assert_joules(all.cpu_energy, 80.0 / 2.0 * 1.5 * 20.0);
    assert_eq!(all.cpu_method, "estimated:model");
    // Memory has both figures from the one sensor.
    assert_joules(current.ram_energy, 2.0 * 0.375 * 20.0);
    assert_joules(all.ram_energy, 4.0 * 0.375 * 20.0);
    assert_joules(current.process_energy, 60.0 + 15.0);
}

#[test]
fn a_counter_of_this_process_alone_says_nothing_of_the_machine() {
    let bench = Bench::new(|clock| {
        let load = Load { clock: clock.clone(), own: 0.5, others: 0.0, memory_gib: 0.0 };
        let counter = Counter {
            clock: clock.clone(),
            component: Component::Cpu,
            curve: Curve::Constant(3.0),
            tick: Duration::ZERO,
            reset_at: None,
        };
        Meter::builder(load).sensor(OfProcess(counter))
    });
    let record = bench.run(CpuProcesses::Current, 10.0);
    assert_joules(record.energy, 30.0);
    let all = bench.run(CpuProcesses::All, 10.0);
    assert_eq!(all.cpu_method, "none", "it says nothing of the machine");
    assert_joules(all.energy, 0.0);
}

#[test]
fn modelled_energy_is_that_of_the_cpu_time_and_memory_in_use() {
    let bench = Bench::new(|clock| {
        let load = Load { clock: clock.clone(), own: 0.5, others: 1.0, memory_gib: 2.0 };
        Meter::builder(load).sensor(Model(Watts(80.0))).sensor(RamModel)
    });
    let current = bench.run(CpuProcesses::Current, 20.0);
    // 80 W for two CPUs; the idle part of the machine is nobody's.
    assert_joules(current.cpu_energy, 80.0 / 2.0 * 0.5 * 20.0);
    assert_joules(current.ram_energy, 2.0 * 0.375 * 20.0);
    assert_eq!(current.cpu_method, "estimated:model", "a model of the process is no share");
    let all = bench.run(CpuProcesses::All, 20.0);
    assert_joules(all.cpu_energy, 80.0 / 2.0 * 1.5 * 20.0);
    assert_joules(all.ram_energy, 4.0 * 0.375 * 20.0);
}

/// A board at this place of the bus, with these processes and 100 W.
fn board(bus: u32, processes: &[(u32, u32)]) -> Device {
    Device {
        uuid: format!("GPU-{bus:02x}aaaaaa-0000-0000-0000-000000000000"),
        bus_id: format!("00000000:{bus:02X}:00.0"),
        processes: processes.iter().map(|&(pid, sm)| Process { pid, sm }).collect(),
        ..Device::default()
    }
}

/// A run of ten seconds beside the given boards, which after five seconds are as in `later`.
fn on_boards(scope: CpuProcesses, first: &[Device], later: &[Device]) -> Record {
    let tree = FakeTree::new();
    set(&tree, 0, 0);
    let nvml = FakeNvml::new(Script { devices: first.to_owned(), ..Script::default() });
    let bench = Bench::new(|_| {
        let gpus = NvidiaGpu::all_from(&nvml.library(), None, None).expect("boards");
        let meter = Meter::builder(LinuxUsage::at(&tree.proc(), OWN));
        gpus.into_iter().fold(meter, MeterBuilder::sensor)
    });
    let run = bench.tracker(scope).start().expect("a run");
    for second in 1..=10_u32 {
        if second == 6 {
            nvml.play(Script { devices: later.to_owned(), ..Script::default() });
        }
        bench.clock.advance(Duration::from_secs(1));
        nvml.set_time(second.into());
        bench.meter.read();
    }
    run.stop().expect("a record")
}

#[test]
fn of_several_boards_those_count_that_the_process_works_on() {
    let boards = [
        board(1, &[(OWN, 90)]),
        board(2, &[(STRANGER, 90)]),
        board(3, &[(OWN, 60), (STRANGER, 20)]),
        board(4, &[]),
    ];
    let current = on_boards(CpuProcesses::Current, &boards, &boards);
    assert_joules(current.gpu_energy, 1000.0 + 750.0);
    assert_eq!(current.gpu_method, "measured:nvml:share");
    let all = on_boards(CpuProcesses::All, &boards, &boards);
    assert_joules(all.gpu_energy, 4000.0);
    assert_eq!(all.gpu_method, "measured:nvml");
}

#[test]
fn work_that_moves_to_another_board_is_followed_within_a_period() {
    let first = [board(1, &[(OWN, 90)]), board(2, &[])];
    let later = [board(1, &[]), board(2, &[(OWN, 90)])];
    let record = on_boards(CpuProcesses::Current, &first, &later);
    // The second in which it moves is charged by where it is at its end.
    assert_joules(record.gpu_energy, 1000.0);
}

#[test]
fn a_board_that_others_use_too_counts_whole_and_marked_where_nothing_tells_the_parts() {
    let mut shared = board(1, &[(OWN, 60), (STRANGER, 20)]);
    shared.fails = [("nvmlDeviceGetProcessUtilization".to_owned(), 3)].into();
    let record = on_boards(CpuProcesses::Current, &[shared.clone()], &[shared]);
    assert_joules(record.gpu_energy, 1000.0);
    assert_eq!(record.gpu_method, "measured:nvml:unshared");
}

#[test]
fn a_board_whose_part_was_unknown_for_some_time_marks_the_run() {
    let mut shared = board(1, &[(OWN, 60), (STRANGER, 20)]);
    shared.fails = [("nvmlDeviceGetProcessUtilization".to_owned(), 3)].into();
    let own = [board(1, &[(OWN, 60)])];
    let record = on_boards(CpuProcesses::Current, &[shared], &own);
    assert_eq!(record.gpu_method, "measured:nvml:unshared");
    let record = on_boards(CpuProcesses::Current, &own, &own);
    assert_eq!(record.gpu_method, "measured:nvml");
}

/// The machine's part of a usage is changed.
struct Changed(Load, fn(&mut Usage));

impl UsageSource for Changed {
    fn read(&mut self) -> Usage {
        let mut usage = self.0.read();
        (self.1)(&mut usage);
        usage
    }

    fn refresh(&mut self) {}

    fn processes(&self) -> &[u32] {
        &[]
    }
}

/// The usage on systems without `/proc`.
fn without_machine(usage: &mut Usage) {
    usage.busy_cpu = None;
    usage.used_memory = None;
}

/// The usage in a container of lxcfs.
fn of_container(usage: &mut Usage) {
    usage.of_container = true;
}

/// A meter on a machine of which the process keeps half a CPU busy, and the others one CPU.
fn meter_with(clock: &ManualClock, change: fn(&mut Usage)) -> MeterBuilder {
    let load = Load { clock: clock.clone(), own: 0.5, others: 1.0, memory_gib: 2.0 };
    Meter::builder(Changed(load, change))
}

#[test]
fn where_the_machines_usage_is_unknown_its_devices_count_whole_and_say_so() {
    for change in [without_machine, of_container] {
        let bench = Bench::new(|clock| {
            let memory = Listed {
                component: Component::Ram,
                answers: vec![Some(Reading::Power(Watts(8.0)))],
                share: Share::Memory,
            };
            let curve = Curve::Constant(30.0);
            let cpu = Gauge { clock: clock.clone(), component: Component::Cpu, curve };
            meter_with(clock, change).sensor(cpu).sensor(memory)
        });
        let record = bench.run(CpuProcesses::Current, 10.0);
        assert_joules(record.cpu_energy, 300.0);
        assert_joules(record.ram_energy, 80.0);
        assert_eq!(record.cpu_method, "sampled:gauge:unshared");
        assert_eq!(record.ram_method, "sampled:listed:unshared");
    }
}

#[test]
fn models_need_the_machines_usage_only_for_the_machine() {
    // 4 W per CPU.
    let run = |change, scope| {
        let bench = Bench::new(|clock| {
            meter_with(clock, change).sensor(CpuModel::from_watts(Watts(8.0))).sensor(RamModel)
        });
        bench.run(scope, 10.0)
    };
    for change in [without_machine, of_container] {
        let record = run(change, CpuProcesses::Current);
        assert_joules(record.cpu_energy, 20.0);
        assert_joules(record.ram_energy, 7.5);
        assert_eq!(record.cpu_method, "estimated:tdp");
        let record = run(change, CpuProcesses::All);
        assert_eq!(record.cpu_method, "estimated:tdp:partial");
        assert_eq!(record.ram_method, "estimated:model:partial");
    }
    assert_joules(run(of_container, CpuProcesses::All).cpu_energy, 60.0);
    assert_eq!(run(|_| (), CpuProcesses::All).cpu_method, "estimated:tdp");
}

#[test]
fn a_container_is_charged_by_the_threads_of_the_machine() {
    let tree = FakeTree::new();
    // lxcfs shows two CPUs of a machine with 128.
    tree.write("sys/devices/system/cpu/online", "0-1");
    tree.write("sys/devices/system/cpu/cpu0/topology/package_cpus_list", "0-127");
    set(&tree, 0, HZ);
    let bench = Bench::new(|_| {
        let model = CpuModel::from_watts(Watts(280.0));
        Meter::builder(LinuxUsage::at(&tree.proc(), OWN)).sensor(model)
    });
    let run = bench.tracker(CpuProcesses::Current).start().expect("a run");
    bench.clock.advance(Duration::from_secs(10));
    set(&tree, 10, HZ);
    bench.meter.read();
    let record = run.stop().expect("a row");
    assert_joules(record.cpu_energy, 10.0 * 280.0 / 128.0);
}
