//! The command `eco2ai`, each time as a process of its own.
//!
//! `cargo test -p eco2ai --features cli --test cli`
#![cfg(target_os = "linux")]

mod conventions;
mod home;
mod logs;
mod params;
mod run;
mod signals;
mod terminal;
mod watch;
