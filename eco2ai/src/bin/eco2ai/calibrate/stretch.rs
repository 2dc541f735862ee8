//! One stretch of a calibration: the machine idle, or all of its CPUs busy.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, scope, sleep};
use std::time::{Duration, Instant};

use eco2ai::meter::Meter;
use eco2ai::sensor::{Quality, Usage, UsageSource};
use eco2ai::units::{Joules, KilowattHours, Watts};
use eco2ai::{CpuProcesses, Method, Record, Rows, Tracker};
use serde::Serialize;

use crate::failure::{Failure, Result};

/// What the machine does during a stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Load {
    /// Nothing, if no other process does.
    Idle,
    /// This many threads compute.
    Full { threads: u32 },
}

/// What was measured during a stretch.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Stretch {
    /// The power of the processors. Like the next two, `None` if it was not measured completely.
    #[serde(rename = "cpu_watts")]
    pub(super) cpu: Option<Watts>,
    /// The power of memory.
    #[serde(rename = "ram_watts")]
    pub(super) ram: Option<Watts>,
    /// The power of the GPUs.
    #[serde(rename = "gpu_watts")]
    pub(super) gpu: Option<Watts>,
    /// The power of the whole machine.
    #[serde(rename = "machine_watts")]
    pub(super) machine: Option<Watts>,
    /// The part of all CPUs that was busy, from 0 to 1; `None` if it is not known.
    pub(super) busy: Option<f64>,
    /// The part of all CPUs that other processes kept busy.
    #[serde(rename = "others_busy")]
    pub(super) others: Option<f64>,
    /// The used memory of the machine in GiB.
    #[serde(rename = "used_memory_gib")]
    pub(super) used_memory: Option<f64>,
}

const GIBIBYTE: f64 = (1_u64 << 30) as f64;

/// Measures a stretch of `time`. Clocks and temperatures settle during its first half, so only its
/// second half counts. `at_end` is called while the load is still there.
///
/// The run that measures is discarded, and its state is never written, because it is shorter than
/// its period.
pub(super) fn measure(
    meter: &Meter,
    usage: &mut dyn UsageSource,
    load: Load,
    time: Duration,
    at_end: impl FnOnce(&mut Stretch) -> Result<()>,
) -> Result<Stretch> {
    let tracker = Tracker::builder()
        .meter(meter)
        .cpu_processes(CpuProcesses::All)
        .rows(Rows::Each)
        // No file can be there: it would be in a folder with the name of a file.
        .file(std::env::current_exe().unwrap_or_default().join("none.csv"))
        .measure_period(3600.0)
        .pue(1.0)
        .forget()
        .build()?;
    with_load(load, || {
        sleep(time / 2);
        usage.refresh();
        let (begun, before) = (Instant::now(), usage.read());
        let run = tracker.start()?;
        sleep(time / 2);
        let record = run.snapshot();
        let (passed, after) = (begun.elapsed(), usage.read());
        run.discard();
        let mut measured = Stretch::new(&record).with_usage(&before, &after, passed);
        at_end(&mut measured)?;
        Ok(measured)
    })
}

/// Calls `work` while the load is there.
fn with_load<T>(load: Load, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let Load::Full { threads } = load else { return work() };
    let ended = AtomicBool::new(false);
    scope(|scope| {
        let started = (0..threads).try_for_each(|_| {
            Builder::new().spawn_scoped(scope, || compute_until(&ended)).map(|_| ())
        });
        let result = match started {
            Ok(()) => work(),
            Err(error) => Err(Failure::new(format!("a thread per CPU: {error}"))),
        };
        ended.store(true, Ordering::Relaxed);
        result
    })
}

/// Integer and floating-point arithmetic, as in most programs. Code that uses wide vectors only can
/// take more power.
fn compute_until(ended: &AtomicBool) {
    let (mut integer, mut real) = (1_u64, 1.0_f64);
    while !ended.load(Ordering::Relaxed) {
        for _ in 0..10_000 {
            integer = integer.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            real = real * 0.999_999 + 1e-6;
        }
        black_box((integer, real));
    }
}

impl Stretch {
    /// Takes the measured powers from the record of a run of the whole machine.
    fn new(record: &Record) -> Self {
        let seconds = record.duration.as_secs_f64();
        let power = |energy: KilowattHours| Watts(Joules::from(energy).0 / seconds);
        let measured = |energy: Option<KilowattHours>, method: &Method| {
            let is_measured = method.quality().is_some_and(|it| it > Quality::Estimated);
            energy.filter(|_| is_measured && !method.is_partial()).map(power)
        };
        let is_total = record.other_method.is_rest() && !record.other_method.is_partial();
        Self {
            cpu: measured(record.cpu_energy, &record.cpu_method),
            ram: measured(record.ram_energy, &record.ram_method),
            gpu: measured(record.gpu_energy, &record.gpu_method),
            machine: is_total.then(|| power(record.energy)),
            ..Self::default()
        }
    }

