//! NVIDIA GPUs, on a fake NVML that is loaded like the real one.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::time::Duration;

use eco2ai::sensor::{Bounds, Component, NvidiaGpu, Quality, Reading, Sensor, SensorError, Share};
use eco2ai_tests::curve::Curve;
use eco2ai_tests::fake_nvml::FakeNvml;
use eco2ai_tests::fake_nvml::script::{Device, Process, Script};
use eco2ai_tests::fake_tree::FakeTree;

const OUR_PID: u32 = 4242;
const NOT_SUPPORTED: u32 = 3;
const NOT_FOUND: u32 = 6;
const UNKNOWN: u32 = 999;

/// A board at this place of the bus.
fn board(bus: u32) -> Device {
    Device {
        uuid: format!("GPU-{bus:02x}aaaaaa-0000-0000-0000-000000000000"),
        bus_id: format!("00000000:{bus:02X}:00.0"),
        ..Device::default()
    }
}

fn failing(functions: &[&str], code: u32) -> BTreeMap<String, u32> {
    functions.iter().map(|&function| (function.to_owned(), code)).collect()
}

fn play(devices: Vec<Device>) -> FakeNvml {
    FakeNvml::new(Script { devices, ..Script::default() })
}

fn open(nvml: &FakeNvml) -> Vec<NvidiaGpu> {
    NvidiaGpu::all_from(&nvml.library(), None, None).unwrap()
}

fn joules(gpu: &mut NvidiaGpu) -> f64 {
    match gpu.read().unwrap() {
        Reading::Energy(energy) => energy.0,
        other => panic!("{other:?}"),
    }
}

fn watts(gpu: &mut NvidiaGpu) -> f64 {
    match gpu.read().unwrap() {
        Reading::Power(power) => power.0,
        other => panic!("{other:?}"),
    }
}

#[test]
fn samples_of_boards_that_measure_for_a_quarter_of_the_time_have_no_published_error() {
    let named = |bus, name: &str| Device { name: name.into(), ..board(bus) };
    let nvml = play(vec![named(1, "NVIDIA A100-SXM4-40GB"), named(2, "NVIDIA L4")]);
    let published = Bounds::published(Component::Gpu, "nvml", Quality::Sampled);
    let bounds = open(&nvml).iter().map(|gpu| gpu.bounds(Quality::Sampled)).collect::<Vec<_>>();
    assert_eq!(bounds, [Bounds::UNKNOWN, published]);
}

#[test]
fn the_energy_counter_is_read_where_there_is_one() {
    let curve = Curve::Square { low: 50.0, high: 350.0, period: 2.0 };
    let nvml = play(vec![Device { curve, ..board(1) }]);
    let mut gpus = open(&nvml);
    let gpu = &mut gpus[0];
    assert_eq!((gpu.source(), gpu.component()), ("nvml", Component::Gpu));
    assert_eq!(gpu.tick(), Duration::from_millis(100));
    let first = joules(gpu);
    nvml.set_time(61.0);
    let counted = joules(gpu) - first;
    assert!((counted - curve.joules(61.0)).abs() < 0.01, "{counted}");
    let hint = gpu.power().unwrap().0;
    assert!((hint - curve.watts(61.0)).abs() < 1e-6, "the power to go on with");
}

#[test]
fn without_a_counter_the_instant_power_is_taken_and_else_the_average() {
    let counter = "nvmlDeviceGetTotalEnergyConsumption";
    let no_counter = Device { fails: failing(&[counter], NOT_SUPPORTED), ..board(1) };
    let no_instant = Device { fails: failing(&[counter, "field 186"], NOT_SUPPORTED), ..board(2) };
    // Some virtual GPUs have a counter that stands at 0.
    let dead = Device { counter_start: 0.0, counter_factor: 0.0, ..board(3) };
    let nvml = play(vec![no_counter, no_instant, dead]);
    let mut gpus = open(&nvml);
    assert_eq!(gpus.len(), 3);
    for gpu in &mut gpus {
        assert!((watts(gpu) - 100.0).abs() < 1e-6);
        assert_eq!(gpu.tick(), Duration::ZERO);
    }
}

