//! What is different on a terminal: `script` of util-linux makes one.

use std::io::Write;
use std::process::Stdio;

use crate::home::{ECO2AI, Home, code, err, out};

/// What clears the line that is drawn over and over.
const CLEAR: &str = "\r\x1b[K";

#[test]
fn a_line_tells_how_it_goes_and_is_taken_away() {
    let home = Home::new();
    let shown = out(&home.on_terminal("run -- sleep 1.3").output().unwrap());
    let line = shown.split(CLEAR).nth(1).unwrap_or_else(|| panic!("no line: {shown:?}"));
    assert!(line.starts_with("0:00:01  ") && line.ends_with("CO2e\r"), "{line:?}");
    assert!(line.contains("W  ") && line.contains("Wh  "), "{line:?}");
    let rest = shown.rsplit(CLEAR).next().unwrap();
    assert!(rest.starts_with("sleep: "), "{rest:?}");
}

#[test]
fn there_is_no_line_where_nobody_looks_or_wants_it() {
    let home = Home::new();
    let output = home.output(&["run", "--", "sleep", "1.3"]);
    assert!(!err(&output).contains('\x1b') && err(&output).starts_with("sleep: "));
    let shown = out(&home.on_terminal("run --quiet -- sleep 1.3").output().unwrap());
    assert_eq!(shown, "");
    let mut dumb = home.on_terminal("run -- sleep 1.3");
    let shown = out(&dumb.env("TERM", "dumb").output().unwrap());
    assert!(!shown.contains('\x1b') && shown.starts_with("sleep: "), "{shown:?}");
}

#[test]
fn ctrl_c_reaches_the_command_once() {
    let home = Home::new();
    home.write(
        "count",
        "trap 'echo interrupted' INT; touch ready; \
         for i in 1 2 3 4 5 6; do sleep 0.1; done; exit 9",
    );
    let mut script = home
        .on_terminal("run -- sh count")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    home.wait_for("ready");
    let mut keyboard = script.stdin.take().unwrap();
    keyboard.write_all(b"\x03").unwrap();
    let output = script.wait_with_output().unwrap();
    assert_eq!(out(&output).matches("interrupted").count(), 1, "{:?}", out(&output));
    assert_eq!(code(&output), 9);
    assert_eq!(home.column("status"), ["error"]);
    drop(keyboard);
}

#[test]
fn colours_are_for_terminals_and_can_be_turned_off() {
    let home = Home::new();
    let told = |colour: Option<&str>| {
        let mut command = home.on_terminal("summary nowhere.csv");
        if let Some(value) = colour {
            command.env("NO_COLOR", value);
        }
        let output = command.output().unwrap();
        assert_eq!(code(&output), 1);
        out(&output)
    };
    assert!(told(None).contains('\x1b'));
    assert!(!told(Some("1")).contains('\x1b'));
    assert!(told(Some("1")).starts_with("eco2ai: nowhere.csv: "));
    assert!(!err(&home.output(&["summary", "nowhere.csv"])).contains('\x1b'));
}

#[test]
fn watch_is_drawn_over_and_over_until_ctrl_c() {
    let home = Home::new();
    let mut command = home.program("script");
    command.args(["-qec", &format!("timeout -s INT 2.5 {ECO2AI} watch"), "/dev/null"]);
    let shown = out(&command.output().unwrap());
    let drawn = shown.matches("\x1b[Hemission.csv: no run is running\x1b[K\r\n\x1b[J").count();
    assert!((2..=4).contains(&drawn), "{shown:?}");
}
