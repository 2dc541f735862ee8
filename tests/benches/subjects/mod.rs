//! What the benches measure, and the bare work beside it.
#![allow(dead_code, reason = "each bench uses a part")]

use std::fs::{File, OpenOptions};
use std::hint::black_box;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::Mutex;
use std::time::Instant;

use eco2ai::meter::Meter;
use eco2ai::sensor::{CpuModel, LinuxUsage, NvidiaGpu, RamModel, Rapl, Sensor};
use eco2ai::units::Watts;
use eco2ai_tests::curve::Curve;
use eco2ai_tests::fake_nvml::FakeNvml;
use eco2ai_tests::fake_nvml::script::{Device, Script};
use eco2ai_tests::fake_tree::FakeTree;
use nvml_wrapper::structs::device::FieldId;
use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
use rustix::process::{Resource, WaitId, WaitIdOptions, getrlimit, waitid};
use rustix::time::{ClockId, clock_gettime};
use tracing_subscriber::fmt::format::FmtSpan;

/// `NVML_FI_DEV_POWER_INSTANT`
const POWER_INSTANT: u32 = 186;

/// The variable with the folder of the run; without it a program has parameters of the user.
const FOLDER: &str = "BENCH_FOLDER";

/// The folder of this run; `None` in a program that was not started by [`command`].
pub(crate) fn folder() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

/// The log of this run.
///
/// # Panics
/// Where there is no folder.
pub(crate) fn log() -> PathBuf {
    folder().expect("started by `command`").join("emission.csv")
}

/// This program again, with its log and its saved parameters in `folder`.
///
/// # Panics
/// Where the program does not know its own path.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a path"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ECO2AI_") {
            command.env_remove(name);
        }
    }
    command
        .env(FOLDER, folder)
        .env("ECO2AI_FILE", folder.join("emission.csv"))
        .env("ECO2AI_CONFIG", folder.join("params.toml"));
    command
}

/// Runs this program again with the same arguments, in a folder of its own.
///
/// # Panics
/// Where that cannot be.
pub(crate) fn run_in_own_folder(set: impl FnOnce(&mut Command)) -> ExitStatus {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = command(folder.path());
    command.args(std::env::args_os().skip(1));
    set(&mut command);
    command.status().expect("this program")
}

/// Does nothing.
#[inline(never)]
pub(crate) fn empty() {
    black_box(());
}

/// Does nothing and leaves a row.
#[eco2ai::track]
#[inline(never)]
pub(crate) fn tracked() {
    black_box(());
}

/// Leaves two rows: its own and that of [`tracked`].
#[eco2ai::track]
#[inline(never)]
pub(crate) fn nested() {
    tracked();
}

/// Calls itself and its twin `depth` deep, then does something.
#[eco2ai::track(rows = "total")]
pub(crate) fn at_depth(depth: u32, act: &mut dyn FnMut()) {
    if depth == 0 { act() } else { at_depth_again(depth - 1, act) }
}

/// The twin.
#[eco2ai::track(rows = "total")]
fn at_depth_again(depth: u32, act: &mut dyn FnMut()) {
    if depth == 0 { act() } else { at_depth(depth - 1, act) }
}

/// Does something while so many runs are active, each of which has a sum of [`total`] under it.
pub(crate) fn among_sums(sums: usize, act: impl FnOnce()) {
    let tracker = eco2ai::Tracker::builder().build().expect("good parameters");
    let run = || {
        let run = tracker.start_detached().expect("a run");
        let entered = run.enter();
        total();
        drop(entered);
        run
    };
    let runs: Vec<_> = (0..sums).map(|_| run()).collect();
    act();
    drop(runs);
}

/// Does nothing; all its calls leave one row together.
#[eco2ai::track(rows = "total")]
#[inline(never)]
pub(crate) fn total() {
    black_box(());
}

/// What a call that is added up needs at the least, at its start and at its end: the time, and the
/// energies so far, which all threads share.
///
/// # Panics
/// Where the lock is poisoned.
pub(crate) fn bare_edges() -> impl FnMut() {
    let state = Mutex::new((Instant::now(), [0.0_f64; 6]));
    move || {
        for _ in 0..2 {
            let now = Instant::now();
            let mut state = state.lock().expect("a lock");
            let (last, joules) = &mut *state;
            let seconds = now.duration_since(*last).as_secs_f64();
            joules.iter_mut().zip([5.0, 0.0, 1.0, 0.0, 0.0, 2.0]).for_each(|(sum, watts)| {
                *sum += watts * seconds;
            });
            *last = now;
        }
    }
}

