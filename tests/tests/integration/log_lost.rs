//! A log that is taken away while a run is on: nothing is lost that was in the journal, one message
//! tells what could not be done, and the program does what it does without.

#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use eco2ai::{Record, Status};
use eco2ai_tests::program::{assert_success, program, run, said, start, wait_until};

const PROGRAM: &str = env!("CARGO_BIN_EXE_log_lost");

/// A program at work in a folder of its own.
struct Program {
    folder: PathBuf,
    log: PathBuf,
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

/// Nobody but root can leave a user who may write everywhere.
const NOBODY: u32 = 65_534;

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

impl Program {
    /// Starts it in `folder`, as a user whom permissions hold back; its first run is on, and in the
    /// journal.
    fn start(folder: &Path) -> Self {
        let state = folder.join("state");
        let own = folder.join("own");
        let exe = folder.join("program");
        // Where anybody may run it.
        fs::copy(PROGRAM, &exe).unwrap();
        for path in [&state, &own] {
            fs::create_dir_all(path).unwrap();
        }
        let mut command = program(&exe, folder);
        if is_root() {
            for path in [folder, &state, &own] {
                chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
            }
            command.uid(NOBODY).gid(NOBODY);
        }
        command
            .arg("work")
            .env("XDG_STATE_HOME", &state)
            .current_dir(&own)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = start(&mut command);
        let stdin = child.stdin.take().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let log = own.join("emission.csv");
        let mut program = Self { folder: own, log, child, stdin, stdout };
        program.wait_for("started 1");
        program.wait_for_journal();
        program
    }

    fn wait_for(&mut self, wanted: &str) {
        let mut line = String::new();
        while line.trim() != wanted {
            line.clear();
            assert!(self.stdout.read_line(&mut line).unwrap() > 0, "no {wanted:?}");
        }
    }

    fn journals(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.folder).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(".journal")).collect()
    }

    /// Until the state of the run that is on is in the journal.
    fn wait_for_journal(&self) {
        // Not the file alone, which is there before anything is in it.
        wait_until("a journal", || {
            eco2ai::live_runs(&self.log).is_ok_and(|running| !running.is_empty())
        });
    }

    /// Ends the run that is on; the next begins, but after the third.
    fn go_on(&mut self, number: usize) {
        writeln!(self.stdin).unwrap();
        self.wait_for(&format!("result {}", number * 2));
        if number < 3 {
            self.wait_for(&format!("started {}", number + 1));
        }
    }

    /// Lets it come to its end, which is as it would be without tracking; gives its messages.
    fn finish(mut self, from: usize) -> Vec<String> {
        for number in from..=3 {
            self.go_on(number);
        }
        assert_eq!(self.child.wait().unwrap().code(), Some(7));
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        said.lines().filter(|line| line.starts_with("eco2ai: ")).map(str::to_owned).collect()
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn statuses(log: &Path) -> Vec<Status> {
    let rows: Vec<Record> = eco2ai::read_log(log).unwrap().map(Result::unwrap).collect();
    rows.iter().map(|row| row.status).collect()
}

#[test]
fn a_log_removed_under_a_run_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::start(folder.path());
    program.go_on(1);
    program.wait_for_journal();
    let log = program.log.clone();
    fs::remove_file(&log).unwrap();
    assert!(program.finish(2).is_empty());
    assert_eq!(statuses(&log), [Status::Ok; 2]);
}

#[test]
fn a_run_killed_after_its_log_was_removed_is_recovered() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::start(folder.path());
    program.go_on(1);
    program.wait_for_journal();
    let log = program.log.clone();
    fs::remove_file(&log).unwrap();
    program.kill();
    assert_eq!(eco2ai::recover(&log).unwrap(), 1);
    assert_eq!(statuses(&log), [Status::Interrupted]);
}

/// The journal is removed, too: the next period writes another.
#[test]
fn a_journal_removed_under_a_run_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path());
    for name in program.journals() {
        fs::remove_file(program.folder.join(name)).unwrap();
    }
    program.wait_for_journal();
    let log = program.log.clone();
    program.kill();
    assert_eq!(eco2ai::recover(&log).unwrap(), 1);
}

