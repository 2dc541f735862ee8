//! Nothing is counted twice across processes: programs that a run starts are its children, and its
//! own energy is without theirs.
#![cfg(target_os = "linux")]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use eco2ai::units::KilowattHours;
use eco2ai::{Record, Tracker, live_runs, read_log};
use eco2ai_tests::program::{assert_success, finish, program, run, said, start, wait_until};
use tempfile::TempDir;

/// The power of the processor at full load, which all programs are given.
const WATTS: f64 = 100.0;

const STARTS_PROGRAM: &str = env!("CARGO_BIN_EXE_starts_program");

/// A folder for the logs of a tree of programs, and for their reports.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().expect("a folder"));
        fs::create_dir(home.reports()).expect("a folder");
        home
    }

    fn reports(&self) -> PathBuf {
        self.0.path().join("reports")
    }

    fn program(&self, path: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
        let mut command = program(path, self.0.path());
        command.args(arguments).env("XDG_RUNTIME_DIR", self.reports());
        command.env("ECO2AI_CPU_POWER", WATTS.to_string()).env("ECO2AI_RAM_POWER", "0");
        command
    }

    /// Runs a tree of tracked programs; returns the CPU time that the kernel charged to it, in seconds.
    fn run(&self, arguments: &[&str]) -> f64 {
        let output = run(&mut self.program(STARTS_PROGRAM, arguments));
        assert_success(&output);
        said(&output).lines().last().expect("a line").parse().expect("seconds")
    }

    fn rows(&self, log: &str) -> Vec<Record> {
        let rows = read_log(self.0.path().join(log)).expect("a log");
        rows.map(|row| row.expect("a good row")).collect()
    }

    /// The row of the program that worked for so many seconds.
    fn row(&self, log: &str, seconds: &str) -> Record {
        let mut rows = self.rows(log).into_iter();
        rows.find(|row| row.description == seconds).expect("a row")
    }

    fn has_reports(&self) -> bool {
        fs::read_dir(self.reports()).expect("a folder").next().is_some()
    }
}

/// What the processor uses in so many seconds of CPU time.
fn energy(cpu_seconds: f64) -> f64 {
    let cpus = std::thread::available_parallelism().expect("a number").get() as f64;
    WATTS * cpu_seconds / cpus / 3.6e6
}

/// The kernel shows the CPU time of other processes in steps of 10 ms; programs also work a little
/// before and after their runs.
#[track_caller]
fn assert_near(found: KilowattHours, cpu_seconds: f64) {
    let (found, expected) = (found.0, energy(cpu_seconds));
    let most = expected * 0.05 + energy(0.06);
    assert!((found - expected).abs() < most, "{found} is not {expected}");
}

/// The own energy of a run is what it received without that of the run under it.
#[track_caller]
fn assert_is_without(row: &Record, inner: &Record) {
    let (own, rest) = (row.own_energy.0, row.energy.0 - inner.energy.0);
    assert!((own - rest).abs() < energy(0.02), "{own} is not {rest}");
}

fn own(rows: &[Record]) -> KilowattHours {
    rows.iter().map(|row| row.own_energy).sum()
}

#[test]
fn own_energies_add_up_over_three_programs() {
    let home = Home::new();
    let nested = ["log.csv", "0.2", "hands", STARTS_PROGRAM, "log.csv", "0.4"];
    let nested = [&nested[..], &["hands", STARTS_PROGRAM, "log.csv", "0.6"]].concat();
    let cpu = home.run(&nested);
    let rows = home.rows("log.csv");
    let [inner, middle, outer] = &*rows else { panic!("{rows:?}") };
    assert_eq!(inner.parent_id.as_deref(), Some(&*middle.id));
    assert_eq!(middle.parent_id.as_deref(), Some(&*outer.id));
    assert_eq!(outer.parent_id, None);
    assert_near(own(&rows), cpu);
    assert_near(outer.energy, cpu);
    assert_near(outer.process_energy, cpu);
    let summary = eco2ai::summary(home.0.path().join("log.csv")).expect("a summary");
    assert_near(summary.total.energy, cpu);
    assert_is_without(outer, middle);
    assert_is_without(middle, inner);
    assert!(!home.has_reports(), "the folder is removed");
}

/// The second one is a child process of the first, which counts its CPU time too.
#[test]
fn a_program_that_inherits_the_variable_is_not_counted_by_the_tracked_program_above_it() {
    let home = Home::new();
    let nested = ["log.csv", "0.2", "hands", STARTS_PROGRAM, "log.csv", "0.4"];
    let nested = [&nested[..], &["inherits", STARTS_PROGRAM, "log.csv", "0.6"]].concat();
    let cpu = home.run(&nested);
    let rows = home.rows("log.csv");
    let [inner, middle, outer] = &*rows else { panic!("{rows:?}") };
    assert_eq!([&inner.parent_id, &middle.parent_id], [&Some(outer.id.clone()); 2]);
    assert_near(own(&rows), cpu);
    assert_is_without(outer, middle);
    assert_is_without(middle, inner);
}

#[test]
fn a_program_with_another_log_period_and_price_is_counted_once() {
    let home = Home::new();
    let mut command = home.program(
        STARTS_PROGRAM,
        &["one.csv", "0.1", "hands", "env", "ECO2AI_PUE=2", "ECO2AI_MEASURE_PERIOD=0.05"],
    );
    command.args([STARTS_PROGRAM, "other.csv", "1.5"]).env("ECO2AI_MEASURE_PERIOD", "0.2");
    let output = run(&mut command);
    assert_success(&output);
    let cpu: f64 = said(&output).lines().last().expect("a line").parse().expect("seconds");
    let (outer, inner) = (home.row("one.csv", "0.1"), home.row("other.csv", "1.5"));
    assert_eq!(inner.parent_id, Some(outer.id));
    assert_near(KilowattHours(outer.own_energy.0 + inner.own_energy.0 / 2.0), cpu);
    assert_eq!(outer.co2.0 > 0.0, outer.own_co2.0 > 0.0);
}

