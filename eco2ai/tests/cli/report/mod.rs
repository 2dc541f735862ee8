//! `eco2ai report`, as its users start it: logs in, one page out.
//!
//! The cost of a large log is measured on demand, in a release build:
//! `cargo test --release -p eco2ai --features cli --test cli -- report --ignored --nocapture`

mod contents;
mod flame;
mod logs;
mod options;
mod page;

use std::fs;
use std::io::{BufWriter, Write as _};
use std::time::Instant;

use crate::report::logs::{HEADER, ROW, Row, log, nested};
use crate::report::page::{assert_says, page, report, text};

#[test]
fn nothing_is_counted_twice() {
    let page = page(&nested());
    assert_says(&page, "Energy 4.000 kWh");
    assert_says(&page, "Greenhouse gases 2.000 kg CO₂e at 500 g CO₂e/kWh on average");
    assert_says(&page, "Runs 3");
    // Project: energy, share, CO2, runs.
    assert_says(&page, "Project Energy kWh Share CO₂e kg Runs p 4.000 100.0 % 2.000 3");
    assert_says(&page, "CPU 3.000 75.0 %");
    assert_says(&page, "GPU 1.000 25.0 %");
    assert_says(&page, "CPU measured measured:rapl 3.000 75.0 %");
    // Over time: a minute in bins of a second.
    assert_says(&page, "Start Total Wh 2026-03-02 10:00:00 66.67 2026-03-02 10:00:01 66.67");
    // Function: own, inclusive, calls, own per call.
    assert_says(&page, "m::outer 2.000 4.000 1 2.000");
    assert_says(&page, "m::inner 2.000 2.000 2 1.000");
}

#[test]
fn components_add_up_to_the_whole_with_pue_and_where_a_child_outlives_its_parent() {
    let page = page(&log(&[
        Row { own: 3.0, inclusive: 3.0, cpu: 2.0, pue: 1.5, ..ROW },
        Row { id: "2", parent: "1", own: 1.5, inclusive: 1.5, cpu: 0.0, gpu: 1.0, pue: 1.5, ..ROW },
    ]));
    assert_says(&page, "Energy 4.500 kWh");
    assert_says(&page, "CPU 3.000 66.7 % GPU 1.500 33.3 %");
    assert_says(&page, "(PUE, up to 1.5)");
}

#[test]
fn parents_in_a_circle_and_parents_without_a_row_end_a_path() {
    let page = page(&log(&[
        Row { parent: "2", function: "m::a", ..ROW },
        Row { id: "2", parent: "1", function: "m::b", ..ROW },
        Row { id: "3", parent: "3", function: "m::self", ..ROW },
        Row { id: "4", parent: "nobody", function: "m::orphan", ..ROW },
    ]));
    assert_says(&page, "Energy 4.000 kWh");
    assert_says(&page, "1 run under a run that is not in the log or the period, or not yet");
    for function in ["m::a", "m::b", "m::self", "m::orphan"] {
        assert_says(&page, &format!("{function} 1.000 1.000 1"));
    }
}

#[test]
fn totals_have_bounds_as_far_as_the_rows_have() {
    let with_bounds = |bounds: [&str; 2]| {
        let mut rows = HEADER.trim_end().to_owned()
            + ",power_consumption_low(kWh),power_consumption_high(kWh)\n";
        for (id, bounds) in ["1", "2"].iter().zip(bounds) {
            // The own energy is half of the inclusive one.
            let row = Row { id, inclusive: 2.0, ..ROW }.line();
            rows += &[row.trim_end(), ",", bounds, "\n"].concat();
        }
        page(&rows)
    };
    let both = with_bounds(["1.5,3", "1.5,3"]);
    assert_says(&both, "Energy 2.000 kWh 1.500 to 3.000 kWh");
    assert_says(&both, "Greenhouse gases 1.000 kg CO₂e 0.750 to 1.500 kg");
    assert_says(&both, "p 2.000 1.500 to 3.000 100.0 % 1.000 0.750 to 1.500 2");
    assert_says(&both, "m::f 2.000 1.500 to 3.000 4.000 3.000 to 6.000 2");
    let one = with_bounds(["1.5,3", ","]);
    assert_says(&one, "Energy 2.000 kWh at least 0.750 kWh");
    let none = text(&with_bounds([",", ","]));
    assert!(!none.contains("at least") && !none.contains("1.500"), "{none}");
}

