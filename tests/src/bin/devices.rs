//! Prints the devices that are found here: `devices` for `tests/devices.rs`.

fn main() {
    println!("{}", eco2ai::available_devices());
}
