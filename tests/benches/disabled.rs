//! What a tracked function costs where `ECO2AI_DISABLE` turns tracking off, beside an empty call.
//!
//!     cargo bench -p eco2ai-tests --bench disabled

#![allow(missing_docs)]

#[cfg(target_os = "linux")]
mod subjects;

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    if subjects::folder().is_some() {
        divan::main();
        return std::process::ExitCode::SUCCESS;
    }
    let ended = subjects::run_in_own_folder(|command| {
        command.env("ECO2AI_DISABLE", "1");
    });
    u8::try_from(ended.code().unwrap_or(1)).unwrap_or(1).into()
}

#[cfg(target_os = "linux")]
#[divan::bench(sample_size = 100_000)]
fn empty() {
    subjects::empty();
}

#[cfg(target_os = "linux")]
#[divan::bench(sample_size = 100_000)]
fn tracked() {
    subjects::tracked();
}

#[cfg(target_os = "linux")]
#[divan::bench(sample_size = 100_000)]
fn tracked_total() {
    subjects::total();
}
