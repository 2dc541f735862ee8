//! Runs that move between threads: entered by a guard, or by a future that is polled.

use std::future::{pending, ready};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::task::{Context, Waker};

use eco2ai::CpuProcesses::Current;
use eco2ai::meter::Meter;
use eco2ai::units::Watts;
use eco2ai::{DetachedRun, Record, Status, Tracker};
use eco2ai_tests::bench::{Bench, assert_joules};
use eco2ai_tests::scripted::{Load, Model};

/// A processor that takes 40 W for this process.
fn bench() -> Bench {
    Bench::new(|clock| {
        let load = Load { clock: clock.clone(), own: 1.0, others: 0.0, memory_gib: 0.0 };
        Meter::builder(load).sensor(Model(Watts(80.0)))
    })
}

/// The last row of a log.
fn last(log: &std::path::Path) -> Option<Record> {
    eco2ai::read_log(log).ok()?.last()?.ok()
}

#[test]
fn a_run_goes_to_any_thread_and_gets_what_is_used_while_it_is_entered() {
    fn moves<T: Send + Sync>(_: &T) {}
    let bench = bench();
    let outer = bench.tracker(Current).start().expect("a run");
    let run = bench.tracker(Current).start_detached().expect("a run");
    moves(&run);
    bench.pass(1.0);
    let nested = std::thread::scope(|scope| {
        let entered = || {
            let _entered = run.enter();
            bench.pass(2.0);
            bench.tracker(Current).start().expect("a run").stop().expect("a record")
        };
        scope.spawn(entered).join().expect("no panic")
    });
    bench.pass(4.0);
    let run = run.stop().expect("a record");
    let outer = outer.stop().expect("a record");

    assert_eq!(run.parent_id, Some(outer.id), "that of the thread on which it started");
    assert_eq!(nested.parent_id, Some(run.id.clone()));
    // Two threads had an innermost run for two seconds, which they share.
    assert_joules(run.own_energy, 40.0 * 2.0 / 2.0);
    assert_joules(outer.own_energy, 40.0 * (5.0 + 2.0 / 2.0));
}

#[test]
fn a_run_is_on_one_thread_at_a_time_and_leaves_it_with_the_guard_that_entered_it() {
    let bench = bench();
    let run = bench.tracker(Current).start_detached().expect("a run");
    let entered = run.enter();
    std::thread::scope(|scope| {
        scope.spawn(|| drop(run.enter()));
    });
    drop(run.enter());
    let parent =
        |tracker: Tracker| tracker.start().expect("a run").stop().expect("a record").parent_id;
    assert_eq!(parent(bench.tracker(Current)), Some(run.snapshot().id), "it is still entered");
    drop(entered);
    assert_eq!(parent(bench.tracker(Current)), None);
}

/// The status of a run whose future `drive` has to do with.
fn status(drive: impl FnOnce(DetachedRun)) -> Option<Status> {
    let bench = bench();
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("emission.csv");
    let tracker = bench.builder().file(&log).build().expect("good parameters");
    drive(tracker.start_detached().expect("a run"));
    last(&log).map(|record| record.status)
}

fn poll<F: Future>(future: F) {
    let _ = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
}

#[test]
fn the_status_is_that_of_the_future() {
    assert_eq!(status(|run| poll(run.track(ready(1)))), Some(Status::Ok));
    assert_eq!(status(|run| poll(run.track(ready(Err::<(), _>(1))))), Some(Status::Ok));
    assert_eq!(status(|run| poll(run.try_track(ready(Ok::<_, ()>(1))))), Some(Status::Ok));
    assert_eq!(status(|run| poll(run.try_track(ready(Err::<(), _>(1))))), Some(Status::Error));
    assert_eq!(status(|run| poll(run.track(pending::<()>()))), Some(Status::Cancelled));
    assert_eq!(status(|run| drop(run.track(ready(1)))), Some(Status::Cancelled), "never polled");
    let panics = |run: DetachedRun| {
        let future = run.track(async { panic!("as wanted") });
        let _ = std::panic::catch_unwind(AssertUnwindSafe(|| poll(future)));
    };
    assert_eq!(status(panics), Some(Status::Panicked));
    assert_eq!(status(|run| drop(run.fail())), Some(Status::Error));
    assert_eq!(status(drop), Some(Status::Ok));
}

#[test]
fn a_future_s_run_is_current_while_it_is_polled_and_at_no_other_time() {
    let bench = bench();
    let parent =
        || bench.tracker(Current).start().expect("a run").stop().expect("a record").parent_id;
    let run = bench.tracker(Current).start_detached().expect("a run");
    let id = run.snapshot().id;
    let mut future = pin!(run.track(async {
        assert_eq!(parent(), Some(id.clone()));
        let mut polls = 0;
        std::future::poll_fn(|_| {
            polls += 1;
            if polls < 3 { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
        })
        .await;
        assert_eq!(parent(), Some(id.clone()));
    }));
    let mut context = Context::from_waker(Waker::noop());
    while future.as_mut().poll(&mut context).is_pending() {
        assert_eq!(parent(), None);
    }
    assert_eq!(parent(), None);
}

/// As a task of a runtime with several threads needs it.
#[test]
fn a_tracked_future_is_send() {
    fn moves(_: impl Send) {}
    let bench = bench();
    moves(bench.tracker(Current).start_detached().expect("a run").track(ready(1)));
}
