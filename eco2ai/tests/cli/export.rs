//! `eco2ai export`.

use std::fs;

use serde_json::{Value, json};

use crate::home::{Home, code, err, wait_until};
use crate::metrics_text::{HEADER, assert_same_as_summary, row, sums};

/// Of Eco2AI, with a row that cannot be used.
const THEIRS: &str = "\
project_name,start_time,duration(s),power_consumption(kWh),CO2_emissions(kg)
Iris,2026-01-02 23:59:59,30.0,8.0,4.0
Iris,2026-01-02 23:59:59,30.0,much,4.0
";

fn metrics(home: &Home, logs: &[&str]) -> String {
    let output = home.output(&[&["export", "--format=prometheus"], logs].concat());
    assert_eq!(code(&output), 0, "{}", err(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn metrics_are_the_totals_of_the_summary() {
    let home = Home::new();
    let nested = row("1", "A", "inner", 0.1, 0.1) + &row("2", "A", "outer", 0.7, 0.6);
    home.write("ours.csv", &(HEADER.to_owned() + &nested + &row("3", "B", "inner", 0.2, 0.2)));
    home.write("copy.csv", &(HEADER.to_owned() + &nested + &row("4", "B", "inner", 0.3, 0.3)));
    home.write("theirs.csv", THEIRS);
    let logs = ["ours.csv", "copy.csv", "theirs.csv"];
    let text = metrics(&home, &logs);
    assert_same_as_summary(&home, &text, &logs);
    assert!(text.contains("\neco2ai_unusable_rows_total 1\n"), "{text}");
    assert!(text.contains("\neco2ai_repeated_rows_total 2\n"), "{text}");
    let by_component = sums(&text, "eco2ai_energy_joules_total", "component");
    let by_component: Vec<_> =
        by_component.into_iter().map(|(name, joules)| (name, joules.round())).collect();
    let expected = [("cpu", 3_240_000.0), ("ram", 1_080_000.0), ("unknown", 28_800_000.0)];
    assert_eq!(by_component, expected.map(|(name, joules)| (name.to_owned(), joules)));
}

#[test]
fn a_label_can_be_any_text() {
    let home = Home::new();
    let row = row("1", "\"a \"\"b\"\" \\ \né\"", "'=f", 1.0, 1.0);
    home.write("emission.csv", &(HEADER.to_owned() + &row));
    let text = metrics(&home, &[]);
    let labels = r#"{project="a \"b\" \\ \né",function="=f",status="ok"} 1"#;
    assert!(text.contains(&format!("\neco2ai_rows_total{labels}\n")), "{text}");
}

#[test]
fn a_counter_never_decreases() {
    let home = Home::new();
    let mut log = HEADER.to_owned() + &row("1", "A", "f", 1.0, 1.0);
    home.write("emission.csv", &log);
    let before = metrics(&home, &[]);
    log += &row("2", "A", "f", 0.5, -0.25);
    home.write("emission.csv", &log);
    let after = metrics(&home, &[]);
    let unusable = ["eco2ai_unusable_rows_total 0", "eco2ai_unusable_rows_total 1"];
    assert_eq!(after, before.replace(unusable[0], unusable[1]));
}

#[test]
fn the_later_ones_of_very_many_functions_share_a_label() {
    let home = Home::new();
    let mut log = HEADER.to_owned();
    for function in 0..10_002 {
        log += &row("", "A", &format!("f{function:05}"), 1.0, 1.0);
    }
    home.write("emission.csv", &log);
    let output = home.output(&["export", "--format=prometheus"]);
    assert!(err(&output).contains("the later ones are together as `other`"), "{}", err(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    let rows = sums(&text, "eco2ai_rows_total", "function");
    assert_eq!((rows.len(), rows["f09999"], rows["other"]), (10_001, 1.0, 2.0));
}

#[test]
fn a_json_line_has_each_column_with_its_type() {
    let home = Home::new();
    let log = HEADER.to_owned() + &row("1", "A", "f", 0.5, 0.25) + &row("2", "", "", 1.0, 1.0);
    home.write("emission.csv", &log);
    let text = home.text(&["export", "--format=json-lines"]);
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let expected = json!({
        "id": "1", "project": "A", "description": null, "epoch": "N/A",
        "start_time": "2026-01-05T10:00:00+01:00", "duration_s": 2.0, "energy_kwh": 0.5,
        "co2_kg": 0.25, "cost": 0.125, "cpu_name": null, "gpu_name": null, "os": null,
        "place": null, "parent_id": null, "function": "f", "status": "ok", "calls": 1,
        "own_energy_kwh": 0.25, "own_co2_kg": 0.125, "own_cost": 0.0625,
        "cpu_energy_kwh": 0.375, "gpu_energy_kwh": null, "ram_energy_kwh": 0.125,
        "cpu_method": "measured:rapl:share", "gpu_method": null, "job": null, "rank": null,
    });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&lines[0][key], value, "{key}");
    }
    assert_eq!(lines[0].as_object().unwrap().len(), 42);
    assert_eq!((&lines[1]["project"], &lines[1]["function"]), (&Value::Null, &Value::Null));
    assert_eq!(lines.len(), 2);
}

#[test]
fn a_file_is_replaced_when_all_is_written_and_a_log_never() {
    let home = Home::new();
    home.write("emission.csv", &(HEADER.to_owned() + &row("1", "A", "f", 1.0, 1.0)));
    let arguments = ["export", "--format=prometheus", "--output=eco2ai.prom", "emission.csv"];
    assert_eq!(home.text(&arguments), "");
    let whole = home.read("eco2ai.prom");
    assert_same_as_summary(&home, &whole, &["emission.csv"]);

    home.write("broken.csv", "name,age\n");
    let output = home.output(&[&arguments[..], &["broken.csv"]].concat());
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("broken.csv: not an emission log"), "{}", err(&output));
    assert_eq!(home.read("eco2ai.prom"), whole);

    let output = home.output(&["export", "--format=json-lines", "--output=emission.csv"]);
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("is an emission log and is not overwritten"), "{}", err(&output));
    let names = fs::read_dir(home.path(".")).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(!names.into_iter().any(|name| name.to_string_lossy().contains("tmp")));
}

#[test]
fn runs_in_progress_are_exported_instead_of_rows() {
    let home = Home::new();
    let mut run = home.held_run();
    let mut lines = String::new();
    wait_until("a live run", || {
        lines = home.text(&["export", "--live", "--format=json-lines", "emission.csv"]);
        !lines.is_empty()
    });
    let record: Value = serde_json::from_str(&lines).unwrap();
    assert_eq!((&record["project"], &record["function"]), (&json!("P"), &json!("sh")));
    let text = home.text(&["export", "--live", "--format=prometheus", "emission.csv"]);
    assert!(text.contains("\neco2ai_live_runs{project=\"P\",function=\"sh\"} 1\n"), "{text}");
    assert!(!text.contains("_total"), "{text}");
    home.let_go();
    assert!(run.wait().unwrap().success());
    assert_eq!(home.text(&["export", "--live", "--format=json-lines"]), "");
}

#[cfg(not(feature = "parquet"))]
#[test]
fn without_its_feature_parquet_is_refused_with_the_remedy() {
    let home = Home::new();
    home.write("emission.csv", HEADER);
    let output = home.output(&["export", "--format=parquet", "--output=rows.parquet"]);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("--features parquet"), "{}", err(&output));
    assert!(!home.path("rows.parquet").exists());
}
