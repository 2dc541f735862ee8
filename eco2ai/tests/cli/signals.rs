//! `eco2ai run` and signals: they go to the command, once.

use std::process::{Child, Output, Stdio};

use rustix::process::Signal;

use crate::home::{ECO2AI, Home, code, is_there, out, send, wait_until};

/// A script under `eco2ai run`, when it has made the file `ready`.
fn started(home: &Home, script: &str) -> Child {
    let mut command = home.eco2ai(&["run", "--quiet", "--", "sh", "-c", script]);
    let child = command.stdout(Stdio::piped()).spawn().unwrap();
    home.wait_for("ready");
    child
}

fn end(child: Child) -> Output {
    child.wait_with_output().unwrap()
}

#[test]
fn a_signal_to_us_alone_is_passed_on() {
    for (signal, name) in
        [(Signal::TERM, "TERM"), (Signal::INT, "INT"), (Signal::HUP, "HUP"), (Signal::USR1, "USR1")]
    {
        let home = Home::new();
        let script = format!(
            "trap 'echo {name}; n=$((n+1)); touch got' {name}; touch ready; \
             while [ -e held ]; do sleep 0.02; done; exit $((10+n))"
        );
        let child = started(&home, &script);
        send(&child, signal);
        home.wait_for("got");
        home.let_go();
        let output = end(child);
        assert_eq!((code(&output), out(&output)), (11, format!("{name}\n")));
        assert_eq!(home.column("status"), ["error"]);
    }
}

#[test]
fn a_command_that_dies_of_the_signal_leaves_its_row() {
    let home = Home::new();
    let child = started(&home, "touch ready; exec sleep 60");
    send(&child, Signal::TERM);
    assert_eq!(code(&end(child)), 143);
    assert_eq!(home.column("status"), ["error"]);
}

#[test]
fn a_command_that_ignores_the_signal_is_tracked_to_its_end() {
    let home = Home::new();
    let script = "trap '' TERM INT; touch ready; while [ -e held ]; do sleep 0.02; done; echo done";
    let child = started(&home, script);
    send(&child, Signal::TERM);
    send(&child, Signal::INT);
    home.let_go();
    let output = end(child);
    assert_eq!((code(&output), out(&output).as_str()), (0, "done\n"));
    assert_eq!(home.column("status"), ["ok"]);
}

#[test]
fn signals_ignored_at_the_start_stay_ignored_for_the_command() {
    let home = Home::new();
    let script =
        format!("trap '' HUP; exec {ECO2AI} run --quiet -- grep SigIgn: /proc/self/status");
    let output = home.program("sh").args(["-c", &script]).output().unwrap();
    let mask = u64::from_str_radix(out(&output)["SigIgn:".len()..].trim(), 16).unwrap();
    assert_eq!(mask & 1, 1, "HUP is signal 1");
    assert_eq!(mask & 0b110, 0, "INT and QUIT are not ignored");
}

#[test]
fn the_end_is_seen_whatever_becomes_of_signals_about_children() {
    let home = Home::new();
    for way in ["--block-signal=CHLD", "--ignore-signal=CHLD"] {
        let arguments = [way, ECO2AI, "run", "--quiet", "--", "sh", "-c", "exit 3"];
        let mut run = home.program("env").args(arguments).spawn().unwrap();
        let mut status = None;
        wait_until(way, || {
            status = run.try_wait().unwrap();
            status.is_some()
        });
        assert_eq!(status.unwrap().code(), Some(3), "{way}");
    }
}

#[test]
fn a_killed_run_is_recovered_once() {
    let home = Home::new();
    let script = "while [ -e held ]; do sleep 0.02; done";
    let mut command = home.eco2ai(&["run", "--measure-period=0.05", "--", "sh", "-c", script]);
    let mut child = command.spawn().unwrap();
    home.wait_for_run_in_journal();
    send(&child, Signal::KILL);
    child.wait().unwrap();
    home.let_go();
    assert!(!is_there(&home.path("emission.csv")));
    assert_eq!(home.text(&["recover", "emission.csv"]), "emission.csv: 1 row recovered\n");
    assert_eq!(home.text(&["recover", "emission.csv"]), "emission.csv: 0 rows recovered\n");
    assert_eq!(home.column("status"), ["interrupted"]);
    assert_eq!(home.column("function"), ["sh"]);
}
