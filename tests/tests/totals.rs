//! `rows = "total"`: one row for all calls of a function under a parent, written when that or the
//! process ends.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use eco2ai::{Record, Status};

/// What a child process of these tests does.
const ROLE: &str = "ECO2AI_TEST_TOTALS_ROLE";

#[eco2ai::track(rows = "total", project = "totals", measure_period = 0.05)]
fn often(depth: u32) -> u32 {
    if depth == 0 { 0 } else { often(depth - 1) + 1 }
}

#[eco2ai::track(rows = "total", project = "totals")]
fn fails(wrong: bool) {
    assert!(!wrong, "as wanted");
}

#[eco2ai::track(project = "totals")]
fn outer() {
    often(0);
}

#[eco2ai::track(rows = "total", project = "totals")]
fn flushes() {
    eco2ai::flush().expect("the log can be written");
}

/// Not a test: what the children do.
#[test]
#[ignore = "a part of the other tests"]
fn child() {
    match std::env::var(ROLE).expect("a role").as_str() {
        "calls" => {
            for _ in 0..500 {
                often(1);
            }
            let _ = std::panic::catch_unwind(|| fails(true));
            fails(false);
            outer();
        }
        "exit" => {
            often(3);
            std::process::exit(7);
        }
        "flush" => {
            often(0);
            eco2ai::flush().expect("the log can be written");
            often(0);
            often(0);
        }
        "flush within" => {
            flushes();
            flushes();
        }
        "parents" => {
            for _ in 0..3 {
                outer();
            }
            // Whatever comes now comes too late for an end of the process.
            std::process::abort();
        }
        "killed" => loop {
            often(0);
            std::thread::sleep(Duration::from_millis(1));
        },
        role => panic!("no role {role}"),
    }
}

fn start(role: &str, folder: &Path) -> std::process::Child {
    Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "child", "--ignored"])
        .env(ROLE, role)
        .env("ECO2AI_CONFIG", folder.join("params.toml"))
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a child")
}

fn rows_of(role: &str) -> Vec<Record> {
    let folder = tempfile::tempdir().expect("a folder");
    start(role, folder.path()).wait().expect("its end");
    rows(&folder.path().join("emission.csv"))
}

fn rows(log: &Path) -> Vec<Record> {
    eco2ai::read_log(log).expect("a log").map(|row| row.expect("a good row")).collect()
}

fn called(record: &Record, name: &str) -> bool {
    record.function.as_deref().is_some_and(|function| function.ends_with(name))
}

#[test]
fn all_calls_leave_one_row_for_each_parent_with_the_worst_status() {
    let rows = rows_of("calls");
    assert_eq!(rows.len(), 4, "{rows:#?}");
    let mut often: Vec<_> = rows.iter().filter(|row| called(row, "::often")).collect();
    often.sort_by_key(|row| row.parent_id.clone());
    let outer = rows.iter().find(|row| called(row, "::outer")).expect("its row");
    // 500 calls and the one call in each of them; and the one under `outer`.
    assert_eq!((often[0].calls, often[0].parent_id.as_ref()), (1000, None));
    assert_eq!((often[1].calls, often[1].parent_id.as_ref()), (1, Some(&outer.id)));
    assert!(often[0].own_energy.0 > 0.0);
    // Recursion counts the outer calls alone, which hold the inner ones.
    let (own, inclusive) = (often[0].own_energy.0, often[0].power_consumption.0);
    assert!((own - inclusive).abs() < 1e-9 * own, "{own} {inclusive}");
    let fails = rows.iter().find(|row| called(row, "::fails")).expect("its row");
    assert_eq!((fails.calls, fails.status), (2, Status::Panicked));
}

#[test]
fn the_row_is_written_also_at_an_exit_from_within() {
    let rows = rows_of("exit");
    assert_eq!(rows.iter().map(|row| row.calls).collect::<Vec<_>>(), [4]);
}

#[test]
fn flush_writes_the_row_and_later_calls_begin_another() {
    let rows = rows_of("flush");
    assert_eq!(rows.iter().map(|row| row.calls).collect::<Vec<_>>(), [1, 2]);
    assert_ne!(rows[0].id, rows[1].id);
}

#[test]
fn a_call_that_flushes_is_counted_itself() {
    let rows = rows_of("flush within");
    assert_eq!(rows.iter().map(|row| row.calls).sum::<u64>(), 2, "{rows:#?}");
}

#[test]
fn the_rows_under_a_run_are_written_with_it() {
    let rows = rows_of("parents");
    let outer: Vec<_> = rows.iter().filter(|row| called(row, "::outer")).collect();
    assert_eq!((rows.len(), outer.len()), (6, 3), "{rows:#?}");
    for outer in outer {
        let under = rows.iter().filter(|row| row.parent_id.as_ref() == Some(&outer.id));
        assert_eq!(under.map(|row| row.calls).sum::<u64>(), 1);
    }
}

#[test]
fn a_killed_process_leaves_the_row_in_its_journal() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("emission.csv");
    let mut child = start("killed", folder.path());
    std::thread::sleep(Duration::from_millis(800));
    child.kill().expect("it runs");
    child.wait().expect("its end");
    assert_eq!(eco2ai::recover(&log).expect("a log"), 1);
    let rows = rows(&log);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].status, Status::Interrupted);
    assert!(rows[0].calls > 100, "{} calls", rows[0].calls);
}