#[test]
fn epochs_are_parts_of_one_call_and_a_sum_of_calls_is_many() {
    let epoch = |number| Row { function: "m::train", epoch: number, ..ROW };
    let rows = [epoch("epoch: 1, loss: 0.1, "), epoch("epoch: 2, "), epoch("N/A")];
    let summed = Row { id: "2", function: "m::hot", calls: 1000, ..ROW };
    let page = page(&log(&[rows.as_slice(), &[summed]].concat()));
    assert_says(&page, "m::train 3.000 3.000 1 3.000");
    assert_says(&page, "m::hot 1.000 1.000 1 000 0.001");
    assert_says(&page, "Runs 1 001");
}

#[test]
fn energy_over_time_is_spread_over_each_run() {
    // Two hours, of which the second lies in the next day of the log's zone.
    let page = page(&log(&[Row { start: "2026-03-02 23:00:00+01:00", seconds: 7200.0, ..ROW }]));
    let (_, table) = text(&page)
        .split_once("Start Total Wh")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let table = table.split_once(" Components").map_or(table.as_str(), |(table, _)| table);
    let table = table.split_once(" Projects").map_or(table, |(table, _)| table);
    let bins: Vec<_> = table.split("2026-03-0").skip(1).collect();
    assert_eq!(bins.len(), 60, "{table}");
    assert!(bins[0].starts_with("2 23:00 16.67"), "{table}");
    assert!(bins[30].starts_with("3 00:00 16.67"), "{table}");
}

#[test]
fn the_page_loads_nothing() {
    let page = page(&nested());
    assert!(
        page.contains("Content-Security-Policy\" content=\"default-src 'none'; script-src 'nonce-")
    );
    // The only reference is the empty icon.
    for attribute in [" src=", "href=", "url(", "@import"] {
        for (at, found) in page.match_indices(attribute) {
            let value = &page[at + found.len()..];
            assert!(value.starts_with("\"#") || value.starts_with("\"data:,\""), "{attribute}");
        }
    }
}

#[test]
fn rows_that_cannot_be_used_are_reported_with_their_lines() {
    let page = page(&(log(&[ROW]) + "torn,\"row\n" + &Row { status: "odd", ..ROW }.line()));
    assert_says(&page, "Energy 2.000 kWh");
    assert_says(&page, "1 unknown, 1.000 kWh");
    assert_says(&page, "1 invalid row The totals do not include");
    assert_says(&page, "emission.csv , line 3:");
}

#[test]
fn a_log_of_eco2ai_is_understood() {
    let header: Vec<_> = HEADER.split(',').take_while(|column| *column != "parent_id").collect();
    let page = page(
        &(header.join(",")
            + "\n7,MNIST,d,N/A,2024-05-06 07:08:09,1.5,2.0,1.0,C,G,Linux,FR,0.3\
               \n8,MNIST,d,\"epoch: 1, \",2024-05-06 07:08:19,1.5,2.0,1.0,C,G,Linux,FR,0.3\n"),
    );
    assert_says(&page, "Energy 4.000 kWh");
    assert_says(&page, "Cost 0.600");
    assert_says(&page, "MNIST plain tracker 4.000 4.000 2 2.000");
    assert_says(&page, "Unknown component 4.000 100.0 %");
    assert_says(&page, "2 rows with Eco2AI's columns only");
    assert_says(&page, "FR 500 unknown 4.000 100.0 % 2.000 0.6000");
}

#[test]
fn long_tables_are_cut_and_say_so() {
    let names: Vec<_> = (0..80).map(|at| (at.to_string(), format!("m::f{at}"))).collect();
    let rows: Vec<_> =
        names.iter().map(|(id, name)| Row { id, function: name, project: name, ..ROW }).collect();
    let page = page(&log(&rows));
    assert_says(&page, "40 more functions 40.00 40");
    assert_says(&page, "60 more 60.00 75.0 % 30.00 60");
    assert_says(&page, "other projects");
}

