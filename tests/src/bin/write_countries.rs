//! Writes the macros' list of countries: `cargo run -p eco2ai-tests --bin write_countries`.

use eco2ai_tests::countries::{from_the_runtime_s_table, list};

fn main() -> std::io::Result<()> {
    std::fs::write(list(), from_the_runtime_s_table())
}
