//! Writes so many runs to a log: `writes_runs LOG RUNS` for `tests/log_writers.rs`.

use std::path::Path;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let log = arguments.next().expect("a log");
    let runs = arguments.next().expect("how many").parse().expect("a number");
    eco2ai_tests::hard_runs::write_runs(Path::new(&log), std::process::id(), runs);
}
