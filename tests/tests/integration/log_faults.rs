//! Logs on bad disks, on file systems without locks, and in folders where others have planted
//! something: no row is lost or there twice, no program hangs or dies, no other file is touched.

#![cfg(target_os = "linux")]

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use eco2ai::{Status, Tracker};
use eco2ai_tests::program::{assert_success, c_compiler, finish, program, run, said, tool};

/// The errors by which file systems say that they have no locks.
const NO_LOCKS: [i32; 4] = [libc::ENOLCK, libc::EINVAL, libc::ENOSYS, libc::EOPNOTSUPP];

/// The library that makes system calls fail.
fn faults() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/preload/faults.c");
        let library = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("faults-{}.so", std::process::id()));
        let mut compiler = c_compiler();
        compiler.args(["-shared", "-fPIC", "-O1", "-Wall", "-o"]).arg(&library).arg(source);
        assert!(compiler.arg("-ldl").status().expect("a C compiler").success());
        library
    })
}

fn faulty(path: &str, folder: &Path, fault: (&str, i32)) -> Command {
    let mut command = program(path, folder);
    command.env("LD_PRELOAD", faults()).env(fault.0, fault.1.to_string());
    command
}

fn descriptions(log: &Path) -> HashMap<String, usize> {
    let mut times = HashMap::new();
    for record in eco2ai::read_log(log).unwrap() {
        *times.entry(record.unwrap().description).or_default() += 1;
    }
    times
}

#[test]
fn writers_on_a_file_system_without_locks_lose_no_row_and_warn_once() {
    for error in NO_LOCKS {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("emission.csv");
        let spawn = |_| {
            let mut writer =
                faulty(env!("CARGO_BIN_EXE_writes_runs"), folder.path(), ("FAULT_FLOCK", error));
            writer.arg(&log).arg("50").stdout(Stdio::piped()).stderr(Stdio::piped());
            writer.spawn().unwrap()
        };
        let writers: Vec<_> = (0..4).map(spawn).collect();
        for writer in writers {
            let output = finish(writer);
            assert_success(&output);
            let warnings = String::from_utf8_lossy(&output.stderr);
            assert_eq!(warnings.lines().count(), 1, "{warnings}");
            assert!(warnings.contains("has no locks"), "{warnings}");
        }
        let summary = eco2ai::summary(&log).unwrap();
        assert_eq!((summary.total.rows, summary.notes()), (200, Vec::new()), "error {error}");
        assert!(descriptions(&log).values().all(|times| *times == 1));
    }
}

#[test]
fn without_locks_a_run_is_recovered_once_its_process_is_surely_gone() {
    for error in NO_LOCKS {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("emission.csv");
        let fault = ("FAULT_FLOCK", error);
        let recover = || {
            let mut command = faulty(env!("CARGO_BIN_EXE_log_lost"), folder.path(), fault);
            let output = run(command.arg("recover").arg(&log));
            assert_success(&output);
            said(&output).trim().to_owned()
        };
        let mut keeper = faulty(env!("CARGO_BIN_EXE_keeps_runs"), folder.path(), fault);
        let mut keeper = keeper.arg(&log).stdout(Stdio::piped()).spawn().unwrap();
        let mut kept = String::new();
        // It would panic if nobody could read what it prints.
        let mut printed = BufReader::new(keeper.stdout.take().unwrap());
        printed.read_line(&mut kept).unwrap();
        assert_eq!(recover(), "0", "it is alive");
        keeper.kill().unwrap();
        keeper.wait().unwrap();
        // The run after that may have been in the journal, too.
        let before = eco2ai::read_log(&log).map_or(0, Iterator::count);
        let recovered: usize = recover().parse().unwrap();
        assert!(before + recovered >= 1, "{kept}");
        assert_eq!(recover(), "0");
        assert!(descriptions(&log).values().all(|times| *times == 1));
        let name = kept.trim().strip_prefix("kept ").unwrap();
        assert!(descriptions(&log).contains_key(name), "{name}");
    }
}

#[test]
fn without_locks_a_run_says_why_no_program_reports_to_it_and_leaves_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    let reports = folder.path().join("reports");
    fs::create_dir(&reports).unwrap();
    let fault = ("FAULT_FLOCK", libc::ENOLCK);
    let mut command = faulty(env!("CARGO_BIN_EXE_starts_program"), folder.path(), fault);
    command.args(["emission.csv", "0", "hands", "true"]).env("XDG_RUNTIME_DIR", &reports);
    let output = run(&mut command);
    assert_success(&output);
    let warnings = String::from_utf8_lossy(&output.stderr);
    let reason =
        "cannot report their energy to the run that starts them (no locks: No locks available";
    assert!(warnings.contains(reason), "{warnings}");
    assert_eq!(fs::read_dir(&reports).unwrap().count(), 0);
}

