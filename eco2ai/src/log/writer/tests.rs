use super::*;
use crate::file_lock::lock_within;
use crate::log::header::Header;
use crate::log::journal_files::{self, real_path};
use crate::log::read_log;
use crate::log::record::tests::record;
use crate::log::rewriting::REWRITE_TIME;
use crate::status::Status;
use std::fs;
use std::time::{Duration, SystemTime};

fn rows(path: &Path) -> Vec<(String, Status)> {
    read_log(path).unwrap().map(|row| row.map(|r| (r.id, r.status)).unwrap()).collect()
}

fn journals(path: &Path) -> usize {
    journal_files::find(&real_path(path)).len()
}

fn finish(path: &Path, record: &Record) {
    with(path, |log| log.finish(record, None));
}

fn keep(path: &Path, group: u32, states: impl FnOnce() -> Option<Vec<Record>>) {
    find(path).keep(group, |all| {
        states().map(|states| states.iter().for_each(|it| all.add(it, None))).is_some()
    });
}

fn retry(path: &Path) {
    find(path).retry();
}

/// As if the process had ended.
fn end(path: &Path) {
    // Not `close`, which also ends those of the tests beside this one.
    with(path, |log| {
        let _ = log.flush();
        log.close();
    });
    die(path);
}

/// As if the process had died: its locks are gone, its files are there.
fn die(path: &Path) {
    with(path, |log| *log = LogEntry::new(path));
}

#[test]
fn a_run_that_finishes_leaves_one_row_and_no_journal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("unit_test.csv");
    keep(&path, 0, || Some(vec![record("a"), record("b")]));
    assert_eq!(journals(&path), 1);
    finish(&path, &record("a"));
    keep(&path, 0, || None);
    assert_eq!(journals(&path), 1, "b has not finished");
    finish(&path, &record("b"));
    assert_eq!(journals(&path), 0);
    assert_eq!(rows(&path), [("a".into(), Status::Ok), ("b".into(), Status::Ok)]);
}

#[test]
fn the_journal_of_a_dead_process_becomes_a_row_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("unit_test.csv");
    finish(&path, &record("before"));
    keep(&path, 0, || Some(vec![record("a"), record("b")]));
    assert_eq!(recover(&path).unwrap(), 0, "a living owner's journal is left alone");
    // Killed after the append of `b`, before it was forgotten.
    finish(&path, &record("b"));
    die(&path);
    assert_eq!(recover(&path).unwrap(), 1);
    assert_eq!(recover(&path).unwrap(), 0);
    let expected = [("before", Status::Ok), ("b", Status::Ok), ("a", Status::Interrupted)];
    assert_eq!(rows(&path), expected.map(|(id, status)| (id.to_owned(), status)));
    assert_eq!(journals(&path), 0);
}

#[test]
fn each_group_has_its_latest_states_in_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("unit_test.csv");
    let lasting = |id: &str, seconds| {
        let duration = Duration::from_secs(seconds);
        Record { duration, ..record(id) }
    };
    for turn in 1..20 {
        for group in 0..8_u32 {
            let states = (0..3).map(|run| lasting(&format!("{group}/{run}"), turn));
            keep(&path, group, || Some(states.collect()));
        }
    }
    finish(&path, &lasting("5/1", 30));
    // A run that ended without a row is gone with the next state of its group.
    discard(&path, &lasting("6/1", 30));
    keep(&path, 6, || Some(vec![lasting("6/0", 30), lasting("6/2", 30)]));
    let journal = journal_files::find(&real_path(&path)).remove(0).path;
    assert!(journal.metadata().unwrap().len() < 40_000);
    die(&path);
    assert_eq!(recover(&path).unwrap(), 8 * 3 - 2);
    let rows = read_log(&path).unwrap().map(|row| row.unwrap());
    let seconds: std::collections::BTreeMap<_, _> =
        rows.map(|row| (row.id, row.duration.as_secs())).collect();
    assert_eq!(seconds.len(), 8 * 3 - 1, "each once");
    assert_eq!((seconds["5/1"], seconds["5/0"], seconds["6/0"]), (30, 19, 30));
}

#[test]
fn the_first_tracker_on_a_log_recovers_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("unit_test.csv");
    keep(&path, 0, || Some(vec![record("a")]));
    die(&path);
    attach(&path, false);
    assert_eq!(rows(&path), [("a".into(), Status::Interrupted)]);
}

#[test]
fn an_epoch_is_not_taken_for_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("unit_test.csv");
    let epoch = |number: i64| {
        let mut record = record("training");
        record.start_time = record.start_time.map(|time| time + chrono::TimeDelta::seconds(number));
        record
    };
    keep(&path, 0, || Some(vec![epoch(1)]));
    finish(&path, &epoch(1));
    keep(&path, 0, || Some(vec![epoch(2)]));
    die(&path);
    // Also where the place in the log is not known any more.
    let copy = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(folder.path().join("occupies the inode"), "").unwrap();
    fs::write(&path, copy).unwrap();
    assert_eq!(recover(&path).unwrap(), 1);
    let status = [Status::Ok, Status::Interrupted];
    assert_eq!(rows(&path), status.map(|status| ("training".to_owned(), status)));
}

