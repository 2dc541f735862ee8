//! The sensors of an Apple chip's parts, and the thread that reads the chip.
//!
//! macOS reports the energy of the CPU, the GPU, the neural engine and the memory to every user
//! (`IOReport`, group "Energy Model"), but only as the difference of two readings some time apart.
//! The crate `macmon` takes these. This compiles; it has not been run on a Mac.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use macmon::{Metrics, Sampler};

use super::energy_sum::{EnergySum, Part, Powers};
use crate::sensor::component::Component;
use crate::sensor::cpu_info::CpuInfo;
use crate::sensor::found::Found;
use crate::sensor::reading::{Quality, Reading, SensorError};
use crate::sensor::sensor::Sensor;
use crate::sensor::share::Share;
use crate::units::Watts;

const SOURCE: &str = "apple";
/// The time between two readings of the chip.
const INTERVAL: Duration = Duration::from_secs(1);
/// The first interval, for which the detection waits.
const FIRST_INTERVAL: Duration = Duration::from_millis(50);
/// The longest wait for the first interval, with the search for the chip's counters.
const MAX_WAIT: Duration = Duration::from_secs(2);

/// The energy of one part of the chip.
struct ChipPart {
    part: Part,
    chip: String,
    sum: Arc<EnergySum>,
}

impl Sensor for ChipPart {
    fn source(&self) -> &str {
        SOURCE
    }

    fn component(&self) -> Component {
        self.part.component()
    }

    fn read(&mut self) -> Result<Reading, SensorError> {
        self.sum.read(self.part).map(Reading::Energy)
    }

    fn name(&self) -> String {
        format!("{} {}", self.chip, self.part.name())
    }

    fn quality(&self) -> Quality {
        Quality::Measured
    }

    fn how(&self) -> String {
        "the chip's own account of its energy".into()
    }

    fn tick(&self) -> Duration {
        INTERVAL
    }

    fn share(&mut self, _: &[u32]) -> Share {
        Share::by_usage(self.component())
    }
}

/// Adds the parts of the chip that report their energy.
pub(crate) fn detect(cpu: &CpuInfo, found: &mut Found) {
    const WHAT: &str = "energy of the Apple chip";
    if cpu.is_virtual {
        found.add_missing(WHAT, "virtual machines do not show it", None);
        return;
    }
    let sum = Arc::new(EnergySum::new());
    let (sender, first) = sync_channel(1);
    let thread = std::thread::Builder::new().name("eco2ai-chip".into());
    let weak = Arc::downgrade(&sum);
    if let Err(error) = thread.spawn(move || run(&weak, &sender)) {
        found.add_missing(WHAT, format!("no thread to read it: {error}"), None);
        return;
    }
    let powers = match first.recv_timeout(MAX_WAIT) {
        Ok(Ok(first)) => first,
        Ok(Err(why)) => return found.add_missing(WHAT, why, None),
        Err(_) => return found.add_missing(WHAT, "it cannot be read", None),
    };
    for (part, power) in Part::ALL.into_iter().zip(powers) {
        if power.0 > 0.0 || part.may_be_zero() {
            found.add(ChipPart { part, chip: cpu.brand.clone(), sum: Arc::clone(&sum) });
        }
    }
}

/// The power of the parts in the first interval, or why there is none.
type First = Result<Powers, String>;

/// Reads the chip until no sensor is left. What `macmon` does when it panics ends only this thread.
fn run(sum: &Weak<EnergySum>, first: &SyncSender<First>) {
    let read = catch_unwind(AssertUnwindSafe(|| read_chip(sum, first)));
    let why = match read {
        Ok(Ok(())) => return,
        Ok(Err(why)) => why,
        Err(_) => "reading it panicked".into(),
    };
    if let Some(sum) = sum.upgrade() {
        sum.end();
    }
    // Nobody waits for it after the first interval.
    let _ = first.try_send(Err(why));
}

fn read_chip(sum: &Weak<EnergySum>, first: &SyncSender<First>) -> Result<(), String> {
    let mut sampler = Sampler::new().map_err(|error| error.to_string())?;
    let mut next = |interval: Duration| {
        let milliseconds = u32::try_from(interval.as_millis()).unwrap_or(u32::MAX);
        sampler.get_metrics(milliseconds).map(|it| powers(&it)).map_err(|error| error.to_string())
    };
    let mut read_at = Instant::now();
    let first_powers = next(FIRST_INTERVAL)?;
    let mut update = |sum: &EnergySum, powers: &Powers| {
        let now = Instant::now();
        sum.add(powers, now.duration_since(read_at));
        read_at = now;
    };
    update(&*sum.upgrade().ok_or("nobody reads it")?, &first_powers);
    let _ = first.try_send(Ok(first_powers));
    loop {
        let powers = next(INTERVAL)?;
        let Some(sum) = sum.upgrade() else { return Ok(()) };
        update(&sum, &powers);
    }
}

/// The powers in the order of [`Part::ALL`]. The memory of the GPU is in the chip, and counts as the
/// GPU's.
fn powers(metrics: &Metrics) -> Powers {
    [
        metrics.cpu_power,
        metrics.gpu_power + metrics.gpu_ram_power,
        metrics.ram_power,
        metrics.ane_power,
    ]
    .map(|watts| Watts(watts.into()))
}
