//! NVIDIA GPUs through NVML, the library that comes with their driver.

use std::ffi::{OsStr, OsString};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nvml_wrapper::enum_wrappers::device::{Clock, TemperatureSensor};
use nvml_wrapper::enums::device::SampleValue;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::structs::device::FieldId;
use nvml_wrapper::sys_exports::field_id::NVML_FI_DEV_POWER_INSTANT;
use nvml_wrapper::{Device, Nvml};

use super::visible_devices::{Candidate, choose};
use super::{Component, Quality, Reading, Sensor, SensorError, Share};
use crate::locks::{Lock, Rank};
use crate::report;
use crate::units::{Joules, Watts};

/// Where the driver installs the library; the second is a development link.
#[cfg(target_os = "linux")]
const LIBRARIES: &[&str] = &["libnvidia-ml.so.1", "libnvidia-ml.so"];
#[cfg(windows)]
const LIBRARIES: &[&str] = &["nvml.dll", r"C:\Program Files\NVIDIA Corporation\NVSMI\nvml.dll"];
/// There is no driver for other systems.
#[cfg(not(any(target_os = "linux", windows)))]
const LIBRARIES: &[&str] = &[];

/// The counter is refreshed every 20 to 100 ms.
const TICK: Duration = Duration::from_millis(100);

/// One NVIDIA GPU: a counter of energy where it has one, else a gauge of power.
///
/// The counter starts anew when the driver is loaded anew: the value then falls, and the meter
/// goes on from there.
#[derive(Debug)]
pub struct NvidiaGpu {
    device: Arc<Device<'static>>,
    name: String,
    uuid: String,
    way: Way,
    gauge: Option<Gauge>,
    comparison: Option<Comparison>,
    /// This device's place among those that were chosen with it.
    place: usize,
    siblings: Arc<Siblings>,
    /// When the last sample of utilisation was taken, in NVML's microseconds.
    last_sample: u64,
    last_fraction: Option<f64>,
}

/// How the device is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Counter,
    Gauge(Gauge),
}

/// Which power the device tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gauge {
    /// Of this moment.
    Instant,
    /// On Ampere and later the average over the last second.
    Usage,
}

/// The devices that the program may use, to tell on which of them it has a context.
#[derive(Debug)]
struct Siblings {
    devices: Vec<Arc<Device<'static>>>,
    state: Lock<Contexts>,
}

#[derive(Debug, Default)]
struct Contexts {
    /// Whether one of our processes has a context on each device; `None` where nobody has looked.
    has_ours: Vec<Option<bool>>,
    /// A process id has matched once: NVML counts processes as we do, which it does not from
    /// within a container.
    is_matched: bool,
}

/// What `available_devices` shows of a GPU beside its name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) temperature_celsius: Option<u32>,
    pub(crate) memory_bytes: Option<u64>,
    pub(crate) power_limit: Option<Watts>,
}

impl NvidiaGpu {
    /// The devices that this program may use, by `CUDA_VISIBLE_DEVICES`.
    ///
    /// # Errors
    /// [`SensorError::Missing`] where there is no NVML, or it does not start.
    pub fn all() -> Result<Vec<Self>, SensorError> {
        let visible = std::env::var("CUDA_VISIBLE_DEVICES").ok();
        let order = std::env::var("CUDA_DEVICE_ORDER").ok();
        let mut reason = None;
        for library in LIBRARIES {
            match Self::all_from(library.as_ref(), visible.as_deref(), order.as_deref()) {
                Ok(devices) => return Ok(devices),
                Err(error) => reason = reason.or(Some(error)),
            }
        }
        Err(reason.unwrap_or_else(|| SensorError::Missing("no driver for this system".into())))
    }

