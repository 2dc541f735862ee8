//! This crate's part of the comparison in `eco2ai/benches/peers`: does one task and prints a JSON
//! object, as `worker.py` there does for each of the others.

use std::error::Error;
use std::time::{Duration, Instant, UNIX_EPOCH};

use eco2ai::sensor::{LinuxUsage, UsageSource};
use eco2ai::units::Joules;
use eco2ai::{Run, Tracker};
use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let task = arguments.first().map_or("", String::as_str);
    let seconds = arguments.get(1).map_or(Ok(0.0), |text| text.parse())?;
    let figures = match task {
        "first" => first()?,
        "call" => call(),
        "append" => append()?,
        "gpu" => gpu(seconds)?,
        "cpu" => cpu(seconds)?,
        "nested" => nested(seconds)?,
        other => return Err(format!("no task {other:?}").into()),
    };
    println!("{figures}");
    Ok(())
}

#[eco2ai::track]
fn tracked() {}

fn first() -> Result<Value> {
    let before = resident_bytes()?;
    let begun = Instant::now();
    tracked();
    let first = begun.elapsed().as_secs_f64();
    Ok(json!({ "import": 0.0, "first": first, "memory": resident_bytes()? - before }))
}

fn call() -> Value {
    const CALLS: u32 = 10_000;
    tracked();
    let begun = Instant::now();
    (0..CALLS).for_each(|_| tracked());
    json!({ "call": begun.elapsed().as_secs_f64() / f64::from(CALLS) })
}

/// The time of `stop`, which writes the row.
fn append() -> Result<Value> {
    let tracker = Tracker::builder().build()?;
    let mut times = Vec::new();
    for _ in 0..21 {
        let run = tracker.start()?;
        let begun = Instant::now();
        run.stop()?;
        times.push(begun.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    Ok(json!({ "stop": times[times.len() / 2] }))
}

fn gpu(seconds: f64) -> Result<Value> {
    let run = start()?;
    let begun = UNIX_EPOCH.elapsed()?.as_secs_f64();
    std::thread::sleep(Duration::from_secs_f64(seconds));
    let ended = UNIX_EPOCH.elapsed()?.as_secs_f64();
    let record = run.stop()?;
    let energy = record.gpu_energy.ok_or("no GPU")?;
    Ok(json!({ "begun": begun, "ended": ended, "joules": Joules::from(energy).0 }))
}

/// Idles half the time that it then burns.
fn cpu(seconds: f64) -> Result<Value> {
    let run = start()?;
    let before = cpu_seconds()?;
    std::thread::sleep(Duration::from_secs_f64(seconds / 2.0));
    burn(seconds);
    let used = cpu_seconds()? - before;
    let record = run.stop()?;
    let energy = record.cpu_energy.ok_or("no processor")?;
    let watts = design_power(&record.cpu_name)?;
    Ok(json!({ "joules": Joules::from(energy).0, "cpu_seconds": used, "watts": watts }))
}

/// Two runs of which one contains the other, then two that overlap.
fn nested(seconds: f64) -> Result<Value> {
    let before = cpu_seconds()?;
    let outer = start()?;
    burn(seconds);
    let inner = start()?;
    burn(seconds);
    inner.stop()?;
    burn(seconds);
    outer.stop()?;
    let first = start()?;
    burn(seconds);
    let second = start()?;
    burn(seconds);
    first.stop()?;
    burn(seconds);
    let record = second.stop()?;
    let used = cpu_seconds()? - before;
    let log = std::env::var("ECO2AI_FILE")?;
    let mut sum = Joules(0.0);
    for record in eco2ai::read_log(log)? {
        sum += Joules::from(record?.own_energy);
    }
    let watts = design_power(&record.cpu_name)?;
    Ok(json!({ "joules": sum.0, "cpu_seconds": used, "watts": watts }))
}

fn start() -> eco2ai::Result<Run> {
    Tracker::builder().build()?.start()
}

/// Keeps one core busy.
fn burn(seconds: f64) {
    let begun = Instant::now();
    while begun.elapsed().as_secs_f64() < seconds {
        std::hint::black_box(begun);
    }
}

fn cpu_seconds() -> Result<f64> {
    let used = LinuxUsage::new().read().own_cpu.ok_or("no CPU time")?;
    Ok(used.as_secs_f64())
}

/// The watts in a name such as `AMD EPYC/1 device(s), TDP:8.0`.
fn design_power(cpu_name: &str) -> Result<f64> {
    Ok(cpu_name.rsplit("TDP:").next().ok_or("no TDP")?.trim().parse()?)
}

fn resident_bytes() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? * 1024.0)
}