/// The log is renamed after the row of a run, and before the state of its group is written again.
#[cfg(unix)]
#[test]
fn a_row_that_is_in_a_renamed_log_is_not_recovered() {
    for has_next_log in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("unit_test.csv");
        finish(&path, &record("before"));
        keep(&path, 0, || Some(vec![record("a"), record("b")]));
        finish(&path, &record("a"));
        let renamed = folder.path().join("unit_test.csv.1");
        fs::rename(&path, &renamed).unwrap();
        if has_next_log {
            finish(&path, &record("next"));
        }
        die(&path);
        assert_eq!(recover(&path).unwrap(), 1);
        assert_eq!(rows(&path).last(), Some(&("b".to_owned(), Status::Interrupted)));
        assert_eq!(rows(&path).len(), 1 + usize::from(has_next_log));
        assert_eq!(rows(&renamed).len(), 2, "the renamed log is left alone");
    }
}

#[test]
fn rows_wait_while_the_log_is_locked_and_are_written_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("unit_test.csv");
    finish(&path, &record("0"));
    let holder = fs::File::open(&path).unwrap();
    let held = lock_within(&holder, Duration::ZERO).unwrap();
    keep(&path, 0, || Some(vec![record("1")]));
    finish(&path, &record("1"));
    finish(&path, &record("2"));
    assert_eq!(rows(&path).len(), 1);
    assert!(flush().is_err());
    drop(held);
    finish(&path, &record("3"));
    let ids: Vec<_> = rows(&path).into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["0", "3", "1", "2"]);
    assert_eq!(journals(&path), 0);
}

#[test]
fn a_row_that_waits_is_recovered_with_its_own_status_and_only_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("unit_test.csv");
    finish(&path, &record("0"));
    let holder = fs::File::open(&path).unwrap();
    let held = lock_within(&holder, Duration::ZERO).unwrap();
    keep(&path, 0, || Some(vec![record("1"), record("2")]));
    finish(&path, &record("1"));
    die(&path);
    assert!(recover(&path).is_err());
    drop(held);
    assert_eq!(recover(&path).unwrap(), 2);
    let expected = [("0", Status::Ok), ("1", Status::Ok), ("2", Status::Interrupted)];
    assert_eq!(rows(&path), expected.map(|(id, status)| (id.to_owned(), status)));
    assert_eq!(journals(&path), 0);
}

/// Eco2AI for Python reads the whole log and writes it anew, each period.
#[test]
fn a_row_that_another_program_writes_over_is_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("unit_test.csv");
    let header = Header::eco2ai().line();
    fs::write(&path, &header).unwrap();
    attach(&path, false);
    finish(&path, &record("1"));
    let read_by_other = fs::read_to_string(&path).unwrap();
    finish(&path, &record("2"));
    fs::write(&path, read_by_other.replace("N/A", "") + "other,p,d,,x,1,1,1,,,,,\n").unwrap();
    retry(&path);
    let ids: Vec<_> = rows(&path).into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["1", "other", "2"]);
    retry(&path);
    assert_eq!(rows(&path).len(), 3, "once");
    // The process ends, and the row is written over after that.
    let read_by_other = fs::read_to_string(&path).unwrap();
    finish(&path, &record("3"));
    end(&path);
    fs::write(&path, read_by_other).unwrap();
    assert_eq!(recover(&path).unwrap(), 1);
    assert_eq!(recover(&path).unwrap(), 0);
    assert_eq!(rows(&path).len(), 4);
}

/// A log that Eco2AI for Python has read, and a row that was added after that by a process that has
/// ended. What Eco2AI is about to write is returned.
fn row_that_is_about_to_be_written_over(path: &Path) -> String {
    fs::write(path, Header::eco2ai().line()).unwrap();
    attach(path, false);
    finish(path, &record("0"));
    let read_by_other = fs::read_to_string(path).unwrap();
    finish(path, &record("1"));
    end(path);
    read_by_other
}

/// It empties the log, and writes it when it gets a processor again.
#[test]
fn no_row_is_written_while_another_program_has_emptied_the_log_to_write_it_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("unit_test.csv");
    let read_by_other = row_that_is_about_to_be_written_over(&path);
    // Long after its creation, and a moment ago however busy this machine is.
    fs::File::create(&path).unwrap().set_modified(SystemTime::now() + REWRITE_TIME).unwrap();

    let refused = recover(&path).unwrap_err();
    assert!(refused.to_string().contains("unit_test.csv"), "{refused}");
    finish(&path, &record("2"));
    assert_eq!(fs::read_to_string(&path).unwrap(), "", "the other program's bytes go there");

    fs::write(&path, read_by_other).unwrap();
    retry(&path);
    assert_eq!(recover(&path).unwrap(), 1);
    let ids: Vec<_> = rows(&path).into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["0", "2", "1"]);
    die(&path);
}

#[test]
fn a_row_that_was_written_again_may_be_written_over_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("unit_test.csv");
    let read_by_other = row_that_is_about_to_be_written_over(&path);
    let [journal] = &journal_files::find(&real_path(&path))[..] else { panic!("one journal") };
    let almost_done = SystemTime::now() - REWRITE_TIME + Duration::from_millis(1);
    fs::File::options().write(true).open(&journal.path).unwrap().set_modified(almost_done).unwrap();

    for _ in 0..2 {
        fs::write(&path, &read_by_other).unwrap();
        assert_eq!(recover(&path).unwrap(), 1);
        let ids: Vec<_> = rows(&path).into_iter().map(|(id, _)| id).collect();
        assert_eq!(ids, ["0", "1"]);
    }
}

/// A file that a program made to have its rows there, as the library `tempfile` does.
#[test]
fn a_row_is_written_to_an_empty_file_that_is_new() {
    let file = tempfile::NamedTempFile::new().unwrap();
    finish(file.path(), &record("0"));
    assert_eq!(rows(file.path()).len(), 1);
}
