//! A tracked program that works for some CPU time and then has another program work:
//! `starts_program LOG SECONDS [(hands|keeps|inherits) PROGRAM ARGUMENT…]` for
//! `tests/outer_run.rs`. With `hands`, the other one gets the variables of the run; with `keeps` too,
//! but its end is not waited for. Prints the CPU time that the kernel charged to this program and those that
//! it has waited for, in seconds.

use std::path::Path;
use std::process::{Command, Stdio};

use eco2ai::Tracker;

#[allow(clippy::zombie_processes, reason = "a program may outlive this one")]
fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, log, seconds, rest @ ..] = &*arguments else { panic!("a log and seconds") };
    let tracker = Tracker::builder().file(Path::new(log)).description(seconds.as_str()).forget();
    let run = tracker.build().expect("good parameters").start().expect("a run");
    // Of CPU time: a program that must wait for a CPU works as much as another.
    let end = cpu_seconds() + seconds.parse::<f64>().expect("seconds");
    while cpu_seconds() < end {
        std::hint::black_box((0..100_000_u32).fold(0, u32::wrapping_add));
    }
    if let [how, program, rest @ ..] = rest {
        let mut command = Command::new(program);
        if how != "inherits" {
            command.envs(run.handle().environment());
        }
        if how == "keeps" {
            // The pipes of this program are to end with it.
            command.stdout(Stdio::null()).stderr(Stdio::null());
        }
        let mut child = command.args(rest).spawn().expect("it starts");
        if how != "keeps" {
            assert!(child.wait().expect("its end").success());
        }
    }
    run.stop().expect("a row");
    println!("{}", cpu_seconds());
}

/// The fields from `utime` to `cstime` of `/proc/self/stat`, in steps of 10 ms.
fn cpu_seconds() -> f64 {
    let line = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let (_, rest) = line.rsplit_once(')').expect("a name");
    let ticks = rest.split_whitespace().skip(11).take(4);
    ticks.map(|ticks| ticks.parse::<f64>().expect("a number") / 100.0).sum()
}
