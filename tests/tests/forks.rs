//! A forked child has copies of all that its parent has: it takes none of it for its own.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use eco2ai::{Record, Tracker};

#[eco2ai::track(project = "forks")]
fn work() {}

#[eco2ai::track(project = "forks", rows = "total")]
fn often() {}

/// Not a test: what the process does that forks.
#[test]
#[ignore = "a part of the other tests"]
fn forking() {
    work();
    often();
    let run = Tracker::builder().project("forks").forget().build().expect("good parameters");
    let run = run.start().expect("a run");
    // SAFETY: the child calls what the parent has called before, and no other thread of this
    // process holds a lock that it could wait for: the meter's thread sleeps for a second.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "no fork");
    if child == 0 {
        work();
        often();
        drop(run);
        let flushed = eco2ai::flush().is_ok();
        // SAFETY: nothing of the test harness is to run twice.
        unsafe { libc::_exit(i32::from(!flushed)) };
    }
    let mut status = 0;
    // SAFETY: `status` is ours.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0, "the child's end");
    run.stop().expect("a record");
    eco2ai::flush().expect("the log can be written");
}

fn rows(folder: &Path) -> Vec<Record> {
    let log = folder.join("emission.csv");
    let status = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "forking", "--ignored"])
        .env("ECO2AI_CONFIG", folder.join("params.toml"))
        .env("ECO2AI_FILE", &log)
        .status()
        .expect("a process");
    assert!(status.success(), "{status}");
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
    for name in ["::work", "::often"] {
        let rows = of(name);
        let processes: BTreeSet<u32> = rows.iter().map(|row| row.pid).collect();
        assert_eq!((rows.len(), processes.len()), (2, 2), "{rows:#?}");
        assert!(rows.iter().all(|row| row.calls == 1), "{rows:#?}");
    }
    let runs: Vec<_> = rows.iter().filter(|row| row.function.is_none()).collect();
    assert_eq!(runs.len(), 1, "the parent's run ends in the parent alone: {runs:#?}");
    let ids: BTreeSet<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids.len(), rows.len(), "each row has an id of its own");
}
