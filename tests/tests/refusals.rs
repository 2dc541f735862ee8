//! What the macros refuse, and in which words. The words that rustc adds are those of the toolchain
//! that this project is developed with, so other versions skip these tests.

use std::path::Path;
use std::process::Command;

#[test]
fn mistakes_are_told_as_the_expected_output_says() {
    const TOOLCHAIN: &str = "rustc 1.95.";
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().expect("rustc");
    if !version.stdout.starts_with(TOOLCHAIN.as_bytes()) {
        return;
    }
    // The same cases in the packages of other editions.
    let folder = if Path::new("refusals").exists() { "refusals" } else { "../refusals" };
    trybuild::TestCases::new().compile_fail(format!("{folder}/*.rs"));
}
