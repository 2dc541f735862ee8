//! Jobs of several processes: a log for each, the machine counted once, work that is done elsewhere.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::home::{Home, code, err, out, wait_until};

/// The cells of a column of a log with one row.
fn cell(home: &Home, log: &str, name: &str) -> String {
    let mut log = csv::Reader::from_path(home.path(log)).unwrap();
    let at = log.headers().unwrap().iter().position(|column| column == name).unwrap();
    let rows: Vec<_> = log.records().map(|row| row.unwrap()[at].to_owned()).collect();
    assert_eq!(rows.len(), 1);
    rows[0].clone()
}

/// A program of this name that runs its arguments.
fn launcher(home: &Home, name: &str) {
    home.write(name, "#!/bin/sh\nexec \"$@\"\n");
    fs::set_permissions(home.path(name), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn work_that_is_handed_over_is_reported_and_marked() {
    let home = Home::new();
    launcher(&home, "srun");
    let output = home.output(&["run", "--", "env", "A=1", "./srun", "sleep", "0.05"]);
    assert_eq!(code(&output), 0);
    let lines = err(&output);
    assert!(lines.contains("srun hands its work to other processes"), "{lines}");
    assert!(lines.contains("srun … eco2ai run -- COMMAND"), "{lines}");
    let methods = home.column("cpu_method");
    assert!(methods[0].ends_with(":partial"), "{methods:?}");
    assert_eq!(home.column("power_consumption_high(kWh)"), [""], "no bound above");

    home.text(&["run", "--quiet", "--", "./srun", "true"]);
    home.text(&["run", "--quiet", "--", "echo", "srun"]);
    let methods = home.column("cpu_method");
    assert!(methods[1].ends_with(":partial") && !methods[2].contains("partial"), "{methods:?}");
}

#[test]
fn each_process_of_a_job_has_a_log_by_placeholders() {
    let home = Home::new();
    let log = "--file=logs/{job}/{rank}.csv";
    for rank in ["0", "1"] {
        let mut command = home.eco2ai(&["run", log, "--", "true"]);
        command.env("SLURM_JOB_ID", "12").env("SLURM_ARRAY_JOB_ID", "10");
        command.env("SLURM_ARRAY_TASK_ID", "7").env("SLURM_PROCID", rank);
        let output = command.output().unwrap();
        assert_eq!(code(&output), 0);
        let name = format!("logs/slurm_10_7/{rank}.csv");
        assert!(err(&output).ends_with(&format!("  log   {name}\n")), "{}", err(&output));
        assert_eq!(cell(&home, &name, "job"), "slurm:10_7");
        assert_eq!(cell(&home, &name, "rank"), rank);
    }
    assert!(!home.path("logs/{job}").exists());
    let output = home.output(&["run", "--file={hots}.csv", "--", "true"]);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("{hots}"), "{}", err(&output));
}

#[test]
fn a_missing_folder_without_placeholders_is_not_made() {
    let home = Home::new();
    home.output(&["run", "--file=typo/emission.csv", "--", "true"]);
    assert!(!home.path("typo").exists());
}

#[test]
fn the_machine_is_counted_by_the_first_process_of_the_job_on_it() {
    let home = Home::new();
    for (local_rank, file) in [("0", "0.csv"), ("1", "1.csv")] {
        let file = format!("--file={file}");
        let arguments = ["run", "--quiet", "--cpu-processes=all", &file, "--", "sleep", "0.2"];
        let mut command = home.eco2ai(&arguments);
        command.env("SLURM_JOB_ID", "12").env("SLURM_PROCID", "3").env("SLURM_LOCALID", local_rank);
        assert_eq!(code(&command.output().unwrap()), 0);
    }
    assert_ne!(cell(&home, "0.csv", "cpu_energy(kWh)"), "");
    assert_ne!(cell(&home, "0.csv", "own_energy(kWh)"), "0.0");
    assert_eq!(cell(&home, "1.csv", "cpu_method"), "included");
    assert_eq!(cell(&home, "1.csv", "cpu_energy(kWh)"), "");
    for column in ["own_energy(kWh)", "power_consumption(kWh)", "process_energy(kWh)"] {
        assert_eq!(cell(&home, "1.csv", column), "0.0", "{column}");
    }
    assert_eq!(cell(&home, "1.csv", "scope"), "machine");
}

#[test]
fn folders_and_patterns_stand_for_the_logs_in_them() {
    let home = Home::new();
    for name in ["a", "b"] {
        let file = format!("--file=logs-{{job}}/{name}.csv");
        home.text(&["run", "--quiet", "--encode-file", &file, "--", "true"]);
    }
    home.write("logs-none/table.csv", "name,age\n");
    home.write("logs-none/notes.txt", "x\n");
    let rows = |arguments: &[&str]| {
        let summary = home.json(&[&["summary", "--format", "json"], arguments].concat());
        summary["total"]["rows"].as_u64().unwrap()
    };
    assert_eq!(rows(&["logs-none"]), 2, "neither the copies nor other files");
    assert_eq!(rows(&["logs-*/[ab].csv"]), 2);
    assert_eq!(rows(&["log*", "logs-none/a.csv"]), 2, "each log once");
    // A name that exists is no pattern.
    fs::copy(home.path("logs-none/a.csv"), home.path("[ab].csv")).unwrap();
    assert_eq!(rows(&["[ab].csv"]), 1);
    home.text(&["recover", "logs-none"]);
    let output = home.output(&["report", "logs-none"]);
    assert_eq!(code(&output), 0);
    assert!(home.read("report.html").contains("2 logs"), "{}", out(&output));

    fs::create_dir(home.path("empty")).unwrap();
    for nothing in ["empty", "nothing*.csv"] {
        let output = home.output(&["summary", nothing]);
        assert_eq!(code(&output), 1);
        assert_eq!(err(&output), format!("eco2ai: {nothing}: no emission log found\n"));
    }
}

#[test]
fn a_folder_contains_logs_that_are_only_journals_so_far() {
    let home = Home::new();
    let script = "while [ -e held ]; do sleep 0.02; done";
    let arguments = [
        "run",
        "--quiet",
        "--file=logs/{job}-{pid}.csv",
        "--measure-period=0.05",
        "--",
        "sh",
        "-c",
        script,
    ];
    let mut run = home.eco2ai(&arguments).spawn().unwrap();
    wait_until("a live run", || home.path("logs").exists());
    wait_until("a live run", || home.text(&["watch", "logs"]).contains("sh"));
    // By the parameter, whose placeholders stand for any value.
    let mut watch = home.eco2ai(&["watch"]);
    let watch = watch.env("ECO2AI_FILE", "logs/{job}-{pid}.csv").output().unwrap();
    assert!(out(&watch).contains("sh"), "{}{}", out(&watch), err(&watch));
    assert_eq!(
        home.text(&["recover", "logs"]),
        format!("logs/none-{}.csv: 0 rows recovered\n", run.id())
    );
    home.text(&["run", "--quiet", "--file=logs/a.csv", "--", "true"]);
    let summary = home.json(&["summary", "--format=json", "logs"]);
    assert_eq!(summary["total"]["rows"], 1, "the log of the run in progress does not exist yet");
    fs::remove_file(home.path("logs/a.csv")).unwrap();
    run.kill().unwrap();
    run.wait().unwrap();
    home.let_go();
    let log = format!("logs/none-{}.csv", run.id());
    assert_eq!(home.text(&["recover", "logs"]), format!("{log}: 1 row recovered\n"));
    assert_eq!(cell(&home, &log, "status"), "interrupted");
}

#[test]
fn jobs_are_groups_of_the_summary_and_of_the_report() {
    let home = Home::new();
    for job in ["12", "12", "13"] {
        let mut command = home.eco2ai(&["run", "--quiet", "--", "true"]);
        assert_eq!(code(&command.env("SLURM_JOB_ID", job).output().unwrap()), 0);
    }
    let summary = home.json(&["summary", "--by=job", "--format=json", "emission.csv"]);
    for (job, rows) in [("slurm:12", 2), ("slurm:13", 1)] {
        let mut groups = summary["groups"].as_array().unwrap().iter();
        let group = groups.find(|group| group["job"] == job).unwrap();
        assert_eq!(group["rows"], rows);
    }
    assert_eq!(code(&home.output(&["report", "emission.csv"])), 0);
    let page = home.read("report.html");
    let jobs = page.split_once("id=\"jobs\"").unwrap().1.split_once("</section>").unwrap().0;
    assert!(jobs.contains("slurm:12") && jobs.contains("slurm:13"), "{jobs}");
    assert!(!page.contains("id=\"machines\""), "there is one");
}

#[test]
fn summary_and_report_group_by_user_and_rank() {
    let home = Home::new();
    for (user, rank) in [("ada", "0"), ("grace", "1")] {
        let mut command = home.eco2ai(&["run", "--quiet", "--", "true"]);
        command.env("USER", user).env("SLURM_JOB_ID", "12").env("SLURM_PROCID", rank);
        assert_eq!(code(&command.output().unwrap()), 0);
    }
    let summary = |by: &str| home.text(&["summary", "--by", by, "emission.csv"]);
    let users = summary("user");
    assert!(users.contains("ada ") && users.contains("grace "), "{users}");
    let ranks = summary("rank");
    assert!(ranks.lines().any(|line| line.starts_with("0 ")), "{ranks}");
    home.output(&["report", "emission.csv", "-o", "report.html"]);
    let page = fs::read_to_string(home.path("report.html")).unwrap();
    for heading in [">Ranks<", ">Users<"] {
        assert!(page.contains(heading), "{heading}");
    }
    assert!(!page.contains(">Jobs<"), "there is one");
}