#[test]
fn what_a_killed_program_has_not_kept_stays_with_the_run_that_started_it() {
    let home = Home::new();
    // The shell outlives the program that it kills.
    let killed = "while [ ! -e kept ]; do sleep 0.01; done; kill -KILL $!; wait; exit 0";
    let script = format!("{STARTS_PROGRAM} log.csv 60 & {killed}");
    let mut command =
        home.program(STARTS_PROGRAM, &["log.csv", "0.1", "hands", "sh", "-c", &script]);
    command.env("ECO2AI_MEASURE_PERIOD", "0.1").stdout(Stdio::piped()).stderr(Stdio::piped());
    let outer = start(&mut command);
    wait_until("work of the inner one is kept", || {
        let runs = live_runs(home.0.path().join("log.csv")).unwrap_or_default();
        let is_kept = |kept: KilowattHours| kept.0 > energy(0.3);
        runs.iter().any(|run| run.description == "60" && run.cpu_energy.is_some_and(is_kept))
    });
    fs::write(home.0.path().join("kept"), "").expect("a file");
    let output = finish(outer);
    assert_success(&output);
    let cpu: f64 = said(&output).lines().last().expect("a line").parse().expect("seconds");
    // The next program on the log writes the row.
    home.run(&["log.csv", "0"]);
    let (outer, inner) = (home.row("log.csv", "0.1"), home.row("log.csv", "60"));
    assert_eq!((inner.parent_id.as_ref(), inner.status.as_str()), (Some(&outer.id), "interrupted"));
    assert_near(KilowattHours(outer.own_energy.0 + inner.own_energy.0), cpu);
    assert_is_without(&outer, &inner);
}

#[test]
fn a_program_that_outlives_the_run_is_a_root_again() {
    let home = Home::new();
    let script = format!(
        "while [ ! -e ended ]; do sleep 0.01; done; {STARTS_PROGRAM} log.csv 0.2; echo done > done"
    );
    home.run(&["log.csv", "0.1", "keeps", "sh", "-c", &script]);
    assert!(!home.has_reports());
    fs::write(home.0.path().join("ended"), "").expect("a file");
    wait_until("the program has ended", || home.0.path().join("done").exists());
    assert_eq!(home.row("log.csv", "0.2").parent_id, None);
}

#[test]
fn the_folder_of_a_killed_process_is_not_reported_to() {
    let home = Home::new();
    let killed = "kill -KILL $PPID; while kill -0 $PPID 2> /dev/null; do sleep 0.01; done";
    let script = format!("{killed}; {STARTS_PROGRAM} log.csv 0.2; echo done > done");
    let mut command =
        home.program(STARTS_PROGRAM, &["log.csv", "0.1", "hands", "sh", "-c", &script]);
    let mut child = start(&mut command);
    assert!(!child.wait().expect("its end").success());
    wait_until("the program has ended", || home.0.path().join("done").exists());
    assert_eq!(home.row("log.csv", "0.2").parent_id, None);
    assert!(home.has_reports(), "it was killed");
}

#[test]
fn a_program_of_another_scope_is_subtracted_as_far_as_its_energy_is_in_the_run() {
    for (outer, inner) in [("current", "all"), ("all", "current"), ("all", "all")] {
        let home = Home::new();
        let inner = format!("ECO2AI_CPU_PROCESSES={inner}");
        let mut command = home.program(STARTS_PROGRAM, &["log.csv", "0.1", "hands", "env", &inner]);
        command.args([STARTS_PROGRAM, "log.csv", "0.6"]).env("ECO2AI_CPU_PROCESSES", outer);
        assert_success(&run(&mut command));
        let (outer, inner) = (home.row("log.csv", "0.1"), home.row("log.csv", "0.6"));
        let (own, inclusive, inner) = (outer.own_energy.0, outer.energy.0, inner.energy.0);
        let expected = (inclusive - inner).max(0.0);
        // What others did on the machine in between.
        assert!(own >= 0.0 && (own - expected).abs() < energy(0.15), "{own} {expected} {inner}");
        assert!(inclusive >= own);
    }
}

#[test]
fn a_run_has_variables_while_it_is_active() {
    let folder = tempfile::tempdir().expect("a folder");
    let tracker = Tracker::builder().file(folder.path().join("log.csv")).forget();
    let run = tracker.build().expect("good parameters").start().expect("a run");
    let handle = run.handle();
    let variables: Vec<_> = handle.environment().collect();
    let [(name, value)] = &*variables else { panic!("{variables:?}") };
    let id = run.snapshot().id;
    assert_eq!(*name, "ECO2AI_PARENT");
    assert!(value.to_string_lossy().starts_with(&format!("1 {id} ")), "{value:?}");
    let reports = value.to_string_lossy().splitn(3, ' ').nth(2).map(PathBuf::from);
    let reports = reports.as_deref().map_or(Path::new(""), |path| path);
    assert!(reports.is_dir());
    assert_eq!(handle.environment().collect::<Vec<_>>(), variables);
    run.stop().expect("a row");
    assert_eq!(handle.environment().count(), 0);
    assert!(!reports.exists());
    assert_eq!(eco2ai::RunHandle::default().environment().count(), 0);
}
