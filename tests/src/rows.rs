//! The rows that tracked functions leave, read by column name.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// A row: column to value.
pub type Row = HashMap<String, String>;

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder").keep();
    std::env::set_current_dir(&folder).expect("the temporary folder is there");
    // The header is written before tests run side by side.
    first_row();
    folder
});

#[eco2ai::track]
fn first_row() {}

/// Moves the test process to an empty folder, so that `emission.csv` is its own. Each test of a
/// file calls this first.
pub fn in_own_folder() {
    LazyLock::force(&FOLDER);
}

/// The absolute path of the log, for tests that are tracked themselves; a parent test may give
/// another in `ECO2AI_TEST_LOG`.
pub fn log() -> PathBuf {
    std::env::var_os("ECO2AI_TEST_LOG").map_or_else(|| FOLDER.join("emission.csv"), PathBuf::from)
}

/// The rows in `file` of the function whose path ends in `function`.
///
/// # Panics
/// Where the file is no CSV.
pub fn in_file(file: impl AsRef<Path>, function: &str) -> Vec<Row> {
    let path = FOLDER.join(file);
    if !path.exists() {
        return Vec::new();
    }
    let ending = format!("::{function}");
    // No row that another test is writing is seen in part.
    let mut log = std::fs::File::open(path).expect("a log");
    log.lock_shared().expect("a lock");
    let mut text = String::new();
    log.read_to_string(&mut text).expect("a log");
    log.unlock().expect("a lock");
    csv::Reader::from_reader(text.as_bytes())
        .deserialize()
        .map(|row| row.expect("a row"))
        .filter(|row: &Row| row["function"] == function || row["function"].ends_with(&ending))
        .collect()
}

/// The statuses of the runs of `function`, in the order of their ends.
pub fn statuses(function: &str) -> Vec<String> {
    in_file("emission.csv", function).into_iter().map(|row| row["status"].clone()).collect()
}

/// Checks that `function` left one row, with status `ok`.
///
/// # Panics
/// Where it did not.
pub fn assert_one(function: &str) {
    assert_eq!(statuses(function), ["ok"], "{function}");
}
