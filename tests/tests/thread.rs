//! The meter's thread: one per process, asleep without runs, and never in the way of the end.
#![cfg(target_os = "linux")]

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use eco2ai::Tracker;

const ROLE: &str = "ECO2AI_TEST_THREAD_ROLE";

#[eco2ai::track]
fn work() {}

/// The folders of the meter's threads in this process, by their name.
fn threads() -> Vec<PathBuf> {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux").flatten();
    let is_meter = |path: &PathBuf| {
        std::fs::read_to_string(path.join("comm")).is_ok_and(|name| name.trim() == "eco2ai-meter")
    };
    tasks.map(|task| task.path()).filter(is_meter).collect()
}

/// How often a thread has gone to sleep or lost its CPU.
fn switches(thread: &std::path::Path) -> u64 {
    let status = std::fs::read_to_string(thread.join("status")).expect("a thread");
    let counts = status.lines().filter_map(|line| line.split_once("_ctxt_switches:"));
    counts.map(|(_, count)| count.trim().parse::<u64>().expect("a number")).sum()
}

/// Not a test: what the children do.
#[test]
#[ignore = "a part of the other tests"]
fn child() {
    let tracker = Tracker::builder().measure_period(0.02).forget().build().expect("parameters");
    match std::env::var(ROLE).expect("a role").as_str() {
        "many" => {
            let calls = || (0..50).for_each(|_| work());
            std::thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(calls);
                }
            });
            let run = tracker.start().expect("a run");
            std::thread::sleep(Duration::from_millis(100));
            println!("threads: {}", threads().len());
            run.stop().expect("a record");
        }
        "asleep" => {
            let run = tracker.start().expect("a run");
            std::thread::sleep(Duration::from_millis(200));
            let thread = threads().pop().expect("it has begun");
            assert!(switches(&thread) > 3, "it works while a run is active");
            run.stop().expect("a record");
            // The thread may look once more after the last run.
            std::thread::sleep(Duration::from_millis(1500));
            let before = switches(&thread);
            std::thread::sleep(Duration::from_secs(1));
            assert_eq!(switches(&thread), before, "it wakes up although no run is active");
            let run = tracker.start().expect("a run");
            std::thread::sleep(Duration::from_millis(200));
            assert!(switches(&thread) > before + 3, "and works again for the next");
            run.stop().expect("a record");
        }
        "left" => {
            // An hour's period: a thread that had to be waited for would hold the process.
            let slow = Tracker::builder().measure_period(3600).forget().build();
            std::mem::forget(slow.expect("parameters").start().expect("a run"));
            std::mem::forget(tracker.start().expect("a run"));
            std::thread::sleep(Duration::from_millis(50));
        }
        role => panic!("no role {role}"),
    }
}

fn run(role: &str) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "child", "--ignored", "--nocapture"])
        .env(ROLE, role)
        .env("ECO2AI_CONFIG", folder.path().join("params.toml"))
        .env("ECO2AI_FILE", folder.path().join("emission.csv"))
        .stdin(Stdio::null())
        .output()
        .expect("a child")
}

#[track_caller]
fn assert_good(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn threads_and_trackers_share_one_thread() {
    let output = run("many");
    assert_good(&output);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("threads: 1\n"), "{text}");
}

#[test]
fn without_runs_the_thread_does_not_wake_up() {
    assert_good(&run("asleep"));
}

#[test]
fn a_program_ends_although_runs_are_open() {
    let begun = Instant::now();
    assert_good(&run("left"));
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}
