//! A process that forks: parent and child each leave their own rows, each once.

#![cfg(unix)]

use std::collections::HashMap;

use eco2ai::Status;
use eco2ai_tests::program::{assert_success, program, run};

#[test]
fn parent_and_children_leave_each_row_once_and_none_hangs() {
    const CHILDREN: usize = 40;
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("emission.csv");
    let mut command = program(env!("CARGO_BIN_EXE_fork_storm"), folder.path());
    let output = run(command.arg(&log).arg(CHILDREN.to_string()));
    assert_success(&output);
    let said = String::from_utf8_lossy(&output.stderr);
    let rows: Vec<_> = eco2ai::read_log(&log).unwrap().map(Result::unwrap).collect();
    let mut ids: HashMap<&str, usize> = HashMap::new();
    for row in &rows {
        *ids.entry(&row.id).or_default() += 1;
        assert_eq!(row.status, Status::Ok, "nobody took over what another still has: {row:?}");
    }
    assert!(ids.values().all(|times| *times == 1), "{ids:?}");
    // A sum has the description of the run that it is under.
    let runs = || rows.iter().filter(|row| row.function.is_none());
    let count = |description: &str| runs().filter(|row| row.description == description).count();
    assert_eq!(count("outer"), 1);
    for child in 0..CHILDREN {
        assert_eq!(count(&format!("child {child}")), 1);
    }
    // The sums of calls: one of each child, under its run, and one of the parent.
    let sums: Vec<_> = rows.iter().filter(|row| row.function.is_some()).collect();
    assert_eq!(sums.len(), CHILDREN + 1);
    assert_eq!(
        sums.iter().filter(|sum| sum.calls == 1 && sum.parent_id.is_some()).count(),
        CHILDREN
    );
    let left = std::fs::read_dir(folder.path()).unwrap().filter_map(Result::ok);
    let left: Vec<_> = left.map(|entry| entry.file_name()).collect();
    assert_eq!(left, ["emission.csv"], "no journal is left; {said}");
}
