//! What this machine and this program can measure.

use super::meter::Meter;
use crate::own_code;
use crate::sensor::{Devices, detect};

/// Finds the devices of this machine, and how each will be measured. Sensors that the program has
/// [added to the process's meter](Meter::add_sensor) come last.
///
/// ```
/// println!("{}", eco2ai::available_devices());
/// ```
pub fn available_devices() -> Devices {
    let _section = own_code::enter();
    let mut devices = detect().devices;
    devices.devices.extend(Meter::added_to_process());
    devices
}
