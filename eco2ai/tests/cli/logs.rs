//! `eco2ai summary` and `eco2ai convert`.

use eco2ai_tests::rows::eco2ai_columns;
use serde_json::json;

use crate::home::{Home, code, err, out};

/// Ours: `outer` calls `inner` twice; its inclusive energy contains theirs.
fn ours() -> String {
    let header = "id,project_name,experiment_description,epoch,start_time,duration(s),\
                  power_consumption(kWh),CO2_emissions(kg),CPU_name,GPU_name,OS,region/country,cost,\
                  parent_id,function,status,calls,scope,own_energy(kWh),own_CO2(kg),own_cost,\
                  process_energy(kWh),cpu_energy(kWh),gpu_energy(kWh),ram_energy(kWh),\
                  other_energy(kWh),cpu_method,gpu_method,ram_method,other_method,\
                  emission_level(kg/MWh),emission_source,pue,hostname,pid,version";
    let row = |id, parent, function, day, status, host, inclusive: f64, own: f64| {
        format!(
            "{id},MNIST,d,N/A,2026-01-{day} 10:00:00+01:00,60.0,{inclusive:?},{:?},C,G,Linux,FR,{:?},\
             {parent},{function},{status},1,process,{own:?},{:?},{:?},{inclusive:?},,,,,none,none,\
             none,none,500.0,s,1.0,{host},1,0.1.0",
            inclusive / 2.0,
            inclusive * 0.25,
            own / 2.0,
            own * 0.25
        )
    };
    [
        header.to_owned(),
        row("a", "b", "inner", "01", "ok", "n1", 0.25, 0.25),
        row("c", "b", "inner", "02", "error", "n1", 0.5, 0.5),
        row("b", "", "outer", "01", "ok", "n1", 2.0, 1.25),
        row("d", "", "'=other", "02", "ok", "n2", 4.0, 4.0),
        String::new(),
    ]
    .join("\n")
}

/// Eco2AI's, with a row that cannot be used.
const THEIRS: &str = "\
id,project_name,experiment_description,epoch,start_time,duration(s),power_consumption(kWh),CO2_emissions(kg),CPU_name,GPU_name,OS,region/country,cost
1,Iris,d,N/A,2026-01-02 23:59:59,30.0,8.0,4.0,C,G,Linux,FR,2.0
2,Iris,d,N/A,2026-01-02 23:59:59,30.0,much,4.0,C,G,Linux,FR,2.0
";

fn home() -> Home {
    let home = Home::new();
    home.write("ours.csv", &ours());
    home.write("theirs.csv", THEIRS);
    home
}

#[test]
fn nothing_counts_twice_in_any_group() {
    let home = home();
    for (by, expected) in [
        ("project", json!({"Iris": 8.0, "MNIST": 6.0})),
        ("function", json!({"": 8.0, "inner": 0.75, "outer": 1.25, "=other": 4.0})),
        ("day", json!({"2026-01-01": 1.5, "2026-01-02": 12.5})),
        ("host", json!({"": 8.0, "n1": 2.0, "n2": 4.0})),
        ("status", json!({"": 8.0, "error": 0.5, "ok": 5.5})),
    ] {
        let output =
            home.output(&["summary", "--by", by, "--format=json", "ours.csv", "theirs.csv"]);
        assert_eq!(code(&output), 0);
        let summary: serde_json::Value = serde_json::from_str(&out(&output)).unwrap();
        let groups = summary["groups"].as_array().unwrap().iter();
        let groups: serde_json::Map<_, _> = groups
            .map(|group| (group[by].as_str().unwrap().to_owned(), group["energy_kwh"].clone()))
            .collect();
        assert_eq!(serde_json::Value::Object(groups), expected, "{by}");
        assert_eq!(summary["by"], json!([by]));
        assert_eq!(summary["total"]["energy_kwh"], 14.0);
        assert_eq!(summary["total"]["co2_kg"], 7.0);
        assert_eq!(summary["total"]["cost"], 3.5);
        assert_eq!(summary["total"]["rows"], 5);
        assert_eq!(summary["unusable_rows"], 1);
        assert_eq!(summary["problems"][0]["line"], 3);
    }
}