/// Does nothing; a subscriber writes a line when it ends.
#[tracing::instrument]
#[inline(never)]
pub(crate) fn instrumented() {
    black_box(());
}

/// Has `tracing` write a line to a file whenever a span ends, as text or as JSON.
///
/// # Panics
/// Where the file cannot be made, or there is a subscriber already.
pub(crate) fn subscribe(as_json: bool) {
    let file = File::create(log().with_extension("trace")).expect("a file");
    let lines = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_span_events(FmtSpan::CLOSE)
        .with_writer(Mutex::new(file));
    if as_json { lines.json().init() } else { lines.init() }
}

/// What writing a row needs at the least: to lock an open file, append the same bytes, and unlock it.
/// Without an open file, to open and close it, too.
pub(crate) struct BareAppend {
    path: PathBuf,
    open: File,
    row: Vec<u8>,
}

impl BareAppend {
    /// Takes the last row of the log as its bytes.
    ///
    /// # Panics
    /// Where there is none.
    pub(crate) fn of_last_row() -> Self {
        tracked();
        let log = std::fs::read(log()).expect("the log");
        let row = log.trim_ascii_end().rsplit(|&byte| byte == b'\n').next().expect("a row");
        let path = self::log().with_extension("bare");
        Self { open: open_to_append(&path), path, row: [row, b"\n"].concat() }
    }

    /// Appends the row to the open file.
    ///
    /// # Panics
    /// Where it cannot.
    pub(crate) fn append(&self) {
        self.open.lock().expect("a lock");
        (&self.open).write_all(&self.row).expect("an append");
        self.open.unlock().expect("an unlock");
    }

    /// Does all system calls of a row: also asks for the file at the path and for the limit of file
    /// sizes.
    ///
    /// # Panics
    /// Where one fails.
    pub(crate) fn all_system_calls(&self) {
        self.open.lock().expect("a lock");
        let asked = StatxFlags::INO | StatxFlags::SIZE;
        black_box(statx(CWD, &self.path, AtFlags::empty(), asked).expect("the file"));
        black_box(getrlimit(Resource::Fsize));
        (&self.open).write_all(&self.row).expect("an append");
        self.open.unlock().expect("an unlock");
    }

    /// Opens the file, appends the row, and closes it.
    ///
    /// # Panics
    /// Where it cannot.
    pub(crate) fn open_and_append(&self) {
        let mut file = open_to_append(&self.path);
        file.lock().expect("a lock");
        file.write_all(&self.row).expect("an append");
    }
}

/// Reads the clock of the CPU time of the process.
pub(crate) fn sample_cpu_clock() {
    black_box(clock_gettime(ClockId::ProcessCPUTime));
}

fn open_to_append(path: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(path).expect("a file")
}

/// The file that a reading of the processor or of memory needs, open.
pub(crate) struct BareFiles(Vec<File>);

impl BareFiles {
    /// Opens them.
    ///
    /// # Panics
    /// Where one is missing.
    pub(crate) fn open<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Self {
        Self(paths.into_iter().map(|path| File::open(path).expect("a file")).collect())
    }

    /// Reads the start of each.
    ///
    /// # Panics
    /// Where one cannot be read.
    pub(crate) fn read(&self) {
        let mut buffer = [0; 4096];
        for file in &self.0 {
            black_box(file.read_at(&mut buffer, 0).expect("a reading"));
        }
        black_box(buffer);
    }
}

/// A reading of processor and memory by the meter, as at each start and stop of a run.
pub(crate) fn meter() -> Meter {
    let meter = Meter::builder(LinuxUsage::new()).build();
    meter.add_sensor(CpuModel::from_watts(Watts(100.0)));
    meter.add_sensor(RamModel);
    meter
}

/// The system calls of such a reading: the machine's CPU time, memory, the process's CPU time.
pub(crate) fn bare_cpu_and_ram() -> impl FnMut() {
    let files = BareFiles::open(["/proc/stat", "/proc/self/statm"]);
    move || {
        files.read();
        sample_cpu_clock();
    }
}

