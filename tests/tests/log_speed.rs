//! What the log costs; the figures hold for a release build, so these run on demand:
//! `cargo test --release -p eco2ai-tests --test log_speed -- --ignored --nocapture --test-threads 1`

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

const ROWS: usize = 1_000_000;

/// Eco2AI's thirteen cells, about 190 bytes.
fn eco2ai_row(row: usize, projects: usize) -> String {
    let mut text = String::new();
    let number = row as f64;
    let _ = write!(
        text,
        "5e6ac4cf-0bf2-4f6b-9b8c-{row:012},project {},an experiment,N/A,2024-05-06 07:08:09,\
         {:?},{:?},{:?},\"AMD EPYC 7763/1 device(s), TDP:280\",A100 1 device(s),Linux,FR/None,0.0",
        row % projects,
        number * 0.1 + 0.123_456_7,
        (number + 1.0) * 1.234_567e-7,
        (number + 1.0) * 2.345_678e-8,
    );
    text
}

/// Our 36 cells, about 465 bytes.
fn our_row(row: usize, projects: usize) -> String {
    let energy = (row as f64 + 1.0) * 1.234_567_89e-7;
    eco2ai_row(row, projects)
        + &format!(
            ",5e6ac4cf-0bf2-4f6b-9b8c-{row:012},module::function,ok,1,process,{energy:?},{energy:?},0.0,\
             {energy:?},{energy:?},,{energy:?},,measured:rapl:share,none,estimated:rss,none,56.04,\
             Our World in Data / Ember 2023,1.0,a-host-of-a-cluster,12345,0.1.0"
        )
}

fn write_log(path: &Path, columns: usize, projects: usize) {
    let seed = path.with_extension("seed");
    eco2ai::Tracker::builder()
        .file(&seed)
        .forget()
        .build()
        .unwrap()
        .start()
        .unwrap()
        .stop()
        .unwrap();
    let header = std::fs::read_to_string(seed).unwrap();
    let header: Vec<_> = header.lines().next().unwrap().split(',').take(columns).collect();
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    writeln!(file, "{}", header.join(",")).unwrap();
    for row in 0..ROWS {
        let text = if columns == 13 { eco2ai_row(row, projects) } else { our_row(row, projects) };
        writeln!(file, "{text}").unwrap();
    }
    file.flush().unwrap();
}

/// The most memory that this process has ever had, in MiB.
fn peak_memory_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or(f64::NAN) / 1024.0
}

/// What this thread has had of a processor: where a file is in memory, a summary does not wait, and
/// other programs do not count.
fn processor_seconds() -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    told.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1e9
}

/// For a child of the test below: the log that it sums up; empty for none.
const SUMMED: &str = "ECO2AI_TEST_SUMMED";

/// Not a test: a process that does nothing but a summary, and tells what that took.
#[test]
#[ignore = "a part of another test"]
fn summed_up() {
    let Ok(log) = std::env::var(SUMMED) else { return };
    let before = processor_seconds();
    let summary =
        if log.is_empty() { eco2ai::Summary::default() } else { eco2ai::summary(log).unwrap() };
    let seconds = processor_seconds() - before;
    let (rows, projects) = (summary.total.rows, summary.groups.len());
    println!("\ntold {seconds} {} {rows} {projects}", peak_memory_mib());
}

/// Seconds and peak memory in MiB of a summary in a process of its own, and its rows and projects.
fn summed_up_alone(log: &Path) -> (f64, f64, String) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "summed_up", "--ignored", "--nocapture"])
        .env(SUMMED, log)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let told = said.lines().find_map(|line| line.strip_prefix("told ")).unwrap();
    let mut words = told.splitn(3, ' ');
    let mut number = || words.next().unwrap().parse().unwrap();
    (number(), number(), words.next().unwrap().to_owned())
}

#[test]
#[ignore = "a million rows, in a release build"]
fn a_million_rows_are_summed_up_fast_and_in_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    for (columns, limit) in [(13, 0.6), (36, 1.2)] {
        for projects in [10, 1000] {
            let log = folder.path().join("emission.csv");
            write_log(&log, columns, projects);
            let (_, empty, _) = summed_up_alone(Path::new(""));
            // The best of three: the first brings the file into memory.
            let (mut took, mut memory) = (f64::INFINITY, 0_f64);
            for _ in 0..3 {
                let (seconds, peak, found) = summed_up_alone(&log);
                assert_eq!(found, format!("{ROWS} {projects}"));
                took = took.min(seconds);
                memory = memory.max(peak - empty);
            }
            println!(
                "{columns} columns, {} MB, {projects} projects: {took:.3} s, {memory:.1} MiB more \
                 than the {empty:.1} MiB of an empty process",
                log.metadata().unwrap().len() / 1_000_000
            );
            // The Python original in the same run, where it is given.
            if let (13, Ok(python)) = (columns, std::env::var("ECO2AI_PYTHON")) {
                let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/summary_time.py");
                Command::new(python).arg(script).arg(&log).status().unwrap();
            }
            assert!(took < limit && memory < 10.0);
        }
    }
}

#[test]
#[ignore = "timing, in a release build"]
fn a_row_costs_at_most_two_and_a_half_times_a_bare_append() {
    const TIMES: u32 = 20_000;
    let folder = tempfile::tempdir().unwrap();
    let line = our_row(1, 1) + "\n";
    let bare = folder.path().join("bare");
    let started = Instant::now();
    for _ in 0..TIMES {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&bare).unwrap();
        file.lock().unwrap();
        file.write_all(line.as_bytes()).unwrap();
    }
    let bare = started.elapsed() / TIMES;
    let tracker = eco2ai::Tracker::builder()
        .file(folder.path().join("emission.csv"))
        .forget()
        .build()
        .unwrap();
    let started = Instant::now();
    for _ in 0..TIMES {
        tracker.start().unwrap().stop().unwrap();
    }
    let row = started.elapsed() / TIMES;
    println!("open, lock, append, close: {bare:?}; a run with its row: {row:?}");
    assert!(row < bare * 5 / 2);
}

/// A log of Eco2AI gets our columns once; the run that finds it does not wait for that.
#[test]
#[ignore = "a million rows, in a release build"]
fn a_run_does_not_wait_for_the_upgrade_of_a_large_log() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("emission.csv");
    write_log(&log, 13, 10);
    let tracker = eco2ai::Tracker::builder().file(&log).forget().build().unwrap();
    let started = Instant::now();
    tracker.start().unwrap().stop().unwrap();
    let run = started.elapsed();
    eco2ai::flush().unwrap();
    let upgrade = started.elapsed();
    println!("the run: {run:?}; until its row is in the log: {upgrade:?}");
    assert!(run < upgrade / 20);
    assert_eq!(eco2ai::summary(&log).unwrap().total.rows, ROWS as u64 + 1);
}