#[test]
fn a_device_that_fails_disables_no_other() {
    let broken = Device { fails: failing(&["nvmlDeviceGetHandle"], UNKNOWN), ..board(1) };
    let all = ["nvmlDeviceGetTotalEnergyConsumption", "field 186", "nvmlDeviceGetPowerUsage"];
    let mute = Device { fails: failing(&all, NOT_SUPPORTED), ..board(2) };
    let nvml = play(vec![broken, mute, board(3)]);
    let mut gpus = open(&nvml);
    assert_eq!(gpus.len(), 1);
    assert_eq!(gpus[0].uuid(), board(3).uuid);
    assert!(joules(&mut gpus[0]) > 0.0);
}

#[test]
fn a_lost_device_is_lost_and_the_others_go_on() {
    let nvml = play(vec![Device { lost_at: Some(5.0), ..board(1) }, board(2)]);
    let mut gpus = open(&nvml);
    joules(&mut gpus[0]);
    nvml.set_time(6.0);
    assert!(matches!(gpus[0].read(), Err(SensorError::Lost(_))));
    assert!(joules(&mut gpus[1]) > 0.0);
}

#[test]
fn a_reset_shows_as_a_falling_counter_never_as_a_huge_one() {
    let nvml = play(vec![Device { reset_at: Some(5.0), ..board(1) }]);
    let mut gpus = open(&nvml);
    let before = joules(&mut gpus[0]);
    nvml.set_time(6.0);
    let after = joules(&mut gpus[0]);
    assert!(after < before && (after - 100.0).abs() < 0.01, "{after}");
}

#[test]
fn a_failed_reading_is_missing_not_zero() {
    let nvml = play(vec![board(1)]);
    let mut gpus = open(&nvml);
    let fails = failing(&["nvmlDeviceGetTotalEnergyConsumption"], UNKNOWN);
    nvml.play(Script { devices: vec![Device { fails, ..board(1) }], ..Script::default() });
    assert!(matches!(gpus[0].read(), Err(SensorError::Missing(_))));
}

/// The places on the bus of the devices that the two variables choose; the second is the fastest.
fn chosen(visible: &str, order: Option<&str>) -> Vec<u32> {
    let mut fast = Device { cores: 16_896, ..board(2) };
    fast.mig_uuids = vec!["MIG-11111111-x".into(), "MIG-22222222-x".into()];
    // The library tells them in another order than that of the bus.
    let nvml = play(vec![fast, board(1), board(3)]);
    let gpus = NvidiaGpu::all_from(&nvml.library(), Some(visible), order).unwrap();
    let bus = |gpu: &NvidiaGpu| (1..=3).find(|&bus| board(bus).uuid == gpu.uuid()).unwrap();
    gpus.iter().map(bus).collect()
}

#[test]
fn cuda_visible_devices_is_obeyed_in_all_its_forms() {
    const NONE: [u32; 0] = [];
    let pci = Some("PCI_BUS_ID");
    assert_eq!(chosen("0", pci), [1], "in the order of the bus");
    assert_eq!(chosen("0", None), [2], "the fastest first");
    assert_eq!(chosen("2,0", pci), [1, 3]);
    assert_eq!(chosen("", pci), NONE);
    assert_eq!(chosen("-1", pci), NONE);
    assert_eq!(chosen("1,9,0", pci), [2]);
    assert_eq!(chosen("GPU-03aa", None), [3]);
    assert_eq!(chosen("GPU-0", None), NONE, "a prefix of three");
    assert_eq!(chosen("MIG-22222222-x", None), [2]);
    assert_eq!(chosen(&format!("MIG-{}/1/0", board(3).uuid), None), [3]);
}

fn process(pid: u32, sm: u32) -> Process {
    Process { pid, sm }
}

#[test]
fn the_devices_are_narrowed_to_those_that_we_have_a_context_on() {
    let ours = Device { processes: vec![process(OUR_PID, 70)], ..board(2) };
    let theirs = Device { processes: vec![process(1, 90)], ..board(3) };
    let nvml = play(vec![board(1), ours.clone(), theirs.clone()]);
    let mut gpus = open(&nvml);
    let shares = |gpus: &mut Vec<NvidiaGpu>| -> Vec<Share> {
        gpus.iter_mut().map(|gpu| gpu.share(&[7, OUR_PID])).collect()
    };
    let none = Share::Fraction(0.0);
    assert_eq!(shares(&mut gpus), [none, Share::Whole, none], "the first who asks knows it too");
    // The work moves to the first board.
    let busy = Device { processes: vec![process(OUR_PID, 70)], ..board(1) };
    nvml.play(Script { devices: vec![busy, board(2), theirs], ..Script::default() });
    assert_eq!(shares(&mut gpus), [Share::Whole, none, none]);
}

