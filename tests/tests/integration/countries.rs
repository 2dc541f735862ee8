//! The macros know the countries that the runtime knows, by the same codes and names.

use eco2ai_tests::countries::{folds, from_the_runtime_s_table, list};

#[test]
fn the_macros_and_the_runtime_know_the_same_countries() {
    assert!(
        std::fs::read_to_string(list()).expect("the list") == from_the_runtime_s_table(),
        "write the list anew: cargo run -p eco2ai-tests --bin write_countries"
    );
}

#[test]
fn the_macros_and_the_runtime_compare_names_alike() {
    let [copy, original] = folds().map(|path| std::fs::read_to_string(path).expect("the file"));
    assert!(
        copy == original,
        "change the runtime's file, then: cargo run -p eco2ai-tests --bin write_countries"
    );
}
