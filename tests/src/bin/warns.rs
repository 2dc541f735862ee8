//! A program in which all goes wrong that the library warns of: `warns QUIET` for
//! `tests/warnings.rs`.

use eco2ai::{Tracker, TrackerBuilder, track};

#[track(file = "not_a_log.csv", ignore_warnings = true)]
fn quiet() {}

#[track(file = "not_a_log.csv", ignore_warnings = true, rows = "total")]
fn quiet_total() {}

#[track(country = "Narnia".to_owned(), ignore_warnings = true)]
fn quiet_refused() {}

#[track(file = "not_a_log.csv")]
fn loud() {}

#[track(file = "not_a_log.csv", rows = "total")]
fn loud_total() {}

#[track(country = "Narnia".to_owned())]
fn loud_refused() {}

fn work(tracker: TrackerBuilder) {
    // Saving parameters fails: `ECO2AI_CONFIG` names a folder.
    let tracker = tracker.project("warns").file("becomes_foreign.csv").build();
    let mut training = tracker.expect("good parameters").start_training().expect("a run");
    std::fs::write("becomes_foreign.csv", "name,age\nx,1\n").expect("a file");
    let _ = training.new_epoch([("loss", 1)]);
    drop(training);
}

fn main() {
    if std::env::args().nth(1).expect("quiet or loud") == "quiet" {
        quiet();
        quiet_total();
        quiet_refused();
        work(Tracker::builder().ignore_warnings(true));
    } else {
        loud();
        loud_total();
        loud_refused();
        work(Tracker::builder());
    }
}
