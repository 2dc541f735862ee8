use super::*;
use crate::log::inspect::existing_header;
use crate::log::record::tests::record;
use crate::log::row::rows_of;

fn log(folder: &tempfile::TempDir) -> LogFile {
    LogFile::new(folder.path().join("emission.csv"), FileKind::Log)
}

fn full() -> String {
    Header::full().line()
}

/// The row of `id` as it is in a log with that header.
fn row(id: &str, header: &Header) -> String {
    String::from_utf8(rows_of([&record(id)], header, FileKind::Log)).unwrap()
}

fn append(log: &mut LogFile, id: &str) -> Result<End> {
    log.append(&[record(id)], None)
}

fn text(log: &LogFile) -> String {
    fs::read_to_string(log.path()).unwrap()
}

#[test]
fn the_header_is_written_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = log(&folder);
    append(&mut log, "1").unwrap();
    let end = append(&mut log, "2").unwrap();
    let [one, two] = ["1", "2"].map(|id| row(id, &Header::full()));
    assert_eq!(text(&log), full() + &one + &two);
    assert_eq!(end.offset, text(&log).len() as u64);
}

#[test]
fn a_log_that_is_removed_or_replaced_meanwhile_is_written_at_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = log(&folder);
    let row = row("1", &Header::full());
    append(&mut log, "1").unwrap();
    fs::remove_file(log.path()).unwrap();
    append(&mut log, "1").unwrap();
    assert_eq!(text(&log), full() + &row);
    let other = folder.path().join("other");
    fs::write(&other, full() + "its\n").unwrap();
    fs::rename(&other, log.path()).unwrap();
    append(&mut log, "1").unwrap();
    assert_eq!(text(&log), full() + "its\n" + &row);
}

#[test]
fn an_incomplete_row_is_ended_before_the_next() {
    for (torn, ended) in
        [("1,2", "1,2\n"), ("1,\"2,", "1,\"2,\"\n"), ("1,\"a\"\"", "1,\"a\"\"\"\n")]
    {
        let folder = tempfile::tempdir().unwrap();
        let mut log = log(&folder);
        fs::write(log.path(), full() + torn).unwrap();
        append(&mut log, "1").unwrap();
        assert_eq!(text(&log), full() + ended + &row("1", &Header::full()));
    }
}

#[test]
fn an_incomplete_header_is_completed() {
    // Each of them may be another program's that is writing, and is waited for.
    for length in (0..full().len()).step_by(37) {
        let folder = tempfile::tempdir().unwrap();
        let mut log = log(&folder);
        fs::write(log.path(), &full()[..length]).unwrap();
        append(&mut log, "1").unwrap();
        assert_eq!(text(&log), full() + &row("1", &Header::full()), "{length} bytes");
    }
}

#[test]
fn the_header_that_is_there_decides() {
    let folder = tempfile::tempdir().unwrap();
    for (line, end) in [
        (Header::eco2ai().line(), "\n"),
        (Header::eco2ai().line().replace('\n', "\r\n"), "\r\n"),
        (Header::eco2ai().line().replace('\n', "\r"), "\r"),
        (full().replace('\n', ",a column of a later version\n"), "\n"),
        (format!("\u{feff}mine,{}", full().replace(",OS,", ",")), "\n"),
    ] {
        let mut log = log(&folder);
        fs::write(log.path(), &line).unwrap();
        append(&mut log, "1").unwrap();
        append(&mut log, "2").unwrap();
        let text = text(&log);
        let rows = text.strip_prefix(&line).unwrap();
        assert!(rows.ends_with(end) && !rows.ends_with("\n\n"), "{rows:?}");
        let read: Vec<_> =
            crate::read_log(log.path()).unwrap().map(|row| row.unwrap().id).collect();
        assert_eq!(read, ["1", "2"], "{text}");
    }
}

#[test]
fn a_file_that_is_no_log_is_refused_and_left_as_it_is() {
    for refused in ["name,age\nx,1\n".to_owned(), full().replace(',', ";")] {
        let folder = tempfile::tempdir().unwrap();
        let mut log = log(&folder);
        fs::write(log.path(), &refused).unwrap();
        assert!(matches!(append(&mut log, "1"), Err(Error::NotALog { .. })), "{refused}");
        let header = existing_header(log.path());
        assert!(matches!(header, Err(Error::NotALog { .. })), "{refused}");
        assert_eq!(text(&log), refused);
    }
    let folder = tempfile::tempdir().unwrap();
    let mut log = LogFile::new(folder.path().into(), FileKind::Log);
    assert!(matches!(append(&mut log, "1"), Err(Error::NotALog { .. })));
}

#[test]
fn a_file_of_zeros_gets_another_name_and_a_log_begins() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = log(&folder);
    fs::write(log.path(), [0; 10_000]).unwrap();
    append(&mut log, "1").unwrap();
    assert_eq!(text(&log), full() + &row("1", &Header::full()));
    let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let kept = names.filter(|path| path != log.path()).collect::<Vec<_>>();
    assert_eq!(fs::read(&kept[0]).unwrap(), [0; 10_000]);
    assert_eq!(kept.len(), 1);
}

/// A planted link must not make us begin a log in a file of the user's.
#[cfg(unix)]
#[test]
fn a_log_is_continued_through_a_link_and_never_begun() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("target");
    let mut log = log(&folder);
    std::os::unix::fs::symlink(&target, log.path()).unwrap();
    assert!(matches!(append(&mut log, "1"), Err(Error::NotALog { .. })));
    assert!(!target.exists());
    fs::write(&target, "").unwrap();
    assert!(matches!(append(&mut log, "1"), Err(Error::NotALog { .. })));
    assert_eq!(fs::read(&target).unwrap(), b"");
    fs::write(&target, full()).unwrap();
    append(&mut log, "1").unwrap();
    assert_eq!(fs::read_to_string(&target).unwrap(), full() + &row("1", &Header::full()));
}

#[test]
fn not_every_log_stays_open() {
    let folder = tempfile::tempdir().unwrap();
    let mut logs: Vec<_> = (0..2 * MAX_KEPT_OPEN)
        .map(|at| LogFile::new(folder.path().join(format!("{at}.csv")), FileKind::Log))
        .collect();
    for log in &mut logs {
        append(log, "1").unwrap();
        append(log, "2").unwrap();
        assert_eq!(text(log).lines().count(), 3);
    }
    let kept = logs.iter().filter(|log| log.open.is_some()).count();
    assert!(kept <= MAX_KEPT_OPEN, "{kept}");
}

#[test]
fn a_held_lock_is_waited_for_once_and_not_for_long() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = log(&folder);
    append(&mut log, "1").unwrap();
    let holder = File::open(log.path()).unwrap();
    let held = lock_within(&holder, Duration::ZERO).unwrap();
    assert!(append(&mut log, "1").is_err());
    assert!(log.timed_out_at.is_some(), "it was waited for");
    // However slowly the rest of this test goes.
    let just_now = Instant::now().checked_add(Duration::from_secs(3600));
    log.timed_out_at = just_now;
    assert!(append(&mut log, "1").is_err());
    assert_eq!(log.timed_out_at, just_now, "it was tried, and not waited for");
    drop(held);
    append(&mut log, "1").unwrap();
    assert_eq!(log.timed_out_at, None, "the next one is waited for again");
}
