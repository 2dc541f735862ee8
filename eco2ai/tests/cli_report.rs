//! `eco2ai report`, as its users start it: logs in, one page out.
//!
//! What it costs holds for a release build, so that runs on demand:
//! `cargo test --release -p eco2ai --features cli --test cli_report -- --ignored --nocapture`

use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Command, Output};
use std::time::Instant;

const HEADER: &str = "id,project_name,experiment_description,epoch,start_time,duration(s),\
    power_consumption(kWh),CO2_emissions(kg),CPU_name,GPU_name,OS,region/country,cost,parent_id,\
    function,status,calls,scope,own_energy(kWh),own_CO2(kg),own_cost,process_energy(kWh),\
    cpu_energy(kWh),gpu_energy(kWh),ram_energy(kWh),other_energy(kWh),cpu_method,gpu_method,\
    ram_method,other_method,emission_level(kg/MWh),emission_source,pue,hostname,pid,version\n";

/// A row of this library's log.
#[derive(Clone, Copy)]
struct Row<'a> {
    id: &'a str,
    parent: &'a str,
    project: &'a str,
    function: &'a str,
    epoch: &'a str,
    start: &'a str,
    seconds: f64,
    status: &'a str,
    calls: u64,
    own: f64,
    inclusive: f64,
    cpu: f64,
    gpu: f64,
    pue: f64,
}

const ROW: Row<'_> = Row {
    id: "1",
    parent: "",
    project: "p",
    function: "m::f",
    epoch: "N/A",
    start: "2026-03-02 10:00:00+01:00",
    seconds: 60.0,
    status: "ok",
    calls: 1,
    own: 1.0,
    inclusive: 1.0,
    cpu: 1.0,
    gpu: 0.0,
    pue: 1.0,
};

impl Row<'_> {
    fn line(&self) -> String {
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let Self { id, parent, start, seconds, status, calls, .. } = self;
        let Self { own, inclusive, cpu, gpu, pue, .. } = self;
        let (project, function) = (quoted(self.project), quoted(self.function));
        let (own_co2, co2) = (own * 0.5, inclusive * 0.5);
        format!(
            "{id},{project},d,{},{start},{seconds},{inclusive},{co2},C,G,Linux,FR,0.0,{parent},\
             {function},{status},{calls},process,{own},{own_co2},0.0,{inclusive},{cpu},{gpu},,,\
             measured:rapl,sampled:nvml,none,none,500,a table,{pue},h,1,0.1.0\n",
            quoted(self.epoch)
        )
    }
}

