//! The program `worker` from outside.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use crate::program::{assert_success, finish, program};

/// Starts a worker, which is at `path`.
///
/// # Panics
/// Where it cannot be started.
pub fn spawn(path: &OsStr, task: &str) -> Child {
    let mut command = program(path, &std::env::temp_dir());
    command.arg(task).stdin(Stdio::piped()).stdout(Stdio::piped());
    command.spawn().expect("a worker")
}

/// Waits until it has worked.
///
/// # Panics
/// Where it ends before.
pub fn until_done(worker: &mut Child) {
    let mut line = String::new();
    let pipe = worker.stdout.as_mut().expect("a pipe");
    BufReader::new(pipe).read_line(&mut line).expect("what it says");
    assert_eq!(line, "done\n");
}

/// Lets it end.
///
/// # Panics
/// Where it fails.
pub fn end(worker: Child) {
    assert_success(&finish(worker));
}
