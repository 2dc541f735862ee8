//! Tracking never disturbs the program: whatever is missing, the function runs, and one message
//! says what could not be done.

use std::path::Path;
use std::process::Output;

use eco2ai_tests::program::{assert_success, program, said};

fn run(task: &str, folder: &Path, variables: &[(&str, &str)]) -> Output {
    let mut command = program(env!("CARGO_BIN_EXE_harmless"), folder);
    eco2ai_tests::program::run(command.arg(task).envs(variables.iter().copied()))
}

fn warned(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    text.lines().filter(|line| line.starts_with("eco2ai: ")).map(str::to_owned).collect()
}

#[test]
fn disabled_there_is_no_row_no_thread_and_no_file_and_no_argument_is_evaluated() {
    let folder = tempfile::tempdir().expect("a folder");
    for task in ["work", "with arguments"] {
        let output = run(task, folder.path(), &[("ECO2AI_DISABLE", "1")]);
        assert_success(&output);
        assert_eq!(said(&output), "worked; more threads: 0\n");
        assert_eq!(std::fs::read_dir(folder.path()).expect("it is there").count(), 0);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn enabled_there_is_one_thread_more() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = run("work", folder.path(), &[]);
    assert_eq!(said(&output), "worked; more threads: 1\n");
    let log = folder.path().join("emission.csv");
    assert_eq!(eco2ai::summary(log).expect("a log").total.rows, 3);
}

#[test]
fn without_a_home_and_a_writable_log_the_function_runs_and_one_message_tells_why() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("file"), "").expect("it can be written");
    // Below a file there can be no folder, not even for root.
    let nowhere = folder.path().join("file").join("below");
    let nowhere = nowhere.to_str().expect("a plain name");
    let log = format!("{nowhere}/emission.csv");
    let output = run(
        "work",
        folder.path(),
        &[("HOME", nowhere), ("XDG_STATE_HOME", nowhere), ("ECO2AI_FILE", &log)],
    );
    assert_success(&output);
    assert!(said(&output).contains("worked"));
    let warnings = warned(&output);
    assert!(warnings.iter().any(|line| line.contains(&log)), "{warnings:?}");
    assert!(warnings.len() <= 4, "one message a row at the most: {warnings:?}");
}

#[test]
fn a_file_that_is_no_log_is_left_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("emission.csv");
    std::fs::write(&file, "name,age\nx,1\n").expect("it can be written");
    let output = run("work", folder.path(), &[]);
    assert!(said(&output).contains("worked"));
    assert_eq!(warned(&output).len(), 1, "{:?}", warned(&output));
    assert_eq!(std::fs::read_to_string(&file).expect("it is there"), "name,age\nx,1\n");
    let waiting = std::fs::read_dir(folder.path().join("state/eco2ai")).expect("a state folder");
    assert_eq!(waiting.count(), 1, "the row waits there");
}

#[test]
fn later_processes_remember_the_parameters_of_a_tracker_but_not_of_the_attribute() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_success(&run("remember", folder.path(), &[]));
    let output = run("tracker", folder.path(), &[]);
    assert!(
        said(&output).contains("remembered 1.5 default experiment description"),
        "{}",
        said(&output)
    );
}
