//! A forked child has copies of all that its parent has: it takes none of it for its own.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::path::Path;

use eco2ai::Record;
use eco2ai_tests::program::{assert_success, program, run};

fn rows(folder: &Path) -> Vec<Record> {
    assert_success(&run(&mut program(env!("CARGO_BIN_EXE_forks"), folder)));
    let log = folder.join("emission.csv");
    eco2ai::read_log(log).expect("a log").map(|row| row.expect("a good row")).collect()
}

#[test]
fn parent_and_child_each_write_their_own_rows_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let rows = rows(folder.path());
    let of = |name: &str| -> Vec<&Record> {
        rows.iter()
            .filter(|row| row.function.as_deref().is_some_and(|f| f.ends_with(name)))
            .collect()
    };
    for (name, calls) in [("::work", 1), ("::often", 1), ("::very_often", 300)] {
        let rows = of(name);
        let processes: BTreeSet<u32> = rows.iter().map(|row| row.pid).collect();
        assert_eq!((rows.len(), processes.len()), (2, 2), "{rows:#?}");
        assert!(rows.iter().all(|row| row.calls == calls), "{rows:#?}");
    }
    let runs: Vec<_> = rows.iter().filter(|row| row.function.is_none()).collect();
    assert_eq!(runs.len(), 1, "the parent's run ends in the parent alone: {runs:#?}");
    let ids: BTreeSet<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids.len(), rows.len(), "each row has an id of its own");
}
