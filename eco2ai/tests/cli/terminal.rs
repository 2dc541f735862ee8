//! What is different on a terminal: `script` of util-linux makes one.

use std::fs::File;
use std::io::Write;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::home::{Home, code, err, out, wait_until};

/// What comes before and after a title, and what restores the previous one.
const TITLE: (&str, &str) = ("\x1b]2;", "\x1b\\");
const RESTORE: &str = "\x1b[23;2t";

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
fn the_title_shows_the_progress_and_is_restored() {
    let home = Home::new();
    home.write("hold", "while [ -e held ]; do sleep 0.02; done; printf prompt");
    let mut terminal = on_watched_terminal(&home, "run --live -- sh hold");
    wait_until("a second title", || shown(&home).matches(TITLE.1).count() >= 2);
    home.let_go();
    assert!(terminal.wait().unwrap().success());
    let shown = shown(&home);
    let (_, title) = shown.split_once(TITLE.0).unwrap();
    let (title, rest) = title.split_once(TITLE.1).unwrap();
    assert!(title.starts_with("sh: 0:00:0") && title.ends_with(" CO2e"), "{title:?}");
    assert!(title.contains("W, ") && title.contains("Wh, "), "{title:?}");
    let (before, after) = rest.rsplit_once(RESTORE).unwrap();
    // Of the command, and between titles, nothing is on the screen.
    let titles = before.strip_suffix("prompt").unwrap().split(TITLE.1);
    assert!(titles.filter(|it| !it.is_empty()).all(|it| it.starts_with(TITLE.0)), "{before:?}");
    assert!(after.starts_with("\r\nsh: "), "{after:?}");
}

#[test]
fn nothing_is_on_the_terminal_before_the_command_ends_unless_it_is_asked_for() {
    let home = Home::new();
    for (arguments, term) in [
        ("run -- sleep 1.3", "xterm"),
        ("run --live -- sleep 1.3", "dumb"),
        ("run --live --quiet -- sleep 1.3", "linux"),
    ] {
        let mut terminal = home.on_terminal(arguments);
        let shown = out(&terminal.env("TERM", term).output().unwrap());
        assert!(!shown.contains(TITLE.0) && !shown.contains(RESTORE), "{term}: {shown:?}");
        assert_eq!(shown.contains("--live: a terminal of the kind"), term == "dumb", "{shown:?}");
    }
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
    let mut forced = home.eco2ai(&["summary", "nowhere.csv"]);
    assert!(err(&forced.env("CLICOLOR_FORCE", "1").output().unwrap()).contains('\x1b'));
    assert!(message(None).contains('\x1b'));
    assert!(!message(Some("1")).contains('\x1b'));
    assert!(message(Some("1")).starts_with("eco2ai: nowhere.csv: "));
    assert!(!err(&home.output(&["summary", "nowhere.csv"])).contains('\x1b'));
}

#[test]
fn watch_is_drawn_over_and_over_until_ctrl_c() {
    let home = Home::new();
    let mut terminal = on_watched_terminal(&home, "watch");
    let drawn = "\x1b[H\x1b[Kemission.csv: no run in progress\r\n\x1b[Kemission.csv: no such file yet\r\n\x1b[J";
    wait_until("it is drawn again", || shown(&home).matches(drawn).count() >= 2);
    terminal.stdin.as_mut().unwrap().write_all(b"\x03").unwrap();
    assert_eq!(terminal.wait().unwrap().code(), Some(130));
}
