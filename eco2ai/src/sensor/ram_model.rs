//! The model of memory: a power per GiB in use.

use super::component::Component;
use super::found::Found;
use super::reading::{Quality, Reading, SensorError};
use super::sensor::Sensor;
use crate::units::Watts;

/// The power of one GiB of memory: 3 W per 8 GB. Source: `Eco2AI` (arXiv 2208.00406).
pub(crate) const PER_GIBIBYTE: Watts = Watts(3.0 / 8.0);

/// Estimates the power of memory from the amount in use: 3/8 W per GiB.
///
/// ```
/// use eco2ai::sensor::{RamModel, Reading, Sensor};
/// use eco2ai::units::Watts;
///
/// assert_eq!(RamModel.read()?, Reading::PerGibibyte(Watts(0.375)));
/// # Ok::<(), eco2ai::sensor::SensorError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct RamModel;

/// Adds the model if memory has no counter.
pub(crate) fn detect(found: &mut Found) {
    if !found.has(Component::Ram) {
        found.add(RamModel);
    }
}

impl Sensor for RamModel {
    fn source(&self) -> &'static str {
        "model"
    }

    fn component(&self) -> Component {
        Component::Ram
    }

    fn read(&mut self) -> Result<Reading, SensorError> {
        Ok(Reading::PerGibibyte(PER_GIBIBYTE))
    }

    fn name(&self) -> String {
        "memory".into()
    }

    fn quality(&self) -> Quality {
        Quality::Estimated
    }

    fn how(&self) -> String {
        "memory in use x 3/8 W per GiB".into()
    }

    fn note(&self) -> Option<String> {
        Some("no counter of memory energy".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_gibibytes_take_three_watts() {
        let Ok(Reading::PerGibibyte(Watts(each))) = RamModel.read() else { panic!("no model") };
        assert!((each * 8.0 - 3.0).abs() < 1e-12);
    }
}