fn log(rows: &[Row<'_>]) -> String {
    HEADER.to_owned() + &rows.iter().map(Row::line).collect::<String>()
}

fn report(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_eco2ai"))
        .arg("report")
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the command starts")
}

/// The page about one log.
fn page(log: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("emission.csv"), log).unwrap();
    let output = report(folder.path(), &["emission.csv"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::read_to_string(folder.path().join("report.html")).unwrap()
}

fn unescaped(html: &str) -> String {
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")]
        .iter()
        .fold(html.to_owned(), |text, (name, letter)| text.replace(name, letter))
}

/// What a reader sees, in one line; the flame graph is left out.
fn text(page: &str) -> String {
    let mut text = String::new();
    let body = page.split_once("</style>").unwrap().1;
    for piece in body.split('<') {
        let (_, after_tag) = piece.split_once('>').unwrap_or_default();
        text.push(' ');
        text.push_str(&unescaped(after_tag));
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The document of the flame graph.
fn flame_graph(page: &str) -> String {
    let (_, document) = page.split_once("srcdoc=\"").expect("a flame graph");
    unescaped(document.split_once('"').unwrap().0)
}

/// A frame of the flame graph: its text, its depth, from where to where it goes.
fn frames(page: &str) -> Vec<(String, u64, u64, u64)> {
    let graph = flame_graph(page);
    let number = |frame: &str, name: &str| -> u64 {
        let (_, value) = frame.split_once(&format!(" {name}=\"")).unwrap();
        value.split_once('"').unwrap().0.parse().unwrap()
    };
    graph
        .split("<g>")
        .skip(1)
        .map(|frame| {
            let title = frame.split_once("<title>").unwrap().1.split_once("</title>").unwrap().0;
            let (x, width) = (number(frame, "fg:x"), number(frame, "fg:w"));
            (unescaped(title), number(frame, "y"), x, x + width)
        })
        .collect()
}

#[track_caller]
fn assert_says(page: &str, wanted: &str) {
    let text = text(page);
    assert!(text.contains(wanted), "{wanted:?} is not in: {text}");
}

/// An outer run that called two inner ones; each child's row comes before its parent's.
fn nested() -> String {
    log(&[
        Row { id: "2", parent: "1", function: "m::inner", gpu: 0.5, cpu: 0.5, ..ROW },
        Row { id: "3", parent: "1", function: "m::inner", gpu: 0.5, cpu: 0.5, ..ROW },
        Row { function: "m::outer", own: 2.0, inclusive: 4.0, cpu: 3.0, gpu: 1.0, ..ROW },
    ])
}

#[test]
fn nothing_is_counted_twice() {
    let page = page(&nested());
    assert_says(&page, "Energy 4.000 kWh");
    assert_says(&page, "equivalents 2.000 kg CO2e at 500 gCO2e/kWh on average");
    assert_says(&page, "Runs 3");
    // Project: energy, share, CO2, runs.
    assert_says(&page, "p 4.000 kWh 100 % 2.000 kg 3");
    assert_says(&page, "CPU 3.000 kWh 75 %");
    assert_says(&page, "GPU 1.000 kWh 25 %");
    assert_says(&page, "CPU measured measured:rapl 3.000 kWh");
    // Over time: a minute in bins of a second.
    assert_says(&page, "From All 2026-03-02 10:00:00 66.67 Wh 2026-03-02 10:00:01 66.67 Wh");
    // Function: own, inclusive, calls, own per call.
    assert_says(&page, "m::outer 2.000 kWh 4.000 kWh 1 2.000 kWh");
    assert_says(&page, "m::inner 2.000 kWh 2.000 kWh 2 1.000 kWh");
}

#[test]
fn components_add_up_to_the_whole_with_pue_and_where_a_child_outlives_its_parent() {
    let page = page(&log(&[
        Row { own: 3.0, inclusive: 3.0, cpu: 2.0, pue: 1.5, ..ROW },
        Row { id: "2", parent: "1", own: 1.5, inclusive: 1.5, cpu: 0.0, gpu: 1.0, pue: 1.5, ..ROW },
    ]));
    assert_says(&page, "Energy 4.500 kWh");
    assert_says(&page, "CPU 3.000 kWh 67 % GPU 1.500 kWh 33 %");
    assert_says(&page, "(PUE, up to 1.5)");
}

#[test]
fn the_flame_graph_holds_each_path_with_its_energy() {
    let frames = frames(&page(&nested()));
    let [all, outer, inner] = frames.as_slice() else { panic!("{frames:?}") };
    assert_eq!(all.0, "all (4,000,000 mWh, 100%)");
    assert_eq!(outer.0, "m::outer (4,000,000 mWh, 100.00%)");
    assert_eq!(inner.0, "m::inner (2,000,000 mWh, 50.00%)");
    assert!(all.1 < outer.1 && outer.1 < inner.1, "each under its caller");
    assert!(outer.2 <= inner.2 && inner.3 <= outer.3, "as wide as its energy");
    assert_eq!(2 * (inner.3 - inner.2), outer.3 - outer.2);
}

#[test]
fn a_recursion_is_inclusive_in_its_outermost_call() {
    let page = page(&log(&[
        Row { id: "3", parent: "2", ..ROW },
        Row { id: "2", parent: "1", inclusive: 2.0, cpu: 2.0, ..ROW },
        Row { inclusive: 3.0, cpu: 3.0, ..ROW },
    ]));
    assert_says(&page, "m::f 3.000 kWh 3.000 kWh 3 1.000 kWh");
    assert_eq!(frames(&page).iter().filter(|frame| frame.0.starts_with("m::f")).count(), 3);
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
    assert_says(&page, "1 run under a run that is not in the log, or not yet");
    for function in ["m::a", "m::b", "m::self", "m::orphan"] {
        assert_says(&page, &format!("{function} 1.000 kWh 1.000 kWh 1"));
    }
}

#[test]
fn epochs_are_parts_of_one_call_and_a_sum_of_calls_is_many() {
    let epoch = |number| Row { function: "m::train", epoch: number, ..ROW };
    let rows = [epoch("epoch: 1, loss: 0.1, "), epoch("epoch: 2, "), epoch("N/A")];
    let summed = Row { id: "2", function: "m::hot", calls: 1000, ..ROW };
    let page = page(&log(&[rows.as_slice(), &[summed]].concat()));
    assert_says(&page, "m::train 3.000 kWh 3.000 kWh 1 3.000 kWh");
    assert_says(&page, "m::hot 1.000 kWh 1.000 kWh 1 000 1.000 Wh");
    assert_says(&page, "Runs 1 001");
}

#[test]
fn energy_over_time_is_spread_over_each_run() {
    // Two hours, of which the second lies in the next day of the log's zone.
    let page = page(&log(&[Row { start: "2026-03-02 23:00:00+01:00", seconds: 7200.0, ..ROW }]));
    let (_, table) =
        text(&page).split_once("From All").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let bins: Vec<_> = table.split("2026-03-0").skip(1).collect();
    assert_eq!(bins.len(), 60, "{table}");
    assert!(bins[0].starts_with("2 23:00 16.67 Wh"), "{table}");
    assert!(bins[30].starts_with("3 00:00 16.67 Wh"), "{table}");
}

#[test]
fn a_flame_graph_of_ten_thousand_functions_stays_small_and_whole() {
    let names: Vec<_> = (2..10_002).map(|at| (at.to_string(), format!("m::f{at}"))).collect();
    let mut rows: Vec<_> =
        names.iter().map(|(id, name)| Row { id, parent: "1", function: name, ..ROW }).collect();
    rows.push(Row { function: "m::outer", inclusive: 10_001.0, cpu: 10_001.0, ..ROW });
    let many = log(&rows);
    let nested = page(&many);
    assert!(nested.len() < 1_000_000, "{} bytes", nested.len());
    let widest = |page: &str| frames(page).into_iter().nth(1).unwrap().0;
    assert!(widest(&nested).starts_with("m::outer (10,001 kWh, 100.00%)"));
    // Each on its own, none large enough.
    let flat = page(&many.replace(",1,\"m::f", ",,\"m::f"));
    assert!(widest(&flat).starts_with("(too\u{a0}small\u{a0}to\u{a0}draw) (10,001 kWh"));
}

#[test]
fn what_a_log_says_is_text() {
    let page = page(&log(&[
        Row { project: "<script>alert(1)</script>", ..ROW },
        Row { id: "2", parent: "1", function: "\"'><img src=x onerror=alert(1)>; a 7 9", ..ROW },
    ]));
    assert_says(&page, "<script>alert(1)</script>");
    let injected = "\"'><img src=x onerror=alert(1)>, a 7 9 (1,000,000 mWh, 50.00%)";
    let names: Vec<_> = frames(&page).into_iter().map(|frame| frame.0).collect();
    assert!(names.iter().any(|name| name.replace('\u{a0}', " ") == injected), "{names:?}");
    let (outside, _) = page.split_once("<iframe").unwrap();
    for place in [outside, &flame_graph(&page)] {
        assert!(!place.contains("<script>alert") && !place.contains("<img"), "{place}");
    }
}

#[test]
fn the_page_loads_nothing() {
    let page = page(&nested());
    assert!(
        page.contains("Content-Security-Policy\" content=\"default-src 'none'; script-src 'nonce-")
    );
    let whole = unescaped(&page);
    for (attribute, harmless) in
        [(" src=", ""), ("href=", "\"data:,\""), ("url(", "#background)"), ("@import", "")]
    {
        for (_, after) in
            whole.match_indices(attribute).map(|(at, found)| whole.split_at(at + found.len()))
        {
            let fine = !harmless.is_empty() && after.starts_with(harmless);
            assert!(fine || after.starts_with("\"#"), "{attribute}{}", &after[..40]);
        }
    }
}

#[test]
fn rows_that_cannot_be_used_are_told_with_their_lines() {
    let page = page(&(log(&[ROW]) + "torn,\"row\n" + &Row { status: "odd", ..ROW }.line()));
    assert_says(&page, "Energy 2.000 kWh");
    assert_says(&page, "1 unknown, 1.000 kWh");
    assert_says(&page, "1 row could not be used");
    assert_says(&page, "emission.csv , line 3:");
}

#[test]
fn a_log_of_eco2ai_is_understood() {
    let header: Vec<_> = HEADER.split(',').take(13).collect();
    let page = page(
        &(header.join(",")
            + "\n7,MNIST,d,N/A,2024-05-06 07:08:09,1.5,2.0,1.0,C,G,Linux,FR,0.3\
               \n8,MNIST,d,\"epoch: 1, \",2024-05-06 07:08:19,1.5,2.0,1.0,C,G,Linux,FR,0.3\n"),
    );
    assert_says(&page, "Energy 4.000 kWh");
    assert_says(&page, "Cost 0.60");
    assert_says(&page, "MNIST plain tracker 4.000 kWh 4.000 kWh 2 2.000 kWh");
    assert_says(&page, "Not broken down 4.000 kWh 100 %");
    assert_says(&page, "2 rows with Eco2AI's columns only");
    assert_says(&page, "FR 500 not stated 4.000 kWh 2.000 kg");
}

#[test]
fn long_tables_are_cut_and_say_so() {
    let names: Vec<_> = (0..80).map(|at| (at.to_string(), format!("m::f{at}"))).collect();
    let rows: Vec<_> =
        names.iter().map(|(id, name)| Row { id, function: name, project: name, ..ROW }).collect();
    let page = page(&log(&rows));
    assert_says(&page, "30 more functions 30.00 kWh 30");
    assert_says(&page, "60 more 60.00 kWh 75 % 30.00 kg 60");
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
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.starts_with("empty.html: ") && told.trim_end().ends_with(" KiB"), "{told}");
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
        (["a.csv", "-o", "a.csv"], "a.csv is an emission log and stays as it is; name another"),
        (["a.csv", "-o", "no/folder/x.html"], "no/folder/x.html: "),
    ] {
        let output = report(folder.path(), &arguments);
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && told.contains(wanted), "{wanted}: {told}");
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
    assert!(page.len() < 2_000_000);
}
