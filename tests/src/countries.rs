//! The macros' list of countries, as the runtime's table gives it, and how names are compared.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn workspace(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// The file with the list.
pub fn list() -> PathBuf {
    workspace("eco2ai-macros/countries.txt")
}

/// The macros' copy of the file that says how names are compared, and the runtime's.
pub fn folds() -> [PathBuf; 2] {
    ["eco2ai-macros/src/fold.rs", "eco2ai/src/carbon/fold.rs"].map(workspace)
}

/// What the list is to hold.
///
/// # Panics
/// Where the runtime's table is not as it should be.
pub fn from_the_runtime_s_table() -> String {
    let mut list = String::new();
    let mut table = csv::Reader::from_path(workspace("eco2ai/data/places.csv")).expect("the table");
    for row in table.deserialize::<HashMap<String, String>>() {
        let row = row.expect("a row");
        if row["region_code"].is_empty() && row["country_code"].len() == 2 {
            let names = [&row["country_code"], &row["alpha3"], &row["name"], &row["other_names"]];
            let names: Vec<&str> =
                names.into_iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
            writeln!(list, "{}", names.join("|")).expect("memory");
        }
    }
    list
}
