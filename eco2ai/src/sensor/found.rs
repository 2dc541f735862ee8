//! The sensors that were found on a machine.

use super::component::Component;
use super::devices::{Device, Missing};
use super::sensor::Sensor;

/// The sensors found so far. Each kind of sensor adds its own, in the order of
/// [`detect`](super::detect).
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) sensors: Vec<Box<dyn Sensor>>,
    pub(crate) devices: Vec<Device>,
    pub(crate) missing: Vec<Missing>,
}

impl Found {
    /// Adds a sensor.
    pub(crate) fn add(&mut self, sensor: impl Sensor + 'static) {
        self.devices.push(Device::new(&sensor));
        self.sensors.push(Box::new(sensor));
    }

    /// Notes a figure that cannot be measured, the reason, and the command that enables it.
    pub(crate) fn add_missing(
        &mut self,
        what: impl Into<String>,
        why: impl Into<String>,
        command: Option<String>,
    ) {
        self.missing.push(Missing { what: what.into(), why: why.into(), command });
    }

    /// Returns whether a sensor of this component was found.
    pub(crate) fn has(&self, component: Component) -> bool {
        self.devices.iter().any(|device| device.component == component)
    }
}
