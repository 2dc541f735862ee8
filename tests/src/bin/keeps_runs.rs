//! Has one run after the other, each until it is in the journal, for ever: `keeps_runs LOG` for
//! `tests/log_killed.rs`.

use std::path::Path;

use eco2ai::Tracker;
use eco2ai_tests::program::wait_until;

fn main() {
    let log = std::env::args_os().nth(1).expect("a log");
    let log = Path::new(&log);
    for number in 0.. {
        let name = format!("{}:{number}", std::process::id());
        let tracker = Tracker::builder().description(&name).measure_period(0.01).file(log);
        let run = tracker.forget().build().expect("good parameters").start().expect("a run");
        let id = run.snapshot().id;
        wait_until("it is in the journal", || is_kept(log, &id));
        println!("kept {name}");
        run.stop().expect("a row");
    }
}

/// Whether a journal has a run of this id.
fn is_kept(log: &Path, id: &str) -> bool {
    let entries = std::fs::read_dir(log.parent().expect("a folder")).expect("a folder").flatten();
    let mut paths = entries.map(|entry| entry.path());
    paths.any(|path| {
        // Others may take theirs away meanwhile.
        path.to_string_lossy().ends_with(".running.journal")
            && std::fs::read(path).is_ok_and(|text| String::from_utf8_lossy(&text).contains(id))
    })
}
