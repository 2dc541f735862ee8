//! A run takes each parameter that it is not given from the run under which it starts.

use std::path::Path;

use eco2ai::{Record, Tracker, TrackerBuilder, read_log, track};

/// The rows of a log, by their order.
fn rows(log: &Path) -> Vec<Record> {
    read_log(log).expect("a log").map(|row| row.expect("a good row")).collect()
}

fn in_folder(folder: &Path) -> TrackerBuilder {
    Tracker::builder().file(folder.join("emission.csv")).forget()
}

#[track]
fn nested() {}

#[track(description = "its own", pue = 1.25)]
fn nested_with_arguments() {
    nested();
}

#[test]
fn a_nested_function_belongs_to_the_project_and_the_log_of_its_caller() {
    let folder = tempfile::tempdir().expect("a folder");
    let tracker = in_folder(folder.path()).project("outer").description("whole").country("FR");
    let run = tracker.pue(1.5).build().expect("good parameters").start().expect("a run");
    nested_with_arguments();
    nested();
    run.stop().expect("a record");

    let rows = rows(&folder.path().join("emission.csv"));
    let found: Vec<_> = rows
        .iter()
        .map(|row| (row.project.as_str(), row.description.as_str(), row.place.as_str(), row.pue))
        .collect();
    let expected = [
        ("outer", "its own", "FR", 1.25), // under the function with arguments
        ("outer", "its own", "FR", 1.25),
        ("outer", "whole", "FR", 1.5),
        ("outer", "whole", "FR", 1.5), // the run itself
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_run_without_a_caller_does_not_keep_what_it_inherited_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let outer = |name: &str| {
        let log = folder.path().join(format!("{name}.csv"));
        Tracker::builder().project(name).file(log).forget().build().expect("good parameters")
    };
    let [one, other] = ["one", "other"].map(outer);
    let inner = Tracker::builder().file(folder.path().join("inner.csv")).forget();
    let inner = inner.build().expect("good parameters");
    for outer in [&one, &other, &one] {
        let run = outer.start().expect("a run");
        inner.start().expect("a run").stop().expect("a record");
        run.stop().expect("a record");
    }
    inner.start().expect("a run").stop().expect("a record");
    let projects: Vec<_> =
        rows(&folder.path().join("inner.csv")).into_iter().map(|row| row.project).collect();
    assert_eq!(projects, ["one", "other", "one", "default project name"]);
}

#[test]
fn epochs_have_the_project_and_the_function_of_the_function_that_trains() {
    #[track(project = "mnist", file = log)]
    fn train(log: &Path) {
        let tracker = Tracker::builder().description("lr 0.1").forget().build();
        let mut training = tracker.expect("good parameters").start_training().expect("a training");
        training.new_epoch([("loss", 0.5)]).expect("a record");
        training.fail().expect("a record");
    }

    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("emission.csv");
    train(&log);
    for row in rows(&log) {
        assert_eq!(row.project, "mnist");
        let function = row.function.expect("a function");
        assert!(function.ends_with("::train"), "{function}");
    }
    assert_eq!(rows(&log).len(), 3);
}

#[test]
fn the_calls_of_a_nested_function_are_added_up_if_those_of_its_caller_are() {
    #[track(project = "total", rows = "total", file = log)]
    fn caller(log: &Path) {
        for _ in 0..3 {
            nested();
        }
    }

    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("emission.csv");
    let run = in_folder(folder.path()).build().expect("good parameters").start().expect("a run");
    caller(&log);
    caller(&log);
    run.stop().expect("a record");
    let calls: Vec<_> = rows(&log).into_iter().map(|row| (row.project, row.calls)).collect();
    assert!(calls.contains(&("total".to_owned(), 6)), "{calls:?}");
    assert_eq!(calls.len(), 3);
}

#[test]
fn functions_that_call_each_other_resolve_their_parameters_once() {
    #[track(project = "even", rows = "total")]
    fn even(n: u32) -> bool {
        n == 0 || odd(n - 1)
    }

    #[track(project = "odd", rows = "total")]
    fn odd(n: u32) -> bool {
        n != 0 && even(n - 1)
    }

    let folder = tempfile::tempdir().expect("a folder");
    let tracker = in_folder(folder.path()).country("FR").build().expect("good parameters");
    let run = tracker.start().expect("a run");
    assert!(even(1000));
    run.stop().expect("a record");
    let rows = rows(&folder.path().join("emission.csv"));
    let found: Vec<_> = rows.iter().map(|row| (row.project.as_str(), row.calls)).collect();
    assert_eq!(rows.len(), 3, "{found:?}");
    assert!(found.contains(&("even", 501)) && found.contains(&("odd", 500)), "{found:?}");
}

#[test]
fn a_given_region_of_another_country_than_the_caller_s_is_reported_and_the_run_measured() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("emission.csv");
    let outer = in_folder(folder.path()).country("FR").build().expect("good parameters");
    let inner = in_folder(folder.path()).country("US").region("CA").project("inner");
    let run = outer.start().expect("a run");
    inner.build().expect("good parameters").start().expect("a run").stop().expect("a record");
    run.stop().expect("a record");
    let places: Vec<_> = rows(&log).into_iter().map(|row| row.place).collect();
    assert_eq!(places, ["US/California", "FR"]);
}