/// The PID namespace of a host, and that of a container.
const HOST: &str = "pid:[4026531836]";
const CONTAINER: &str = "pid:[4026532456]";

/// A `/proc` in this PID namespace.
fn processes_in(namespace: &str) -> FakeTree {
    let tree = FakeTree::new();
    std::fs::create_dir_all(tree.proc().join("self/ns")).unwrap();
    symlink(namespace, tree.proc().join("self/ns/pid")).unwrap();
    tree
}

/// Adds a process, or a thread of `group`, in this state.
fn add_process(tree: &FakeTree, pid: u32, group: u32, state: &str) {
    let status = format!("Name:\tx\nState:\t{state}\nTgid:\t{group}\nPid:\t{pid}");
    tree.write(&format!("proc/{pid}/status"), status);
}

fn with_processes(bus: u32, pids: &[u32]) -> Device {
    Device { processes: pids.iter().map(|&pid| process(pid, 50)).collect(), ..board(bus) }
}

/// Our share of each board, beside the processes of `tree`.
fn shares(devices: Vec<Device>, tree: &FakeTree) -> Vec<Share> {
    let nvml = play(devices);
    let mut gpus = NvidiaGpu::all_beside(&nvml.library(), &tree.proc()).unwrap();
    gpus.iter_mut().map(|gpu| gpu.share(&[OUR_PID])).collect()
}

const NOTHING: Share = Share::Fraction(0.0);
const UNKNOWN_PART: Share = Share::WholeThoughShared;

#[test]
fn on_a_host_boards_without_a_context_of_ours_are_not_ours() {
    let host = processes_in(HOST);
    // Whether or not the others can be seen (`hidepid`).
    add_process(&host, 50, 50, "S (sleeping)");
    let idle = || (1..=8).map(board).collect();
    assert_eq!(shares(idle(), &host), [NOTHING; 8]);
    let used = vec![with_processes(1, &[50]), with_processes(2, &[50, 60]), board(3)];
    assert_eq!(shares(used, &host), [NOTHING; 3]);
    let ours = vec![with_processes(1, &[OUR_PID]), with_processes(2, &[60]), board(3)];
    assert_eq!(shares(ours, &host), [Share::Whole, NOTHING, NOTHING]);
}

#[test]
fn in_a_container_where_no_process_is_listed_all_boards_count_and_are_marked() {
    let container = processes_in(CONTAINER);
    assert_eq!(shares(vec![board(1), board(2)], &container), [UNKNOWN_PART; 2]);
    // Nor if it is not known what this is.
    assert_eq!(shares(vec![board(1)], &FakeTree::new()), [UNKNOWN_PART]);
}

#[test]
fn in_a_container_processes_that_we_can_see_are_others() {
    let container = processes_in(CONTAINER);
    add_process(&container, 50, 50, "S (sleeping)");
    add_process(&container, 60, 60, "R (running)");
    let used = || vec![with_processes(1, &[50]), with_processes(2, &[50, 60]), board(3)];
    assert_eq!(shares(used(), &container), [NOTHING; 3]);
    // A process that we cannot see: the ids are those of the host, and 50 is one of ours by chance.
    let mut hosts = used();
    hosts.push(with_processes(4, &[900_001]));
    assert_eq!(shares(hosts, &container), [UNKNOWN_PART; 4]);
}

#[test]
fn a_thread_or_a_zombie_with_a_listed_id_has_it_by_chance() {
    let container = processes_in(CONTAINER);
    add_process(&container, 50, 40, "S (sleeping)");
    add_process(&container, 60, 60, "Z (zombie)");
    for pid in [50, 60] {
        assert_eq!(shares(vec![with_processes(1, &[pid])], &container), [UNKNOWN_PART]);
    }
}

#[test]
fn once_our_id_was_listed_in_a_container_ids_can_be_compared() {
    let container = processes_in(CONTAINER);
    let nvml = play(vec![board(1), with_processes(2, &[900_001])]);
    let mut gpus = NvidiaGpu::all_beside(&nvml.library(), &container.proc()).unwrap();
    let mut shares_on = |devices: Vec<Device>| -> Vec<Share> {
        nvml.play(Script { devices, ..Script::default() });
        gpus.iter_mut().map(|gpu| gpu.share(&[OUR_PID])).collect()
    };
    let before = vec![board(1), with_processes(2, &[900_001])];
    assert_eq!(shares_on(before), [UNKNOWN_PART; 2]);
    let during = vec![with_processes(1, &[OUR_PID]), with_processes(2, &[900_001])];
    assert_eq!(shares_on(during), [Share::Whole, NOTHING]);
    assert_eq!(shares_on(vec![board(1), board(2)]), [NOTHING; 2]);
}

