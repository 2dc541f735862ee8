//! `eco2ai watch`: what is running now.

use crate::home::{Home, code, err, wait_until};

#[test]
fn a_run_is_seen_while_it_runs_and_not_after() {
    let home = Home::new();
    let mut run = home.held_run();
    let nothing = "emission.csv: no run in progress\n";
    let mut table = String::new();
    wait_until("a live run", || {
        table = home.text(&["watch", "emission.csv"]);
        table != nothing
    });
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), 2, "{table}");
    let words: Vec<_> = lines[1].split_whitespace().collect();
    assert_eq!(words[..2], ["sh", "P"], "{table}");
    assert!(words[2].starts_with(&format!("{}@", run.id())), "{table}");
    home.let_go();
    assert!(run.wait().unwrap().success());
    assert_eq!(home.text(&["watch"]), nothing);
}

#[test]
fn the_journal_of_a_dead_process_is_not_a_running_run() {
    let home = Home::new();
    let script = "while [ -e held ]; do sleep 0.02; done";
    let mut run =
        home.eco2ai(&["run", "--measure-period=0.05", "--", "sh", "-c", script]).spawn().unwrap();
    let nothing = "emission.csv: no run in progress\n";
    wait_until("a live run", || home.text(&["watch"]) != nothing);
    run.kill().unwrap();
    run.wait().unwrap();
    home.let_go();
    let left = home.text(&["watch"]);
    let left = left.strip_prefix(nothing).unwrap();
    assert_eq!(
        left,
        "not in the log yet: 1 run of a process that died; `eco2ai recover` of the log writes what \
         can be written\n"
    );
    assert_eq!(home.text(&["recover", "emission.csv"]), "emission.csv: 1 row recovered\n");
}

#[test]
fn a_file_of_another_kind_is_refused() {
    let home = Home::new();
    home.write("table.csv", "name,age\n");
    let output = home.output(&["watch", "table.csv"]);
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("table.csv: not an emission log"), "{}", err(&output));
}
