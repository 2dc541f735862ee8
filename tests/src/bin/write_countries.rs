//! Writes the macros' list of countries and their copy of `fold.rs`:
//! `cargo run -p eco2ai-tests --bin write_countries`.

use eco2ai_tests::countries::{folds, from_the_runtime_s_table, list};

fn main() -> std::io::Result<()> {
    let [copy, original] = folds();
    std::fs::copy(original, copy)?;
    std::fs::write(list(), from_the_runtime_s_table())
}
