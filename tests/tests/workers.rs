//! Real worker processes: what they use is charged to the run, once.
//!
//! The model of these tests takes 1 W per busy CPU, so that a joule is a second of CPU time. The
//! workers use a given CPU time, however long that takes.
#![cfg(target_os = "linux")]

use std::ffi::OsStr;
use std::process::Child;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use eco2ai::Tracker;
use eco2ai::meter::Meter;
use eco2ai::sensor::{CpuModel, LinuxUsage, UsageSource};
use eco2ai::units::Watts;
use eco2ai_tests::bench::joules;
use eco2ai_tests::worker::{end, until_done};

/// CPU time that a worker uses.
const SECONDS: f64 = 0.5;

fn spawn(task: &str) -> Child {
    eco2ai_tests::worker::spawn(OsStr::new(env!("CARGO_BIN_EXE_worker")), task)
}

/// A tracker whose joules are seconds of CPU time. The tests take turns: the children of one are
/// those of the process.
struct Work {
    tracker: Tracker,
    _folder: tempfile::TempDir,
    _turn: MutexGuard<'static, ()>,
}

fn work() -> Work {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().expect("a folder");
    let mut usage = LinuxUsage::new();
    let model = CpuModel::from_watts(Watts(usage.read().cpus));
    let tracker = Tracker::builder()
        .file(folder.path().join("emission.csv"))
        .measure_period(Duration::from_millis(50))
        .meter(&Meter::builder(usage).sensor(model).build())
        .forget()
        .build()
        .expect("good parameters");
    Work { tracker, _folder: folder, _turn: turn }
}

impl Work {
    /// Seconds of CPU time that are charged to a run of `f`.
    fn charged(&self, f: impl FnOnce()) -> f64 {
        let run = self.tracker.start().expect("a run");
        f();
        let record = run.stop().expect("a record");
        joules(record.cpu_energy).expect("the processor's energy")
    }
}

/// Once: less than twice, with room for what the test itself uses on a slow machine.
#[track_caller]
fn assert_once(charged: f64) {
    assert!((0.9 * SECONDS..1.6 * SECONDS).contains(&charged), "{charged} s for {SECONDS} s");
}

#[track_caller]
fn assert_little(charged: f64) {
    assert!(charged < 0.4 * SECONDS, "{charged} s for nothing");
}

#[test]
fn a_worker_that_has_ended_is_charged_once() {
    let work = work();
    assert_once(work.charged(|| {
        let mut worker = spawn("works");
        until_done(&mut worker);
        end(worker);
    }));
    assert_little(work.charged(|| std::thread::sleep(Duration::from_millis(120))));
}

#[test]
fn a_worker_that_lives_on_is_charged_once_and_not_again_at_its_end() {
    let work = work();
    let mut worker = None;
    assert_once(work.charged(|| {
        let mut started = spawn("works");
        until_done(&mut started);
        worker = Some(started);
    }));
    assert_little(work.charged(|| end(worker.take().expect("it is there"))));
}

#[test]
fn a_workers_worker_is_charged_once() {
    let work = work();
    let mut worker = None;
    assert_once(work.charged(|| {
        let mut started = spawn("lets work");
        until_done(&mut started);
        worker = Some(started);
    }));
    // Both end: the grandchild's time goes to the child's account, and that to ours.
    assert_little(work.charged(|| end(worker.take().expect("it is there"))));
}

#[test]
fn what_a_worker_used_before_the_run_is_not_the_runs() {
    let work = work();
    let mut worker = spawn("works");
    until_done(&mut worker);
    assert_little(work.charged(|| {
        std::thread::sleep(Duration::from_millis(120));
        end(worker);
    }));
}

#[test]
fn two_workers_at_once_are_both_charged() {
    let work = work();
    let charged = work.charged(|| {
        let mut workers = [spawn("works"), spawn("works")];
        workers.iter_mut().for_each(until_done);
        workers.into_iter().for_each(end);
    });
    assert!((1.8 * SECONDS..3.0 * SECONDS).contains(&charged), "{charged} s");
}
