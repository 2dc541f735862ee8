//! What needs a process of its own: this program starts itself again, and the child prints figures.

use std::fs::{self, File};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use eco2ai::Tracker;
use eco2ai::meter::Meter;
use eco2ai::sensor::{Component, Reading, Sensor, SensorError};
use eco2ai::units::Watts;
use rustix::time::{ClockId, clock_gettime};

use crate::subjects;
use crate::table::{Pair, all_in_turns, in_turns, medians, time};

/// The argument before what a child is to do.
pub(crate) const CHILD: &str = "--child";

/// Does what a parent asks for, and prints figures.
pub(crate) fn child(task: &[String]) {
    let task: Vec<&str> = task.iter().map(String::as_str).collect();
    let figures = match task.as_slice() {
        ["disabled", rounds] => child_disabled(rounds.parse().expect("a number")),
        ["first-start"] => vec![once(subjects::tracked)],
        ["slow-sensor", sensor] => child_slow_sensor(sensor == &"with"),
        ["nvml-start"] => vec![once(|| drop(black_box(nvml_wrapper::Nvml::init())))],
        ["paced", kind, calls] => vec![child_paced(kind, calls.parse().expect("a number"))],
        ["memory"] => child_memory(true),
        ["memory-without"] => child_memory(false),
        ["meter-thread", runs, kind, seconds] => {
            let [runs, seconds] = [runs, seconds].map(|it| it.parse().expect("a number"));
            child_meter_thread(runs, *kind == "nested", seconds)
        }
        ["summary", file] => with_peak(|| drop(eco2ai::summary(file).expect("a summary"))),
        ["cells", file] => with_peak(|| split_into_cells(Path::new(file))),
        other => panic!("no task: {other:?}"),
    };
    let figures: Vec<String> = figures.iter().map(f64::to_string).collect();
    println!("{}", figures.join(" "));
}

/// The figures that a child prints.
fn ask<const N: usize>(task: &[&str], set: impl FnOnce(&mut Command)) -> [f64; N] {
    let mut command = subjects::command(&subjects::folder().expect("a folder"));
    command.arg(CHILD).args(task);
    set(&mut command);
    let output = command.output().expect("this program");
    let text = String::from_utf8_lossy(&output.stdout);
    let figures: Vec<f64> = text.split_whitespace().flat_map(str::parse).collect();
    let errors = String::from_utf8_lossy(&output.stderr);
    figures.try_into().unwrap_or_else(|_| panic!("{task:?}: {errors}"))
}

fn once(work: impl FnOnce()) -> f64 {
    let begun = Instant::now();
    work();
    begun.elapsed().as_secs_f64()
}

/// A tracked call that is disabled, beside an empty one.
pub(crate) fn disabled(rounds: usize) -> Pair {
    let [figure, beside] = ask(&["disabled", &rounds.to_string()], |command| {
        command.env("ECO2AI_DISABLE", "1");
    });
    Pair { figure, beside }
}

fn child_disabled(rounds: usize) -> Vec<f64> {
    const CALLS: u32 = 10_000;
    // Loops of their own: a call through a pointer would cost as much as the switch.
    let tracked = || once(|| (0..CALLS).for_each(|_| subjects::tracked())) / f64::from(CALLS);
    let empty = || once(|| (0..CALLS).for_each(|_| subjects::empty())) / f64::from(CALLS);
    let pair = in_turns(rounds, tracked, empty);
    vec![pair.figure, pair.beside]
}

/// The first tracked call of a process, beside the start of NVML in another one; `library` is the
/// folder of a fake one.
pub(crate) fn first_start(times: usize, library: Option<&Path>) -> Pair {
    let set = |command: &mut Command| {
        if let Some(folder) = library {
            // The bare start asks for the name without a number.
            let _ = std::os::unix::fs::symlink("libnvidia-ml.so.1", folder.join("libnvidia-ml.so"));
            command.env("LD_LIBRARY_PATH", folder);
        }
    };
    let [pair] = all_in_turns(times, || ask(&["first-start"], set), || ask(&["nvml-start"], set));
    pair
}

/// The CPU time that each of so many calls, one a millisecond, costs more with a row and with a part
/// in a sum than without, beside what `tracing` adds; and each beside what its system calls alone add.
pub(crate) fn paced(times: usize, calls: u32) -> [Pair; 4] {
    let asked = |kind| ask::<1>(&["paced", kind, &calls.to_string()], |_| ())[0];
    let kinds = || {
        let plain = asked("plain");
        ["row", "total", "tracing", "system-calls", "samples"].map(|kind| asked(kind) - plain)
    };
    let [row, total, tracing, system_calls, samples] = medians(times, kinds);
    [(row, tracing), (total, tracing), (row, system_calls), (total, samples)]
        .map(|(figure, beside)| Pair { figure, beside })
}