#[test]
fn a_table_is_for_people() {
    assert_eq!(
        home().text(&["summary", "ours.csv"]),
        "project  calls       time  own energy (kWh)    share  own per call (kWh)  power (kW)  CO2e (kg)   cost\n\
         MNIST        4  2 min 0 s             6.000  100.0 %               1.500       180.0      3.000  1.500\n\
         Total        4  2 min 0 s             6.000  100.0 %               1.500       180.0      3.000  1.500\n"
    );
    let by_function = home().text(&["summary", "--by=function", "ours.csv"]);
    assert!(by_function.contains("\n=other "), "{by_function}");
    assert!(by_function.contains("  inclusive (kWh)  "), "{by_function}");
}

#[test]
fn groups_may_be_of_two_properties() {
    assert_eq!(
        home().text(&["summary", "--by=day,status", "--since=2026-01-01", "ours.csv"]),
        "day         status  calls       time  own energy (kWh)    share  own per call (kWh)  power (kW)  CO2e (kg)   cost\n\
         2026-01-02  ok          1  1 min 0 s             4.000   66.7 %               4.000       240.0      2.000  1.000\n\
         2026-01-01  ok          2  1 min 0 s             1.500   25.0 %               0.750       120.0      0.750  0.375\n\
         2026-01-02  error       1          -             0.500    8.3 %               0.500           -      0.250  0.125\n\
         Total                   4  2 min 0 s             6.000  100.0 %               1.500       180.0      3.000  1.500\n"
    );
    let home = home();
    let rows = |until: &str| {
        let until = format!("--until={until}");
        home.json(&["summary", &until, "--format=json", "ours.csv"])["total"]["rows"].clone()
    };
    // The day, month or year itself is included, as in a report.
    for (until, expected) in [("2025", 0), ("2025-12-31", 0), ("2026-01-01", 2), ("2026-01", 4)] {
        assert_eq!(rows(until), expected, "{until}");
    }
    let wrong = home.output(&["summary", "--since=soon", "ours.csv"]);
    assert_eq!(code(&wrong), 2);
    assert!(err(&wrong).contains("an age, such as 7d"), "{}", err(&wrong));
}

#[test]
fn a_log_is_read_from_standard_input() {
    let home = home();
    let summary = |input: &str, arguments: &[&str]| {
        let output = home.output_with_input(arguments, input);
        assert_eq!(code(&output), 0, "{}", err(&output));
        serde_json::from_str::<serde_json::Value>(&out(&output)).unwrap()["total"]["rows"].clone()
    };
    let format = ["summary", "--format=json"];
    assert_eq!(summary(&ours(), &[&format[..], &["-"]].concat()), 4);
    // The rows are those of the file.
    assert_eq!(summary(&ours(), &[&format[..], &["-", "ours.csv", "theirs.csv"]].concat()), 5);
}

#[test]
fn a_budget_that_is_exceeded_has_an_exit_code_of_its_own() {
    let home = home();
    for (budget, status, message) in [
        ("--budget-kwh=6", 0, ""),
        (
            "--budget-kwh=5.9",
            3,
            "eco2ai: energy budget exceeded: 6.000 kWh used, 5.900 kWh allowed\n",
        ),
        (
            "--budget-co2=2",
            3,
            "eco2ai: CO2e budget exceeded: 3.000 kg CO2e emitted, 2.000 kg CO2e allowed\n",
        ),
        ("--budget-cost=1", 3, "eco2ai: cost budget exceeded: 1.500 spent, 1.000 allowed\n"),
        ("--budget-cost=-1", 2, "use a number, 0 or more"),
    ] {
        let output = home.output(&["summary", budget, "ours.csv"]);
        assert_eq!(code(&output), status, "{budget}");
        assert!(err(&output).contains(message), "{}", err(&output));
    }
    home.write("free.csv", &THEIRS.replace(",2.0", ",0"));
    let output = home.output(&["summary", "--budget-cost=1", "free.csv"]);
    assert_eq!(code(&output), 1, "nothing is known about its cost");
}

#[test]
fn csv_has_the_columns_of_eco2ai_first() {
    assert_eq!(
        home().text(&["summary", "--format=csv", "ours.csv"]),
        "project_name,total duration(s),total power_consumption(kWh),total CO2_emissions(kg),\
         total electricity cost,total power_consumption_low(kWh),\
         total power_consumption_high(kWh),total idle_energy(kWh),rows,calls,share,\
         energy per call(kWh),total inclusive_energy(kWh),average power(W),\
         outermost duration(s)\n\
         MNIST,240.0,6.0,3.0,1.5,,,,4,4,1.0,1.5,,180000.0,120.0\n\
         Total,240.0,6.0,3.0,1.5,,,,4,4,1.0,1.5,,180000.0,120.0\n"
    );
    let by_function = home().text(&["summary", "--format=csv", "--by=function,host", "ours.csv"]);
    assert!(by_function.starts_with("function,host,total duration(s),"), "{by_function}");
    assert!(by_function.contains("\n'=other,n2,60.0,4.0,2.0,1.0,,,,"), "no formula: {by_function}");
    assert!(by_function.contains("\nTotal,,240.0,6.0,3.0,1.5,,,,"), "{by_function}");
}

