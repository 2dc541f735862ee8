//! `eco2ai watch`: what is running now.

use crate::home::{Home, code, err, wait_until};

#[test]
fn a_run_is_seen_while_it_runs_and_not_after() {
    let home = Home::new();
    let missing = "emission.csv: no such file yet\n";
    let nothing = "emission.csv: no run in progress\n";
    assert_eq!(home.text(&["watch"]), format!("{nothing}{missing}"));
    let mut run = home.held_run();
    let mut table = String::new();
    wait_until("a live run", || {
        table = home.text(&["watch", "emission.csv"]);
        !table.starts_with(nothing)
    });
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), 2, "{table}");
    for head in ["power (", "energy (", "CO2e ("] {
        assert!(lines[0].contains(head), "{table}");
    }
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
    home.wait_for_run_in_journal();
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

#[test]
fn folders_and_several_logs_are_watched_together() {
    let home = Home::new();
    std::fs::create_dir(home.path("logs")).unwrap();
    let text = home.text(&["watch", "logs", "x*.csv"]);
    assert_eq!(
        text,
        "logs, x*.csv: no run in progress\nlogs: no emission log found yet\n\
         x*.csv: no emission log found yet\n"
    );
    let script = "while [ -e held ]; do sleep 0.02; done";
    let mut runs: Vec<_> = ["a", "b"]
        .map(|name| {
            let file = format!("--file=logs/{name}.csv");
            let project = format!("--project={name}");
            let arguments =
                ["run", "-q", &file, &project, "--measure-period=0.05", "sh", "-c", script];
            home.eco2ai(&arguments).spawn().unwrap()
        })
        .into();
    wait_until("both runs", || {
        // A folder and a log in it are not two logs.
        let table = home.text(&["watch", "logs", "logs/a.csv"]);
        let projects = table.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1));
        let mut projects: Vec<_> = projects.collect();
        projects.sort_unstable();
        projects == ["a", "b"]
    });
    home.let_go();
    for run in &mut runs {
        assert!(run.wait().unwrap().success());
    }
}
