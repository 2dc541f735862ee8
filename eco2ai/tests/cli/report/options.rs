//! The options of `eco2ai report`.

use std::fs;
use std::path::Path;

use crate::report::logs::{ROW, Row, log};
use crate::report::page::{assert_says, report, text};

/// Two days of March and one of April, in UTC.
fn three_days() -> String {
    log(&[
        Row { start: "2026-03-10 12:00:00+00:00", ..ROW },
        Row { id: "2", start: "2026-03-20 12:00:00+00:00", own: 2.0, inclusive: 2.0, ..ROW },
        Row { id: "3", start: "2026-04-05 12:00:00+00:00", own: 3.0, inclusive: 3.0, ..ROW },
    ])
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("emission.csv"), three_days()).unwrap();
    folder
}

/// The page of `emission.csv` with these options.
fn page_with(folder: &Path, options: &[&str]) -> String {
    let output = report(folder, &[&["emission.csv"], options].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::read_to_string(folder.join("report.html")).unwrap()
}

/// The message of a command that fails with this code.
fn message(folder: &Path, options: &[&str], code: i32) -> String {
    let output = report(folder, &[&["emission.csv"], options].concat());
    assert_eq!(output.status.code(), Some(code), "{options:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_period_leaves_out_other_runs_and_is_in_the_title() {
    let folder = folder();
    let page = page_with(folder.path(), &["--since", "2026-03-15", "--until", "2026-04"]);
    assert_says(&page, "Energy 5.000 kWh");
    assert!(page.contains("<title>Energy report: 15 Mar 2026 to 30 Apr 2026</title>"), "{page}");
    assert_says(&page, "Energy report 15 Mar 2026 to 30 Apr 2026 emission.csv");
    let page = page_with(folder.path(), &["--until", "2026-03-10", "--title", "Our <March>"]);
    assert_says(&page, "Our <March> until 10 Mar 2026");
    assert_says(&page, "Energy 1.000 kWh");
    assert_says(&page_with(folder.path(), &["--since", "2027"]), "No run of the logs started");
}

#[test]
fn a_report_is_compared_with_a_period_or_a_log() {
    let folder = folder();
    let earlier = log(&[Row { own: 1.5, inclusive: 1.5, ..ROW }]);
    fs::write(folder.path().join("earlier.csv"), earlier).unwrap();
    let april = ["--since", "2026-04-01"];
    let page = page_with(folder.path(), &[&april[..], &["--against", "2026-03"]].concat());
    assert_says(&page, "Compared with 1 Mar 2026 to 31 Mar 2026");
    assert_says(&page, "Energy ±0 % , CO₂e ±0 % , runs −50.0 % , energy per run +100.0 % .");
    assert_says(&page, "p 3.000 3.000 ±0 % 2 → 1 +100.0 %");
    let page = page_with(folder.path(), &[&april[..], &["--against", "earlier.csv"]].concat());
    assert_says(&page, "Compared with earlier.csv Energy +100.0 %");
    let all = ["--since", "2026-03-16", "--until", "2026-03-31", "--against", "previous"];
    let page = page_with(folder.path(), &all);
    assert_says(&page, "Compared with 29 Feb 2026".replace("29 Feb", "28 Feb").as_str());
    assert_says(&page, "m::f 1.000 2.000 +100.0 % 1 → 1 +100.0 %");
}

#[test]
fn other_places_have_their_own_intensity() {
    let folder = folder();
    let page = page_with(folder.path(), &["--also", "FR,Germany,US-CA,fr"]);
    assert_says(&page, "As in the log 500.0 3.000");
    let text = text(&page);
    let (_, table) = text.split_once("The same elsewhere").unwrap();
    for place in ["FR 44.2 0.265 −91.2 % Ember", "DE 344.1 2.065 −31.2 %", "US/California 179.1"]
    {
        assert!(table.contains(place), "{place} is not in {table}");
    }
    let (table, _) = table.split_once("Energy over time").unwrap();
    assert_eq!(table.matches("FR 44.2").count(), 1, "each place once");
}

#[test]
fn equivalents_are_those_of_a_region() {
    let folder = folder();
    let page = page_with(folder.path(), &["--equivalents", "us"]);
    assert_says(&page, "7.3 miles by an average car or truck in the US the same CO₂e");
    assert!(!text(&page).contains("in the EU"));
}

#[test]
fn what_cannot_be_understood_is_said_before_a_page_is_written() {
    let folder = folder();
    for (options, wanted) in [
        (&["--since", "June"][..], "'June' for '--since <TIME>': use a year, month, day or time"),
        (&["--until", "2026-02-30"], "'2026-02-30' for '--until <TIME>': use a year"),
        (&["--also", "FR,Narnia"], "--also: "),
        (&["--also", "US-ZZ"], "--also: "),
        (&["--against", "lastweek"], "--against lastweek: neither a log nor a period; give a file"),
        (&["--against", "previous"], "--against previous needs --since"),
        (&["--open", "-o", "-"], "--open needs a file; choose one with --output"),
    ] {
        let message = message(folder.path(), options, 2);
        assert!(message.contains(wanted), "{options:?}: {message}");
    }
    let message = message(folder.path(), &["--against", "missing.csv"], 1);
    assert!(message.contains("missing.csv: "), "{message}");
    assert!(!folder.path().join("report.html").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn the_page_is_opened_by_the_program_of_the_desktop() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::process::Command;
    use std::time::{Duration, Instant};

    let folder = folder();
    let run = |path: &Path| {
        Command::new(env!("CARGO_BIN_EXE_eco2ai"))
            .args(["report", "--open", "emission.csv", "-o", "r.html"])
            .current_dir(folder.path())
            .env("PATH", path)
            .output()
            .unwrap()
    };
    let empty = tempfile::tempdir().unwrap();
    let output = run(empty.path());
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("r.html: cannot open a browser: "), "{message}");

    let desktop = folder.path().join("xdg-open");
    fs::write(&desktop, "#!/bin/sh\necho \"$1\" > opened.part\n/bin/mv opened.part opened\n")
        .unwrap();
    fs::set_permissions(&desktop, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(run(folder.path()).status.success());
    let opened = folder.path().join("opened");
    let end = Instant::now() + Duration::from_secs(60);
    while !opened.exists() && Instant::now() < end {
        std::thread::yield_now();
    }
    assert!(fs::read_to_string(opened).unwrap().contains("r.html"));
}