#[test]
fn writes_that_fail_or_are_short_lose_no_row() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("emission.csv");
    let spawn = |_| {
        let mut writer =
            faulty(env!("CARGO_BIN_EXE_writes_runs"), folder.path(), ("FAULT_PERCENT", 20));
        writer.arg(&log).arg("100").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let writers: Vec<_> = (0..4).map(spawn).collect();
    let mut lost = 0;
    for writer in writers {
        let output = finish(writer);
        assert_success(&output);
        // Where neither the log nor a journal can be written even at the end, the row is said.
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        lost += said.matches("the row is lost: ").count();
    }
    let mut recover = program(env!("CARGO_BIN_EXE_log_lost"), folder.path());
    assert_success(&run(recover.arg("recover").arg(&log)));
    let read: Vec<_> = eco2ai::read_log(&log).unwrap().filter_map(Result::ok).collect();
    let mut ids: Vec<_> = read.iter().map(|record| &record.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), read.len(), "each once");
    assert_eq!(read.len() + lost, 400);
}

/// Makes a FIFO, which hangs whoever opens it.
fn make_fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn a_fifo_or_a_link_in_the_place_of_the_log_hangs_nothing_and_leads_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let victim = folder.path().join("victim");
    for (case, content) in [("fifo", None), ("link", Some("")), ("link", Some("precious"))] {
        let log = folder.path().join("emission.csv");
        match content {
            None => make_fifo(&log),
            Some(content) => {
                fs::write(&victim, content).unwrap();
                symlink(&victim, &log).unwrap();
            }
        }
        let mut writer = program(env!("CARGO_BIN_EXE_writes_runs"), folder.path());
        let output = run(writer.arg(&log).arg("2"));
        assert_success(&output);
        let warnings = String::from_utf8(output.stderr).unwrap();
        assert_eq!(warnings.lines().count(), 1, "{case}: {warnings}");
        if let Some(content) = content {
            assert_eq!(fs::read_to_string(&victim).unwrap(), content);
        }
        fs::remove_file(&log).unwrap();
        // They are written once the file is moved away.
        let mut recover = program(env!("CARGO_BIN_EXE_log_lost"), folder.path());
        assert_eq!(said(&run(recover.arg("recover").arg(&log))).trim(), "2", "{case}");
        fs::remove_file(&log).unwrap();
    }
}

#[test]
fn planted_journals_are_left_alone_and_cost_a_warning_each() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("emission.csv");
    let victim = folder.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    let planted = |name: &str| folder.path().join(format!(".emission.csv.{name}.journal"));
    make_fifo(&planted("a-1-2.3.running"));
    symlink(&victim, planted("a-1-2.4.waiting")).unwrap();
    fs::write(planted("a-1-2.5.running"), "text of mine").unwrap();
    let mut writer = program(env!("CARGO_BIN_EXE_writes_runs"), folder.path());
    let output = run(writer.arg(&log).arg("2"));
    assert_success(&output);
    let warnings = String::from_utf8(output.stderr).unwrap();
    assert_eq!(warnings.matches("the file is left unchanged").count(), 3, "{warnings}");
    assert_eq!(warnings.lines().count(), 3, "{warnings}");
    assert_eq!(eco2ai::summary(&log).unwrap().total.rows, 2);
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    assert_eq!(fs::read_to_string(planted("a-1-2.5.running")).unwrap(), "text of mine");
}

/// Where the rows of a log end: at new lines that no quotes enclose.
fn row_ends(text: &[u8]) -> Vec<usize> {
    let mut quoted = false;
    let mut ends = Vec::new();
    for (at, byte) in text.iter().enumerate() {
        quoted ^= *byte == b'"';
        if *byte == b'\n' && !quoted {
            ends.push(at + 1);
        }
    }
    ends
}

#[test]
fn a_log_with_any_end_is_continued_and_keeps_its_complete_rows() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole.csv");
    let track = |log: &Path, text: &str| {
        let tracker = Tracker::builder().description(text).file(log).forget().build().unwrap();
        tracker.start().unwrap().stop().unwrap();
    };
    track(&whole, "first, \"quoted\"\nrow");
    track(&whole, "second");
    let text = fs::read(&whole).unwrap();
    let row_ends = row_ends(&text);
    // Older than what another program may be writing just now.
    let hour_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    for length in 0..=text.len() {
        let log = folder.path().join(format!("{length}.csv"));
        fs::write(&log, &text[..length]).unwrap();
        let file = fs::File::options().write(true).open(&log).unwrap();
        file.set_modified(hour_ago).unwrap();
        track(&log, "after");
        let read: Vec<_> = eco2ai::read_log(&log).unwrap().filter_map(Result::ok).collect();
        let whole_rows = row_ends.iter().skip(1).filter(|end| **end <= length).count();
        let last = read.last().expect("a row");
        assert_eq!(last.description, "after", "{length}");
        // A row that was cut in its last cell, or before its new line, is one, too.
        let found = read.len() - 1;
        assert!(found == whole_rows || found == whole_rows + 1, "{length}: {found}, {whole_rows}");
    }
}