/// The CPU time of the process, its thread for readings included, by call.
fn child_paced(kind: &str, calls: u32) -> f64 {
    let mut call: Box<dyn FnMut()> = match kind {
        "plain" => Box::new(subjects::empty),
        "row" => Box::new(subjects::tracked),
        "total" => Box::new(subjects::total),
        "tracing" => {
            subjects::subscribe(true);
            Box::new(subjects::instrumented)
        }
        "system-calls" => {
            let append = subjects::BareAppend::of_last_row();
            Box::new(move || {
                subjects::sample_cpu_clock();
                append.all_system_calls();
                subjects::sample_cpu_clock();
            })
        }
        "samples" => Box::new(|| {
            subjects::sample_cpu_clock();
            subjects::sample_cpu_clock();
        }),
        other => panic!("no kind of call: {other:?}"),
    };
    let mut next = Instant::now();
    let mut paced = |calls| {
        for _ in 0..calls {
            next += Duration::from_millis(1);
            thread::sleep(next.saturating_duration_since(Instant::now()));
            call();
        }
    };
    // Past the first reading, and the time in which the thread for readings is made.
    paced(calls / 10);
    let before = process_cpu_time();
    paced(calls);
    (process_cpu_time() - before) / f64::from(calls)
}

/// Seconds that all threads of the process have been on a CPU.
fn process_cpu_time() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).expect("a time").as_secs_f64()
}

/// The first and a later tracked call beside a sensor of 80 ms, and without it.
pub(crate) fn slow_sensor(times: usize) -> [Pair; 2] {
    let asked = |sensor| ask(&["slow-sensor", sensor], |_| ());
    all_in_turns(times, || asked("with"), || asked("without"))
}

/// A network meter that takes its time.
struct NetworkMeter;

impl Sensor for NetworkMeter {
    fn source(&self) -> &'static str {
        "network"
    }

    fn component(&self) -> Component {
        Component::Machine
    }

    fn read(&mut self) -> Result<Reading, SensorError> {
        thread::sleep(Duration::from_millis(80));
        Ok(Reading::Power(Watts(90.0)))
    }
}

fn child_slow_sensor(has_sensor: bool) -> Vec<f64> {
    let meter = Meter::process();
    if has_sensor {
        meter.add_sensor(NetworkMeter);
    }
    let first = once(subjects::tracked);
    // Long enough for the sensor to be read again.
    thread::sleep(Duration::from_millis(200));
    let calls = in_turns(1001, || once(subjects::tracked), || 0.0);
    vec![first, calls.figure]
}

/// Resident, and private dirty memory of a process after its first run, beside one without a run.
pub(crate) fn memory(times: usize) -> [Pair; 2] {
    let asked = |task| ask(&[task], |_| ());
    all_in_turns(times, || asked("memory"), || asked("memory-without"))
}

fn child_memory(tracked: bool) -> Vec<f64> {
    if tracked {
        subjects::tracked();
        // The meter's thread comes up, too.
        thread::sleep(Duration::from_millis(50));
    }
    let text = fs::read_to_string("/proc/self/smaps_rollup").expect("the process's memory");
    ["Rss:", "Private_Dirty:"].map(|name| kibibytes(&text, name) * 1024.0).to_vec()
}

/// The number of a line such as `Rss:   123 kB`.
fn kibibytes(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)).expect("the line");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// The part of a core that the meter's thread takes while so many runs are active and the process
/// idles, beside a thread that does the bare system calls of a reading each second, and beside one that
/// does all system calls of a period with one run.
pub(crate) fn meter_thread(runs: u64, is_nested: bool, seconds: u64) -> [Pair; 2] {
    let kind = if is_nested { "nested" } else { "side-by-side" };
    let task = ["meter-thread", &runs.to_string(), kind, &seconds.to_string()];
    let [figure, reading, period] = ask(&task, |_| ());
    [reading, period].map(|beside| Pair { figure, beside })
}

