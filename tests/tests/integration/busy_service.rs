//! Requests that begin and end sums all the time, while the meter's thread keeps their state: no
//! lock is waited for in vain, and no row is lost.

use std::collections::HashMap;

use eco2ai_tests::program::{assert_success, program, run};

#[test]
fn requests_and_the_meter_s_thread_never_wait_for_each_other() {
    for (threads, period) in [(1, "0.01"), (4, "0.01"), (4, "1")] {
        let requests = 300;
        let folder = tempfile::tempdir().expect("a folder");
        let mut service = program(env!("CARGO_BIN_EXE_busy_service"), folder.path());
        let arguments = [threads.to_string(), requests.to_string(), period.to_owned()];
        assert_success(&run(service.args(arguments)));

        let mut rows: HashMap<String, (usize, u64)> = HashMap::new();
        let log = folder.path().join("emission.csv");
        for row in eco2ai::read_log(log).expect("a log") {
            let row = row.expect("a good row");
            let function = row.function.unwrap_or_default();
            let counted = rows.entry(function).or_default();
            *counted = (counted.0 + 1, counted.1 + row.calls);
        }
        let all = threads * requests;
        let expected = [
            ("busy_service::request", (all, all as u64)),
            ("busy_service::step", (all, 4 * all as u64)),
            ("busy_service::steps", (all, all as u64)),
            ("service", (1, 1)),
        ];
        assert_eq!(rows, expected.map(|(name, counted)| (name.to_owned(), counted)).into());
    }
}