    /// The devices that `library`, a path or name of NVML, tells of, as chosen by the values of
    /// `CUDA_VISIBLE_DEVICES` and `CUDA_DEVICE_ORDER`. A device that can be read in no way is left
    /// out, and the user is told.
    ///
    /// # Errors
    /// [`SensorError::Missing`] where the library does not load or start.
    pub fn all_from(
        library: &OsStr,
        visible: Option<&str>,
        order: Option<&str>,
    ) -> Result<Vec<Self>, SensorError> {
        let missing = |error: &NvmlError| {
            SensorError::Missing(match error {
                NvmlError::LibloadingError(error) => format!("no driver: {error}"),
                error => format!("NVML: {error}"),
            })
        };
        let nvml = load(library).map_err(|error| missing(&error))?;
        let count = nvml.device_count().map_err(|error| missing(&error))?;
        let mut boards: Vec<Board> = (0..count).map(|index| Board::find(nvml, index)).collect();
        // The order of the bus is NVML's own; sorted all the same, because the choice rests on it.
        boards.sort_by_key(|board| (board.bus.is_none(), board.bus));
        let candidates: Vec<Candidate> =
            boards.iter().map(|board| board.candidate(visible.is_some())).collect();
        let chosen = choose(visible, order, &candidates);

        let mut found = Vec::new();
        for (index, board) in boards.into_iter().enumerate() {
            if !chosen.contains(&index) {
                continue;
            }
            match board.device.and_then(|device| Ok((way(&device)?, device))) {
                Ok(((way, gauge), device)) => found.push((way, gauge, Arc::new(device))),
                Err(error) => report::warn_once(&format!(
                    "NVIDIA GPU {index} cannot be read and is not counted: {error}"
                )),
            }
        }
        let siblings = Arc::new(Siblings {
            devices: found.iter().map(|(_, _, device)| Arc::clone(device)).collect(),
            state: Lock::new(
                Rank::Nvml,
                Contexts { has_ours: vec![None; found.len()], is_matched: false },
            ),
        });
        let gpus = found.into_iter().enumerate().map(|(place, (way, gauge, device))| Self {
            name: device.name().unwrap_or_else(|_| "NVIDIA GPU".into()),
            uuid: device.uuid().unwrap_or_default(),
            way,
            gauge,
            comparison: (way == Way::Counter && gauge.is_some()).then(Comparison::default),
            device,
            place,
            siblings: Arc::clone(&siblings),
            last_sample: 0,
            last_fraction: None,
        });
        Ok(gpus.collect())
    }

    /// Its name, such as `NVIDIA A100-SXM4-40GB`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its id, `GPU-…`.
    pub fn uuid(&self) -> &str {
        &self.uuid
    }

    pub(crate) fn facts(&self) -> Facts {
        let limit = self.device.enforced_power_limit().ok();
        Facts {
            temperature_celsius: self.device.temperature(TemperatureSensor::Gpu).ok(),
            memory_bytes: self.device.memory_info().ok().map(|memory| memory.total),
            power_limit: limit.map(|milliwatts| Watts(f64::from(milliwatts) * 1e-3)),
        }
    }

    pub(crate) fn quality(&self) -> Quality {
        match self.way {
            Way::Counter => Quality::Measured,
            Way::Gauge(_) => Quality::Sampled,
        }
    }

    /// How it is read, in words.
    pub(crate) fn basis(&self) -> &'static str {
        match self.way {
            Way::Counter => "energy counter",
            Way::Gauge(Gauge::Instant) => "power, sampled",
            Way::Gauge(Gauge::Usage) => "power (average of a second on newer boards), sampled",
        }
    }

    fn error(&self, error: &NvmlError) -> SensorError {
        let text = format!("{} ({}): {error}", self.name, self.uuid);
        match error {
            NvmlError::GpuLost => SensorError::Lost(text),
            _ => SensorError::Missing(text),
        }
    }

    /// Compares the counter with the power while the first seconds last.
    fn compare(&mut self, energy: Joules) {
        let (Some(comparison), Some(gauge)) = (&mut self.comparison, self.gauge) else { return };
        let Ok(power) = gauge.read(&self.device) else { return };
        let Some(ratio) = comparison.add(Instant::now(), energy, power) else { return };
        self.comparison = None;
        if (ratio - 1.0).abs() > MOST_DISAGREEMENT {
            report::warn_once(&format!(
                "{} ({}): its energy counter tells {:.0} % of what its power adds up to; the \
                 counter is used, so take its figures with care",
                self.name,
                self.uuid,
                ratio * 100.0
            ));
        }
    }

    /// The part that our processes have in the device's work since the last question.
    fn fraction(&mut self, processes: &[u32]) -> Option<f64> {
        let samples = self.device.process_utilization_stats(self.last_sample).ok()?;
        let (mut ours, mut all) = (0_u64, 0_u64);
        for sample in samples {
            self.last_sample = self.last_sample.max(sample.timestamp);
            let busy = u64::from(sample.sm_util);
            all += busy;
            if processes.contains(&sample.pid) {
                ours += busy;
            }
        }
        if all > 0 {
            self.last_fraction = Some(ours as f64 / all as f64);
        }
        self.last_fraction
    }
}