#[test]
fn for_a_client_of_the_multi_process_service_the_board_counts_whole_and_is_marked() {
    let server = 50;
    let mut shared = with_processes(1, &[server]);
    shared.mps_clients = vec![60];
    assert_eq!(shares(vec![shared.clone()], &processes_in(HOST)), [NOTHING]);
    shared.mps_clients = vec![OUR_PID];
    assert_eq!(shares(vec![shared], &processes_in(HOST)), [UNKNOWN_PART]);
}

#[test]
fn a_board_that_does_not_list_its_processes_counts_whole_and_is_marked() {
    let lists =
        ["nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetGraphicsRunningProcesses_v3"];
    let silent = Device { fails: failing(&lists, NOT_SUPPORTED), ..board(1) };
    assert_eq!(shares(vec![silent, board(2)], &processes_in(HOST)), [UNKNOWN_PART, NOTHING]);
}

#[test]
fn a_shared_board_is_split_by_the_work_on_its_multiprocessors_if_nvml_reports_it() {
    let processes = vec![process(OUR_PID, 60), process(1, 20)];
    let split = Device { processes: processes.clone(), ..board(1) };
    let fails = failing(&["nvmlDeviceGetProcessUtilization"], NOT_SUPPORTED);
    let whole = Device { processes, fails, ..board(2) };
    let nvml = play(vec![split, whole]);
    let shares: Vec<Share> = open(&nvml).iter_mut().map(|gpu| gpu.share(&[OUR_PID])).collect();
    assert_eq!(shares, [Share::Fraction(0.75), Share::WholeThoughShared]);
}

#[test]
fn while_nobody_works_on_a_shared_board_the_last_share_stays() {
    let works = Device { processes: vec![process(OUR_PID, 60), process(1, 20)], ..board(1) };
    let fails = failing(&["nvmlDeviceGetProcessUtilization"], NOT_FOUND);
    let rests = Device { fails, ..works.clone() };
    // One sample of an impossible utilization.
    let mut invalid = works.clone();
    invalid.processes[1].sm = 4_000_000_000;
    let nvml = play(vec![rests.clone()]);
    let mut gpus = open(&nvml);
    let mut share = |device: &Device| {
        nvml.play(Script { devices: vec![device.clone()], ..Script::default() });
        gpus[0].share(&[OUR_PID])
    };
    assert_eq!(share(&rests), Share::Fraction(0.5), "nobody has worked yet: by the contexts");
    assert_eq!(share(&works), Share::Fraction(0.75));
    assert_eq!(share(&rests), Share::Fraction(0.75));
    assert_eq!(share(&invalid), Share::Fraction(1.0), "the valid sample only");
}

#[test]
fn a_power_far_above_the_limit_is_missing() {
    let no_counter = || failing(&["nvmlDeviceGetTotalEnergyConsumption"], NOT_SUPPORTED);
    let at = |watts: f64, power_limit| Device {
        fails: no_counter(),
        curve: Curve::Constant(watts),
        power_limit,
        ..board(1)
    };
    for (watts, limit, is_read) in
        [(593.0, 160_000, false), (180.0, 160_000, true), (1000.0, 0, true), (4e6, 0, false)]
    {
        let nvml = play(vec![at(watts, limit)]);
        let gpu = &mut open(&nvml)[0];
        assert_eq!(gpu.read().is_ok(), is_read, "{watts} W of {limit} mW");
        assert_eq!(gpu.reported_power().is_some(), is_read);
    }
    // It is read again once it is right, or once the limit is raised.
    let nvml = play(vec![at(593.0, 160_000)]);
    let gpu = &mut open(&nvml)[0];
    assert!(gpu.read().is_err());
    nvml.play(Script { devices: vec![at(593.0, 600_000)], ..Script::default() });
    assert!((watts(gpu) - 593.0).abs() < 1e-6);
}

#[test]
fn several_devices_are_several_sensors() {
    let nvml = play((1..=8).map(board).collect());
    let mut gpus = open(&nvml);
    let before: f64 = gpus.iter_mut().map(joules).sum();
    nvml.set_time(10.0);
    let after: f64 = gpus.iter_mut().map(joules).sum();
    assert!((after - before - 8.0 * 1000.0).abs() < 0.1, "summed, not averaged");
}
