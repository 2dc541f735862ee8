//! Many writers of one log lose no row.
//!
//! The full load is behind `ECO2AI_FULL_LOAD=1`; without it the numbers are smaller.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use eco2ai::Tracker;
use eco2ai_tests::hard_runs::{description, write_runs};
use eco2ai_tests::program::{assert_success, finish, program, run, tool};
use eco2ai_tests::rows::ECO2AI_HEADER;

fn full_load() -> bool {
    std::env::var_os("ECO2AI_FULL_LOAD").is_some()
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

/// A process that writes so many runs.
fn spawn(log: &Path, runs: usize) -> Child {
    let folder = log.parent().expect("a folder");
    let mut command = program(env!("CARGO_BIN_EXE_writes_runs"), folder);
    command.arg(log).arg(runs.to_string()).spawn().unwrap()
}

/// Writes the whole log anew, as Eco2AI for Python does, and has no processor for so many milliseconds
/// before each step.
fn rewrite(log: &Path, mut pauses: impl Iterator<Item = u64>) {
    let mut pause = || std::thread::sleep(Duration::from_millis(pauses.next().unwrap_or(0)));
    let text = std::fs::read(log).unwrap();
    pause();
    let mut file = File::create(log).unwrap();
    // However long this machine takes until the next step, the last one was a moment ago.
    let keep_recent = |file: &File| {
        file.set_modified(SystemTime::now() + Duration::from_secs(60)).unwrap();
    };
    keep_recent(&file);
    pause();
    // Within a row: a buffer rarely ends with one.
    let middle = (1..text.len() / 2).rfind(|at| text[at - 1] != b'\n').unwrap();
    file.write_all(&text[..middle]).unwrap();
    keep_recent(&file);
    pause();
    file.write_all(&text[middle..]).unwrap();
}

#[test]
fn no_row_is_lost_while_another_program_rewrites_the_log_and_is_delayed() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("emission.csv");
    // More than what one write adds: what is put into the emptied file is then written over as a whole.
    let rows = "p,python,d,,2026-01-05 10:00:00,1,1,1,,,,FR,0\n".repeat(20);
    std::fs::write(&log, format!("{ECO2AI_HEADER}\n{rows}")).unwrap();
    let ended = AtomicBool::new(false);
    let outputs: Vec<_> = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut pauses = [3, 7, 20, 0, 60, 5, 40, 90, 1, 120, 10, 70].into_iter().cycle();
            while !ended.load(Ordering::Relaxed) {
                rewrite(&log, pauses.by_ref().take(3));
            }
        });
        let pairs = 0..if full_load() { 100 } else { 10 };
        let run_pair = |_| {
            let children = [(), ()].map(|()| spawn(&log, 3));
            children.map(|child| (child.id(), child.wait_with_output()))
        };
        let outputs = pairs.flat_map(run_pair).collect();
        ended.store(true, Ordering::Relaxed);
        outputs
    });
    for (_, output) in &outputs {
        assert_success(output.as_ref().unwrap());
    }
    let writers: Vec<_> = outputs.iter().map(|(writer, _)| *writer).collect();
    eco2ai::recover(&log).unwrap();
    assert_complete(&log, 20, &writers, 3);
}

#[test]
fn many_processes_and_many_threads_lose_no_row() {
    let (times, runs, large) = if full_load() { (5, 1000, 1_000_000) } else { (1, 200, 10_000) };
    for earlier in [0, large] {
        for _ in 0..times {
            let folder = tempfile::tempdir().unwrap();
            let log = folder.path().join("emission.csv");
            fill(&log, earlier);
            let children: Vec<_> = (0..8).map(|_| spawn(&log, runs)).collect();
            let writers: Vec<_> = children.iter().map(Child::id).collect();
            for child in children {
                assert_success(&finish(child));
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

/// A log of Eco2AI, however large, stays one: its rows and its header are as they were.
#[test]
fn runs_on_a_large_log_of_eco2ai_only_add_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("emission.csv");
    let text = "d, e ".repeat(200);
    let row = format!(",old,\"{text}\",N/A,2024-05-06 07:08:09,1.5,0.25,0.1,C,G,Linux,FR,2.0\n");
    let old = format!("{ECO2AI_HEADER}\n") + &row.repeat(5_000);
    std::fs::write(&log, &old).unwrap();
    let child = spawn(&log, 3);
    let writer = child.id();
    assert_success(&finish(child));
    assert_complete(&log, 5_000, &[writer], 3);
    assert!(std::fs::read_to_string(&log).unwrap().starts_with(&old));
    assert_eq!(eco2ai::recover(&log).unwrap(), 0);
    assert_complete(&log, 5_000, &[writer], 3);
}

/// A stopped process that holds the lock: runs end meanwhile, and their rows are written when the
/// lock is free.
#[cfg(unix)]
#[test]
fn a_stopped_holder_of_the_lock_stops_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("emission.csv");
    write_runs(&log, 1, 1);
    let mut holder = program(env!("CARGO_BIN_EXE_holds_lock"), folder.path())
        .arg(&log)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(holder.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "locked\n");
    let signal = |signal: &str| {
        let id = holder.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    };
    signal("-STOP");
    write_runs(&log, 2, 100);
    assert_complete(&log, 0, &[1], 1);
    signal("-KILL");
    holder.wait().unwrap();
    eco2ai::recover(&log).unwrap();
    assert_eq!(eco2ai::summary(&log).unwrap().total.rows, 101);
}

/// Beyond the limit on the size of files, a write would end the program by a signal. It also stands
/// for a full disk: the rows come when there is space again.
#[cfg(unix)]
#[test]
fn a_full_disk_loses_no_row_and_disturbs_no_run() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("emission.csv");
    write_runs(&log, 1, 1);
    fill(&log, 30);
    let before = std::fs::read(&log).unwrap();
    let writer = program(env!("CARGO_BIN_EXE_writes_runs"), folder.path());
    // 8 blocks of 1024 bytes: less than the log has, enough for a journal.
    let limited = "ulimit -f 8; exec \"$0\" \"$@\"";
    let mut command = tool("bash", folder.path());
    command.args(["-c", limited]).arg(writer.get_program()).args(writer.get_args());
    assert_success(&run(command.arg(&log).arg("5")));
    assert!(before.len() > 8 * 1024);
    assert_eq!(std::fs::read(&log).unwrap(), before, "no torn row");
    assert_eq!(eco2ai::recover(&log).unwrap(), 5);
    assert_eq!(eco2ai::recover(&log).unwrap(), 0);
    assert_eq!(eco2ai::summary(&log).unwrap().unusable_rows, 0);
}
