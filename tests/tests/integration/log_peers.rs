//! The Python original reads our log, and we read and continue one that it wrote.
//!
//! `ECO2AI_PYTHON` names a Python with Eco2AI 0.3.12, as `.ci/run` installs it; the scripts are in
//! `peers/`.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use eco2ai::Tracker;
use eco2ai_tests::hard_runs::write_runs;
use eco2ai_tests::program::{assert_success, program, run};

/// The peer's Python and a script.
fn peer(script: &str) -> Command {
    let python = std::env::var("ECO2AI_PYTHON").expect("ECO2AI_PYTHON names a Python with Eco2AI");
    let mut command = Command::new(python);
    command.arg(format!("{}/peers/{script}", env!("CARGO_MANIFEST_DIR")));
    command
}

#[test]
#[ignore = "needs Eco2AI for Python: see .ci/run"]
fn pandas_and_eco2ais_summary_read_our_log() {
    let mut python = peer("read_our_log.py");
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("emission.csv");
    let lengthy = "long ".repeat(20_000);
    let texts = [
        "plain",
        "=1+1",
        "+1",
        "-1",
        "@a",
        "\tb",
        "\rc",
        "'d",
        "''e",
        "a,b",
        "\"q\"",
        "two\nlines",
        "crlf\r\nend",
        "мир 世界 é",
        " spaces ",
        &lengthy,
    ];
    for text in texts {
        let tracker =
            Tracker::builder().project("p").description(text).file(&log).forget().build().unwrap();
        tracker.start().unwrap().stop().unwrap();
    }
    let output = python.arg(&log).arg(texts.len().to_string()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read: Vec<_> =
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    for (text, hex) in texts.iter().zip(read) {
        let guard = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\'']);
        let written = if guard { format!("'{text}") } else { (*text).to_owned() };
        let expected = written.bytes().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").expect("a string takes all");
            hex
        });
        assert_eq!(hex, expected, "{text:?}");
    }
    let own: Vec<_> = eco2ai::read_log(&log).unwrap().map(|row| row.unwrap().description).collect();
    assert_eq!(own, texts);
}

/// Runs with a training of their own file, as Eco2AI's Tracker itself leaves them.
#[test]
#[ignore = "needs Eco2AI for Python: see .ci/run"]
fn logs_that_eco2ais_tracker_wrote_are_read_and_continued() {
    let folder = tempfile::tempdir().unwrap();
    let logs = ["runs.csv", "epochs.csv"].map(|name| folder.path().join(name));
    let output = peer("track.py").args(&logs).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = [
        [("=1, \"quoted\"\nline", "N/A"), ("second", "N/A")],
        [("training", "epoch: 1, loss: 0.5, "), ("training", "epoch: 2, loss: 0.25, ")],
    ];
    for (log, told) in logs.iter().zip(told) {
        let text = std::fs::read_to_string(log).unwrap();
        let theirs: Vec<_> = eco2ai::read_log(log).unwrap().map(Result::unwrap).collect();
        let read: Vec<_> =
            theirs.iter().map(|row| (row.description.as_str(), row.epoch.as_str())).collect();
        assert_eq!(read, told, "{text}");
        assert!(theirs.iter().all(|row| row.energy.0 > 0.0 && row.place == "FR"));
        assert_eq!(eco2ai::summary(log).unwrap().unusable_rows, 0);

        let tracker = Tracker::builder().project("ours").file(log).forget().build().unwrap();
        let ours = tracker.start().unwrap().stop().unwrap();
        let after: Vec<_> = eco2ai::read_log(log).unwrap().map(Result::unwrap).collect();
        assert_eq!(after[..2], theirs);
        assert_eq!((after.len(), &after[2].id), (3, &ours.id));
        assert!(std::fs::read_to_string(log).unwrap().starts_with(&text));
    }
}

