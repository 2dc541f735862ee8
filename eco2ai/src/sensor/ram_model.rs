//! The model of memory: a power per GiB in use.

use super::{Component, Reading, Sensor, SensorError};
use crate::units::Watts;

/// Power of one GiB of memory: 3 W per 8 GB. Source: `Eco2AI` (arXiv 2208.00406).
const PER_GIBIBYTE: Watts = Watts(3.0 / 8.0);

/// Estimates the power of memory from the amount in use.
#[derive(Clone, Copy, Debug, Default)]
pub struct RamModel;

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
