//! What the library calls of the program, its logger, allocator and sensors, may be tracked itself:
//! called from there, it is not, and nothing waits for itself.

use std::path::Path;

use eco2ai::Record;
use eco2ai_tests::program::{assert_success, program, run, said};

fn rows(folder: &Path) -> Vec<Record> {
    let log = folder.join("emission.csv");
    if !log.exists() {
        return Vec::new();
    }
    eco2ai::read_log(log).expect("a log").map(|row| row.expect("a good row")).collect()
}

/// What the program says, and the rows that it leaves.
fn outcome(task: &str, disable: bool) -> (String, Vec<Record>) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("not_a_log.csv"), "name,age\nx,1\n").expect("a file");
    let mut program = program(env!("CARGO_BIN_EXE_own_code"), folder.path());
    if disable {
        program.env("ECO2AI_DISABLE", "1");
    }
    let output = run(program.arg(task));
    assert_success(&output);
    (said(&output), rows(folder.path()))
}

#[test]
fn a_logger_may_be_tracked() {
    for task in ["logger, each", "logger, total"] {
        let (said, rows) = outcome(task, false);
        assert!(said.contains("LOG ") && said.contains("not_a_log.csv"), "{task}: {said}");
        assert!(said.contains("returned"), "{task}: {said}");
        assert_eq!(rows.len(), 0, "{task}: what the library calls is not tracked");
    }
}

#[test]
fn a_logger_that_panics_stops_nothing() {
    let (said, rows) = outcome("logger panics", false);
    assert!(said.ends_with("returned\n"), "{said}");
    assert_eq!(rows.len(), 1);
}

#[test]
fn an_allocator_may_be_tracked() {
    let (_, rows) = outcome("allocator", false);
    assert_eq!(rows.len(), 1);
    let [row] = rows.as_slice() else { panic!("one row for all") };
    assert_eq!(row.project, "allocator");
    // A hundred boxes and the vector that holds them, and what the meter's thread allocates before it
    // is the library's own; what the library allocates is not counted.
    assert!((101..110).contains(&row.calls), "{} calls", row.calls);
    let (said, rows) = outcome("allocator", true);
    assert_eq!((said.as_str(), rows.len()), ("returned\n", 0));
}

#[test]
fn a_sensor_may_call_tracked_functions() {
    let (_, rows) = outcome("sensor", false);
    let projects: Vec<_> = rows.iter().map(|row| row.project.as_str()).collect();
    assert_eq!(projects, ["logger panics"]);
}