#[test]
fn a_row_that_cannot_be_used_is_reported_with_its_line() {
    let home = home();
    let output = home.output(&["summary", "theirs.csv"]);
    assert_eq!(
        err(&output),
        "eco2ai: theirs.csv line 3: power_consumption(kWh) = \"much\" is not a number; \
         row left out\n"
    );
    assert!(!out(&output).contains("line 3"));
    let bad = "3,p,d,N/A,x,1,x,1,C,G,L,FR,0\n".repeat(50);
    home.write("bad.csv", &format!("{THEIRS}{bad}"));
    let message = err(&home.output(&["summary", "bad.csv"]));
    assert_eq!(message.lines().count(), 21);
    assert!(message.ends_with("31 more rows left out\n"), "{message}");
}

#[test]
fn a_file_that_is_no_log_is_an_error_that_says_so() {
    let home = home();
    home.write("table.csv", "name,age\n");
    for (file, message) in [
        ("table.csv", "table.csv: not an emission log: missing column"),
        ("nowhere.csv", "nowhere.csv: no such file"),
    ] {
        let output = home.output(&["summary", "ours.csv", file]);
        assert_eq!((code(&output), out(&output).as_str()), (1, ""));
        assert!(err(&output).contains(message), "{}", err(&output));
    }
}

#[test]
fn messages_explain_what_the_figures_do_not_show() {
    let home = home();
    let undated = THEIRS.replace("1,Iris,d,N/A,2026-01-02 23:59:59", "3,Iris,d,N/A,3/4/2026 10:00");
    home.write("undated.csv", &undated.replace("much", "8.0"));
    home.write("copy.csv", &ours());
    let files = ["ours.csv", "copy.csv", "./ours.csv", "undated.csv"];
    let output = home.output(&[&["summary"][..], &files].concat());
    let table = out(&output);
    let notes: Vec<_> =
        table.lines().skip_while(|line| !line.starts_with("Total")).skip(1).collect();
    assert_eq!(
        notes,
        [
            "4 rows in more than one of the logs, counted once",
            "1 row without a known date; the first: undated.csv line 2: start_time = \"3/4/2026 10:00\" \
             is not a time that can be understood: which number is the day, and which the month?",
        ]
    );
    let output = home.output(&[&["summary", "--format=json"][..], &files].concat());
    let summary: serde_json::Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!((&summary["repeated_rows"], &summary["undated_rows"]), (&json!(4), &json!(1)));
    assert_eq!(summary["unwritten"], json!({"running": 0, "interrupted": 0, "waiting": 0}));
    assert_eq!(summary["total"]["rows"], 6);
    assert_eq!(err(&output).lines().count(), 2);
}

#[test]
fn a_log_is_converted_when_asked_and_once() {
    let home = home();
    let summary = || out(&home.output(&["summary", "theirs.csv"]));
    let before = summary();
    let converted = home.text(&["convert", "theirs.csv"]);
    let text = std::fs::read_to_string(home.path("theirs.csv")).unwrap();
    let added = text.lines().next().unwrap().split(',').count() - eco2ai_columns();
    assert_eq!(
        converted,
        format!("theirs.csv: {added} columns added to 2 rows; the old file is theirs.csv.bak\n")
    );
    assert_eq!(
        home.text(&["convert", "theirs.csv"]),
        "theirs.csv: already has all columns; nothing changed\n"
    );
    assert_eq!(summary(), before);
    assert_eq!(std::fs::read_to_string(home.path("theirs.csv.bak")).unwrap(), THEIRS);
    home.write("table.csv", "name,age\n");
    let output = home.output(&["convert", "table.csv", "theirs.csv"]);
    assert_eq!(code(&output), 1);
    assert!(err(&output).contains("table.csv: not an emission log"), "{}", err(&output));
    assert!(
        out(&output).contains("theirs.csv: already has all columns"),
        "the other one all the same"
    );
}
