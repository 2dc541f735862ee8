//! `eco2ai calibrate`: the power of this machine, as saved parameters.

use std::process::{Child, Command, Stdio};
use std::thread::{available_parallelism, sleep};
use std::time::Duration;

use crate::home::{Home, code, err, is_there, out, wait_until};

/// With the readings of a plug.
const READINGS: [&str; 6] = ["calibrate", "--yes", "--idle-watts", "310", "--full-watts", "1180"];

/// A Ctrl-C that is typed.
const CTRL_C: &[u8] = b"\x03";

fn saved(home: &Home) -> Option<String> {
    is_there(&home.path("params.toml")).then(|| home.read("params.toml"))
}

/// Keeps all CPUs busy until it is dropped.
struct Busy(Vec<Child>);

impl Busy {
    fn new(home: &Home) -> Self {
        let cpus = available_parallelism().unwrap().get();
        let start = |_| home.program("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
        Self((0..cpus).map(start).collect())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        for child in &mut self.0 {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

#[test]
fn readings_of_a_plug_are_compared_with_the_models_and_saved() {
    let home = Home::new();
    let output = home.output(&READINGS);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let text = out(&output);
    assert!(text.contains("310.0 W") && text.contains("1.180 kW"), "{text}");
    assert!(text.contains("estimated:") && text.contains("% low"), "{text}");
    assert!(text.contains("the whole machine without memory"), "{text}");
    // Without the memory, which rows add.
    let power = home.text(&["params", "get", "cpu_power"]);
    let (idle, full) = power.trim().split_once("..").unwrap();
    let (idle, full): (f64, f64) = (idle.parse().unwrap(), full.parse().unwrap());
    assert!(idle <= 310.0 && full <= 1180.0 && full > 2.0 * idle, "{power}");
    assert!(text.contains(&format!("cpu_power = {}", power.trim())), "{text}");
    assert_eq!(saved(&home).unwrap(), format!("cpu_power = \"{}\"\n", power.trim()));
}

#[test]
fn json_holds_what_was_saved() {
    let home = Home::new();
    let arguments: Vec<&str> = READINGS.into_iter().chain(["--json"]).collect();
    let output = home.output(&arguments);
    let found: serde_json::Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(found["meter"], "plug");
    assert_eq!(found["full_load"]["machine_watts"], 1180.0);
    let comparison = &found["comparisons"][0];
    assert!(comparison["model_watts"].is_f64() && comparison["measured_watts"].is_f64());
    let power = home.text(&["params", "get", "cpu_power"]);
    assert_eq!(found["cpu_power"], power.trim());
}

#[test]
fn it_asks_before_it_starts_and_saves_nothing_unless_told_to() {
    let home = Home::new();
    let output = home.output(&["calibrate", "--idle-watts=310", "--full-watts=1180"]);
    assert_eq!((code(&output), out(&output).as_str()), (2, ""));
    assert!(err(&output).contains("saves cpu_power in"), "{}", err(&output));
    assert!(err(&output).contains("--yes"), "{}", err(&output));
    for arguments in [
        &["calibrate", "--yes", "--idle-watts=310"][..],
        &["calibrate", "--yes", "--idle-watts=-1", "--full-watts=5"],
        &["calibrate", "--seconds=0"],
    ] {
        assert_eq!(code(&home.output(arguments)), 2, "{arguments:?}");
    }
    let mut terminal = home.on_terminal("calibrate --idle-watts 310 --full-watts 1180");
    let output = answer(&mut terminal, b"n\n");
    assert_eq!(code(&output), 1);
    assert!(out(&output).contains("Start? [y/N]"), "{}", out(&output));
    assert_eq!(saved(&home), None);
}

/// Types an answer on the terminal of a command, and waits for its end.
fn answer(terminal: &mut Command, typed: &[u8]) -> std::process::Output {
    use std::io::Write as _;

    let mut child = terminal
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut keyboard = child.stdin.take().unwrap();
    keyboard.write_all(typed).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn readings_that_cannot_be_are_refused() {
    let home = Home::new();
    let output = home.output(&["calibrate", "--yes", "--idle-watts", "118", "--full-watts", "31"]);
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("cannot be: nothing is saved"), "{}", err(&output));
    assert_eq!(saved(&home), None);
}

#[test]
fn a_machine_that_others_keep_busy_is_not_idle() {
    let home = Home::new();
    let _busy = Busy::new(&home);
    let output = answer(&mut home.on_terminal("calibrate --yes --seconds 2"), b"1\n2\n");
    assert_eq!(code(&output), 1, "{}", out(&output));
    assert!(out(&output).contains("the machine is not idle"), "{}", out(&output));
    assert_eq!(saved(&home), None);
}

#[test]
fn ctrl_c_ends_it_and_saves_nothing() {
    use std::fs::File;
    use std::io::Write as _;

    let home = Home::new();
    let mut terminal = home.on_terminal("calibrate --yes --seconds 8");
    terminal.stdin(Stdio::piped()).stdout(File::create(home.path("shown")).unwrap());
    let mut terminal = terminal.spawn().unwrap();
    wait_until("it begins", || home.read("shown").contains("Idle"));
    // The power is measured in the second half.
    sleep(Duration::from_secs(5));
    terminal.stdin.as_mut().unwrap().write_all(CTRL_C).unwrap();
    assert_eq!(terminal.wait().unwrap().code(), Some(130));
    let left: Vec<_> = std::fs::read_dir(home.path("")).unwrap().flatten().collect();
    let names: Vec<_> = left.iter().map(|it| it.file_name().into_string().unwrap()).collect();
    assert!(names.iter().all(|name| ["held", "shown"].contains(&name.as_str())), "{names:?}");
}
