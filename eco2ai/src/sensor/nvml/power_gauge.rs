//! The power that a board reports.

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
    pub(super) fn find(device: &Device<'_>) -> Option<Self> {
        [Self::Instant, Self::Usage].into_iter().find(|gauge| gauge.read(device).is_ok())
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
