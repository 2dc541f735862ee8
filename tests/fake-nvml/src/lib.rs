//! A stand-in for NVIDIA's management library, with its C interface: whatever uses NVML, in any
//! language, runs on it. Put the built library into a folder as `libnvidia-ml.so.1`, with a
//! [`Script`](script::Script) beside it as `script.json`.

pub mod curve;
#[cfg(unix)]
pub mod library;
pub mod script;
