//! [`available_devices`]: the devices of this machine and of this program.

use super::meter::Meter;
use crate::own_code;
use crate::sensor::{Devices, detect};
use crate::settings;

/// Returns the devices of this machine, and how each is measured. Sensors that the program has
/// [added to the meter of the process](Meter::add_sensor) come last.
///
/// ```
/// println!("{}", eco2ai::available_devices());
/// ```
pub fn available_devices() -> Devices {
    let _section = own_code::enter();
    let given = Meter::given_to_process().unwrap_or_else(settings::given_power);
    let mut devices = detect(given).devices;
    devices.devices.extend(Meter::added_to_process());
    devices
}
