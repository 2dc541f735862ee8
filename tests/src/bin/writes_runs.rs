//! Writes so many runs to a log: `writes_runs LOG RUNS` for `tests/log_writers.rs` and
//! `tests/log_faults.rs`. Or a run to each of 200 logs, and then opens files of its own:
//! `writes_runs FOLDER "200 logs"`.

use std::fs::File;
use std::path::Path;

use eco2ai_tests::hard_runs::write_runs;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (path, runs) = (arguments.next().expect("a path"), arguments.next().expect("how many"));
    let path = Path::new(&path);
    if runs == "200 logs" {
        for log in 0..200 {
            write_runs(&path.join(format!("{log}.csv")), log, 1);
        }
        let own: Vec<_> = (0..64).map(|log| File::open(path.join(format!("{log}.csv")))).collect();
        assert!(own.iter().all(Result::is_ok), "the program's own files");
    } else {
        write_runs(path, std::process::id(), runs.parse().expect("a number"));
    }
}
