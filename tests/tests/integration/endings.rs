//! Threads and processes that end while functions are tracked, or call tracked functions as they
//! end: nothing panics, and what can be closed is closed.

use eco2ai::{Record, Status};
use eco2ai_tests::program::{assert_success, program, run};
use tempfile::TempDir;

/// Functions and statuses of the rows, sorted.
type Rows = Vec<(String, Status)>;

fn rows_in(folder: &TempDir) -> Vec<Record> {
    let log = folder.path().join("emission.csv");
    let mut rows: Vec<Record> =
        eco2ai::read_log(log).expect("a log").map(|row| row.expect("a good row")).collect();
    rows.sort_by_key(|row| row.function.clone());
    rows
}

fn names(rows: &[Record]) -> Rows {
    let name = |row: &Record| {
        let function = row.function.as_deref().expect("a function");
        (function.rsplit("::").next().unwrap_or(function).to_owned(), row.status)
    };
    rows.iter().map(name).collect()
}

/// The rows that the program leaves, which must end well and say nothing.
#[track_caller]
fn rows_after(task: &str) -> Rows {
    let folder = tempfile::tempdir().expect("a folder");
    let output = run(program(env!("CARGO_BIN_EXE_endings"), folder.path()).arg(task));
    assert_success(&output);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{task}");
    names(&rows_in(&folder))
}

fn ok(functions: &[&str]) -> Rows {
    functions.iter().map(|function| ((*function).to_owned(), Status::Ok)).collect()
}

#[test]
fn an_exit_from_within_closes_the_runs_that_are_open() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = run(program(env!("CARGO_BIN_EXE_endings"), folder.path()).arg("exit within"));
    assert_eq!(output.status.code(), Some(3));
    let rows = rows_in(&folder);
    let interrupted = |name: &str| (name.to_owned(), Status::Interrupted);
    assert_eq!(names(&rows), [interrupted("exits"), interrupted("exits_below")]);
    assert_eq!(rows[1].calls, 4, "calls under way count");
    assert_eq!(rows[1].parent_id.as_ref(), Some(&rows[0].id));
    // What the four calls of the recursion used is in the outer run, once.
    assert!(rows[0].duration >= rows[1].duration);
    assert!(rows[0].energy.0 >= rows[1].energy.0);
    assert_eq!(eco2ai::recover(folder.path().join("emission.csv")).expect("a log"), 0);
}

#[test]
fn a_run_that_is_discarded_leaves_no_row_and_nothing_to_recover() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_success(&run(program(env!("CARGO_BIN_EXE_endings"), folder.path()).arg("discard")));
    assert_eq!(names(&rows_in(&folder)), ok(&["plain"]));
    assert_eq!(eco2ai::recover(folder.path().join("emission.csv")).expect("a log"), 0);
}

#[test]
fn runs_of_threads_that_main_does_not_wait_for_are_closed() {
    let rows = rows_after("return beside workers");
    let workers = rows.iter().filter(|(name, _)| name == "worker");
    assert_eq!(workers.count(), 2, "{rows:?}");
    assert!(rows.iter().all(|(_, status)| *status == Status::Interrupted), "{rows:?}");
}

#[test]
fn a_thread_s_destructors_may_call_tracked_functions() {
    for task in ["thread, destructor first", "thread, destructor last", "main thread"] {
        let rows = rows_after(task);
        if task == "main thread" {
            // On some systems the values of the main thread are never dropped.
            assert!(
                rows == ok(&["plain", "plain", "summed"]) || rows == ok(&["plain"]),
                "{rows:?}"
            );
        } else {
            assert_eq!(rows, ok(&["plain", "plain", "summed"]), "{task}");
        }
    }
}

#[test]
fn the_first_tracked_call_may_be_that_of_a_destructor() {
    assert_eq!(rows_after("thread, first call in the destructor"), ok(&["plain", "summed"]));
}

#[test]
fn a_runtime_may_end_with_its_thread() {
    let rows = rows_after("runtime in a thread-local value");
    let cancelled = ("serves".to_owned(), Status::Cancelled);
    assert!(rows.contains(&cancelled), "{rows:?}");
    assert!(rows.iter().any(|(name, _)| name == "plain"), "{rows:?}");
}

#[cfg(unix)]
#[test]
fn exit_handlers_may_call_tracked_functions() {
    assert_eq!(rows_after("exit handler, before ours"), ok(&["plain", "plain", "summed"]));
    // The library has written what it had: a sum that begins after that has nobody to write it.
    assert_eq!(rows_after("exit handler, after ours"), ok(&["plain", "plain"]));
}
