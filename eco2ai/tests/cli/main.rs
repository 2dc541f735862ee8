//! The command `eco2ai`, each time as a process of its own.
//!
//! `cargo test -p eco2ai --features cli --test cli`

#[cfg(target_os = "linux")]
mod calibrate;
#[cfg(target_os = "linux")]
mod cluster;
mod compare;
#[cfg(target_os = "linux")]
mod conventions;
#[cfg(target_os = "linux")]
mod export;
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "some are for tests of Linux"))]
mod home;
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
#[cfg(windows)]
mod windows;
