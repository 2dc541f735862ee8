//! `eco2ai run` in `eco2ai run`: nothing is counted twice.

use crate::home::{ECO2AI, Home, code, is_there};

/// Some tenths of a second of work.
const WORK: &str = "i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done";

fn numbers(home: &Home, column: &str) -> Vec<f64> {
    home.column(column).iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn a_run_in_a_run_is_its_child_and_not_counted_twice() {
    let home = Home::new();
    let run = ["run", "--quiet", "--"];
    let levels = [&run[..], &[ECO2AI], &run, &[ECO2AI], &run, &["sh", "-c", WORK]].concat();
    assert_eq!(code(&home.output(&levels)), 0);
    let (ids, parents) = (home.column("id"), home.column("parent_id"));
    assert_eq!(parents, [&*ids[1], &ids[2], ""]);
    let (own, all) = (numbers(&home, "own_energy(kWh)"), numbers(&home, "power_consumption(kWh)"));
    assert!(own.iter().all(|own| *own >= 0.0), "{own:?}");
    let sum: f64 = own.iter().sum();
    assert!((sum / all[2] - 1.0).abs() < 1e-6, "{own:?} {all:?}");
    assert!(own[1] + own[2] < 0.3 * all[2], "{own:?} {all:?}");
}

#[test]
fn a_killed_run_leaves_its_own_energy_only() {
    let home = Home::new();
    let inner = format!("{ECO2AI} run -q --measure-period 0.1 -- sh -c '{WORK}; {WORK}; {WORK}'");
    let script = format!("{inner}; kill -KILL $PPID");
    home.output(&["run", "--quiet", "--measure-period", "0.1", "--", "sh", "-c", &script]);
    home.text(&["recover", "emission.csv"]);
    assert_eq!(home.column("status"), ["ok", "interrupted"]);
    let (own, all) = (numbers(&home, "own_energy(kWh)"), numbers(&home, "power_consumption(kWh)"));
    assert!(own[1] >= 0.0 && own[1] < 0.5 * all[1], "{own:?} {all:?}");
}

#[test]
fn a_command_of_a_run_without_tracking_has_no_parent() {
    let home = Home::new();
    let mut command =
        home.eco2ai(&["run", "--quiet", "--", "sh", "-c", "echo ${ECO2AI_PARENT-none}"]);
    command.env("ECO2AI_DISABLE", "1").env("ECO2AI_PARENT", "1 x /tmp");
    assert_eq!(String::from_utf8(command.output().unwrap().stdout).unwrap(), "none\n");
    assert!(!is_there(&home.path("emission.csv")));
}
