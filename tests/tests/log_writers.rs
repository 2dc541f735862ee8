//! Many writers of one log lose no row.
//!
//! The full load is behind `ECO2AI_FULL_LOAD=1`; without it the numbers are smaller.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use eco2ai::Tracker;

/// What a child of this test does: so many runs in the log.
const CHILD_RUNS: &str = "ECO2AI_TEST_CHILD_RUNS";
const CHILD_LOG: &str = "ECO2AI_TEST_CHILD_LOG";

fn full_load() -> bool {
    std::env::var_os("ECO2AI_FULL_LOAD").is_some()
}

/// A description that is hard to write, and tells which row it is.
fn description(writer: u32, run: usize) -> String {
    format!("=writer {writer}, \"run\" {run}\nend")
}

fn write_runs(log: &Path, writer: u32, runs: usize) {
    for run in 0..runs {
        let tracker = Tracker::builder()
            .project("load")
            .description(description(writer, run))
            .file(log)
            .forget()
            .build()
            .unwrap();
        tracker.start().unwrap().stop().unwrap();
    }
}

/// All rows of all writers are there, each once, and none else.
fn assert_complete(log: &Path, earlier: usize, writers: &[u32], runs: usize) {
    let mut found: Vec<String> = eco2ai::read_log(log)
        .unwrap()
        .map(|row| row.unwrap().description)
        .filter(|text| text.starts_with('='))
        .collect();
    let mut expected: Vec<String> =
        writers.iter().flat_map(|writer| (0..runs).map(|run| description(*writer, run))).collect();
    found.sort_unstable();
    expected.sort_unstable();
    assert!(found == expected, "{} of {} rows", found.len(), expected.len());
    let summary = eco2ai::summary(log).unwrap();
    assert_eq!(summary.unusable_rows, 0);
    assert_eq!(summary.total.rows, (earlier + expected.len()) as u64);
}

/// A log with so many rows in it.
fn fill(log: &Path, rows: usize) {
    if rows == 0 {
        return;
    }
    let first =
        Tracker::builder().project("old").description("old").file(log).forget().build().unwrap();
    first.start().unwrap().stop().unwrap();
    let text = std::fs::read_to_string(log).unwrap();
    let (header, row) = text.split_once('\n').unwrap();
    let mut all = format!("{header}\n");
    for _ in 0..rows {
        all.push_str(row);
    }
    std::fs::write(log, all).unwrap();
}

#[test]
fn child() {
    let (Ok(runs), Some(log)) = (std::env::var(CHILD_RUNS), std::env::var_os(CHILD_LOG)) else {
        return;
    };
    write_runs(Path::new(&log), std::process::id(), runs.parse().unwrap());
}

fn spawn(log: &Path, runs: usize) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child"])
        .env(CHILD_RUNS, runs.to_string())
        .env(CHILD_LOG, log)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn many_processes_and_many_threads_lose_no_row() {
    let (times, runs, large) = if full_load() { (5, 1000, 1_000_000) } else { (1, 200, 10_000) };
    for earlier in [0, large] {
        for _ in 0..times {
            let folder = tempfile::tempdir().unwrap();
            let log = folder.path().join("emission.csv");
            fill(&log, earlier);
            let mut children: Vec<_> = (0..8).map(|_| spawn(&log, runs)).collect();
            let writers: Vec<_> = children.iter().map(std::process::Child::id).collect();
            for child in &mut children {
                assert!(child.wait().unwrap().success());
            }
            eco2ai::recover(&log).unwrap();
            assert_complete(&log, earlier, &writers, runs);

            let folder = tempfile::tempdir().unwrap();
            let log = folder.path().join("emission.csv");
            fill(&log, earlier);
            std::thread::scope(|scope| {
                for writer in 0..16 {
                    let log = &log;
                    scope.spawn(move || write_runs(log, writer, runs));
                }
            });
            eco2ai::recover(&log).unwrap();
            assert_complete(&log, earlier, &(0..16).collect::<Vec<_>>(), runs);
        }
    }
}

/// A large log of Eco2AI gets our columns in a thread of its own; a process that ends at once waits
/// for that, and leaves no row behind.
#[test]
fn the_runs_that_find_a_large_log_of_eco2ai_are_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("emission.csv");
    write_runs(&log, 1, 1);
    let header = std::fs::read_to_string(&log).unwrap();
    let header: Vec<_> = header.lines().next().unwrap().split(',').take(13).collect();
    let text = "d, e ".repeat(200);
    let row = format!(",old,\"{text}\",N/A,2024-05-06 07:08:09,1.5,0.25,0.1,C,G,Linux,FR,2.0\n");
    let old = header.join(",") + "\n" + &row.repeat(5_000);
    std::fs::write(&log, &old).unwrap();
    // Of one that was killed while it did this.
    std::fs::write(folder.path().join("emission.csv.eco2ai-upgrade"), "id,").unwrap();
    let mut child = spawn(&log, 3);
    assert!(child.wait().unwrap().success());
    assert_complete(&log, 5_000, &[child.id()], 3);
    assert!(std::fs::read_to_string(folder.path().join("emission.csv.bak")).unwrap() == old);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing else is left");
}

/// A stopped process that holds the lock: the run that ends meanwhile waits 200 ms at most, and
/// its row is written when the lock is free.
#[test]
fn a_stopped_holder_of_the_lock_stops_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("emission.csv");
    write_runs(&log, 1, 1);
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "holder_of_the_lock", "--ignored", "--nocapture"])
        .env("ECO2AI_TEST_LOG", &log)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    while lines.next().unwrap().unwrap() != "locked" {}
    let signal = |signal: &str| {
        let id = holder.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    };
    signal("-STOP");
    let started = Instant::now();
    write_runs(&log, 2, 100);
    assert!(started.elapsed() < Duration::from_millis(600), "{:?}", started.elapsed());
    assert_complete(&log, 0, &[1], 1);
    signal("-KILL");
    holder.wait().unwrap();
    eco2ai::recover(&log).unwrap();
    assert_eq!(eco2ai::summary(&log).unwrap().total.rows, 101);
}

/// The process that `a_stopped_holder_of_the_lock_stops_nobody` stops.
#[test]
#[ignore = "a part of another test"]
fn holder_of_the_lock() {
    let Some(log) = std::env::var_os("ECO2AI_TEST_LOG") else { return };
    let log = std::fs::File::open(log).unwrap();
    log.lock().unwrap();
    println!("\nlocked");
    std::thread::sleep(Duration::from_secs(60));
}

/// A limit on the size of files stands for a full disk; the rows come when there is space again.
#[cfg(unix)]
#[test]
fn a_full_disk_loses_no_row_and_harms_no_run() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("emission.csv");
    write_runs(&log, 1, 1);
    fill(&log, 30);
    let before = std::fs::read(&log).unwrap();
    // 8 blocks of 1024 bytes: less than the log has, enough for a journal.
    let status = Command::new("bash")
        .args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" --exact child"])
        .arg(std::env::current_exe().unwrap())
        .env(CHILD_RUNS, "5")
        .env(CHILD_LOG, &log)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    assert!(before.len() > 8 * 1024);
    assert_eq!(std::fs::read(&log).unwrap(), before, "no torn row");
    assert_eq!(eco2ai::recover(&log).unwrap(), 5);
    assert_eq!(eco2ai::recover(&log).unwrap(), 0);
    assert_eq!(eco2ai::summary(&log).unwrap().unusable_rows, 0);
}
