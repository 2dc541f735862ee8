//! What the fake library plays: a JSON file `script.json` beside it, read anew at each call.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::curve::Curve;

/// The whole machine.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Script {
    /// A file that holds the time in seconds.
    pub time_file: Option<PathBuf>,
    /// Without such a file: time 0 in seconds since 1970, so that several processes see the same
    /// curve at once; without either, time 0 is the first call.
    pub begins_at: Option<f64>,
    /// The devices, in the order of NVML.
    pub devices: Vec<Device>,
}

/// One device.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Device {
    /// As `nvmlDeviceGetName` tells it.
    pub name: String,
    /// `GPU-…`
    pub uuid: String,
    /// `domain:bus:device.function`, hexadecimal.
    pub bus_id: String,
    /// Its power.
    pub curve: Curve,
    /// What the energy counter shows at time 0, in joules.
    pub counter_start: f64,
    /// Seconds between two moves of the counter; 0: always current.
    pub counter_tick: f64,
    /// Seconds between two moves of the power; 0: always current.
    pub power_tick: f64,
    /// What the counter counts per joule; 1 where it is right.
    pub counter_factor: f64,
    /// From when on the counter stands still.
    pub frozen_at: Option<f64>,
    /// When the counter jumps by 1 MJ.
    pub jump_at: Option<f64>,
    /// What the power shows per watt; 1 where it is right.
    pub power_factor: f64,
    /// When the driver is loaded anew and the counter starts from 0.
    pub reset_at: Option<f64>,
    /// When the device falls off the bus.
    pub lost_at: Option<f64>,
    /// Functions that fail, by name (fields as `field 186`), with NVML's code; 3 is "not supported".
    pub fails: BTreeMap<String, u32>,
    /// The processes that have a context.
    pub processes: Vec<Process>,
    /// The clients of the Multi-Process Service.
    pub mps_clients: Vec<u32>,
    /// Ids of the parts that it is divided into.
    pub mig_uuids: Vec<String>,
    /// As NVML numbers them: 4 is Pascal, 5 Volta, 7 Ampere.
    pub architecture: u32,
    /// CUDA cores.
    pub cores: u32,
    /// Highest clock of them.
    pub megahertz: u32,
    /// Degrees Celsius.
    pub temperature: u32,
    /// Bytes.
    pub memory: u64,
    /// Milliwatts.
    pub power_limit: u32,
}

/// A process on a device.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// Its part of the SM's time in percent.
    pub sm: u32,
}

impl Default for Device {
    fn default() -> Self {
        Self {
            name: "NVIDIA Fake GPU".into(),
            uuid: "GPU-00000000-0000-0000-0000-000000000000".into(),
            bus_id: "00000000:01:00.0".into(),
            curve: Curve::Constant(100.0),
            counter_start: 1000.0,
            counter_tick: 0.0,
            power_tick: 0.0,
            counter_factor: 1.0,
            frozen_at: None,
            jump_at: None,
            power_factor: 1.0,
            reset_at: None,
            lost_at: None,
            fails: BTreeMap::new(),
            processes: Vec::new(),
            mps_clients: Vec::new(),
            mig_uuids: Vec::new(),
            architecture: 7,
            cores: 6912,
            megahertz: 1410,
            temperature: 45,
            memory: 40 << 30,
            power_limit: 400_000,
        }
    }
}

impl Device {
    /// The counter at `time`, in joules.
    #[must_use]
    pub fn counter(&self, time: f64) -> f64 {
        let shown = last_tick(time.min(self.frozen_at.unwrap_or(time)), self.counter_tick);
        let jump = if self.jump_at.is_some_and(|at| shown >= at) { 1e6 } else { 0.0 };
        let (start, since) = match self.reset_at {
            Some(reset) if shown >= reset => (0.0, reset),
            _ => (self.counter_start, 0.0),
        };
        start + jump + (self.curve.joules(shown) - self.curve.joules(since)) * self.counter_factor
    }

    /// The power shown at `time`, in watts.
    #[must_use]
    pub fn watts(&self, time: f64) -> f64 {
        self.curve.watts(last_tick(time, self.power_tick)) * self.power_factor
    }
}

/// When something that moves every `tick` seconds moved last.
fn last_tick(time: f64, tick: f64) -> f64 {
    if tick > 0.0 { (time / tick).floor() * tick } else { time }
}
