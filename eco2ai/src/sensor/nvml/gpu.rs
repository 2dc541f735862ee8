//! One NVIDIA GPU as a sensor.

use std::ffi::OsStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nvml_wrapper::Device;
use nvml_wrapper::enum_wrappers::device::TemperatureSensor;
use nvml_wrapper::error::NvmlError;

use super::comparison::{Comparison, disagrees};
use super::contexts::{Siblings, processes_on};
use super::library::{LIBRARIES, visible_boards};
use super::power_gauge::PowerGauge;
use crate::report;
use crate::sensor::bounds::Bounds;
use crate::sensor::component::Component;
use crate::sensor::found::Found;
use crate::sensor::reading::{Quality, Reading, SensorError};
use crate::sensor::roots::Roots;
use crate::sensor::sensor::{DeviceProperties, Sensor};
use crate::sensor::share::Share;
use crate::units::{Joules, Watts};

/// The counter is refreshed every 20 to 100 ms.
const TICK: Duration = Duration::from_millis(100);

/// One NVIDIA GPU, read through an energy counter if the GPU has one, else through a power gauge.
///
/// The counter restarts when the driver is reloaded. The value then falls, and the meter continues
/// from the new value.
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
enum Readout {
    Counter,
    Gauge(PowerGauge),
}

impl Readout {
    /// Finds out which calls the device supports, so that the others are never made again.
    fn find(device: &Device<'_>) -> Result<(Self, Option<PowerGauge>), NvmlError> {
        let gauge = PowerGauge::find(device);
        // A counter that stands at 0 does not count. That of Grace Hopper holds the processor too,
        // which is measured by itself.
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
    /// # Errors
    /// Returns [`SensorError::Missing`] if NVML is not installed or cannot be initialized.
    pub fn all() -> Result<Vec<Self>, SensorError> {
        let visible = std::env::var("CUDA_VISIBLE_DEVICES").ok();
        let order = std::env::var("CUDA_DEVICE_ORDER").ok();
        let mut reason = None;
        for library in LIBRARIES {
            match Self::find(library.as_ref(), visible.as_deref(), order.as_deref()) {
                Ok(devices) => return Ok(devices),
                Err(error) => reason = reason.or(Some(error)),
            }
        }
        Err(reason.unwrap_or_else(|| SensorError::Missing("no driver for this system".into())))
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
        Self::find(library, visible, order)
    }

    /// Returns the visible devices of `library`. A device that cannot be read at all is left out,
    /// with a warning.
    fn find(
        library: &OsStr,
        visible: Option<&str>,
        order: Option<&str>,
    ) -> Result<Vec<Self>, SensorError> {
        let boards = visible_boards(library, visible, order).map_err(|error| {
            SensorError::Missing(match error {
                NvmlError::LibloadingError(error) => format!("no driver: {error}"),
                error => format!("NVML: {error}"),
            })
        })?;
        let mut found = Vec::new();
        for (index, board) in boards {
            match board.device.and_then(|device| Ok((Readout::find(&device)?, device))) {
                Ok(((readout, gauge), device)) => found.push((readout, gauge, Arc::new(device))),
                Err(error) => report::warn_once(&format!(
                    "NVIDIA GPU {index} cannot be read and is not counted: {error}"
                )),
            }
        }
        let siblings = Arc::new(Siblings::new(
            found.iter().map(|(_, _, device)| Arc::clone(device)).collect(),
        ));
        let gpus = found.into_iter().enumerate().map(|(place, (readout, gauge, device))| Self {
            name: device.name().unwrap_or_else(|_| "NVIDIA GPU".into()),
            uuid: device.uuid().unwrap_or_default(),
            readout,
            gauge,
            comparison: (readout == Readout::Counter && gauge.is_some()).then(Comparison::default),
            device,
            place,
            siblings: Arc::clone(&siblings),
            last_sample: 0,
            last_fraction: None,
        });
        Ok(gpus.collect())
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

    /// Compares the counter with the power while the first seconds last.
    fn compare(&mut self, energy: Joules) {
        let (Some(comparison), Some(gauge)) = (&mut self.comparison, self.gauge) else { return };
        let Ok(power) = gauge.read(&self.device) else { return };
        let Some(ratio) = comparison.add(Instant::now(), energy, power) else { return };
        self.comparison = None;
        if disagrees(ratio) {
            report::warn_once(&format!(
                "{} ({}): the energy counter shows {:.0} % of the energy computed from the power; \
                 the counter is used, but its figures may be wrong",
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

/// Adds the devices that this program may use, or why there are none.
pub(crate) fn detect(roots: &Roots, found: &mut Found) {
    let gpus = match &roots.nvml {
        None => NvidiaGpu::all(),
        Some(library) => NvidiaGpu::find(library, None, None),
    };
    match gpus {
        Ok(gpus) if gpus.is_empty() => found.add_missing(
            "NVIDIA GPU",
            "there is a driver, but no GPU that this program may use (CUDA_VISIBLE_DEVICES) and \
             that can be read",
            None,
        ),
        Ok(gpus) => gpus.into_iter().for_each(|gpu| found.add(gpu)),
        Err(error) => found.add_missing("NVIDIA GPU", error.to_string(), None),
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
        match self.readout {
            Readout::Counter => {
                let millijoules =
                    self.device.total_energy_consumption().map_err(|error| self.error(&error))?;
                let energy = Joules(millijoules as f64 * 1e-3);
                self.compare(energy);
                Ok(Reading::Energy(energy))
            }
            Readout::Gauge(gauge) => {
                let power = gauge.read(&self.device).map_err(|error| self.error(&error))?;
                Ok(Reading::Power(power))
            }
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
        let limit = self.device.enforced_power_limit().ok();
        DeviceProperties {
            temperature_celsius: self.device.temperature(TemperatureSensor::Gpu).ok(),
            memory_bytes: self.device.memory_info().ok().map(|memory| memory.total),
            power_limit: limit.map(|milliwatts| Watts(f64::from(milliwatts) * 1e-3)),
        }
    }

    fn tick(&self) -> Duration {
        match self.readout {
            Readout::Counter => TICK,
            Readout::Gauge(_) => Duration::ZERO,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_the_library_the_devices_are_missing() {
        let error = NvidiaGpu::find("/nowhere/libnvidia-ml.so.1".as_ref(), None, None);
        assert!(matches!(error, Err(SensorError::Missing(_))));
    }
}
