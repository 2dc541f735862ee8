//! One process of a job: `rank_work SECONDS [plain]` uses that much CPU time in a tracked function,
//! or in one that is not tracked, for `tests/cluster/cluster.py`. It prints the CPU time that the
//! kernel has charged it.

use std::fs;
use std::hint::black_box;

/// The CPU time of all threads of this process, in seconds.
fn cpu_seconds() -> f64 {
    let threads = fs::read_dir("/proc/self/task").expect("procfs");
    let seconds = threads.flatten().filter_map(|thread| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        Some(text.split_whitespace().next()?.parse::<f64>().ok()? / 1e9)
    });
    seconds.sum()
}

fn work(seconds: f64) {
    while cpu_seconds() < seconds {
        for number in 0..200_000_u64 {
            black_box(number.wrapping_mul(31));
        }
    }
}

#[eco2ai::track(project = "cluster", measure_period = 0.2)]
fn train(seconds: f64) {
    work(seconds);
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let seconds = arguments.next().expect("seconds").parse().expect("a number");
    match arguments.next() {
        None => train(seconds),
        Some(_) => work(seconds),
    }
    println!("cpu {}", cpu_seconds());
}
