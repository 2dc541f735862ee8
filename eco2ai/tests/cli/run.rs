//! `eco2ai run`: a command runs as it would without, and leaves a row.

use std::io::Write;
use std::process::Stdio;

use serde_json::Value;

use crate::home::{Home, code, err, is_there, out, wait_until};

/// Some tenths of a second of work.
const WORK: &str = "i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done";

#[test]
fn a_command_leaves_a_row_that_names_it() {
    let home = Home::new();
    let output = home.output(&["run", "--", "/bin/sh", "-c", "echo it works"]);
    assert_eq!((code(&output), out(&output).as_str()), (0, "it works\n"));
    let message = err(&output);
    assert!(
        message.starts_with("sh: ") && message.ends_with("\n  log   emission.csv\n"),
        "{message}"
    );
    assert_eq!(home.column("function"), ["sh"]);
    assert_eq!(home.column("experiment_description"), ["/bin/sh -c 'echo it works'"]);
    assert_eq!(home.column("project_name"), ["default project name"]);
    assert_eq!(home.column("status"), ["ok"]);
    home.output(&["run", "--project=P", "--description=D", "--pue", "1.5", "true"]);
    assert_eq!(home.column("experiment_description")[1], "D");
    assert_eq!(home.column("project_name")[1], "P");
    assert_eq!(home.column("pue")[1], "1.5");
    assert!(!is_there(&home.path("params.toml")), "options are for one command");
}

#[test]
fn a_saved_description_is_not_replaced_by_the_command_line() {
    let home = Home::new();
    home.text(&["params", "set", "description=two layers", "rows=total"]);
    home.output(&["run", "true"]);
    assert_eq!(home.column("experiment_description"), ["two layers"]);
}

#[test]
fn the_exit_code_is_the_commands_own() {
    let home = Home::new();
    for (script, expected) in [("exit 3", 3), ("kill -KILL $$", 137), ("kill -TERM $$", 143)] {
        let output = home.output(&["run", "--quiet", "--", "sh", "-c", script]);
        assert_eq!((code(&output), err(&output).as_str()), (expected, ""), "{script}");
    }
    assert_eq!(home.column("status"), ["error", "error", "error"]);
}

#[test]
fn a_command_that_does_not_start_leaves_no_row() {
    let home = Home::new();
    home.write("text", "no program");
    for (program, expected, message) in
        [("./nowhere", 127, "not found"), ("./text", 126, "chmod +x"), ("/", 126, "/")]
    {
        let output = home.output(&["run", "--quiet", "--", program]);
        assert_eq!(code(&output), expected, "{program}");
        assert!(err(&output).contains(program) && err(&output).contains(message), "{program}");
    }
    assert!(!is_there(&home.path("emission.csv")));
}

