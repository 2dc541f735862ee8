//! Runs whose rows are hard to write, and tell which they are.

use std::path::Path;

use eco2ai::Tracker;

/// The description of a run.
pub fn description(writer: u32, run: usize) -> String {
    format!("=writer {writer}, \"run\" {run}\nend")
}

/// Writes so many runs to a log.
///
/// # Panics
/// Where one cannot be written.
pub fn write_runs(log: &Path, writer: u32, runs: usize) {
    for run in 0..runs {
        let tracker = Tracker::builder()
            .project("load")
            .description(description(writer, run))
            .file(log)
            .forget()
            .build()
            .expect("good parameters");
        tracker.start().expect("a run").stop().expect("a row");
    }
}
