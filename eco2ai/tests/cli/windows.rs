//! `eco2ai run` on Windows.

use std::fs::{self, OpenOptions};
use std::os::windows::fs::OpenOptionsExt;

use crate::home::{Home, code, err, out};

/// A log of Eco2AI.
const THEIRS: &str = "\
id,project_name,experiment_description,epoch,start_time,duration(s),power_consumption(kWh),CO2_emissions(kg),CPU_name,GPU_name,OS,region/country,cost
1,Iris,d,N/A,2026-01-02 23:59:59,30.0,8.0,4.0,C,G,Linux,FR,2.0
";

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
    // 256 would be 0 in 8 bits; the last is that of a program that read a wrong address.
    for expected in [0, 3, 256, 0xc000_0005_u32.cast_signed()] {
        let command = format!("exit {expected}");
        let output = home.output(&["run", "--quiet", "--", "cmd", "/c", &command]);
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
    home.wait_for_run_in_journal();
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

#[test]
fn a_file_that_another_program_holds_is_left_as_it_is() {
    const SHARE_READ_AND_WRITE: u32 = 1 | 2;
    let home = Home::new();
    home.write("theirs.csv", THEIRS);
    home.write("report.html", "old");
    home.text(&["params", "set", "project=before"]);
    let commands: [(&str, &[&str]); 3] = [
        ("theirs.csv", &["convert", "theirs.csv"]),
        ("report.html", &["report", "theirs.csv", "--output=report.html"]),
        ("params.toml", &["params", "set", "project=after"]),
    ];
    for (name, words) in commands {
        let content = || fs::read(home.path(name)).unwrap();
        let before = content();
        // Most programs allow others to read and write meanwhile, but not to rename and delete.
        let mut options = OpenOptions::new();
        let held =
            options.read(true).share_mode(SHARE_READ_AND_WRITE).open(home.path(name)).unwrap();
        let refused = home.output(words);
        assert_eq!(code(&refused), 1, "{name}: {}", out(&refused));
        assert!(err(&refused).contains(name), "{}", err(&refused));
        assert!(content() == before, "{name}");
        drop(held);
        let done = home.output(words);
        assert_eq!(code(&done), 0, "{name}: {}", err(&done));
        assert!(content() != before, "{name}");
    }
    for file in fs::read_dir(home.path("")).unwrap().flatten() {
        let name = file.file_name().into_string().unwrap();
        assert!(!name.ends_with(".tmp") && !name.ends_with(".old"), "{name}");
    }
}