impl Sensor for NvidiaGpu {
    fn source(&self) -> &'static str {
        "nvml"
    }

    fn component(&self) -> Component {
        Component::Gpu
    }

    fn read(&mut self) -> Result<Reading, SensorError> {
        match self.way {
            Way::Counter => {
                let millijoules =
                    self.device.total_energy_consumption().map_err(|error| self.error(&error))?;
                let energy = Joules(millijoules as f64 * 1e-3);
                self.compare(energy);
                Ok(Reading::Energy(energy))
            }
            Way::Gauge(gauge) => {
                let power = gauge.read(&self.device).map_err(|error| self.error(&error))?;
                Ok(Reading::Power(power))
            }
        }
    }

    fn tick(&self) -> Duration {
        match self.way {
            Way::Counter => TICK,
            Way::Gauge(_) => Duration::ZERO,
        }
    }

    fn power(&mut self) -> Option<Watts> {
        self.gauge?.read(&self.device).ok()
    }

    fn share(&mut self, processes: &[u32]) -> Share {
        let Some(contexts) = processes_on(&self.device) else {
            return Share::WholeThoughShared;
        };
        let is_ours = contexts.iter().any(|pid| processes.contains(pid));
        let is_matched = self.siblings.note(self.place, is_ours, processes);
        if is_matched && !is_ours {
            return Share::Fraction(0.0);
        }
        // From within a container our own process is there under a number that we do not know.
        let is_shared = if is_ours {
            contexts.iter().any(|pid| !processes.contains(pid))
        } else {
            contexts.len() > 1
        };
        match (is_shared, is_ours) {
            (false, _) => Share::Whole,
            (true, true) => {
                self.fraction(processes).map_or(Share::WholeThoughShared, Share::Fraction)
            }
            (true, false) => Share::WholeThoughShared,
        }
    }
}

impl Siblings {
    /// Notes whether the device at `place` has a context of ours; returns whether any device ever
    /// had one.
    fn note(&self, place: usize, is_ours: bool, processes: &[u32]) -> bool {
        let mut state = self.state.lock();
        if let Some(slot) = state.has_ours.get_mut(place) {
            *slot = Some(is_ours);
        }
        // The first who asks looks at all: a device must not be charged until its turn comes.
        for (device, slot) in self.devices.iter().zip(&mut state.has_ours) {
            slot.get_or_insert_with(|| {
                let pids = processes_on(device).unwrap_or_default();
                pids.iter().any(|pid| processes.contains(pid))
            });
        }
        state.is_matched |= state.has_ours.contains(&Some(true));
        state.is_matched
    }
}

impl Gauge {
    fn read(self, device: &Device<'_>) -> Result<Watts, NvmlError> {
        let milliwatts = match self {
            Self::Usage => f64::from(device.power_usage()?),
            Self::Instant => {
                let values = device.field_values_for(&[FieldId(NVML_FI_DEV_POWER_INSTANT)])?;
                let sample = values.into_iter().next().ok_or(NvmlError::NoData)??;
                match sample.value? {
                    SampleValue::U32(value) => f64::from(value),
                    SampleValue::U64(value) => value as f64,
                    SampleValue::I64(value) => value as f64,
                    SampleValue::F64(value) => value,
                }
            }
        };
        Ok(Watts(milliwatts * 1e-3))
    }
}

/// Finds out which calls the device supports, so that the others are never made again.
fn way(device: &Device<'_>) -> Result<(Way, Option<Gauge>), NvmlError> {
    let gauge = [Gauge::Instant, Gauge::Usage].into_iter().find(|it| it.read(device).is_ok());
    // A counter that stands at 0 does not count. That of Grace Hopper holds the processor too,
    // which is measured by itself.
    let has_counter = device.total_energy_consumption().is_ok_and(|energy| energy > 0)
        && !(gauge.is_some() && device.name().is_ok_and(|name| name.contains("GH200")));
    if has_counter {
        return Ok((Way::Counter, gauge));
    }
    match gauge {
        Some(gauge) => Ok((Way::Gauge(gauge), Some(gauge))),
        None => Err(device.power_usage().err().unwrap_or(NvmlError::NotSupported)),
    }
}

