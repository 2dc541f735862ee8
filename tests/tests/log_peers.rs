//! The Python original reads our log, and we read and continue one that it wrote.
//!
//! `ECO2AI_PYTHON` names a Python with Eco2AI 0.3.12, as `.ci/run` installs it; the scripts are in
//! `peers/`.

use std::fmt::Write as _;
use std::process::Command;

use eco2ai::Tracker;

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
        assert!(theirs.iter().all(|row| row.power_consumption.0 > 0.0 && row.place == "FR"));
        assert_eq!(eco2ai::summary(log).unwrap().unusable_rows, 0);

        let tracker = Tracker::builder().project("ours").file(log).forget().build().unwrap();
        let ours = tracker.start().unwrap().stop().unwrap();
        let after: Vec<_> = eco2ai::read_log(log).unwrap().map(Result::unwrap).collect();
        assert_eq!(after[..2], theirs);
        assert_eq!((after.len(), &after[2].id), (3, &ours.id));
        assert!(std::fs::read_to_string(log).unwrap().starts_with(&text));
    }
}
