//! A user's home of its own for each test, and what is asked of the command there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) const ECO2AI: &str = env!("CARGO_BIN_EXE_eco2ai");

/// A command that does nothing.
pub(crate) const SUCCEED: &[&str] =
    if cfg!(windows) { &["cmd", "/c", "exit 0"] } else { &["true"] };

/// What takes longer hangs, also on a machine that has much else to do.
const TIMEOUT: Duration = Duration::from_secs(120);

pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        home.write("held", "");
        home
    }

    /// Ends the scripts that go on while there is a file `held`; the end of the test does, too.
    pub(crate) fn let_go(&self) {
        fs::remove_file(self.path("held")).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A program that starts here, and sees no settings but ours.
    pub(crate) fn program(&self, program: &str) -> Command {
        let mut command = if cfg!(windows) {
            Command::new(program)
        } else {
            // Tests that run in the background ignore INT and QUIT, and would hand that on.
            let mut command = Command::new("env");
            command.args(["--default-signal=INT,QUIT", program]);
            command
        };
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"ECO2AI_") {
                command.env_remove(name);
            }
        }
        command
            .current_dir(self.0.path())
            .env("HOME", self.0.path())
            .env("XDG_STATE_HOME", self.path("state"))
            .env("LOCALAPPDATA", self.path("state"))
            .env("ECO2AI_CONFIG", self.path("params.toml"))
            .env("TZ", "UTC")
            .env("TERM", "xterm")
            .env_remove("NO_COLOR")
            .stdin(Stdio::null());
        command
    }

    /// `eco2ai` with these arguments.
    pub(crate) fn eco2ai(&self, arguments: &[&str]) -> Command {
        let mut command = self.program(ECO2AI);
        command.args(arguments);
        command
    }

    /// What `eco2ai` prints with these arguments, and how it ends.
    pub(crate) fn output(&self, arguments: &[&str]) -> Output {
        self.eco2ai(arguments).output().unwrap()
    }

    /// The same with a file of this text as its standard input.
    pub(crate) fn output_with_input(&self, arguments: &[&str], input: &str) -> Output {
        self.write("input", input);
        let input = fs::File::open(self.path("input")).unwrap();
        self.eco2ai(arguments).stdin(input).output().unwrap()
    }

    /// What it prints to standard output, where it succeeds without a word on standard error.
    pub(crate) fn text(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        assert_eq!((code(&output), err(&output)), (0, String::new()), "{arguments:?}");
        out(&output)
    }

    /// The same as JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.text(arguments)).unwrap()
    }

    /// `eco2ai` with these arguments under a terminal that gets `typed`.
    pub(crate) fn on_terminal(&self, arguments: &str) -> Command {
        let mut command = self.program("script");
        command.args(["-qec", &format!("exec {ECO2AI} {arguments}"), "/dev/null"]);
        command
    }

    /// A run of the project `P` that goes on until [`let_go`](Self::let_go).
    pub(crate) fn held_run(&self) -> Child {
        let script = "while [ -e held ]; do sleep 0.02; done";
        let arguments =
            ["run", "--quiet", "--project=P", "--measure-period=0.05", "--", "sh", "-c"];
        self.eco2ai(&arguments).arg(script).spawn().unwrap()
    }

    /// The cells of a column of `emission.csv`.
    pub(crate) fn column(&self, name: &str) -> Vec<String> {
        let mut log = csv::Reader::from_path(self.path("emission.csv")).unwrap();
        let at = log.headers().unwrap().iter().position(|column| column == name).unwrap();
        log.records().map(|row| row.unwrap()[at].to_owned()).collect()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Waits until a command has made the file.
    pub(crate) fn wait_for(&self, name: &str) {
        wait_until(name, || self.path(name).exists());
    }

    /// Waits until a journal of `emission.csv` contains a run. The file alone is there before.
    pub(crate) fn wait_for_run_in_journal(&self) {
        let log = self.path("emission.csv");
        wait_until("a run in a journal", || {
            eco2ai::live_runs(&log).is_ok_and(|running| !running.is_empty())
        });
    }
}

pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < TIMEOUT, "{what}");
        sleep(Duration::from_millis(5));
    }
}

#[cfg(unix)]
pub(crate) fn send(child: &Child, signal: rustix::process::Signal) {
    rustix::process::kill_process(rustix::process::Pid::from_child(child), signal).unwrap();
}

pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().expect("it was killed")
}

pub(crate) fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

pub(crate) fn is_there(path: &Path) -> bool {
    path.try_exists().unwrap()
}
