//! NVIDIA GPUs through NVML, the library that comes with their driver.

mod contexts;
mod gpu;
mod library;
mod power_gauge;
mod visible_devices;

pub use gpu::NvidiaGpu;
pub(super) use gpu::detect;