/// All system calls of the meter's thread in a period with one run: those of its reading, of which the
/// last is the CPU time that the reading itself took, and those of the journal. All but the wait.
///
/// # Panics
/// Where one fails.
pub(crate) fn bare_period() -> impl FnMut() {
    /// The length of a frame with the state of one run.
    const FRAME: [u8; 1200] = [b'x'; 1200];
    let files = BareFiles::open(["/proc/self/statm", "/proc/stat"]);
    let path = log().with_extension("bare-journal");
    let journal = OpenOptions::new().create(true).truncate(true).write(true).open(&path);
    let journal = journal.expect("a file");
    move || {
        let look_only = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let _ = black_box(waitid(WaitId::All, look_only));
        files.read();
        // The time of children that have ended, and whether the system discards it.
        // SAFETY: both write to these alone.
        unsafe {
            let (mut times, mut action) = (std::mem::zeroed(), std::mem::zeroed());
            black_box(libc::times(&raw mut times));
            black_box(libc::sigaction(libc::SIGCHLD, std::ptr::null(), &raw mut action));
        }
        for _ in 0..2 {
            black_box(clock_gettime(ClockId::ProcessCPUTime));
        }
        let asked = StatxFlags::INO | StatxFlags::SIZE;
        black_box(statx(CWD, &path, AtFlags::empty(), asked).expect("the file"));
        black_box(getrlimit(Resource::Fsize));
        journal.write_all_at(&FRAME, 0).expect("a frame");
    }
}

/// Two sockets with their memory.
pub(crate) fn fake_rapl() -> FakeTree {
    let mut tree = FakeTree::new();
    for socket in 0..2 {
        let (zone, start) = (format!("intel-rapl:{socket}"), 1_000_000_000 * (socket + 1));
        let (curve, range) = (Curve::Constant(1.0), 262_143_328_850);
        tree.zone(&zone, &format!("package-{socket}"), curve, start, range);
        tree.zone(&format!("{zone}:0"), "dram", curve, start + 500_000_000, range);
    }
    tree
}

/// Reads the four zones of such a machine.
///
/// # Panics
/// Where they cannot be read.
pub(crate) fn rapl(tree: &FakeTree) -> impl FnMut() {
    // On the tree's clock, as its counters stand still.
    let mut packages = Rapl::packages(&tree.powercap()).expect("packages").on_clock(tree.clock());
    let mut dram = Rapl::dram(&tree.powercap()).expect("memory").on_clock(tree.clock());
    move || {
        black_box(packages.read().expect("a reading"));
        black_box(dram.read().expect("a reading"));
    }
}

/// The system calls of that.
pub(crate) fn bare_rapl(tree: &FakeTree) -> impl FnMut() {
    let zones = ["intel-rapl:0", "intel-rapl:0:0", "intel-rapl:1", "intel-rapl:1:0"];
    let paths = zones.map(|zone| tree.powercap().join(zone).join("energy_uj"));
    let files = BareFiles::open(paths);
    move || files.read()
}

/// One device on a fake NVML.
pub(crate) fn fake_nvml() -> FakeNvml {
    FakeNvml::new(Script { devices: vec![Device::default()], ..Script::default() })
}

/// Reads its counter, and its power, as the meter does to compare the two.
///
/// # Panics
/// Where it cannot be read.
pub(crate) fn nvml(fake: &FakeNvml) -> impl FnMut() {
    let mut devices = NvidiaGpu::all_from(&fake.library(), None, None).expect("a device");
    move || {
        for device in &mut devices {
            black_box(device.read().expect("a reading"));
            black_box(device.reported_power());
        }
    }
}

/// The calls of the library in that.
///
/// # Panics
/// Where it cannot be read.
pub(crate) fn bare_nvml(fake: &FakeNvml) -> impl FnMut() {
    // Kept to the end of the program, as its devices borrow it.
    let nvml = nvml_wrapper::Nvml::builder().lib_path(&fake.library()).init().expect("NVML");
    let nvml: &'static _ = Box::leak(Box::new(nvml));
    let device = nvml.device_by_index(0).expect("a device");
    move || {
        black_box(device.total_energy_consumption().expect("a reading"));
        black_box(device.field_values_for(&[FieldId(POWER_INSTANT)]).expect("a reading"));
    }
}