    /// Adds how busy the CPUs were, and the memory in use.
    fn with_usage(mut self, before: &Usage, after: &Usage, passed: Duration) -> Self {
        self.used_memory = after.used_memory.map(|bytes| bytes as f64 / GIBIBYTE);
        let available = passed.as_secs_f64() * after.cpus;
        let part = |before: Option<Duration>, after: Option<Duration>| {
            let taken = after?.saturating_sub(before?).as_secs_f64();
            (available > 0.0).then(|| (taken / available).min(1.0))
        };
        if after.of_container {
            return self;
        }
        self.busy = part(before.busy_cpu, after.busy_cpu);
        let own = part(before.own_cpu, after.own_cpu);
        self.others = self.busy.zip(own).map(|(busy, own)| (busy - own).max(0.0));
        self
    }
}

#[cfg(test)]
mod tests {
    use eco2ai::sensor::{Component, CpuModel, Reading, Sensor, SensorError};

    use super::*;

    /// Shows a constant power.
    struct Gauge(Component, f64);

    impl Sensor for Gauge {
        fn source(&self) -> &'static str {
            "gauge"
        }

        fn component(&self) -> Component {
            self.0
        }

        fn read(&mut self) -> std::result::Result<Reading, SensorError> {
            Ok(Reading::Power(Watts(self.1)))
        }
    }

    /// A machine with two CPUs. Between two readings, a second of CPU time, of which half is ours.
    struct HalfOfTwo(u64);

    impl UsageSource for HalfOfTwo {
        fn read(&mut self) -> Usage {
            self.0 += 1;
            let mut usage = Usage::default();
            usage.cpus = 2.0;
            usage.own_cpu = Some(Duration::from_millis(500 * self.0));
            usage.busy_cpu = Some(Duration::from_secs(self.0));
            usage.used_memory = Some(3 << 30);
            usage
        }

        fn refresh(&mut self) {}

        fn processes(&self) -> &[u32] {
            &[]
        }
    }

    const SHORT: Duration = Duration::from_millis(400);

    /// The energy and the duration of a run that has not ended are read one after the other.
    fn near(power: Option<Watts>, watts: f64) -> bool {
        power.is_some_and(|it| (it.0 / watts - 1.0).abs() < 0.2)
    }

    #[test]
    fn the_measured_powers_are_those_of_the_whole_machine() {
        let meter = Meter::builder(HalfOfTwo(0))
            .sensor(Gauge(Component::Cpu, 40.0))
            .sensor(Gauge(Component::Ram, 4.0))
            .sensor(Gauge(Component::Machine, 90.0))
            .build();
        let it = measure(&meter, &mut HalfOfTwo(0), Load::Idle, SHORT, |_| Ok(())).unwrap();
        assert!(near(it.cpu, 40.0) && near(it.ram, 4.0) && near(it.machine, 90.0), "{it:?}");
        assert_eq!((it.gpu, it.used_memory), (None, Some(3.0)));
    }

    #[test]
    fn what_is_only_estimated_was_not_measured() {
        let meter = Meter::builder(HalfOfTwo(0)).sensor(CpuModel::from_watts(Watts(65.0))).build();
        let it = measure(&meter, &mut HalfOfTwo(0), Load::Idle, SHORT, |_| Ok(())).unwrap();
        assert_eq!((it.cpu, it.machine), (None, None));
    }

    #[test]
    fn the_load_of_others_is_what_is_busy_and_not_ours() {
        let (before, after) = (HalfOfTwo(0).read(), HalfOfTwo(4).read());
        let passed = Duration::from_secs(8);
        let it = Stretch::default().with_usage(&before, &after, passed);
        assert_eq!((it.busy, it.others), (Some(0.25), Some(0.125)));
        let mut hidden = after;
        hidden.of_container = true;
        assert_eq!(Stretch::default().with_usage(&before, &hidden, passed).others, None);
    }

    #[test]
    fn the_load_is_there_until_the_end_and_then_gone() {
        let threads = || std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count);
        let meter = Meter::builder(HalfOfTwo(0)).build();
        let load = Load::Full { threads: 3 };
        let before = threads();
        let mut during = 0;
        measure(&meter, &mut HalfOfTwo(0), load, SHORT, |_| {
            during = threads();
            Ok(())
        })
        .unwrap();
        assert!(!cfg!(target_os = "linux") || during >= before + 3, "{before} {during}");
    }
}
