//! The trait [`Sensor`], for built-in and custom sensors.

use std::time::Duration;

use super::bounds::Bounds;
use super::component::Component;
use super::reading::{Quality, Reading, SensorError};
use super::share::Share;
use crate::scope::Scope;
use crate::units::{ColumnUnit, Watts};

/// A source of energy figures. Implement this trait to add a device of your own: see
/// [the example](crate::sensor#a-sensor-of-your-own).
///
/// Three methods are required. The others have defaults that are suitable for a gauge. The methods
/// from [`name`](Self::name) to [`properties`](Self::properties) describe the device in
/// [`available_devices`](crate::available_devices) and in warnings.
pub trait Sensor: Send {
    /// Returns the short name of the source, as in the row's method, such as `rapl`, `nvml` or
    /// `tdp`.
    fn source(&self) -> &str;

    /// Returns the component that the sensor measures.
    fn component(&self) -> Component;

    /// Returns the other components whose energy the figures of this sensor contain. In a row, such
    /// a component has the method `included`, unless it has a sensor of its own. Called once, when
    /// the sensor is added. The default is none.
    fn includes(&self) -> &[Component] {
        &[]
    }

    /// Returns the scope of runs in which the figures count, if they do not count in both. A sensor
    /// that reports the energy of this process, rather than that of a device, counts in
    /// [`Scope::Process`]. In its scope it replaces the sensors of the same component that count in
    /// both. Called once, when the sensor is added. The default is `None`: both scopes.
    fn scope(&self) -> Option<Scope> {
        None
    }

    /// Reads the device now.
    ///
    /// # Errors
    /// Returns [`SensorError::NotReady`] if the device has no new value, [`SensorError::Missing`]
    /// if this reading failed, and [`SensorError::Lost`] if all later readings will fail.
    fn read(&mut self) -> Result<Reading, SensorError>;

    /// Returns whether a part of the device is missing from the last reading, such as one of two
    /// sockets. The row then has the mark `:partial`. Called after each successful reading. The
    /// default is `false`.
    fn is_partial(&self) -> bool {
        false
    }

    /// Returns the name of the device. The default is the [`source`](Self::source).
    fn name(&self) -> String {
        self.source().to_owned()
    }

    /// Returns the quality of the sensor's readings ([`Reading::quality`]). The default is that of
    /// a gauge. Rows use the quality of the actual readings instead.
    fn quality(&self) -> Quality {
        Quality::Sampled
    }

    /// Returns in words how the device is measured. The default depends on the
    /// [`quality`](Self::quality).
    fn how(&self) -> String {
        match self.quality() {
            Quality::Measured => "energy counter",
            Quality::Sampled => "power, sampled",
            Quality::Estimated => "model",
        }
        .into()
    }

    /// Returns how far the true energy of the device may be from figures that are obtained from
    /// readings of this `quality`. The default is what is published for the
    /// [`source`](Self::source) ([`Bounds::published`]), and unknown for a source of your own. The
    /// meter adds the error of the process's share. Called when the sensor is added, once per
    /// quality.
    fn bounds(&self, quality: Quality) -> Bounds {
        Bounds::published(self.component(), self.source(), quality)
    }

    /// Returns why the energy is only estimated, and from what, if so. The default is `None`.
    fn note(&self) -> Option<String> {
        None
    }

    /// Returns the temperature, memory and power limit, if the device reports them. The default is
    /// none of them.
    fn properties(&self) -> DeviceProperties {
        DeviceProperties::default()
    }

    /// Returns the longest time between two refreshes of a counter; zero if it is always current.
    /// The default is zero. Between two refreshes the meter continues with the last known power.
    fn tick(&self) -> Duration {
        Duration::ZERO
    }

    /// Returns the longest time between two readings for which a wrap of the counter is unambiguous.
    /// The default is `None`: any time is allowed.
    fn longest_interval(&self) -> Option<Duration> {
        None
    }

    /// Returns the current power of a device with a counter. The meter uses it until the counter
    /// changes for the first time. Called once at the first reading, and again at the first reading
    /// after failures. The default is `None`.
    fn power(&mut self) -> Option<Watts> {
        None
    }

    /// Returns the current power of a device with a counter, as shown by a gauge that does not
    /// depend on the counter. The meter compares the two, about twice a second at most, or more often
    /// while they disagree. If the counter stands still or is wrong, the meter uses this power
    /// instead. The default is `None`.
    fn reported_power(&mut self) -> Option<Watts> {
        None
    }

    /// Returns the part of the device's energy that belongs to the process and its children, whose
    /// ids are `processes`. Called once per measuring period. The default is the share of the CPU
    /// time for a processor, the share of the memory for memory, and the whole energy for other
    /// components and for a sensor of this process alone ([`scope`](Self::scope)).
    fn share(&mut self, processes: &[u32]) -> Share {
        let _ = processes;
        match self.component() {
            _ if self.scope() == Some(Scope::Process) => Share::Whole,
            Component::Cpu => Share::CpuTime,
            Component::Ram => Share::Memory,
            Component::Gpu | Component::Other | Component::Machine => Share::Whole,
        }
    }
}

/// Formats the power of a device by its load, both values in one unit.
pub(crate) fn idle_to_full_load(idle: Watts, full: Watts) -> String {
    let unit = ColumnUnit::new([idle, full]);
    let (idle, full, symbol) = (unit.cell(idle), unit.cell(full), unit.symbol());
    format!("{idle} {symbol} idle to {full} {symbol} at full load")
}

/// Properties that a device reports besides its energy.
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
    /// The current temperature, in degrees Celsius.
    pub temperature_celsius: Option<u32>,
    /// The memory of the device, in bytes.
    pub memory_bytes: Option<u64>,
    /// The power limit, in watts.
    pub power_limit: Option<Watts>,
}
