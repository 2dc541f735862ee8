//! The meter's thread: one per process, asleep without runs, and never in the way of the end.
#![cfg(target_os = "linux")]

use eco2ai_tests::program::{assert_success, program, run};

/// Runs the program with a task, the end of which tells that it found what it looked for.
#[track_caller]
fn assert_task_succeeds(task: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    assert_success(&run(program(env!("CARGO_BIN_EXE_thread"), folder.path()).arg(task)));
}

#[test]
fn threads_and_trackers_share_one_thread() {
    assert_task_succeeds("many");
}

#[test]
fn without_runs_the_thread_does_not_wake_up() {
    assert_task_succeeds("asleep");
}

#[test]
fn a_program_ends_although_runs_are_open() {
    assert_task_succeeds("left");
}
