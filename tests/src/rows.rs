//! The rows that tracked functions leave, read by column name.

use std::collections::HashMap;
use std::io::Read;
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The header of a log of Eco2AI. Our logs begin with the same columns.
pub const ECO2AI_HEADER: &str = "id,project_name,experiment_description,epoch,start_time,duration(s),\
    power_consumption(kWh),CO2_emissions(kg),CPU_name,GPU_name,OS,region/country,cost";

/// How many columns a log of Eco2AI has.
pub fn eco2ai_columns() -> usize {
    ECO2AI_HEADER.split(',').count()
}

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

/// Moves the test process to an empty folder, so that `emission.csv` is its own. Each test that reads
/// rows calls this first.
pub fn in_own_folder() {
    LazyLock::force(&FOLDER);
}

/// The absolute path of the log, for tests that are tracked themselves; a parent test may give
/// another in `ECO2AI_TEST_LOG`.
pub fn log() -> PathBuf {
    std::env::var_os("ECO2AI_TEST_LOG").map_or_else(|| FOLDER.join("emission.csv"), PathBuf::from)
}

/// The rows in `file` of the function whose path ends in `function`. Modules may have functions of one
/// name: those of the calling module count, which has the name of its file.
///
/// # Panics
/// Where the file is no CSV.
#[track_caller]
pub fn in_file(file: impl AsRef<Path>, function: &str) -> Vec<Row> {
    let path = FOLDER.join(file);
    if !path.exists() {
        return Vec::new();
    }
    let module = Path::new(Location::caller().file()).file_stem().expect("a file");
    let module = format!("{}::", module.display());
    let ending = format!("::{function}");
    let is_asked_for =
        |name: &str| name == function || (name.contains(&module) && name.ends_with(&ending));
    // No row that another test is writing is seen in part.
    let mut log = std::fs::File::open(path).expect("a log");
    log.lock_shared().expect("a lock");
    let mut text = String::new();
    log.read_to_string(&mut text).expect("a log");
    log.unlock().expect("a lock");
    csv::Reader::from_reader(text.as_bytes())
        .deserialize()
        .map(|row| row.expect("a row"))
        .filter(|row: &Row| is_asked_for(&row["function"]))
        .collect()
}

/// The statuses of the runs of `function`, in the order of their ends.
#[track_caller]
pub fn statuses(function: &str) -> Vec<String> {
    in_file("emission.csv", function).into_iter().map(|row| row["status"].clone()).collect()
}

/// Checks that `function` left one row, with status `ok`.
///
/// # Panics
/// Where it did not.
#[track_caller]
pub fn assert_one(function: &str) {
    assert_eq!(statuses(function), ["ok"], "{function}");
}
