//! Tracking never disturbs the program: whatever is missing, the function runs, and one message
//! says what could not be done.

use std::path::Path;
use std::process::{Command, Output};

use eco2ai::Tracker;

const ROLE: &str = "ECO2AI_TEST_HARMLESS_ROLE";

#[eco2ai::track(description = "of the attribute alone")]
fn work(value: u32) -> u32 {
    value + 1
}

/// Not a test: what the children do.
#[test]
#[ignore = "a part of the other tests"]
fn child() {
    match std::env::var(ROLE).expect("a role").as_str() {
        "work" => {
            for value in 0..3 {
                assert_eq!(work(value), value + 1);
            }
            println!("worked; threads: {}", threads());
        }
        "remember" => {
            work(0);
            let tracker =
                Tracker::builder().project("remembered").pue(1.5).measure_period(2).build();
            drop(tracker.expect("good parameters"));
        }
        "tracker" => {
            let record = Tracker::builder().build().expect("good parameters");
            let record = record.start().expect("a run").stop().expect("a record");
            println!("{} {} {}", record.project, record.pue, record.description);
        }
        role => panic!("no role {role}"),
    }
}

/// How many threads of the meter this process has, once a new one has had the time to say its name.
fn threads() -> usize {
    std::thread::sleep(std::time::Duration::from_millis(300));
    let tasks = std::fs::read_dir("/proc/self/task").map_or_else(|_| Vec::new(), Iterator::collect);
    let names = tasks
        .into_iter()
        .flatten()
        .filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|name| name.trim() == "eco2ai-meter").count()
}

fn run(role: &str, folder: &Path, variables: &[(&str, &str)]) -> Output {
    Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "child", "--ignored", "--nocapture"])
        .env(ROLE, role)
        .env("ECO2AI_CONFIG", folder.join("params.toml"))
        .envs(variables.iter().copied())
        .current_dir(folder)
        .output()
        .expect("a child")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn warned(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    text.lines().filter(|line| line.starts_with("eco2ai: ")).map(str::to_owned).collect()
}

#[test]
fn disabled_there_is_no_row_no_thread_and_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = run("work", folder.path(), &[("ECO2AI_DISABLE", "1")]);
    assert!(output.status.success());
    assert!(said(&output).contains("worked; threads: 0"), "{}", said(&output));
    assert_eq!(std::fs::read_dir(folder.path()).expect("it is there").count(), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn enabled_there_is_one_thread() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = run("work", folder.path(), &[]);
    assert!(said(&output).contains("worked; threads: 1"), "{}", said(&output));
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
    assert!(output.status.success(), "{}", said(&output));
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
}

#[test]
fn what_a_tracker_is_told_later_processes_remember_and_the_attributes_not() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(run("remember", folder.path(), &[]).status.success());
    let output = run("tracker", folder.path(), &[]);
    assert!(
        said(&output).contains("remembered 1.5 default experiment description"),
        "{}",
        said(&output)
    );
}
