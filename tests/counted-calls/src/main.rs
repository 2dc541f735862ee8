//! Calls whose instructions are counted, one of each kind. `counted_calls KIND CALLS` for
//! `tests/benches/instructions.py`.

use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use eco2ai::track;

/// Does nothing and leaves a row.
#[track]
#[inline(never)]
fn row() {
    black_box(());
}

/// Leaves two rows: its own and that of [`row`].
#[track]
#[inline(never)]
fn nested() {
    row();
}

/// Does nothing; all its calls leave one row together.
#[track(rows = "total")]
#[inline(never)]
fn total() {
    black_box(());
}

/// Leaves a row when its only poll has ended.
#[track]
async fn polled() {
    black_box(());
}

/// Polls [`polled`] to its end.
fn poll() {
    let done = pin!(polled()).poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!(done, Poll::Ready(()));
}

/// Stands before each call; the counter writes what it has counted since the last time.
#[inline(never)]
#[unsafe(no_mangle)]
extern "C" fn next_call() {
    black_box(());
}

/// Makes the call that is counted.
#[inline(never)]
#[unsafe(no_mangle)]
extern "Rust" fn counted_call(call: fn()) {
    call();
    black_box(());
}

/// The calls that are not counted before each one of a sum: the time that the counter needs to write
/// pays for samples of the CPU clock, and these calls take them.
const WARM_UP: u32 = 1000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, calls] = &arguments[..] else { panic!("counted_calls KIND CALLS") };
    let call: fn() = match kind.as_str() {
        // Where tracking is disabled by the environment, too.
        "row" => row,
        "nested" => nested,
        "total" => total,
        "async" => poll,
        other => panic!("no kind of call: {other:?}"),
    };
    for _ in 0..calls.parse().expect("a number") {
        next_call();
        if kind == "total" {
            (0..WARM_UP).for_each(|_| call());
        }
        counted_call(call);
    }
    next_call();
}
