//! What is different on a terminal: `script` of util-linux makes one.

use std::fs::File;
use std::io::Write;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::home::{Home, code, err, out, wait_until};

/// What clears the line that is drawn over and over.
const CLEAR: &str = "\r\x1b[K";

/// Starts `eco2ai` with these arguments under a terminal; [`shown`] returns what it shows.
fn on_watched_terminal(home: &Home, arguments: &str) -> Child {
    let mut terminal = home.on_terminal(arguments);
    terminal.stdin(Stdio::piped()).stdout(File::create(home.path("shown")).unwrap());
    terminal.spawn().unwrap()
}

fn shown(home: &Home) -> String {
    // The last letter may be there in part.
    String::from_utf8_lossy(&std::fs::read(home.path("shown")).unwrap()).into_owned()
}

#[test]
fn a_line_shows_the_progress_and_is_cleared() {
    let home = Home::new();
    home.write("hold", "while [ -e held ]; do sleep 0.02; done");
    let mut terminal = on_watched_terminal(&home, "run -- sh hold");
    wait_until("a line", || shown(&home).contains("CO2e\r"));
    home.let_go();
    assert!(terminal.wait().unwrap().success());
    let shown = shown(&home);
    let line = shown.split(CLEAR).nth(1).unwrap_or_else(|| panic!("no line: {shown:?}"));
    assert!(line.starts_with("0:00:0") && line.ends_with("CO2e\r"), "{line:?}");
    assert!(line.contains("W  ") && line.contains("Wh  "), "{line:?}");
    let rest = shown.rsplit(CLEAR).next().unwrap();
    assert!(rest.starts_with("sh: "), "{rest:?}");
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
    const PRESSED: usize = 10;
    let home = Home::new();
    // Busy, so that it meets each signal at once: two that wait are one. To a file, because a
    // terminal throws away what it has not shown yet.
    let script =
        "trap 'echo >> interrupted' INT; touch ready; while [ -e held ]; do :; done; exit 9";
    home.write("count", script);
    let mut terminal = home
        .on_terminal("run -- sh count")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    home.wait_for("ready");
    let mut keyboard = terminal.stdin.take().unwrap();
    for _ in 0..PRESSED {
        keyboard.write_all(b"\x03").unwrap();
        sleep(Duration::from_millis(30));
    }
    home.wait_for("interrupted");
    home.let_go();
    let output = terminal.wait_with_output().unwrap();
    let interrupted = home.read("interrupted").lines().count();
    assert!((1..=PRESSED).contains(&interrupted), "{interrupted}");
    assert_eq!(code(&output), 9);
    assert_eq!(home.column("status"), ["error"]);
    drop(keyboard);
}

#[test]
fn colours_are_for_terminals_and_can_be_turned_off() {
    let home = Home::new();
    let message = |colour: Option<&str>| {
        let mut command = home.on_terminal("summary nowhere.csv");
        if let Some(value) = colour {
            command.env("NO_COLOR", value);
        }
        let output = command.output().unwrap();
        assert_eq!(code(&output), 1);
        out(&output)
    };
    assert!(message(None).contains('\x1b'));
    assert!(!message(Some("1")).contains('\x1b'));
    assert!(message(Some("1")).starts_with("eco2ai: nowhere.csv: "));
    assert!(!err(&home.output(&["summary", "nowhere.csv"])).contains('\x1b'));
}

#[test]
fn watch_is_drawn_over_and_over_until_ctrl_c() {
    let home = Home::new();
    let mut terminal = on_watched_terminal(&home, "watch");
    let drawn = "\x1b[Hemission.csv: no run in progress\x1b[K\r\n\x1b[J";
    wait_until("it is drawn again", || shown(&home).matches(drawn).count() >= 2);
    terminal.stdin.as_mut().unwrap().write_all(b"\x03").unwrap();
    assert_eq!(terminal.wait().unwrap().code(), Some(130));
}
