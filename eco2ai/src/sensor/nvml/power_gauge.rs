//! The power that a board reports, and its limit.

use std::fmt;

use nvml_wrapper::Device;
use nvml_wrapper::enums::device::SampleValue;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::structs::device::FieldId;
use nvml_wrapper::sys_exports::field_id::NVML_FI_DEV_POWER_INSTANT;

use crate::units::Watts;

/// The kind of power that the device reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PowerGauge {
    /// The current power.
    Instant,
    /// On Ampere and later the average over the last second.
    Usage,
}

impl PowerGauge {
    /// Returns the best kind that the device supports.
    pub(super) fn find(device: &Device<'_>, limit: PowerLimit) -> Option<Self> {
        let gauges = [Self::Instant, Self::Usage];
        let allowed = |gauge: &Self| gauge.read(device).is_ok_and(|power| limit.allows(power));
        // One that shows too much now may be right later.
        let readable = |gauge: &Self| gauge.read(device).is_ok();
        gauges.into_iter().find(allowed).or_else(|| gauges.into_iter().find(readable))
    }

    /// Reads the power in watts.
    pub(super) fn read(self, device: &Device<'_>) -> Result<Watts, NvmlError> {
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

/// Short peaks of the power may exceed the limit, which is one of the average.
const PEAK: f64 = 1.5;
/// No board takes more than this: the boards with the highest limits take 1400 W.
const MAX_POWER: Watts = Watts(2000.0);

/// The limit on the power of a board, if it reports one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PowerLimit(Option<Watts>);

impl PowerLimit {
    pub(super) fn read(device: &Device<'_>) -> Self {
        let milliwatts = device.enforced_power_limit().ok().filter(|limit| *limit > 0);
        Self(milliwatts.map(|milliwatts| Watts(f64::from(milliwatts) * 1e-3)))
    }

    pub(super) fn watts(self) -> Option<Watts> {
        self.0
    }

    /// Returns whether a board with this limit can take that much.
    pub(super) fn allows(self, power: Watts) -> bool {
        power.0 <= self.0.map_or(MAX_POWER.0, |limit| limit.0 * PEAK)
    }
}

impl fmt::Display for PowerLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.unwrap_or(MAX_POWER).fmt(f)
    }
}
