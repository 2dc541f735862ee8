//! The energy that an Apple chip reports of its parts.

mod energy_sum;
#[cfg(all(feature = "apple", target_os = "macos", target_arch = "aarch64"))]
mod part_sensor;

#[cfg(all(feature = "apple", target_os = "macos", target_arch = "aarch64"))]
pub(crate) use part_sensor::detect;
