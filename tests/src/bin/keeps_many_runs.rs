//! Has very many runs at once, one under the other or side by side, until it is killed:
//! `keeps_many_runs LOG RUNS nested|flat` for `tests/log_killed.rs`. Says so when the journal has each
//! of them.

use std::collections::HashSet;
use std::path::Path;

use eco2ai::{DetachedRun, Tracker};
use eco2ai_tests::program::wait_until;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [log, runs, shape] = arguments.as_slice() else { panic!("LOG RUNS nested|flat") };
    let runs: usize = runs.parse().expect("a number");
    let start = |number: usize| -> DetachedRun {
        let tracker = Tracker::builder().description(number.to_string()).measure_period(0.01);
        let tracker = tracker.file(log).forget().build().expect("good parameters");
        tracker.start_detached().expect("a run")
    };
    let mut open: Vec<DetachedRun> = Vec::new();
    let mut ids = HashSet::new();
    for number in 0..runs {
        let outer = open.last().filter(|_| shape == "nested").map(DetachedRun::enter);
        let run = start(number);
        drop(outer);
        ids.insert(run.snapshot().id);
        open.push(run);
    }
    wait_until("all are in the journal", || {
        let text = journal(Path::new(log));
        ids.retain(|id| !text.contains(id.as_str()));
        ids.is_empty()
    });
    // Every third ends.
    for (number, run) in open.drain(..).enumerate().collect::<Vec<_>>().into_iter().rev() {
        match number % 3 {
            0 => drop(run.stop().expect("a row")),
            _ => std::mem::forget(run),
        }
    }
    println!("kept all");
    std::thread::park();
}

/// The text of the journals beside the log.
fn journal(log: &Path) -> String {
    let entries = std::fs::read_dir(log.parent().expect("a folder")).expect("a folder").flatten();
    let journals = entries.map(|entry| entry.path());
    let journals = journals.filter(|path| path.to_string_lossy().ends_with(".running.journal"));
    let texts = journals.filter_map(|path| std::fs::read(path).ok());
    texts.map(|text| String::from_utf8_lossy(&text).into_owned()).collect()
}