#[test]
fn several_logs_are_one_page_and_an_empty_log_has_one_too() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.csv"), log(&[ROW])).unwrap();
    fs::write(folder.path().join("b.csv"), log(&[Row { id: "2", ..ROW }])).unwrap();
    fs::write(folder.path().join("empty.csv"), "").unwrap();
    let output = report(folder.path(), &["a.csv", "b.csv", "empty.csv", "-o", "-"]);
    assert!(output.status.success() && output.stderr.is_empty());
    assert_says(&String::from_utf8(output.stdout).unwrap(), "Energy 2.000 kWh");
    let output = report(folder.path(), &["empty.csv", "--output", "empty.html"]);
    assert!(output.status.success());
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.starts_with("empty.html: ") && message.trim_end().ends_with(" KiB"),
        "{message}"
    );
    assert_says(&fs::read_to_string(folder.path().join("empty.html")).unwrap(), "No runs yet");
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 4, "nothing else is left: {left:?}");
}

#[test]
fn an_error_names_the_file_and_no_log_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let whole = log(&[ROW]);
    fs::write(folder.path().join("a.csv"), &whole).unwrap();
    fs::write(folder.path().join("notes.txt"), "a,b\n1,2\n").unwrap();
    for (arguments, wanted) in [
        (["missing.csv", "-o", "x.html"], "missing.csv: "),
        (["notes.txt", "-o", "x.html"], "notes.txt: not an emission log"),
        (
            ["a.csv", "-o", "a.csv"],
            "a.csv is an emission log and is not overwritten; choose another",
        ),
        (["a.csv", "-o", "no/folder/x.html"], "no/folder/x.html: "),
    ] {
        let output = report(folder.path(), &arguments);
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && message.contains(wanted), "{wanted}: {message}");
    }
    assert_eq!(fs::read_to_string(folder.path().join("a.csv")).unwrap(), whole);
    assert!(!folder.path().join("x.html").exists());
}

/// A training of ten rows, the `number`th of its log: two levels of calls under one run.
fn training(number: usize) -> String {
    let id = |at: usize| format!("5e6ac4cf-0bf2-4f6b-9b8c-{:012x}", number * 10 + at);
    let ids: Vec<_> = (0..10).map(id).collect();
    let minutes = number / 4;
    let start = format!(
        "2026-{:02}-{:02} {:02}:{:02}:07+01:00",
        1 + minutes / 40_320 % 12,
        1 + minutes / 1440 % 28,
        minutes / 60 % 24,
        minutes % 60
    );
    let functions = ["load", "epoch", "forward", "backward", "step", "evaluate"];
    let project = format!("project {}", number % 7);
    let energy = 1.234_567_89e-7 * (1.0 + (number % 97) as f64);
    let row = |at: usize, under: f64| Row {
        id: &ids[at],
        parent: if at == 9 { "" } else { &ids[if at % 3 == 2 { 9 } else { at / 3 * 3 + 2 }] },
        project: &project,
        start: &start,
        seconds: 12.345_678_9,
        own: energy,
        inclusive: energy * (1.0 + under),
        cpu: energy * 0.75 * (1.0 + under),
        gpu: energy * 0.25 * (1.0 + under),
        ..ROW
    };
    let mut rows = String::new();
    for at in 0..9 {
        let function = format!("digits::{}", functions[at % functions.len()]);
        let under = if at % 3 == 2 { 2.0 } else { 0.0 };
        rows += &Row { function: &function, ..row(at, under) }.line();
    }
    rows + &Row { function: "digits::train", ..row(9, 9.0) }.line()
}

#[test]
#[ignore = "a million rows: quick in a release build"]
fn a_million_rows_become_a_small_page() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("emission.csv");
    let mut log = BufWriter::new(fs::File::create(&path).unwrap());
    log.write_all(HEADER.as_bytes()).unwrap();
    for number in 0..100_000 {
        log.write_all(training(number).as_bytes()).unwrap();
    }
    log.into_inner().unwrap();
    let started = Instant::now();
    assert!(report(folder.path(), &["emission.csv"]).status.success());
    let took = started.elapsed();
    let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
    let megabytes = path.metadata().unwrap().len() / 1_000_000;
    println!("{megabytes} MB in {took:.2?}: a page of {} kB", page.len() / 1000);
    assert_says(&page, "Runs 1 000 000");
    assert!(page.len() < 200_000, "{} bytes", page.len());
}
