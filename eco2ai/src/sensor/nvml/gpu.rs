//! One NVIDIA GPU as a sensor.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nvml_wrapper::Device;
use nvml_wrapper::enum_wrappers::device::TemperatureSensor;
use nvml_wrapper::error::NvmlError;

use super::contexts::{BoardUse, Contexts};
use super::library::{LIBRARIES, visible_boards};
use super::power_gauge::{PowerGauge, PowerLimit};
use crate::report;
use crate::sensor::bounds::Bounds;
use crate::sensor::component::Component;
use crate::sensor::found::Found;
use crate::sensor::reading::{Quality, Reading, SensorError};
use crate::sensor::roots::Roots;
use crate::sensor::sensor::{DeviceProperties, Sensor};
use crate::sensor::share::Share;
use crate::units::{Joules, Watts};

const SOURCE: &str = "nvml";
const PROC: &str = "/proc";

/// The counter is refreshed every 20 to 100 ms.
const TICK: Duration = Duration::from_millis(100);

/// One NVIDIA GPU, read through an energy counter if the GPU has one, else through a power gauge.
///
/// The counter restarts when the driver is reloaded. The value then falls, and the meter continues
/// from the new value. A power far above the limit of the GPU is a missing reading.
///
/// The energy of a GPU belongs to this process while one of its processes has a context on it, and
/// is divided by the use of the multiprocessors where other processes have one too. It does not
/// while nobody, or only others, have one. In a container whose process ids cannot be compared with
/// those of the driver, all visible GPUs are counted ([`Share::WholeThoughShared`]).
///
/// ```
/// use eco2ai::sensor::{NvidiaGpu, Sensor as _};
///
/// match NvidiaGpu::all() {
///     Ok(boards) => boards.iter().for_each(|board| println!("{}", board.name())),
///     Err(error) => println!("no board: {error}"),
/// }
/// ```
#[derive(Debug)]
pub struct NvidiaGpu {
    device: Arc<Device<'static>>,
    name: String,
    uuid: String,
    readout: Readout,
    gauge: Option<PowerGauge>,
    limit: PowerLimit,
    /// The place of this GPU among those that were found with it.
    place: usize,
    contexts: Arc<Contexts>,
    /// When the last sample of utilization was taken, in NVML's microseconds.
    last_sample: u64,
    last_fraction: Option<f64>,
}

/// The GPUs that a program may use.
#[derive(Debug, Default)]
struct VisibleGpus {
    readable: Vec<NvidiaGpu>,
    /// The name of each GPU that cannot be read, and the reason.
    unreadable: Vec<(String, String)>,
}

/// How the device is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Readout {
    Counter,
    Gauge(PowerGauge),
}

impl Readout {
    /// Finds the calls that the device supports, so that the others are not made again.
    fn find(
        device: &Device<'_>,
        limit: PowerLimit,
    ) -> Result<(Self, Option<PowerGauge>), NvmlError> {
        let gauge = PowerGauge::find(device, limit);
        // A counter that shows 0 does not count. The counter of Grace Hopper includes the CPU, which
        // is measured on its own.
        let has_counter = device.total_energy_consumption().is_ok_and(|energy| energy > 0)
            && !(gauge.is_some() && device.name().is_ok_and(|name| name.contains("GH200")));
        if has_counter {
            return Ok((Self::Counter, gauge));
        }
        match gauge {
            Some(gauge) => Ok((Self::Gauge(gauge), Some(gauge))),
            None => Err(device.power_usage().err().unwrap_or(NvmlError::NotSupported)),
        }
    }
}

impl NvidiaGpu {
    /// Returns the GPUs that this program may use, as selected by `CUDA_VISIBLE_DEVICES`.
    ///
    /// ```
    /// use eco2ai::sensor::{NvidiaGpu, Sensor};
    ///
    /// match NvidiaGpu::all() {
    ///     Ok(gpus) => gpus.iter().for_each(|gpu| println!("{}", gpu.name())),
    ///     Err(error) => println!("no NVIDIA GPU: {error}"),
    /// }
    /// ```
    ///
    /// A GPU that cannot be read is left out, with a warning.
    ///
    /// # Errors
    /// Returns [`SensorError::Missing`] if NVML is not installed or cannot be initialized.
    pub fn all() -> Result<Vec<Self>, SensorError> {
        VisibleGpus::find_installed(Path::new(PROC)).map(VisibleGpus::into_readable)
    }

