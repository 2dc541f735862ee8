//! `eco2ai run` on Windows.

use crate::home::{Home, code, err, out};

#[test]
fn a_command_is_run_and_its_row_written() {
    let home = Home::new();
    let output = home.output(&["run", "--", "cmd", "/c", "echo it works"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert_eq!(out(&output).trim_end(), "it works");
    assert_eq!(home.column("function"), ["cmd"]);
    assert_eq!(home.column("status"), ["ok"]);
    // The command may be shorter than a tick of the CPU time.
    let energy: f64 = home.column("cpu_energy(kWh)")[0].parse().unwrap();
    assert!(energy >= 0.0 && home.column("cpu_method") != ["none"], "{energy}");
}

#[test]
fn the_exit_code_is_that_of_the_command() {
    let home = Home::new();
    for (command, expected) in [("exit 0", 0), ("exit 3", 3), ("exit 255", 255), ("exit 4660", 1)] {
        let output = home.output(&["run", "--quiet", "--", "cmd", "/c", command]);
        assert_eq!(code(&output), expected, "{command}: {}", err(&output));
    }
    assert_eq!(home.column("status"), ["ok", "error", "error", "error"]);
    let output = home.output(&["run", "--quiet", "--", "no-such-program"]);
    assert_eq!(code(&output), 127, "{}", err(&output));
    assert_eq!(home.column("status").len(), 4, "what did not run has no row");
}

#[test]
fn a_reader_meets_no_lock_while_a_run_is_active() {
    let home = Home::new();
    let first = home.output(&["run", "--quiet", "--", "cmd", "/c", "exit 0"]);
    assert_eq!(code(&first), 0, "{}", err(&first));
    let mut running = home
        .eco2ai(&["run", "--quiet", "--measure-period=0.05", "--", "cmd", "/c", "pause"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let is_journal = |name: &str| name.ends_with(".journal");
    crate::home::wait_until("a journal", || {
        let files = std::fs::read_dir(home.path("")).unwrap();
        files.flatten().any(|file| is_journal(&file.file_name().to_string_lossy()))
    });
    for _ in 0..3 {
        let summary = home.output(&["summary", "--format=csv", "emission.csv"]);
        assert_eq!(code(&summary), 0, "{}", err(&summary));
        assert!(err(&summary).contains("1 run is still running"), "{}", err(&summary));
    }
    // `pause` goes on at any byte.
    drop(running.stdin.take());
    assert!(running.wait().unwrap().success());
    assert_eq!(home.column("status"), ["ok", "ok"]);
}