#[test]
fn a_log_replaced_by_another_under_a_run_is_continued() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::start(folder.path());
    program.go_on(1);
    let (log, other) = (program.log.clone(), program.folder.join("other.csv"));
    fs::copy(&log, &other).unwrap();
    fs::rename(&other, &log).unwrap();
    let before = fs::read(&log).unwrap();
    if is_root() {
        chown(&log, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    assert!(program.finish(2).is_empty());
    assert!(fs::read(&log).unwrap().starts_with(&before));
    assert_eq!(statuses(&log), [Status::Ok; 3]);
}

#[test]
fn the_rows_wait_in_the_state_folder_while_a_foreign_file_is_in_the_way() {
    const FOREIGN: &str = "name,age\nx,1\n";
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::start(folder.path());
    program.go_on(1);
    let (log, moved) = (program.log.clone(), program.folder.join("mine.csv"));
    fs::rename(&log, &moved).unwrap();
    fs::write(&log, FOREIGN).unwrap();
    if is_root() {
        chown(&log, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let said = program.finish(2);
    let state = folder.path().join("state").join("eco2ai");
    assert!(said.len() == 1 && said[0].contains(state.to_str().unwrap()), "{said:?}");
    assert!(said[0].contains("not an emission log: missing columns project_name,"), "{said:?}");
    assert_eq!(fs::read_to_string(&log).unwrap(), FOREIGN);
    assert_eq!(fs::metadata(&state).unwrap().permissions().mode() & 0o777, 0o700);
    fs::rename(&moved, &log).unwrap();
    assert_eq!(recover_in(folder.path(), &log), 2);
    assert_eq!(recover_in(folder.path(), &log), 0);
    assert_eq!(statuses(&log), [Status::Ok; 3]);
}

/// The rows wait in the user's state folder, where other users of the log do not look.
#[test]
fn a_folder_made_unwritable_under_a_run_leaves_the_rows_in_the_state_folder() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path());
    let (log, own) = (program.log.clone(), program.folder.clone());
    // There is no log before the first row.
    fs::set_permissions(&own, fs::Permissions::from_mode(0o555)).unwrap();
    let said = program.finish(1);
    fs::set_permissions(&own, fs::Permissions::from_mode(0o755)).unwrap();
    let state = folder.path().join("state").join("eco2ai");
    assert!(said.len() == 1 && said[0].contains(state.to_str().unwrap()), "{said:?}");
    // This process has another state folder: whose rows they are, a process of theirs must ask.
    let rows = recover_in(folder.path(), &log);
    assert_eq!(rows, 3);
    assert_eq!(statuses(&log), [Status::Ok; 3]);
}

/// What `recover` says in a process with the program's state folder.
fn recover_in(folder: &Path, log: &Path) -> usize {
    let mut command = program(PROGRAM, folder);
    let output = run(command.arg("recover").arg(log).env("XDG_STATE_HOME", folder.join("state")));
    assert_success(&output);
    said(&output).trim().parse().unwrap()
}

/// No log, no journal, no state folder: the rows are said.
#[test]
fn rows_that_can_be_kept_nowhere_are_on_standard_error() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path());
    let (log, own) = (program.log.clone(), program.folder.clone());
    let state = folder.path().join("state");
    for path in [&own, &state] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o555)).unwrap();
    }
    let said = program.finish(1);
    for path in [&own, &state] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let lost: Vec<_> = said.iter().filter(|line| line.contains("the row is lost: ")).collect();
    assert_eq!(lost.len(), 3, "{said:?}");
    assert!(lost.iter().all(|line| line.contains("work,ok,1,process,")), "{said:?}");
    // The first run was in the journal before, and is there still, as is each that lasted a period.
    assert!((1..=3).contains(&eco2ai::recover(&log).unwrap()));
    assert!(statuses(&log).iter().all(|status| *status == Status::Interrupted));
}

/// A disk of 256 KiB that is filled up and freed again.
#[test]
#[ignore = "mounts a file system: for root"]
fn a_disk_that_is_full_for_a_while_loses_no_row() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("own");
    fs::create_dir(&disk).unwrap();
    let run = |command: &mut Command| assert!(command.status().unwrap().success(), "{command:?}");
    run(Command::new("mount").args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"]).arg(&disk));
    let mut program = Program::start(folder.path());
    program.go_on(1);
    program.wait_for_journal();
    let (log, filler) = (program.log.clone(), disk.join("filler"));
    // The last page of the log may have room for a few rows.
    let mut file = fs::File::create(&filler).unwrap();
    while file.write_all(&[0; 512]).is_ok() {}
    drop(file);
    let said = program.finish(2);
    fs::remove_file(&filler).unwrap();
    let rows = statuses(&log).len() + recover_in(folder.path(), &log);
    let statuses = statuses(&log);
    run(Command::new("umount").arg(&disk));
    assert!(said.len() <= 1, "{said:?}");
    assert_eq!((rows, statuses), (3, vec![Status::Ok; 3]));
}
