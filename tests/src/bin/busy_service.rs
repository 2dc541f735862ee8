//! A service under a long run: each request is tracked and calls functions with one row for all
//! calls. `busy_service THREADS REQUESTS PERIOD` for `tests/busy_service.rs`.

use std::hint::black_box;
use std::thread;

use eco2ai::{Tracker, track};

#[track(rows = "total")]
fn step(n: u64) -> u64 {
    n.wrapping_mul(31)
}

#[track(rows = "total")]
fn steps(n: u64) -> u64 {
    (0..3).map(step).sum::<u64>() + step(n)
}

#[track]
fn request(n: u64) -> u64 {
    steps(n)
}

fn main() {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<f64>().expect("a number"));
    let mut number = || numbers.next().expect("three numbers");
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let (threads, requests) = (number() as u64, number() as u64);
    let tracker = Tracker::builder().function("service").measure_period(number()).forget();
    let run = tracker.build().expect("good parameters").start().expect("a run");
    thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                for number in 0..requests {
                    black_box(request(thread * requests + number));
                }
            });
        }
    });
    run.stop().expect("a record");
}