    /// Same as [`all`](Self::all), but with a given library (a path or name of NVML) and given
    /// values of `CUDA_VISIBLE_DEVICES` and `CUDA_DEVICE_ORDER`. Only with the feature `test-util`.
    ///
    /// # Errors
    /// Returns [`SensorError::Missing`] if the library cannot be loaded or initialized.
    #[cfg(feature = "test-util")]
    pub fn all_from(
        library: &OsStr,
        visible: Option<&str>,
        order: Option<&str>,
    ) -> Result<Vec<Self>, SensorError> {
        VisibleGpus::find(library, visible, order, Path::new(PROC)).map(VisibleGpus::into_readable)
    }

    /// Returns all GPUs of a given library, with the processes under `proc` instead of those under
    /// `/proc`. Only with the feature `test-util`.
    ///
    /// # Errors
    /// Returns [`SensorError::Missing`] if the library cannot be loaded or initialized.
    #[cfg(feature = "test-util")]
    pub fn all_beside(library: &OsStr, proc: &Path) -> Result<Vec<Self>, SensorError> {
        VisibleGpus::find(library, None, None, proc).map(VisibleGpus::into_readable)
    }

    /// Returns the UUID of the GPU, `GPU-…`.
    pub fn uuid(&self) -> &str {
        &self.uuid
    }

    fn error(&self, error: &NvmlError) -> SensorError {
        let text = format!("{} ({}): {error}", self.name, self.uuid);
        match error {
            NvmlError::GpuLost => SensorError::Lost(text),
            _ => SensorError::Missing(text),
        }
    }

    /// Returns the power that the GPU reports, unless it is far above its limit.
    fn power_by(&mut self, gauge: PowerGauge) -> Result<Watts, SensorError> {
        let power = gauge.read(&self.device).map_err(|error| self.error(&error))?;
        if !self.limit.allows(power) {
            // It may have been raised.
            self.limit = PowerLimit::read(&self.device);
        }
        if self.limit.allows(power) {
            return Ok(power);
        }
        Err(SensorError::Missing(format!(
            "{} ({}): the power that it reports is above its limit of {}",
            self.name, self.uuid, self.limit
        )))
    }

    /// Returns the part of the work since the last call that was done for `processes`. While nobody
    /// works, it is that of the last work; before the first work, `part_of_contexts`. `None` if the
    /// device does not report it.
    fn fraction(&mut self, processes: &[u32], part_of_contexts: f64) -> Option<f64> {
        let samples = match self.device.process_utilization_stats(self.last_sample) {
            Ok(samples) => samples,
            // No process has worked since the last sample.
            Err(NvmlError::NotFound) => Vec::new(),
            Err(_) => return None,
        };
        let (mut ours, mut all) = (0_u64, 0_u64);
        for sample in samples.iter().filter(|sample| sample.sm_util <= 100) {
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
        Some(self.last_fraction.unwrap_or(part_of_contexts))
    }
}

impl VisibleGpus {
    /// Finds the GPUs by the installed library and the variables of the program's environment.
    fn find_installed(proc: &Path) -> Result<Self, SensorError> {
        let visible = std::env::var("CUDA_VISIBLE_DEVICES").ok();
        let order = std::env::var("CUDA_DEVICE_ORDER").ok();
        let mut reason = None;
        for library in LIBRARIES {
            match Self::find(library.as_ref(), visible.as_deref(), order.as_deref(), proc) {
                Ok(gpus) => return Ok(gpus),
                Err(error) => reason = reason.or(Some(error)),
            }
        }
        Err(reason.unwrap_or_else(|| SensorError::Missing("no driver for this system".into())))
    }

    fn find(
        library: &OsStr,
        visible: Option<&str>,
        order: Option<&str>,
        proc: &Path,
    ) -> Result<Self, SensorError> {
        let boards = visible_boards(library, visible, order).map_err(|error| {
            SensorError::Missing(match error {
                NvmlError::LibloadingError(error) => format!("no driver: {error}"),
                error => format!("NVML: {error}"),
            })
        })?;
        let mut found = Vec::new();
        let mut unreadable = Vec::new();
        for board in boards {
            let mut name = format!("NVIDIA GPU {}", board.number);
            let opened = board.device.and_then(|device| {
                if let Ok(model) = device.name() {
                    name = format!("{name} ({model})");
                }
                let limit = PowerLimit::read(&device);
                let (readout, gauge) = Readout::find(&device, limit)?;
                Ok((readout, gauge, limit, Arc::new(device)))
            });
            match opened {
                Ok(opened) => found.push(opened),
                Err(error) => unreadable.push((name, format!("cannot be read: {error}"))),
            }
        }
        let devices = found.iter().map(|(.., device)| Arc::clone(device)).collect();
        let contexts = Arc::new(Contexts::new(devices, proc));
        let found = found.into_iter().enumerate();
        let readable = found.map(|(place, (readout, gauge, limit, device))| NvidiaGpu {
            name: device.name().unwrap_or_else(|_| "NVIDIA GPU".into()),
            uuid: device.uuid().unwrap_or_default(),
            readout,
            gauge,
            limit,
            device,
            place,
            contexts: Arc::clone(&contexts),
            last_sample: 0,
            last_fraction: None,
        });
        Ok(Self { readable: readable.collect(), unreadable })
    }

