//! The Python original reads our log, and we read and continue one that it wrote.
//!
//! Runs where `ECO2AI_PYTHON` names a Python with Eco2AI 0.3.12; the scripts are in `peers/`.

use std::process::Command;

use eco2ai::Tracker;

/// The peer's Python and a script; `None`, said aloud, where there is no such Python.
fn peer(script: &str) -> Option<Command> {
    let Ok(python) = std::env::var("ECO2AI_PYTHON") else {
        eprintln!("skipped: ECO2AI_PYTHON names no Python with Eco2AI");
        return None;
    };
    let mut command = Command::new(python);
    command.arg(format!("{}/peers/{script}", env!("CARGO_MANIFEST_DIR")));
    Some(command)
}

#[test]
fn pandas_and_eco2ais_summary_read_our_log() {
    let Some(mut python) = peer("read_our_log.py") else { return };
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("emission.csv");
    let long = "long ".repeat(50_000);
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
        &long,
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
        let expected: String = written.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, expected, "{text:?}");
    }
    let own: Vec<_> = eco2ai::read_log(&log).unwrap().map(|row| row.unwrap().description).collect();
    assert_eq!(own, texts);
}

#[test]
fn a_log_that_eco2ai_wrote_is_read_and_continued() {
    let Some(mut python) = peer("write_log.py") else { return };
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("emission.csv");
    let output = python.arg(&log).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = std::fs::read_to_string(&log).unwrap();
    let theirs: Vec<_> = eco2ai::read_log(&log).unwrap().map(Result::unwrap).collect();
    assert!(theirs.len() >= 2, "{text}");
    let before = eco2ai::summary(&log).unwrap();
    assert_eq!(before.unusable_rows, 0);

    let tracker = Tracker::builder().project("ours").file(&log).forget().build().unwrap();
    tracker.start().unwrap().stop().unwrap();
    let after: Vec<_> = eco2ai::read_log(&log).unwrap().map(Result::unwrap).collect();
    assert_eq!(after.len(), theirs.len() + 1);
    for (old, new) in theirs.iter().zip(&after) {
        assert_eq!(
            (&old.id, &old.project, &old.description, &old.epoch, old.power_consumption),
            (&new.id, &new.project, &new.description, &new.epoch, new.power_consumption)
        );
    }
    assert_eq!(std::fs::read_to_string(folder.path().join("emission.csv.bak")).unwrap(), text);
}
