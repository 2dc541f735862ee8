//! Programs that tests start, for what needs a process of its own. They are in `src/bin`.

use std::ffi::OsStr;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

/// What takes longer hangs, also on a machine that has much else to do.
const TIMEOUT: Duration = Duration::from_secs(120);

/// A program of this crate at the path that Cargo gives, `env!("CARGO_BIN_EXE_…")`. It starts in
/// `folder`, where its saved parameters and its state folder are, too, and gets no parameters from the
/// environment of the tests.
pub fn program(path: impl AsRef<OsStr>, folder: &Path) -> Command {
    in_folder(through(&runner(), path.as_ref()), folder)
}

/// A program of the machine, such as a shell, likewise. It is not of the target, so no runner starts it.
pub fn tool(name: &str, folder: &Path) -> Command {
    in_folder(Command::new(name), folder)
}

fn in_folder(mut command: Command, folder: &Path) -> Command {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ECO2AI_") {
            command.env_remove(name);
        }
    }
    command.env("ECO2AI_CONFIG", folder.join("params.toml"));
    command.env("XDG_STATE_HOME", folder.join("state")).current_dir(folder);
    command
}

/// The test binary that is running, to be run again.
///
/// # Panics
/// Where the system does not tell how it was started.
pub fn this_test() -> Command {
    // Not `current_exe`, which may be an emulator.
    through(&runner(), &std::env::args_os().next().expect("the path of this program"))
}

/// What Cargo puts before a program of this target; empty for nothing.
fn runner() -> String {
    // Wine starts programs for Windows by itself, and those of the host not at all.
    if cfg!(windows) {
        return String::new();
    }
    std::env::var(env!("RUNNER_VARIABLE")).unwrap_or_default()
}

/// The C compiler for this target; the linker that Rust needs has one.
pub fn c_compiler() -> Command {
    Command::new(std::env::var_os(env!("COMPILER_VARIABLE")).unwrap_or_else(|| "cc".into()))
}

fn through(runner: &str, program: &OsStr) -> Command {
    let mut words = runner.split_whitespace();
    let Some(runner) = words.next() else { return Command::new(program) };
    let mut command = Command::new(runner);
    command.args(words).arg(program);
    command
}

/// Runs a program to its end, without input.
///
/// # Panics
/// Where it cannot be started, or hangs.
pub fn run(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    finish(start(command))
}

/// Starts a program, which may have just been written: a process that another test has forked
/// meanwhile may have the file open until it starts its own program.
///
/// # Panics
/// Where it cannot be started.
pub fn start(command: &mut Command) -> Child {
    let mut started = None;
    wait_until("nobody writes the program", || {
        started = match command.spawn() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => None,
            started => Some(started.expect("the program can be started")),
        };
        started.is_some()
    });
    started.expect("it was waited for")
}

/// Waits for the end of a program and takes what comes out of its pipes.
///
/// # Panics
/// Where it hangs: it is killed then.
pub fn finish(mut child: Child) -> Output {
    drop(child.stdin.take());
    let (stdout, stderr) = (read_aside(child.stdout.take()), read_aside(child.stderr.take()));
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("its status") {
            break status;
        }
        if begun.elapsed() > TIMEOUT {
            let _ = child.kill();
            panic!("the program hangs");
        }
        sleep(Duration::from_millis(1));
    };
    let [stdout, stderr] = [stdout, stderr].map(|read| read.join().expect("no panic"));
    Output { status, stdout, stderr }
}

/// On a thread, as a program waits where a pipe is full.
fn read_aside(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    spawn(move || {
        let mut read = Vec::new();
        if let Some(mut pipe) = pipe {
            pipe.read_to_end(&mut read).expect("a pipe");
        }
        read
    })
}

/// Waits for what another thread or process does.
///
/// # Panics
/// Where that does not come.
#[track_caller]
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < TIMEOUT, "waited in vain: {what}");
        sleep(Duration::from_millis(1));
    }
}

/// Standard output as text.
pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Checks that the program succeeded.
///
/// # Panics
/// With what it said, where it did not.
#[track_caller]
pub fn assert_success(output: &Output) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{}\n{errors}", output.status, said(output));
}

#[cfg(test)]
mod tests {
    use super::through;
    use std::ffi::OsStr;

    #[test]
    fn a_program_is_started_through_the_runner_of_its_target() {
        let command = through("qemu-aarch64 -L /sysroot", OsStr::new("/the program"));
        assert_eq!(command.get_program(), "qemu-aarch64");
        assert_eq!(command.get_args().collect::<Vec<_>>(), ["-L", "/sysroot", "/the program"]);
        let command = through("", OsStr::new("/the program"));
        assert_eq!(
            (command.get_program(), command.get_args().count()),
            ("/the program".as_ref(), 0)
        );
    }
}