/// A script of Python that is told what to do line by line.
struct Turns {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Turns {
    fn start(log: &Path, how: &str) -> Self {
        let mut child = peer("turns.py")
            .arg(log)
            .arg(how)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdin, stdout }
    }

    fn wait_for(&mut self, wanted: &str) {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        assert_eq!(line.trim(), wanted);
    }

    fn finish(mut self) {
        drop(self.stdin);
        std::io::copy(&mut self.stdout, &mut std::io::sink()).unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

/// What pandas and Eco2AI's `summary` make of logs.
fn sums_in_python(logs: &[&Path]) -> Vec<serde_json::Value> {
    let output = peer("sums.py").args(logs).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[track_caller]
fn assert_same(one: f64, other: &serde_json::Value, what: &str) {
    let other = other.as_f64().unwrap_or(f64::NAN);
    assert!((one - other).abs() <= 1e-12 * one.abs(), "{what}: {one} is not {other}");
}

/// The log is Python's, and stays so: neither is in the way of the other.
#[test]
#[ignore = "needs Eco2AI for Python: see .ci/run"]
fn python_and_rust_take_turns_on_one_log_also_while_python_writes_it_anew() {
    for while_python_runs in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("emission.csv");
        let mut turns = Turns::start(&log, "each");
        turns.wait_for("ready");
        let mut python = || {
            writeln!(turns.stdin).unwrap();
            turns.wait_for("done");
        };
        python();
        let header = std::fs::read_to_string(&log).unwrap().lines().next().unwrap().to_owned();
        let beside = while_python_runs.then(|| {
            let mut python = Turns::start(&log, "long");
            python.wait_for("started");
            python
        });
        for _ in 0..20 {
            let mut rust = program(env!("CARGO_BIN_EXE_writes_runs"), folder.path());
            assert_success(&run(rust.arg(&log).arg("3")));
            // Python's own trackers write over each other's rows.
            if !while_python_runs {
                python();
            }
        }
        beside.into_iter().for_each(Turns::finish);
        turns.finish();
        eco2ai::recover(&log).unwrap();

        let text = std::fs::read_to_string(&log).unwrap();
        assert_eq!(text.lines().next(), Some(&*header), "the header stays");
        let summary = eco2ai::summary(&log).unwrap();
        assert_eq!(summary.notes(), [""; 0], "{text}");
        assert_eq!(summary.group(["load"]).unwrap().rows, 60, "{text}");
        let python_rows = if while_python_runs { 2 } else { 21 };
        assert_eq!(summary.group(["python"]).unwrap().rows, python_rows, "{text}");
        let sums = sums_in_python(&[&log]).remove(0);
        assert_eq!(sums["rows"], summary.total.rows);
        assert_same(summary.total.energy.0, &sums["energy"], "pandas");
        assert_same(summary.total.energy.0, &sums["eco2ai"], "Eco2AI's summary");
    }
}

/// A row with Eco2AI's columns, and one with the seed's.
const ECO2AI: &str = "\
id,project_name,experiment_description,epoch,start_time,duration(s),power_consumption(kWh),CO2_emissions(kg),CPU_name,GPU_name,OS,region/country,cost
7e1f,digits,\"two\nlines, \"\"quoted\"\"\",N/A,2023-01-17 20:20:07,430.25,0.0115,0.0057,\"A/1 device(s), TDP:65.0\", 0 device(s),Linux,FR,0.5
7e20,digits,мир,,2023-01-18 01:08:38,0.5,1.25e-05,7.25e-06,\"A/1 device(s), TDP:65.0\", 0 device(s),Linux,FR,0
7e21,letters,d,N/A,2023-12-31 23:59:59,7079.5,0.2238,0.1111,\"A/1 device(s), TDP:65.0\", 0 device(s),Linux,FR/Paris,0
";
const SEED: &str = "\
project_name,experiment_description,start_time,duration(s),power_consumption(kWTh),CO2_emissions(kg),CPU_name,GPU_name,OS,country
old,d,2022-05-01 10:00:00,1.5,0.001,0.0001,\"A/1 device(s), TDP:45\",T4 1 device(s),Linux,RU/Moscow
old,d,2022-05-02 10:00:00,2.5,0.002,0.0002,\"A/1 device(s), TDP:45\",T4 1 device(s),Linux,RU/Moscow
";

/// What spreadsheets, editors and people do to a log: pandas reads the same of it, before and after
/// our rows are added to it, and after it was converted.
#[test]
#[ignore = "needs Eco2AI for Python: see .ci/run"]
fn pandas_reads_the_same_values_from_a_changed_log() {
    let with_column = |log: &str| {
        let mut lines = log.split('\n');
        let header = format!("{},note\n", lines.next().unwrap());
        // Row ends, and not the new line within quotes.
        header
            + &lines
                .collect::<Vec<_>>()
                .join("\n")
                .replace("FR,0.5\n", "FR,0.5,mine\n")
                .replace("FR,0\n", "FR,0,\n")
                .replace("FR/Paris,0\n", "FR/Paris,0,\"a, b\"\n")
    };
    let dates = |from: &str, to: &str| ECO2AI.replace(from, to);
    let cases: Vec<(&str, String)> = vec![
        ("as it was", ECO2AI.into()),
        ("the seed's", SEED.into()),
        ("Windows line ends", ECO2AI.replace('\n', "\r\n")),
        ("old Macintosh line ends", SEED.replace('\n', "\r")),
        ("a byte order mark", format!("\u{feff}{ECO2AI}")),
        ("a column of one's own", with_column(ECO2AI)),
        ("no new line at the end", ECO2AI.trim_end().into()),
        ("empty lines", ECO2AI.replace("FR,0\n", "FR,0\n\n\n")),
        ("ISO dates", dates("2023-01-17 20:20:07", "2023-01-17T20:20:07")),
        ("no seconds", dates("2023-01-17 20:20:07", "2023-01-17 20:20")),
        ("Excel's dates", dates("2023-01-17 20:20:07", "1/17/2023 20:20")),
        ("ambiguous dates", dates("2023-01-17 20:20:07", "3/4/2023 20:20")),
        (
            "all cells in quotes",
            SEED.lines().skip(1).fold(
                format!("\"{}\"\n", SEED.lines().next().unwrap().replace(',', "\",\"")),
                |log, row| log + row + "\n",
            ),
        ),
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut logs = Vec::new();
    let mut ours = Vec::new();
    for (at, (case, text)) in cases.iter().enumerate() {
        for step in ["before", "continued", "converted"] {
            let log = folder.path().join(format!("{at}-{step}.csv"));
            std::fs::write(&log, text).unwrap();
            if step != "before" {
                write_runs(&log, 1, 2);
            }
            if step == "converted" {
                eco2ai::convert(&log).unwrap().unwrap();
                write_runs(&log, 2, 2);
            }
            let summary = eco2ai::summary(&log).unwrap();
            assert_eq!(summary.unusable_rows, 0, "{case}, {step}");
            let records = eco2ai::read_log(&log).unwrap().flatten().count() as u64;
            assert_eq!(records, summary.total.rows, "{case}, {step}");
            logs.push(log);
            ours.push((format!("{case}, {step}"), summary));
        }
    }
    let python = sums_in_python(&logs.iter().map(PathBuf::as_path).collect::<Vec<_>>());
    assert_eq!(python.len(), ours.len());
    for (sums, (case, summary)) in python.iter().zip(&ours) {
        assert_eq!(sums["rows"], summary.total.rows, "{case}: {sums}");
        assert_same(summary.total.energy.0, &sums["energy"], case);
        assert_same(summary.total.duration.as_secs_f64(), &sums["seconds"], case);
        // Where it does not fail by itself: it knows neither the seed's logs nor nested runs.
        if !sums["eco2ai"].is_null() {
            assert_same(summary.total.energy.0, &sums["eco2ai"], case);
        }
    }
}