#[test]
fn the_streams_are_the_commands_own_to_the_last_byte() {
    let home = Home::new();
    let bytes: Vec<u8> =
        (0..1_u32 << 20).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let script = "cat; printf 'a\\rb' >&2";
    let mut child = home
        .eco2ai(&["run", "--quiet", "--", "sh", "-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut to = child.stdin.take().unwrap();
    let sent = bytes.clone();
    let writer = std::thread::spawn(move || to.write_all(&sent).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.stdout == bytes, "{} bytes came back", output.stdout.len());
    assert_eq!(err(&output), "a\rb");
}

#[test]
fn a_budget_fails_a_command_that_succeeded_and_no_other() {
    let home = Home::new();
    let run = |budget: &[&str], script: &str| {
        let arguments = [&["run", "--quiet"], budget, &["--", "sh", "-c", script]].concat();
        home.output(&arguments)
    };
    let output = run(&["--budget-kwh", "0"], "echo done");
    assert_eq!((code(&output), out(&output).as_str()), (3, "done\n"), "it was not stopped");
    assert!(err(&output).contains("energy budget exceeded"), "{}", err(&output));
    let output = run(&["--budget-co2", "0"], ":");
    assert_eq!(code(&output), 3);
    assert!(err(&output).contains("CO2e budget exceeded"), "{}", err(&output));
    let output = run(&["--budget-cost", "0", "--electricity-pricing", "0.3"], ":");
    assert_eq!(code(&output), 3);
    assert!(err(&output).contains("cost budget exceeded"), "{}", err(&output));
    let output = run(&["--budget-cost", "0"], "echo not started");
    assert_eq!((code(&output), out(&output).as_str()), (1, ""), "no cost is known");
    assert!(err(&output).contains("give a price"), "{}", err(&output));
    let output = run(&["--budget-co2", "0"], "exit 4");
    assert_eq!(code(&output), 4);
    assert!(err(&output).contains("CO2e budget exceeded"), "{}", err(&output));
    let own = "code 3 is that of the command itself";
    let output = run(&["--budget-co2", "1000"], "exit 3");
    assert_eq!(code(&output), 3);
    assert!(err(&output).contains(own), "{}", err(&output));
    assert!(!err(&run(&["--budget-co2", "0"], ":")).contains(own));
    let output = run(&["--budget-kwh", "1000", "--budget-co2", "1000"], ":");
    assert_eq!((code(&output), err(&output).as_str()), (0, ""));
    assert_eq!(code(&run(&["--budget-kwh", "little"], ":")), 2);
}

#[test]
fn json_contains_the_row_and_how_the_command_ended() {
    let home = Home::new();
    let script = "echo out; echo err >&2; exit 4";
    let output = home.output(&["run", "--json", "--", "sh", "-c", script]);
    assert_eq!((code(&output), out(&output).as_str()), (4, "out\n"));
    let message = err(&output);
    let (first, last) = message.trim_end().rsplit_once('\n').unwrap();
    // On a line of its own, whatever the command wrote before.
    assert_eq!(first, "err\n");
    let result: Value = serde_json::from_str(last).unwrap();
    assert_eq!(result["exit_code"], 4);
    assert_eq!(result["command"], serde_json::json!(["sh", "-c", script]));
    assert_eq!(result["id"], home.column("id")[0]);
    let energy: f64 = home.column("power_consumption(kWh)")[0].parse().unwrap();
    let reported = result["energy_kwh"].as_f64().unwrap();
    assert!((reported / energy - 1.0).abs() < 1e-9, "{reported} {energy}");

    let output = home.output(&["run", "--quiet", "--json=result.json", "--budget-kwh=0", "true"]);
    assert_eq!(code(&output), 3);
    let result: Value = serde_json::from_str(&home.read("result.json")).unwrap();
    assert_eq!(result["budget_exceeded"], true);
    let costs = |result: &Value| ["cost", "own_cost"].map(|key| result[key].is_null());
    assert_eq!(costs(&result), [true, true], "without a tariff no cost is known: {result}");
    home.text(&["run", "--quiet", "--json=result.json", "--electricity-pricing=0.3", "true"]);
    let result: Value = serde_json::from_str(&home.read("result.json")).unwrap();
    assert_eq!(costs(&result), [false, false], "{result}");

    let output = home.output(&["run", "--json=nowhere/result.json", "touch", "ran"]);
    assert_eq!(code(&output), 2);
    assert!(!is_there(&home.path("ran")), "refused before the start");
}

#[test]
fn an_invalid_value_is_refused_before_the_start_wherever_it_comes_from() {
    let home = Home::new();
    let refused = |variable: (&str, &str), message: &str| {
        let mut command = home.eco2ai(&["run", "--quiet", "--budget-co2=1", "touch", "ran"]);
        let output = command.env(variable.0, variable.1).output().unwrap();
        assert_eq!(code(&output), 2, "{variable:?}");
        assert!(err(&output).contains(message), "{}", err(&output));
        assert!(!is_there(&home.path("ran")), "{variable:?}");
    };
    refused(("ECO2AI_COUNTRY", "Frnace"), "ECO2AI_COUNTRY: country = \"Frnace\": no such country");
    refused(("ECO2AI_REGION", "Texas"), "ECO2AI_REGION: region = \"Texas\": it needs a country");
    refused(("ECO2AI_PUE", "0.5"), "1 or more");
    home.write("wrong.toml", "country = \"Frnace\"\n");
    let wrong = home.path("wrong.toml");
    refused(("ECO2AI_CONFIG", wrong.to_str().unwrap()), "wrong.toml");
    for missing in ["nowhere/emission.csv", "."] {
        refused(("ECO2AI_FILE", missing), "folder");
    }
    // An option replaces it.
    let mut command = home.eco2ai(&["run", "--quiet", "--country=FR", "true"]);
    let output = command.env("ECO2AI_COUNTRY", "Frnace").output().unwrap();
    assert_eq!((code(&output), err(&output).as_str()), (0, ""));
    assert_eq!(home.column("region/country"), ["FR"]);
}

#[test]
fn an_unknown_variable_is_reported_with_the_name_that_was_meant() {
    let home = Home::new();
    let mut command = home.eco2ai(&["run", "true"]);
    let output = command.env("ECO2AI_CONTRY", "FR").env("ECO2AI_PARENT", "").output().unwrap();
    assert_eq!(code(&output), 0);
    let reported = err(&output);
    assert!(reported.starts_with("eco2ai: ECO2AI_CONTRY: did you mean ECO2AI_COUNTRY?\ntrue: "));
}

#[test]
fn repeated_runs_have_a_row_each_and_statistics_of_all() {
    let home = Home::new();
    let output = home.output(&[
        "run",
        "-n",
        "3",
        "--warmup=2",
        "--json=all.json",
        "--",
        "sh",
        "-c",
        "echo ran >> count",
    ]);
    assert_eq!(code(&output), 0);
    assert_eq!(home.read("count").lines().count(), 5);
    let text = err(&output);
    assert!(text.starts_with("sh: 3 runs after 2 warmups\n"), "{text}");
    for part in ["mean", "std dev", "min", "max", "energy (", "time (", "power (", "CO2e ("] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let rows: Vec<f64> =
        home.column("power_consumption(kWh)").iter().map(|cell| cell.parse().unwrap()).collect();
    assert_eq!(rows.len(), 3);
    let json: Value = serde_json::from_str(&home.read("all.json")).unwrap();
    assert_eq!(json["runs"].as_array().unwrap().len(), 3);
    let energy = |of: &str| json["energy_kwh"][of].as_f64().unwrap();
    assert!((energy("mean") / (rows.iter().sum::<f64>() / 3.0) - 1.0).abs() < 1e-9);
    assert!(energy("min") <= energy("mean") && energy("mean") <= energy("max"));
    for figure in ["duration_s", "average_power_watts", "co2_kg"] {
        assert!(json[figure]["stddev"].is_f64(), "{figure}");
    }
    let over = home.output(&["run", "-q", "-n2", "--budget-kwh=0", "true"]);
    assert_eq!(code(&over), 3);
}

#[test]
fn a_run_that_fails_is_the_last_one() {
    let home = Home::new();
    let script = "echo ran >> count; [ $(wc -l < count) -lt 3 ] || exit 7";
    let output = home.output(&["run", "-n", "9", "--json=all.json", "--", "sh", "-c", script]);
    assert_eq!(code(&output), 7);
    assert!(err(&output).contains("run 3 of 9 ended with code 7"), "{}", err(&output));
    assert_eq!(home.column("status"), ["ok", "ok", "error"]);
    let json: Value = serde_json::from_str(&home.read("all.json")).unwrap();
    assert_eq!((&json["exit_code"], json["runs"].as_array().unwrap().len()), (&7.into(), 3));
    let output = home.output(&["run", "--warmup", "2", "--", "sh", "-c", "exit 7"]);
    assert_eq!(code(&output), 7);
    assert!(err(&output).contains("warmup 1 of 2 ended with code 7"), "{}", err(&output));
    assert_eq!(home.column("status").len(), 3, "a warmup has no row");
}

#[test]
fn a_foreign_file_is_refused_before_the_start_and_left_as_it_is() {
    let home = Home::new();
    home.write("table.csv", "name,age\nAda,36\n");
    let output = home.output(&["run", "--file", "table.csv", "touch", "ran"]);
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("table.csv: not an emission log"), "{}", err(&output));
    assert_eq!(home.read("table.csv"), "name,age\nAda,36\n");
    assert!(!is_there(&home.path("ran")));
}

#[test]
fn without_tracking_the_command_runs_all_the_same() {
    let home = Home::new();
    let mut command = home.eco2ai(&["run", "--budget-kwh=0", "sh", "-c", "echo out; exit 5"]);
    let output = command.env("ECO2AI_DISABLE", "1").output().unwrap();
    assert_eq!((code(&output), out(&output).as_str()), (5, "out\n"));
    assert!(err(&output).contains("the budget is not checked"), "{}", err(&output));
    let mut command = home.eco2ai(&["run", "--json", "--budget-kwh=0", "true"]);
    let output = command.env("ECO2AI_DISABLE", "1").output().unwrap();
    assert_eq!(code(&output), 0);
    assert!(err(&output).contains("nothing is measured"), "{}", err(&output));
    let result: Value = serde_json::from_str(err(&output).lines().last().unwrap()).unwrap();
    for figure in ["energy_kwh", "co2_kg", "cost", "duration_s", "average_power_watts", "id"] {
        assert!(result[figure].is_null(), "{figure}");
    }
    assert!(result["budget_exceeded"].is_null());
    assert!(!is_there(&home.path("emission.csv")));
}

#[test]
fn orphans_are_counted_while_the_command_runs() {
    let home = Home::new();
    let current = ["run", "--json", "--cpu-processes=current", "sh", "-c"];
    let child = home.output(&[&current[..], &[format!("sh -c '{WORK}'; :").as_str()]].concat());
    let result: Value = serde_json::from_str(err(&child).trim_end()).unwrap();
    let work = result["cpu_energy_kwh"].as_f64().unwrap();
    // The orphan's parent ends at once, and it is not of our session any more. The command itself
    // uses nothing while it waits.
    let script = format!("(setsid sh -c 'while [ -e held ]; do {WORK}; done' &); read line; :");
    let arguments = [&current[..], &[script.as_str()]].concat();
    let mut run =
        home.eco2ai(&arguments).stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    wait_until("three times the work is counted", || {
        let runs = eco2ai::live_runs(home.path("emission.csv")).unwrap_or_default();
        runs.iter().any(|run| run.cpu_energy.is_some_and(|energy| energy.0 > 3.0 * work))
    });
    home.let_go();
    drop(run.stdin.take());
    assert!(run.wait().unwrap().success());
}

#[test]
fn the_run_ends_with_the_command_not_with_its_orphans() {
    let home = Home::new();
    let mut command =
        home.eco2ai(&["run", "--quiet", "--", "sh", "-c", "sleep 120 & echo $! > pid; exit 6"]);
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(6));
    let left: i32 = home.read("pid").trim().parse().unwrap();
    let left = rustix::process::Pid::from_raw(left).unwrap();
    rustix::process::kill_process(left, rustix::process::Signal::KILL).expect("it was left alone");
}
