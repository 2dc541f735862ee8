//! The trait of all sensors, built in or of the user's own.

use std::time::Duration;

use super::component::Component;
use super::reading::{Quality, Reading, SensorError};
use super::share::Share;
use crate::units::Watts;

/// A source of energy figures. Implement it to plug in a device of your own: see
/// [the example](crate::sensor#a-sensor-of-your-own).
///
/// Three methods are required. The others have defaults that suit a gauge; those from
/// [`name`](Self::name) to [`properties`](Self::properties) only describe the device in
/// [`available_devices`](crate::available_devices) and are asked once, when the sensor is added.
pub trait Sensor: Send {
    /// The short name of the source, as it stands in the row's method: `rapl`, `nvml`, `tdp`…
    fn source(&self) -> &str;

    /// What it measures.
    fn component(&self) -> Component;

    /// Reads the device now, in joules or watts as [`Reading`] says.
    ///
    /// # Errors
    /// [`SensorError::NotReady`] where the device has nothing new to report,
    /// [`SensorError::Missing`] where this reading failed, [`SensorError::Lost`] where all later
    /// ones will.
    fn read(&mut self) -> Result<Reading, SensorError>;

    /// The name of the device. The default is its [`source`](Self::source).
    fn name(&self) -> String {
        self.source().to_owned()
    }

    /// How good its figures are: that of the readings it gives ([`Reading::quality`]). The default
    /// is that of a gauge. A row goes by the readings themselves.
    fn quality(&self) -> Quality {
        Quality::Sampled
    }

    /// How it is measured, in words. The default follows from the [`quality`](Self::quality).
    fn how(&self) -> String {
        match self.quality() {
            Quality::Measured => "energy counter",
            Quality::Sampled => "power, sampled",
            Quality::Estimated => "model",
        }
        .into()
    }

    /// Why it is only estimated, and from what.
    fn note(&self) -> Option<String> {
        None
    }

    /// Its temperature, memory and power limit, as far as the device reports them.
    fn properties(&self) -> DeviceProperties {
        DeviceProperties::default()
    }

    /// How often a counter is refreshed at the least; zero where it is always current. Between two
    /// refreshes the meter goes on at the last known power.
    fn tick(&self) -> Duration {
        Duration::ZERO
    }

    /// The longest time between two readings that keeps the counter unambiguous (it wraps); `None`
    /// where any will do.
    fn longest_interval(&self) -> Option<Duration> {
        None
    }

    /// Besides a counter: the power now in watts, to go on with until the counter has moved for the
    /// first time. Asked once, where the counter begins, and once more where it begins anew after
    /// it could not be read.
    fn power(&mut self) -> Option<Watts> {
        None
    }

    /// The part of the device's energy that belongs to the process and its children, whose ids are
    /// `processes`. Asked once per measuring period. The default is the part of the CPU time for a
    /// processor, the part of the memory for memory, and all of it for anything else.
    fn share(&mut self, processes: &[u32]) -> Share {
        let _ = processes;
        match self.component() {
            Component::Cpu => Share::CpuTime,
            Component::Ram => Share::Memory,
            Component::Gpu | Component::Other | Component::Machine => Share::Whole,
        }
    }
}

/// What a device reports of itself besides its energy.
///
/// ```
/// use eco2ai::sensor::DeviceProperties;
/// use eco2ai::units::Watts;
///
/// let mut properties = DeviceProperties::default();
/// properties.power_limit = Some(Watts(400.0));
/// assert_eq!(properties.memory_bytes, None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct DeviceProperties {
    /// Its temperature now, in degrees Celsius.
    pub temperature_celsius: Option<u32>,
    /// Its memory in bytes.
    pub memory_bytes: Option<u64>,
    /// The power that it may take at most, in watts.
    pub power_limit: Option<Watts>,
}