/// The ids of the processes that have a context on the device; `None` where it does not tell.
fn processes_on(device: &Device<'_>) -> Option<Vec<u32>> {
    let compute = device.running_compute_processes();
    let graphics = device.running_graphics_processes();
    if compute.is_err() && graphics.is_err() {
        return None;
    }
    let mut pids: Vec<u32> =
        [compute, graphics].into_iter().flatten().flatten().map(|process| process.pid).collect();
    pids.sort_unstable();
    pids.dedup();
    Some(pids)
}

/// A device that NVML counts, whether or not it can be opened: it has a number in any case.
struct Board {
    /// Domain, bus and device on PCI; a device that does not tell comes last.
    bus: Option<(u32, u32, u32)>,
    device: Result<Device<'static>, NvmlError>,
}

impl Board {
    fn find(nvml: &'static Nvml, index: u32) -> Self {
        let device = nvml.device_by_index(index);
        let pci = device.as_ref().ok().and_then(|device| device.pci_info().ok());
        Self { bus: pci.map(|pci| (pci.domain, pci.bus, pci.device)), device }
    }

    fn candidate(&self, is_needed: bool) -> Candidate {
        let Some(device) = self.device.as_ref().ok().filter(|_| is_needed) else {
            return Candidate::default();
        };
        let parts = device.mig_device_count().unwrap_or(0);
        let mig_uuids =
            (0..parts).filter_map(|part| device.mig_device_by_index(part).ok()?.uuid().ok());
        let cores = device.num_cores().map_or(0, u64::from);
        let megahertz = device.max_clock_info(Clock::SM).map_or(0, u64::from);
        Candidate {
            uuid: device.uuid().unwrap_or_default(),
            mig_uuids: mig_uuids.collect(),
            speed: cores.saturating_mul(megahertz),
        }
    }
}

/// Loads NVML once per process and path; it stays loaded.
fn load(library: &OsStr) -> Result<&'static Nvml, NvmlError> {
    static LOADED: Lock<Vec<(OsString, &'static Nvml)>> = Lock::new(Rank::Nvml, Vec::new());
    let mut loaded = LOADED.lock();
    if let Some((_, nvml)) = loaded.iter().find(|(path, _)| path == library) {
        return Ok(nvml);
    }
    let nvml: &'static Nvml = Box::leak(Box::new(Nvml::builder().lib_path(library).init()?));
    loaded.push((library.into(), nvml));
    Ok(nvml)
}

/// A larger difference between counter and power is told. On some boards the counter is wrong
/// (Zeus, issue 181).
const MOST_DISAGREEMENT: f64 = 0.25;
/// How long counter and power are compared.
const COMPARED_FOR: Duration = Duration::from_secs(10);
const FEWEST_SAMPLES: u32 = 20;

/// Compares a counter with the integral of the power, once.
#[derive(Debug, Default)]
struct Comparison {
    first: Option<(Instant, Joules)>,
    last: Option<(Instant, Watts)>,
    integral: Joules,
    samples: u32,
}

impl Comparison {
    /// Takes a pair of readings; once there are enough, tells counted over integrated energy.
    fn add(&mut self, now: Instant, energy: Joules, power: Watts) -> Option<f64> {
        let (begun, first) = *self.first.get_or_insert((now, energy));
        if let Some((last, last_power)) = self.last.replace((now, power)) {
            let mean = (last_power + power) / 2.0;
            self.integral += mean * now.saturating_duration_since(last);
        }
        self.samples += 1;
        let is_enough = now.saturating_duration_since(begun) >= COMPARED_FOR
            && self.samples >= FEWEST_SAMPLES
            && self.integral > Joules::ZERO;
        is_enough.then(|| (energy - first).0 / self.integral.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(counted_watts: f64) -> Option<f64> {
        let begun = Instant::now();
        let mut comparison = Comparison::default();
        (0..=100_u32).find_map(|step| {
            let now = begun + Duration::from_millis(100) * step;
            let energy = Joules(500.0 + counted_watts * 0.1 * f64::from(step));
            comparison.add(now, energy, Watts(200.0))
        })
    }

    #[test]
    fn counter_and_power_are_compared_after_ten_seconds() {
        assert!((compared(200.0).unwrap() - 1.0).abs() < 1e-9);
        assert!((compared(100.0).unwrap() - 0.5).abs() < 1e-9);
    }

    #[test]
    fn without_the_library_the_devices_are_missing() {
        let error = NvidiaGpu::all_from("/nowhere/libnvidia-ml.so.1".as_ref(), None, None);
        assert!(matches!(error, Err(SensorError::Missing(_))));
    }
}