fn child_meter_thread(runs: u64, is_nested: bool, seconds: u64) -> Vec<f64> {
    const NAMES: [&str; 3] = ["eco2ai-meter", "bare-reading", "bare-period"];
    let tracker = Tracker::builder().build().expect("good parameters");
    let detached = || tracker.start_detached().expect("a run");
    let nested = || tracker.start().expect("a run");
    let (side_by_side, under) = if is_nested { (0, runs) } else { (runs, 0) };
    let runs: (Vec<_>, Vec<_>) =
        ((0..side_by_side).map(|_| detached()).collect(), (0..under).map(|_| nested()).collect());
    let each_second = |name: &str, mut work: Box<dyn FnMut() + Send>| {
        let spawned = thread::Builder::new().name(name.into()).spawn(move || {
            loop {
                thread::sleep(Duration::from_secs(1));
                work();
            }
        });
        drop(spawned.expect("a thread"));
    };
    each_second(NAMES[1], Box::new(subjects::bare_cpu_and_ram()));
    each_second(NAMES[2], Box::new(subjects::bare_period()));
    // Past the first period, in which files are opened and the journal is made.
    thread::sleep(Duration::from_millis(1500));
    let (begun, before) = (Instant::now(), NAMES.map(cpu_time));
    thread::sleep(Duration::from_secs(seconds));
    let (passed, after) = (begun.elapsed().as_secs_f64(), NAMES.map(cpu_time));
    drop(runs);
    (0..NAMES.len()).map(|thread| (after[thread] - before[thread]) / passed).collect()
}

/// Seconds that the thread of this name has been on a CPU.
fn cpu_time(name: &str) -> f64 {
    let tasks = fs::read_dir("/proc/self/task").expect("threads").flatten();
    let task = tasks
        .map(|task| task.path())
        .find(|task| fs::read_to_string(task.join("comm")).is_ok_and(|it| it.trim() == name));
    let text = fs::read_to_string(task.expect("the thread").join("schedstat")).expect("its time");
    text.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).expect("a number") / 1e9
}

/// A run with its row in a log of so many rows, beside one in a log without any.
pub(crate) fn append(rows: usize, rounds: usize) -> Pair {
    let [long, short] = [rows, 0].map(|rows| {
        let log = write_log(rows, usize::MAX);
        let built = Tracker::builder().file(&log).forget().build();
        (built.expect("good parameters"), log)
    });
    let run = |tracker: &Tracker| drop(black_box(tracker.start().and_then(eco2ai::Run::stop)));
    let pair =
        in_turns(rounds, || time(20, &mut || run(&long.0)), || time(100, &mut || run(&short.0)));
    for (_, log) in [long, short] {
        fs::remove_file(log).expect("the log");
    }
    pair
}

/// Time and peak memory of a summary, beside those of reading each cell, in processes of their own.
pub(crate) fn summary(rows: usize, columns: usize, times: usize) -> [Pair; 2] {
    let log = write_log(rows, columns);
    let file = log.to_str().expect("a path in UTF-8");
    let asked = |task| ask(&[task, file], |_| ());
    let pairs = all_in_turns(times, || asked("summary"), || asked("cells"));
    fs::remove_file(&log).expect("the log");
    pairs
}

fn with_peak(work: impl FnOnce()) -> Vec<f64> {
    let time = once(work);
    let status = fs::read_to_string("/proc/self/status").expect("the process");
    vec![time, kibibytes(&status, "VmHWM:") * 1024.0]
}

fn split_into_cells(file: &Path) {
    let mut reader = csv::Reader::from_path(file).expect("a file");
    let mut record = csv::ByteRecord::new();
    while reader.read_byte_record(&mut record).expect("a row") {
        black_box(&record);
    }
}

/// A log that repeats the last row of this run's log under ten projects.
fn write_log(rows: usize, columns: usize) -> PathBuf {
    let path = subjects::log().with_file_name(format!("{rows}_{columns}.csv"));
    let mut reader = csv::Reader::from_path(subjects::log()).expect("a log");
    let header = reader.byte_headers().expect("a header").clone();
    let row = reader.byte_records().last().expect("a row").expect("a whole row");
    let file = File::create(&path).expect("a file");
    let mut writer = csv::Writer::from_writer(file);
    writer.write_record(header.iter().take(columns)).expect("a header");
    for number in 0..rows {
        let project = [b'0' + u8::try_from(number % 10).expect("a digit")];
        let cells = row.iter().enumerate().take(columns);
        let cells = cells.map(|(at, cell)| if at == 1 { &project[..] } else { cell });
        writer.write_record(cells).expect("a row");
    }
    writer.flush().expect("the log");
    path
}
