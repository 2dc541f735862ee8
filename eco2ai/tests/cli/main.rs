//! The command `eco2ai`, each time as a process of its own.
//!
//! `cargo test -p eco2ai --features cli --test cli`

#[cfg(target_os = "linux")]
mod calibrate;
mod cluster;
mod compare;
#[cfg(target_os = "linux")]
mod conventions;
#[cfg(target_os = "linux")]
mod export;
#[cfg(target_os = "linux")]
mod home;
#[cfg(target_os = "linux")]
mod logs;
#[cfg(target_os = "linux")]
mod metrics_text;
#[cfg(target_os = "linux")]
mod nested_run;
mod params;
mod report;
#[cfg(target_os = "linux")]
mod run;
#[cfg(target_os = "linux")]
mod serve;
#[cfg(target_os = "linux")]
mod signals;
#[cfg(target_os = "linux")]
mod terminal;
#[cfg(target_os = "linux")]
mod watch;
