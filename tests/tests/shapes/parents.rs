//! Which run becomes the parent of which, where functions nest, futures interleave, and threads
//! differ.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use eco2ai::track;
use eco2ai_tests::rows::{Row, in_file, in_own_folder};

/// The only row of `function`.
fn row(function: &str) -> Row {
    let mut rows = in_file("emission.csv", function);
    assert_eq!(rows.len(), 1, "{function}");
    rows.remove(0)
}

/// Checks that `child` ran under `parent`.
fn assert_under(child: &str, parent: &str) {
    assert_eq!(row(child)["parent_id"], row(parent)["id"], "{child} under {parent}");
}

/// Checks that `function` ran under none.
fn assert_root(function: &str) {
    assert_eq!(row(function)["parent_id"], "", "{function}");
}

/// Pending so many times.
async fn pause(mut times: u8) {
    poll_fn(|_| {
        let left = times;
        times = times.saturating_sub(1);
        if left == 0 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

fn poll<F: Future>(future: &mut Pin<Box<F>>) -> bool {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

#[test]
fn a_function_runs_under_the_one_that_calls_it() {
    #[track]
    fn caller() {
        callee();
    }
    #[track]
    fn callee() {}
    in_own_folder();
    caller();
    assert_root("caller");
    assert_under("callee", "caller");
}

#[test]
fn futures_that_take_turns_on_one_thread_are_no_parents_of_each_other() {
    #[track]
    async fn first() {
        pause(2).await;
        under_first();
    }
    #[track]
    async fn second() {
        pause(1).await;
        under_second().await;
    }
    #[track]
    fn under_first() {}
    #[track]
    async fn under_second() {
        pause(1).await;
    }
    #[track]
    fn between() {}
    in_own_folder();
    let (mut a, mut b) = (Box::pin(first()), Box::pin(second()));
    assert!(!poll(&mut a));
    assert!(!poll(&mut b));
    between();
    assert!(!poll(&mut a));
    assert!(!poll(&mut b));
    assert!(poll(&mut a));
    assert!(poll(&mut b));
    for name in ["first", "second", "between"] {
        assert_root(name);
    }
    assert_under("under_first", "first");
    assert_under("under_second", "second");
}

#[test]
fn a_future_keeps_its_place_when_it_moves_to_another_thread() {
    #[track]
    async fn travels() {
        pause(1).await;
        at_the_end();
    }
    #[track]
    fn at_the_end() {}
    #[track]
    fn at_home() {}
    in_own_folder();
    let mut future = Box::pin(travels());
    assert!(!poll(&mut future));
    std::thread::spawn(move || assert!(poll(&mut future))).join().expect("no panic");
    at_home();
    assert_under("at_the_end", "travels");
    assert_root("at_home");
}

#[test]
fn after_a_panic_the_thread_has_no_current_run() {
    #[track]
    async fn panics() {
        pause(0).await;
        panic!("on purpose");
    }
    #[track]
    fn afterwards() {}
    in_own_folder();
    let caught = std::panic::catch_unwind(|| poll(&mut Box::pin(panics())));
    assert!(caught.is_err());
    afterwards();
    assert_eq!(row("panics")["status"], "panicked");
    assert_root("afterwards");
}

#[eco2ai::track(parent = handle.clone())]
fn adopted(handle: &eco2ai::RunHandle) {
    let _ = handle;
}

#[test]
fn work_on_another_thread_may_be_put_under_a_run() {
    in_own_folder();
    let tracker = eco2ai::Tracker::builder().forget().build().expect("good parameters");
    let run = tracker.start().expect("a run");
    let handle = run.handle();
    std::thread::spawn(move || adopted(&handle)).join().expect("no panic");
    let record = run.stop().expect("a record");
    let adopted = in_file("emission.csv", "adopted");
    assert_eq!(adopted[0]["parent_id"], record.id);
}