#[test]
fn waiting_rows_in_the_state_folder_are_found_after_the_folder_of_the_log_was_renamed() {
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("old");
    fs::create_dir(&old).unwrap();
    let log = old.join("emission.csv");
    let writes = |log: &Path| {
        let mut writer = program(env!("CARGO_BIN_EXE_writes_runs"), folder.path());
        assert_success(&run(writer.arg(log).arg("1")));
    };
    let recover = |log: &Path| {
        let mut recover = program(env!("CARGO_BIN_EXE_log_lost"), folder.path());
        let output = run(recover.arg("recover").arg(log));
        assert_success(&output);
        (said(&output).trim().to_owned(), String::from_utf8(output.stderr).unwrap())
    };
    writes(&log);
    // Rows wait in the state folder where the log is none for a while.
    let text = fs::read(&log).unwrap();
    fs::write(&log, "name,age\n").unwrap();
    writes(&log);
    fs::write(&log, &text).unwrap();
    let new = folder.path().join("new");
    fs::rename(&old, &new).unwrap();

    // Another log of that name gets none of them, and says where they are.
    let other = folder.path().join("other");
    fs::create_dir(&other).unwrap();
    writes(&other.join("emission.csv"));
    let (rows, warnings) = recover(&other.join("emission.csv"));
    assert_eq!(rows, "0");
    assert!(warnings.contains("1 row of ") && warnings.contains("old/emission.csv"), "{warnings}");

    // Also through a link.
    symlink(new.join("emission.csv"), folder.path().join("link.csv")).unwrap();
    assert_eq!(recover(&folder.path().join("link.csv")).0, "1");
    let rows = eco2ai::read_log(new.join("emission.csv")).unwrap();
    let statuses: Vec<_> = rows.map(|row| row.unwrap().status).collect();
    assert_eq!(statuses, [Status::Ok; 2]);
}

/// Root goes on with a user's log: it stays the user's, and so is all that root leaves beside it.
#[test]
fn a_users_log_stays_the_users_where_root_runs() {
    const USER: u32 = 65_534;
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        // Only root can be root.
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own");
    fs::create_dir(&own).unwrap();
    let log = own.join("emission.csv");
    let mut writer = program(env!("CARGO_BIN_EXE_writes_runs"), folder.path());
    assert_success(&run(writer.arg(&log).arg("1")));
    for path in [folder.path(), &own, &log] {
        chown(path, Some(USER), Some(USER)).unwrap();
    }
    fs::set_permissions(&log, fs::Permissions::from_mode(0o600)).unwrap();

    let mut keeper = program(env!("CARGO_BIN_EXE_keeps_runs"), folder.path());
    let mut keeper = keeper.arg(&log).stdout(Stdio::piped()).spawn().unwrap();
    // It would panic, and end its run, if nobody could read what it prints.
    let mut printed = BufReader::new(keeper.stdout.take().unwrap());
    printed.read_line(&mut String::new()).unwrap();
    keeper.kill().unwrap();
    keeper.wait().unwrap();
    for entry in fs::read_dir(&own).unwrap() {
        let path = entry.unwrap().path();
        let found = path.metadata().unwrap();
        assert_eq!((found.uid(), found.mode() & 0o777), (USER, 0o600), "{path:?}");
    }
    // And the user gets what root's process left.
    let exe = folder.path().join("program");
    fs::copy(env!("CARGO_BIN_EXE_log_lost"), &exe).unwrap();
    let mut recover = program(&exe, folder.path());
    let output = run(recover.arg("recover").arg(&log).uid(USER).gid(USER));
    assert_success(&output);
    assert_eq!(fs::read_dir(&own).unwrap().count(), 1, "{}", said(&output));
    // So is a converted log, and the old one.
    let text = fs::read_to_string(&log).unwrap();
    fs::write(&log, text.replacen(",version", ",mine", 1)).unwrap();
    eco2ai::convert(&log).unwrap().expect("a column is missing");
    for entry in fs::read_dir(&own).unwrap() {
        let found = entry.unwrap().metadata().unwrap();
        assert_eq!((found.uid(), found.mode() & 0o777), (USER, 0o600));
    }
    let saved = folder.path().join("params.toml");
    assert!(!saved.exists() || saved.metadata().unwrap().uid() == USER);
}

/// 200 logs, and then the program opens a file of its own.
#[test]
fn the_files_of_many_logs_leave_room_for_the_programs_own() {
    let folder = tempfile::tempdir().unwrap();
    let writer = program(env!("CARGO_BIN_EXE_writes_runs"), folder.path());
    let mut command = tool("bash", folder.path());
    command.args(["-c", "ulimit -n 128; exec \"$0\" \"$@\""]).arg(writer.get_program());
    let output = run(command.args(writer.get_args()).arg(folder.path()).arg("200 logs"));
    assert_success(&output);
    let logs = fs::read_dir(folder.path()).unwrap().flatten();
    let logs = logs.filter(|entry| entry.path().extension().is_some_and(|name| name == "csv"));
    assert_eq!(logs.count(), 200);
}
