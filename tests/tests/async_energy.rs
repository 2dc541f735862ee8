//! A future gets the energy of the time in which it was polled. One test in a process of its own,
//! so that nothing else uses the CPU.

use std::future::poll_fn;
use std::hint::black_box;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use eco2ai_tests::rows::{in_file, in_own_folder};

#[eco2ai::track]
async fn computes() {
    for _ in 0..4 {
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(40) {
            black_box(1);
        }
        pending_once().await;
    }
}

#[eco2ai::track]
async fn waits() {
    for _ in 0..4 {
        pending_once().await;
    }
}

#[eco2ai::track]
async fn holds() {
    computes_inside().await;
}

#[eco2ai::track]
async fn computes_inside() {
    computes().await;
}

async fn pending_once() {
    let mut polled = false;
    poll_fn(|_| if std::mem::replace(&mut polled, true) { Poll::Ready(()) } else { Poll::Pending })
        .await;
}

fn energy(function: &str, column: &str) -> f64 {
    let rows = in_file("emission.csv", function);
    let last = rows.last().expect("its row");
    last[column].parse().expect("a number")
}

#[test]
fn interleaved_futures_receive_their_own_energy() {
    in_own_folder();
    let mut cx = Context::from_waker(Waker::noop());
    let (mut busy, mut idle) = (Box::pin(computes()), Box::pin(waits()));
    for _ in 0..5 {
        let _ = busy.as_mut().poll(&mut cx);
        let _ = idle.as_mut().poll(&mut cx);
    }
    let (own, other) = (energy("computes", "own_energy(kWh)"), energy("waits", "own_energy(kWh)"));
    assert!(own > 10.0 * other, "{own} and {other}");
    // What the process used while the one that began first ran is what both got together.
    let process = energy("computes", "process_energy(kWh)");
    assert!((own + other - process).abs() < 0.05 * process, "{own} + {other} of {process}");

    let mut outer = Box::pin(holds());
    while outer.as_mut().poll(&mut cx).is_pending() {}
    let inner = energy("computes", "own_energy(kWh)");
    let inclusive = energy("holds", "power_consumption(kWh)");
    assert!(inclusive >= inner && inclusive < 1.1 * inner, "{inclusive} holds {inner}");
    let own = energy("holds", "own_energy(kWh)");
    assert!(own < 0.1 * inner, "{own} of {inner}");
}
