//! Does one piece of work under this crate, in a process of its own, and prints what it saw as a
//! line of JSON; `tests/benches/peers/work.py` does the same under other tools:
//!
//! ```sh
//! peer_work TASK '{"argument": …}'
//! ```
//!
//! The log is `emission.csv` in the working directory.

use std::fs::{self, File};
use std::hint::black_box;
use std::io::Write;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use eco2ai::units::{Joules, KilowattHours};
use eco2ai::{Record, Tracker};
use eco2ai_tests::curve::Curve;
use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The names of the peers' work: what a user of the attribute writes.
#[eco2ai::track(project = "peers", description = "the same work", country = "FR")]
fn empty() {}

fn main() -> Result<()> {
    let begun = Instant::now();
    let resident = resident_bytes()?;
    let mut words = std::env::args().skip(1);
    let (Some(task), Some(arguments)) = (words.next(), words.next()) else {
        return Err("use: peer_work TASK ARGUMENTS".into());
    };
    let arguments = Arguments(serde_json::from_str(&arguments)?);
    let answer = match task.as_str() {
        "first" => first(begun, resident)?,
        "runs" => runs(&arguments)?,
        "bare" => bare(&arguments)?,
        "gpu" => gpu(&arguments)?,
        "cpu" => cpu(&arguments)?,
        "two" => two(&arguments)?,
        "integral" => integral(&arguments)?,
        other => return Err(format!("no task is called {other:?}").into()),
    };
    println!("{answer}");
    Ok(())
}

struct Arguments(Value);

impl Arguments {
    fn number(&self, name: &str) -> Result<f64> {
        self.0[name].as_f64().ok_or_else(|| format!("{name} is missing").into())
    }

    fn count(&self, name: &str) -> Result<usize> {
        let count = self.0[name].as_u64().ok_or_else(|| format!("{name} is missing"))?;
        Ok(usize::try_from(count)?)
    }

    fn time(&self, name: &str) -> Result<Duration> {
        Ok(Duration::from_secs_f64(self.number(name)?))
    }
}

/// The first run of a process: time and memory.
fn first(begun: Instant, resident: u64) -> Result<Value> {
    empty();
    let run = begun.elapsed();
    let added = resident_bytes()?.saturating_sub(resident);
    Ok(json!({ "load_s": 0.0, "run_s": run.as_secs_f64(), "added_bytes": added }))
}

/// Median time of an empty run once all is warm.
fn runs(arguments: &Arguments) -> Result<Value> {
    let median = median(arguments.count("count")?, || {
        empty();
        Ok(())
    })?;
    Ok(json!({ "run_s": median, "write_s": null }))
}

/// Median time to open a file, lock it, append as many bytes as a row has, and close it.
fn bare(arguments: &Arguments) -> Result<Value> {
    empty();
    let log = fs::read_to_string("emission.csv")?;
    let row = log.lines().last().ok_or("no row")?.to_owned() + "\n";
    let median = median(arguments.count("count")?, || {
        let mut file = File::options().append(true).create(true).open("bare.csv")?;
        file.lock()?;
        file.write_all(row.as_bytes())?;
        Ok(())
    })?;
    Ok(json!({ "run_s": median, "row_bytes": row.len() }))
}

fn median(count: usize, mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    for _ in 0..count.div_ceil(10) {
        work()?;
    }
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let begun = Instant::now();
        work()?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    Ok(times.get(count / 2).ok_or("no runs")?.as_secs_f64())
}

/// Sleeps, and tells the GPU's energy of that time.
fn gpu(arguments: &Arguments) -> Result<Value> {
    let run = tracker()?.start()?;
    let from = unix_time()?;
    sleep(arguments.time("seconds")?);
    let to = unix_time()?;
    let record = run.stop()?;
    Ok(json!({
        "from": from,
        "to": to,
        "gpu_j": joules(record.gpu_energy.ok_or("no GPU")?),
        "method": record.gpu_method,
    }))
}

/// Sleeps, burns a core, and tells the CPU's energy.
fn cpu(arguments: &Arguments) -> Result<Value> {
    let run = tracker()?.start()?;
    let (begun, own) = (Instant::now(), own_cpu_seconds()?);
    sleep(arguments.time("idle")?);
    spin(arguments.time("burn")?);
    let (own, wall) = (own_cpu_seconds()? - own, begun.elapsed().as_secs_f64());
    let record = run.stop()?;
    Ok(json!({
        "cpu_j": joules(record.cpu_energy.ok_or("no CPU")?),
        "own_cpu_s": own,
        "wall_s": wall,
        "watts": watts(&record)?,
        "model": "watts x the process's part of the CPUs",
    }))
}

/// Two runs, one inside or after the other's start, while a core burns; what their rows sum to.
fn two(arguments: &Arguments) -> Result<Value> {
    let tracker = tracker()?;
    let step = arguments.time("step")?;
    let first = tracker.start()?;
    let (begun, own) = (Instant::now(), own_cpu_seconds()?);
    spin(step);
    let second = tracker.start()?;
    spin(step);
    let (early, late) =
        if arguments.0["way"] == "nested" { (second, first) } else { (first, second) };
    let early = early.stop()?;
    spin(step);
    let (own, wall) = (own_cpu_seconds()? - own, begun.elapsed().as_secs_f64());
    let late = late.stop()?;
    // As `summary` adds them; memory is in it, which is a thousandth here.
    let sum = joules(early.own_energy) + joules(late.own_energy);
    Ok(json!({
        "sum_j": sum,
        "own_cpu_s": own,
        "wall_s": wall,
        "watts": watts(&late)?,
        "model": "watts x the process's part of the CPUs",
    }))
}

/// The exact energy of a curve of the fake GPU between two times.
fn integral(arguments: &Arguments) -> Result<Value> {
    let curve: Curve = serde_json::from_value(arguments.0["curve"].clone())?;
    let joules = curve.joules(arguments.number("to")?) - curve.joules(arguments.number("from")?);
    Ok(json!({ "joules": joules }))
}

fn tracker() -> Result<Tracker> {
    Ok(Tracker::builder().project("peers").country("FR").forget().build()?)
}

fn joules(energy: KilowattHours) -> f64 {
    Joules::from(energy).0
}

/// The power at full load that the model goes by, as the row shows it.
fn watts(record: &Record) -> Result<f64> {
    let (_, watts) = record.cpu_name.rsplit_once("TDP:").ok_or("no TDP in the row")?;
    Ok(watts.parse()?)
}

fn spin(time: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < time {
        black_box(());
    }
}

fn unix_time() -> Result<f64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64())
}

/// CPU time of this process and of its children that have ended; the kernel tells it in ticks of
/// 10 ms.
fn own_cpu_seconds() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').ok_or("no command in stat")?;
    // utime, stime, cutime and cstime are fields 14 to 17; the first here is the third.
    let ticks = fields.split_whitespace().skip(11).take(4).map(str::parse::<u64>);
    let ticks: u64 = ticks.sum::<std::result::Result<_, _>>()?;
    Ok(ticks as f64 / 100.0)
}

fn resident_bytes() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.split_whitespace().next().ok_or("no VmRSS")?.parse::<u64>()? * 1024)
}
