//! The macros know the countries that the runtime knows, by the same codes and names.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn workspace(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// The macros' list, from the runtime's table.
fn from_the_runtime_s_table() -> String {
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

#[test]
fn the_macros_and_the_runtime_know_the_same_countries() {
    let list = std::fs::read_to_string(workspace("eco2ai-macros/countries.txt")).expect("the list");
    assert!(
        list == from_the_runtime_s_table(),
        "write the list anew: cargo test -p eco2ai-tests --test countries -- --ignored"
    );
}

#[test]
#[ignore = "writes the macros' list of countries"]
fn write_the_list() {
    let list = from_the_runtime_s_table();
    std::fs::write(workspace("eco2ai-macros/countries.txt"), list).expect("the list is writable");
}
