//! Processes that are killed at any moment: each of their runs that was kept is there once.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};

use eco2ai::Status;
use eco2ai_tests::program::program;

/// Reads so many lines of what a process says, kills it, and reads the rest. Gives the names of the
/// runs that it kept.
fn kept_until_killed(mut child: Child, lines: usize) -> Vec<String> {
    let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut said = String::new();
    for _ in 0..lines {
        output.read_line(&mut said).expect("what it says");
    }
    child.kill().expect("it runs");
    child.wait().expect("its end");
    output.read_to_string(&mut said).expect("what it says");
    // A line may be torn.
    let whole = said.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().map(|line| line.strip_prefix("kept ").expect("a run").to_owned()).collect()
}

/// 40 kills, or 200 with `ECO2AI_FULL_LOAD`.
#[test]
fn each_run_of_killed_processes_is_there_once() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("emission.csv");
    let rounds = if std::env::var_os("ECO2AI_FULL_LOAD").is_some() { 50 } else { 10 };
    let mut kept = Vec::new();
    for round in 0..rounds {
        let spawn = |_| {
            let mut command = program(env!("CARGO_BIN_EXE_keeps_runs"), folder.path());
            command.arg(&log).stdout(Stdio::piped()).spawn().unwrap()
        };
        // All at once; killed while starting, recovering what the others left, keeping, writing.
        let children: Vec<_> = (0..4).map(spawn).collect();
        for (at, child) in children.into_iter().enumerate() {
            kept.extend(kept_until_killed(child, (round + at) % 4));
        }
    }
    eco2ai::recover(&log).unwrap();
    let mut left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap).collect();
    left.retain(|entry| entry.path().extension().is_some_and(|it| it == "journal"));
    assert!(left.is_empty(), "{left:?}");

    let mut runs: HashMap<String, Vec<(usize, Status)>> = HashMap::new();
    for record in eco2ai::read_log(&log).unwrap() {
        // A kill within a write can tear a row; its run is there as it was kept.
        let Ok(record) = record else { continue };
        let (process, number) = record.description.split_once(':').unwrap();
        runs.entry(process.into()).or_default().push((number.parse().unwrap(), record.status));
    }
    for runs in runs.values_mut() {
        runs.sort_unstable_by_key(|(number, _)| *number);
        for (at, (number, status)) in runs.iter().enumerate() {
            assert_eq!(*number, at, "each once");
            assert!(*status == Status::Ok || at + 1 == runs.len(), "only the last was cut off");
        }
    }
    for name in kept {
        let (process, number) = name.split_once(':').unwrap();
        let number: usize = number.parse().unwrap();
        assert!(runs.get(process).is_some_and(|runs| number < runs.len()), "{name} is lost");
    }
}

/// More runs than a period writes, each in the journal at some time, some of which have ended since.
#[test]
fn each_of_very_many_runs_of_a_killed_process_is_there_once() {
    const RUNS: usize = 1500;
    for shape in ["flat", "nested"] {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("emission.csv");
        let mut command = program(env!("CARGO_BIN_EXE_keeps_many_runs"), folder.path());
        command.arg(&log).arg(RUNS.to_string()).arg(shape).stdout(Stdio::piped());
        assert_eq!(kept_until_killed(command.spawn().unwrap(), 1).len(), 1);
        assert_eq!(eco2ai::recover(&log).unwrap(), RUNS - RUNS / 3);
        let mut status = vec![None; RUNS];
        for record in eco2ai::read_log(&log).unwrap() {
            let record = record.unwrap();
            let number: usize = record.description.parse().unwrap();
            assert_eq!(status[number].replace(record.status), None, "{number} is there twice");
        }
        for (number, status) in status.into_iter().enumerate() {
            let expected = if number % 3 == 0 { Status::Ok } else { Status::Interrupted };
            assert_eq!(status, Some(expected), "{number}, {shape}");
        }
    }
}
