//! What the macros refuse, and in which words. The words that rustc adds are those of the toolchain
//! that this project is developed with, so other versions skip this test.
//!
//! There is a package for each edition, with no other dependencies than a program has: each builds its own.
#![cfg(test)]

use std::process::Command;

#[test]
fn mistakes_give_the_expected_messages() {
    const TOOLCHAIN: &str = "rustc 1.95.";
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().expect("rustc");
    if !version.stdout.starts_with(TOOLCHAIN.as_bytes()) {
        return;
    }
    // In the packages of other editions this folder is a link to that of this one.
    trybuild::TestCases::new().compile_fail("programs/*.rs");
}
