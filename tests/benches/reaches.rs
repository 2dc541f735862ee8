//! What tracking costs, in one table: each figure, what it needs at the least measured beside it
//! in turns, their ratio, and how far the project wants to come.
//!
//!     cargo bench -p eco2ai-tests --bench reaches
//!     cargo bench -p eco2ai-tests --bench reaches -- --markdown    # for docs/performance.md
//!     cargo bench -p eco2ai-tests --bench reaches -- --scaling    # the rows of many runs alone
//!     cargo bench -p eco2ai-tests --bench reaches -- --thread     # those of the meter's thread alone
//!     cargo bench -p eco2ai-tests --bench reaches -- --quick       # that it runs; the figures are rough

#![allow(missing_docs)]

#[cfg(target_os = "linux")]
mod processes;
#[cfg(target_os = "linux")]
mod rows;
#[cfg(target_os = "linux")]
mod scaling;
#[cfg(target_os = "linux")]
mod subjects;
#[cfg(target_os = "linux")]
mod table;

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(at) = arguments.iter().position(|argument| argument == processes::CHILD) {
        processes::child(&arguments[at + 1..]);
    } else if subjects::folder().is_some() {
        let asks = |option: &str| arguments.iter().any(|argument| argument == option);
        let quick = asks("--quick") || !asks("--bench");
        let rows = match (asks("--scaling"), asks("--thread")) {
            (true, _) => rows::scaling,
            (_, true) => rows::thread,
            _ => rows::all,
        };
        rows(quick).print(asks("--markdown"));
    } else {
        let ended = subjects::run_in_own_folder(|_| ());
        return u8::try_from(ended.code().unwrap_or(1)).unwrap_or(1).into();
    }
    std::process::ExitCode::SUCCESS
}