    fn into_readable(self) -> Vec<NvidiaGpu> {
        for (name, why) in &self.unreadable {
            report::warn_once(&format!("{name} {why}; it is not counted"));
        }
        self.readable
    }
}

/// Adds the devices that this program may use, or the reason why there are none.
pub(crate) fn detect(roots: &Roots, found: &mut Found) {
    let gpus = match &roots.nvml {
        None => VisibleGpus::find_installed(&roots.proc),
        Some(library) => VisibleGpus::find(library, None, None, &roots.proc),
    };
    let VisibleGpus { readable, unreadable } = match gpus {
        Ok(gpus) => gpus,
        Err(error) => return found.add_missing("NVIDIA GPU", error.to_string(), None),
    };
    if readable.is_empty() && unreadable.is_empty() {
        found.add_missing(
            "NVIDIA GPU",
            "there is a driver, but no GPU that this program may use (CUDA_VISIBLE_DEVICES)",
            None,
        );
    }
    for gpu in readable {
        found.add(gpu);
    }
    for (name, why) in unreadable {
        found.add_unreadable(Component::Gpu, SOURCE, name, why, None);
    }
}

impl Sensor for NvidiaGpu {
    fn source(&self) -> &'static str {
        SOURCE
    }

    fn component(&self) -> Component {
        Component::Gpu
    }

    fn read(&mut self) -> Result<Reading, SensorError> {
        match self.readout {
            Readout::Counter => {
                let millijoules =
                    self.device.total_energy_consumption().map_err(|error| self.error(&error))?;
                Ok(Reading::Energy(Joules(millijoules as f64 * 1e-3)))
            }
            Readout::Gauge(gauge) => Ok(Reading::Power(self.power_by(gauge)?)),
        }
    }

    /// Such as `NVIDIA A100-SXM4-40GB`.
    fn name(&self) -> String {
        self.name.clone()
    }

    fn quality(&self) -> Quality {
        match self.readout {
            Readout::Counter => Quality::Measured,
            Readout::Gauge(_) => Quality::Sampled,
        }
    }

    /// On these boards the power is measured for a quarter of the time only, so samples of it may be
    /// off by more than the published error. Source: "Part-time Power Measurements", arXiv
    /// 2312.02741.
    fn bounds(&self, quality: Quality) -> Bounds {
        let is_part_time = ["A100", "H100"].iter().any(|board| self.name.contains(board));
        if is_part_time && quality == Quality::Sampled {
            return Bounds::UNKNOWN;
        }
        Bounds::published(Component::Gpu, "nvml", quality)
    }

    fn how(&self) -> String {
        match self.readout {
            Readout::Counter => "energy counter",
            Readout::Gauge(PowerGauge::Instant) => "power, sampled",
            Readout::Gauge(PowerGauge::Usage) => {
                "power (average of a second on newer boards), sampled"
            }
        }
        .into()
    }

    fn properties(&self) -> DeviceProperties {
        DeviceProperties {
            temperature_celsius: self.device.temperature(TemperatureSensor::Gpu).ok(),
            memory_bytes: self.device.memory_info().ok().map(|memory| memory.total),
            power_limit: self.limit.watts(),
        }
    }

    fn tick(&self) -> Duration {
        match self.readout {
            Readout::Counter => TICK,
            Readout::Gauge(_) => Duration::ZERO,
        }
    }

    fn power(&mut self) -> Option<Watts> {
        self.reported_power()
    }

    fn reported_power(&mut self) -> Option<Watts> {
        self.power_by(self.gauge?).ok()
    }

    fn share(&mut self, processes: &[u32]) -> Share {
        match self.contexts.on_board(self.place, processes) {
            BoardUse::Ours => Share::Whole,
            BoardUse::NotOurs => Share::Fraction(0.0),
            BoardUse::Shared { part } => {
                self.fraction(processes, part).map_or(Share::WholeThoughShared, Share::Fraction)
            }
            BoardUse::Unknown => Share::WholeThoughShared,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_the_library_the_devices_are_missing() {
        let library = "/nowhere/libnvidia-ml.so.1".as_ref();
        let error = VisibleGpus::find(library, None, None, Path::new(PROC));
        assert!(matches!(error, Err(SensorError::Missing(_))));
    }
}
