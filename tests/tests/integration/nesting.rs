//! Energies of nested and overlapping runs add up to what the process used, whichever ends first.

use eco2ai::CpuProcesses::Current;
use eco2ai::meter::Meter;
use eco2ai::sensor::Component;
use eco2ai::units::{Joules, Watts};
use eco2ai::{DetachedRun, Record, Run, RunHandle};
use eco2ai_tests::bench::{Bench, assert_joules};
use eco2ai_tests::curve::Curve;
use eco2ai_tests::scripted::{Gauge, Load, Model};

/// A processor that takes 40 W for this process, and a GPU that takes 100 W.
fn bench() -> Bench {
    Bench::new(|clock| {
        let load = Load { clock: clock.clone(), own: 1.0, others: 0.0, memory_gib: 0.0 };
        let (component, curve) = (Component::Gpu, Curve::Constant(100.0));
        let gpu = Gauge { clock: clock.clone(), component, curve };
        Meter::builder(load).sensor(Model(Watts(80.0))).sensor(gpu)
    })
}

/// Starts a run that is on no thread.
fn detached(bench: &Bench, parent: Option<RunHandle>) -> DetachedRun {
    let builder = bench.builder();
    let builder = match parent {
        Some(parent) => builder.parent(parent),
        None => builder,
    };
    builder.build().expect("good parameters").start_detached().expect("a run")
}

fn stop(run: Run) -> Record {
    run.stop().expect("a record")
}

fn end(run: DetachedRun) -> Record {
    run.stop().expect("a record")
}

#[test]
fn what_a_child_used_after_its_parents_end_goes_to_its_grandparent() {
    let bench = bench();
    let grandparent = bench.tracker(Current).start().expect("a run");
    let parent = detached(&bench, Some(grandparent.handle()));
    let child = detached(&bench, Some(parent.handle()));
    bench.pass(10.0);
    let parent = end(parent);
    bench.pass(5.0);
    let child = end(child);
    bench.pass(1.0);
    let grandparent = stop(grandparent);

    // The processor worked for the run that was on a thread, the GPU for those that wait for nobody.
    assert_joules(child.own_energy, 100.0 * 15.0);
    assert_joules(parent.own_energy, 0.0);
    assert_joules(parent.energy, 100.0 * 10.0);
    assert_joules(grandparent.own_energy, 40.0 * 16.0 + 100.0);
    assert_joules(grandparent.energy, 140.0 * 16.0);
    assert_joules(grandparent.process_energy, 140.0 * 16.0);
}

#[test]
fn a_child_that_outlives_its_root_keeps_its_own_energy_and_becomes_a_root() {
    let bench = bench();
    let root = bench.tracker(Current).start().expect("a run");
    let child = detached(&bench, Some(root.handle()));
    bench.pass(10.0);
    let root = stop(root);
    bench.pass(5.0);
    let child = end(child);
    assert_joules(root.energy, 140.0 * 10.0);
    assert_joules(root.own_energy, 40.0 * 10.0);
    // While it ran alone it had the processor too.
    assert_joules(child.own_energy, 100.0 * 10.0 + 140.0 * 5.0);
    assert_eq!(child.parent_id, Some(root.id));
}

#[test]
fn overlapping_roots_share_equally_and_their_own_energies_add_up() {
    let bench = bench();
    let first = detached(&bench, None);
    bench.pass(4.0);
    let second = detached(&bench, None);
    let third = detached(&bench, None);
    bench.pass(6.0);
    let (first, second, third) = (end(first), end(second), end(third));
    assert_joules(first.own_energy, 140.0 * (4.0 + 6.0 / 3.0));
    assert_joules(second.own_energy, 140.0 * 6.0 / 3.0);
    let own: f64 =
        [&first, &second, &third].map(|record| Joules::from(record.own_energy).0).iter().sum();
    assert!((own - 140.0 * 10.0).abs() < 1e-6, "{own}: nothing twice, nothing lost");
    assert_joules(first.process_energy, 140.0 * 10.0);
}

#[test]
fn a_run_that_others_overlapped_for_over_half_of_its_time_says_so() {
    let bench = bench();
    let first = detached(&bench, None);
    bench.pass(4.0);
    let second = detached(&bench, None);
    bench.pass(3.0);
    let (first, second) = (end(first), end(second));
    assert_eq!(first.overlap.as_secs(), 3);
    assert_eq!(second.overlap.as_secs(), 3);
    assert!(!first.to_string().contains("note"), "three of seven seconds: {first}");
    assert!(second.to_string().contains("for 100.0 % of its time other runs were active too"));
    // Runs of one family do not overlap each other.
    let root = bench.tracker(Current).start().expect("a run");
    let child = bench.tracker(Current).start().expect("a run");
    bench.pass(3.0);
    let (child, root) = (stop(child), stop(root));
    assert!(child.overlap.is_zero() && root.overlap.is_zero());
}
