//! The sensors that were found on a machine.

use super::component::Component;
use super::devices::{Device, Missing};
use super::reading::{Reading, SensorError};
use super::sensor::Sensor;

/// The sensors found so far. Each kind of sensor adds its own, in the order of
/// [`detect`](super::detect).
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) sensors: Vec<Box<dyn Sensor>>,
    pub(crate) devices: Vec<Device>,
    pub(crate) missing: Vec<Missing>,
    /// The components whose energy is contained in that of another one.
    included: Vec<Component>,
}

impl Found {
    /// Adds a sensor.
    pub(crate) fn add(&mut self, sensor: impl Sensor + 'static) {
        self.included.extend_from_slice(sensor.includes());
        self.devices.push(Device::new(&sensor));
        self.sensors.push(Box::new(sensor));
    }

    /// Adds a sensor of the whole machine, unless there is one already: only one can replace the
    /// total.
    #[cfg(target_os = "linux")]
    pub(crate) fn add_machine(&mut self, sensor: impl Sensor + 'static) {
        match self.devices.iter().find(|device| device.component == Component::Machine) {
            None => self.add(sensor),
            Some(other) => {
                let why = format!("{} measures the whole machine already", other.name);
                self.add_missing(sensor.name(), why, None);
            }
        }
    }

    /// Notes a figure that cannot be measured, the reason, and the command that enables it.
    pub(crate) fn add_missing(
        &mut self,
        what: impl Into<String>,
        why: impl Into<String>,
        command: Option<String>,
    ) {
        let (what, why) = (what.into(), why.into());
        self.missing.push(Missing { what, why, command, lacking: None });
    }

    /// Adds a device that is there but cannot be read. The figures of `component` lack its energy,
    /// and rows say so.
    pub(crate) fn add_unreadable(
        &mut self,
        component: Component,
        source: &'static str,
        name: impl Into<String>,
        why: impl Into<String>,
        command: Option<String>,
    ) {
        let (what, why) = (name.into(), why.into());
        let reason = format!("{what}: {why}");
        self.missing.push(Missing { what, why, command, lacking: Some(component) });
        self.sensors.push(Box::new(Unreadable { component, source, reason }));
    }

    /// Returns whether a sensor was found whose figures are those of this component, or contain them,
    /// in both scopes.
    pub(crate) fn has(&self, component: Component) -> bool {
        self.included.contains(&component)
            || self.devices.iter().any(|it| it.component == component && it.scope.is_none())
    }
}

/// A device that is there but cannot be read: it marks the figures of its component `:partial`.
struct Unreadable {
    component: Component,
    source: &'static str,
    reason: String,
}

impl Sensor for Unreadable {
    fn source(&self) -> &str {
        self.source
    }

    fn component(&self) -> Component {
        self.component
    }

    fn read(&mut self) -> Result<Reading, SensorError> {
        Err(SensorError::Lost(self.reason.clone()))
    }
}
