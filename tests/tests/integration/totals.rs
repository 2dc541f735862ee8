//! `rows = "total"`: one row for all calls of a function under a parent, written when that or the
//! process ends.

use std::path::{Path, PathBuf};

use eco2ai::{Record, Status};
use eco2ai_tests::program::{program, run, wait_until};

fn rows_of(task: &str) -> Vec<Record> {
    let folder = tempfile::tempdir().expect("a folder");
    run(program(env!("CARGO_BIN_EXE_totals"), folder.path()).arg(task));
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
    let rows = rows_of("return");
    assert_eq!(rows.len(), 4, "{rows:#?}");
    let mut often: Vec<_> = rows.iter().filter(|row| called(row, "::often")).collect();
    often.sort_by_key(|row| row.parent_id.clone());
    let outer = rows.iter().find(|row| called(row, "::outer")).expect("its row");
    // 500 calls and the one call in each of them; and the one under `outer`.
    assert_eq!((often[0].calls, often[0].parent_id.as_ref()), (1000, None));
    assert_eq!((often[1].calls, often[1].parent_id.as_ref()), (1, Some(&outer.id)));
    assert!(often[0].own_energy.0 > 0.0);
    // Recursion counts the outer calls alone, which hold the inner ones.
    let (own, inclusive) = (often[0].own_energy.0, often[0].energy.0);
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
fn a_recursion_over_several_functions_has_one_row_for_each_and_all_are_written_with_the_run() {
    let rows = rows_of("mutual recursion");
    let the = |name: &str| rows.iter().filter(|row| called(row, name)).collect::<Vec<_>>();
    let [request] = the("::request")[..] else { panic!("{rows:#?}") };
    let ([even], [odd]) = (&the("::even")[..], &the("::odd")[..]) else { panic!("{rows:#?}") };
    let [leaf] = the("::leaf")[..] else { panic!("{rows:#?}") };
    assert_eq!((even.calls, odd.calls, leaf.calls), (501, 500, 501));
    assert_eq!(even.parent_id.as_ref(), Some(&request.id));
    assert_eq!(odd.parent_id.as_ref(), Some(&even.id), "the row under which it was called first");
    assert_eq!(leaf.parent_id.as_ref(), Some(&even.id));
    // Nothing is counted twice: the outermost call of each holds all that is below.
    let own: f64 = rows.iter().map(|row| row.own_energy.0).sum();
    assert!((own - request.energy.0).abs() <= 1e-9 * own);
    assert!(even.energy.0 <= request.energy.0 * (1.0 + 1e-9));
    assert!(odd.duration <= even.duration && even.duration <= request.duration);
}

#[test]
fn a_run_that_outlives_the_call_that_started_it_leaves_nothing_behind() {
    let rows = rows_of("outlived");
    let leaves: Vec<_> = rows.iter().filter(|row| called(row, "::leaf")).collect();
    let outlives = rows.iter().find(|row| called(row, "outlives")).expect("its row");
    let starts = rows.iter().find(|row| called(row, "::starts")).expect("its row");
    assert_eq!(outlives.parent_id.as_ref(), Some(&starts.id));
    assert_eq!((starts.calls, starts.status), (1, Status::Ok));
    // One under the run that outlived its parent, one under `even`.
    assert_eq!(leaves.iter().map(|row| row.calls).collect::<Vec<_>>(), [1, 1]);
    assert!(leaves.iter().any(|leaf| leaf.parent_id.as_ref() == Some(&outlives.id)));
}

#[test]
fn a_killed_process_leaves_the_row_in_its_journal() {
    killed_after("on and on", 100);
    // Also where nothing ran any more when the period ended.
    killed_after("once, then idle", 10);
}

/// Kills a program once so many calls are in its journal.
fn killed_after(task: &str, calls: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("emission.csv");
    let mut command = program(env!("CARGO_BIN_EXE_totals"), folder.path());
    let mut child = command.arg(task).spawn().expect("the program can be started");
    let mut kept = 0;
    wait_until("the calls are in the journal", || {
        kept = calls_in_journals(folder.path());
        kept >= calls
    });
    child.kill().expect("it runs");
    child.wait().expect("its end");
    assert_eq!(eco2ai::recover(&log).expect("a log"), 1);
    let rows = rows(&log);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].status, Status::Interrupted);
    assert!(rows[0].calls >= kept, "{} of {kept} calls", rows[0].calls);
}

/// The most calls of `often` that a journal in a folder tells.
fn calls_in_journals(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path());
    let journals = entries.filter(|path| path.extension().is_some_and(|it| it == "journal"));
    let calls = |journal: PathBuf| {
        let text = String::from_utf8_lossy(&std::fs::read(journal).ok()?).into_owned();
        // After the function stand the status and the calls.
        let rows = text.split("::often,").skip(1);
        rows.filter_map(|row| row.split(',').nth(1)?.parse().ok()).max()
    };
    journals.filter_map(calls).max().unwrap_or(0)
}
