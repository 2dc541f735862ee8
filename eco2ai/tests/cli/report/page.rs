//! The page of `eco2ai report`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Runs the command in a folder.
pub(crate) fn report(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_eco2ai"))
        .arg("report")
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the command starts")
}

/// The page about one log.
pub(crate) fn page(log: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("emission.csv"), log).unwrap();
    let output = report(folder.path(), &["emission.csv"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::read_to_string(folder.path().join("report.html")).unwrap()
}

pub(crate) fn unescaped(html: &str) -> String {
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")]
        .iter()
        .fold(html.to_owned(), |text, (name, letter)| text.replace(name, letter))
}

/// Returns what a reader sees, in one line, without the flame graph.
pub(crate) fn text(page: &str) -> String {
    let mut text = String::new();
    let body = page.split_once("</style>").unwrap().1;
    let (body, _) = body.split_once("<script").unwrap();
    let (before, after) = body.split_once("<div id=\"flame-graph\"").unwrap_or((body, ""));
    let after = after.split_once("</div>").map_or("", |(_, after)| after);
    for piece in before.split('<').chain(after.split('<')) {
        let (tag, after_tag) = piece.split_once('>').unwrap_or_default();
        // The tips of a chart and the labels of a phone.
        if tag == "title" || tag == "style" {
            continue;
        }
        text.push(' ');
        text.push_str(&unescaped(after_tag));
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
pub(crate) fn assert_says(page: &str, wanted: &str) {
    let text = text(page);
    assert!(text.contains(wanted), "{wanted:?} is not in: {text}");
}
