//! A `/proc` and a `/sys` in a temporary folder, whose counters follow power curves over a clock
//! that the test sets.

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use crate::curve::Curve;

/// The tree. Files keep their identity when the time is set, so kept-open files see the change.
#[derive(Debug)]
pub struct FakeTree {
    directory: TempDir,
    counters: Vec<Counter>,
    /// Nanoseconds since the start.
    time: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Counter {
    file: PathBuf,
    curve: Curve,
    start: u64,
    /// The highest value.
    range: u64,
}

/// A process as `/proc/<pid>/stat` tells of it; times in ticks.
#[derive(Clone, Copy, Debug, Default)]
pub struct FakeProcess {
    /// Its id.
    pub pid: u32,
    /// Its parent's id.
    pub parent: u32,
    /// Own time, all of it `utime`.
    pub own: u64,
    /// Time of reaped children, all of it `cutime`.
    pub reaped: u64,
    /// Resident pages.
    pub pages: u64,
    /// How many threads it has besides the first.
    pub more_threads: u32,
    /// When it started, in ticks since boot.
    pub started: u64,
    /// Whether it ignores `SIGCHLD`.
    pub ignores_sigchld: bool,
}

impl FakeTree {
    /// An empty tree.
    ///
    /// # Panics
    /// Where no temporary folder can be made.
    pub fn new() -> Self {
        let tree = Self {
            directory: TempDir::new().expect("a folder"),
            counters: Vec::new(),
            time: Arc::default(),
        };
        fs::create_dir_all(tree.powercap()).expect("a folder");
        fs::create_dir_all(tree.proc()).expect("a folder");
        tree
    }

    /// The folder that stands for `/`.
    pub fn root(&self) -> &Path {
        self.directory.path()
    }

    /// Its `/proc`.
    pub fn proc(&self) -> PathBuf {
        self.directory.path().join("proc")
    }

    /// Its `/sys`.
    pub fn sys(&self) -> PathBuf {
        self.directory.path().join("sys")
    }

    /// Its `/sys/class/powercap`.
    pub fn powercap(&self) -> PathBuf {
        self.sys().join("class/powercap")
    }

    /// Writes a file, given from the root of the tree.
    ///
    /// # Panics
    /// Where it cannot be written.
    pub fn write(&self, path: &str, text: impl Display) {
        let file = self.directory.path().join(path);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        // In place: a file that is open sees the new text.
        fs::write(file, format!("{text}\n")).expect("a file");
    }

    /// Removes what is at a path, given from the root of the tree.
    pub fn remove(&self, path: &str) {
        let path = self.directory.path().join(path);
        let _ = fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path));
    }

    /// A RAPL zone, such as `intel-rapl:0`, whose counter starts at `start` microjoules.
    pub fn zone(&mut self, zone: &str, name: &str, curve: Curve, start: u64, range: u64) {
        let folder = format!("sys/class/powercap/{zone}");
        self.write(&format!("{folder}/name"), name);
        self.write(&format!("{folder}/max_energy_range_uj"), range);
        self.counter(&format!("{folder}/energy_uj"), curve, start, range);
    }

    /// A counter of microjoules that starts at `start` and has `range` as its highest value.
    pub fn counter(&mut self, path: &str, curve: Curve, start: u64, range: u64) {
        self.write(path, start);
        let file = self.directory.path().join(path);
        self.counters.push(Counter { file, curve, start, range });
    }

    /// Sets the seconds since the start: every counter shows what its curve has used by then.
    ///
    /// # Panics
    /// Where a counter cannot be written.
    pub fn set_time(&self, seconds: f64) {
        let time = Duration::from_secs_f64(seconds).as_nanos();
        self.time.store(u64::try_from(time).expect("a short time"), Ordering::Relaxed);
        for Counter { file, curve, start, range } in &self.counters {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let used = (curve.joules(seconds) * 1e6).round() as u64;
            fs::write(file, format!("{}\n", (start + used) % (range + 1))).expect("a counter");
        }
    }

    /// The clock that [`set_time`](Self::set_time) sets.
    pub fn clock(&self) -> impl Fn() -> Duration + Send + Sync + 'static {
        let time = self.time.clone();
        move || Duration::from_nanos(time.load(Ordering::Relaxed))
    }

    /// Writes a process.
    pub fn process(&self, process: FakeProcess) {
        let FakeProcess { pid, parent, own, reaped, pages, .. } = process;
        let threads = 1 + process.more_threads;
        let ignored = u64::from(process.ignores_sigchld) << 16;
        let rest = format!("20 0 {threads} 0 {} 1000000", process.started);
        self.write(
            &format!("proc/{pid}/stat"),
            format!(
                "{pid} (a (b) c) S {parent} 1 1 0 -1 0 0 0 0 0 {own} 0 {reaped} 0 {rest} {pages} \
                 18446744073709551615 1 1 0 0 0 0 0 {ignored} 0 0 0 0 17 1"
            ),
        );
    }

    /// Ends a process: its kept-open file no longer reads.
    ///
    /// # Panics
    /// Where it is not there.
    pub fn end(&self, pid: u32) {
        // An open file of a dead process gives an error; here it is empty, which parses as little.
        fs::write(self.proc().join(format!("{pid}/stat")), "").expect("a process");
        self.remove(&format!("proc/{pid}"));
    }

    /// Writes `/proc/stat` for two CPUs, with `busy` ticks of user time, and `/proc/meminfo`.
    pub fn machine(&self, busy: u64, used_kibibytes: u64) {
        let cpus = "cpu0 0 0 0 0 0 0 0 0 0 0\ncpu1 0 0 0 0 0 0 0 0 0 0";
        self.write("proc/stat", format!("cpu  {busy} 0 0 9999 7 0 0 5 0 0\n{cpus}\nintr 1"));
        let available = 8_000_000 - used_kibibytes;
        self.write(
            "proc/meminfo",
            format!("MemTotal: 8000000 kB\nMemFree: 1 kB\nMemAvailable: {available} kB"),
        );
    }
}

impl Default for FakeTree {
    fn default() -> Self {
        Self::new()
    }
}
