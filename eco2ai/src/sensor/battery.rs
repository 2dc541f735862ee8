//! The batteries of a laptop, which measure the whole machine while it runs on them.

use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use super::component::Component;
use super::found::Found;
use super::kept_file::{KeptFile, read_trimmed};
use super::reading::{Quality, Reading, SensorError};
use super::roots::Roots;
use super::sensor::Sensor;
use super::share::Share;
use crate::units::Watts;

/// The folder of batteries and mains adapters, under `/sys`.
const POWER_SUPPLY: &str = "class/power_supply";
/// The plausible power of a machine on its batteries, in watts.
const PLAUSIBLE: RangeInclusive<f64> = 0.1..=1000.0;

/// All batteries of the machine. While it runs on them, they supply all of its power.
///
/// On mains power, or while a battery is charged, they show nothing about the machine. A run that
/// was not on battery from start to end has the sum of its components as its total.
///
/// Source of the files: Linux, `Documentation/ABI/testing/sysfs-class-power`.
///
/// ```
/// use eco2ai::sensor::{Battery, Sensor as _};
///
/// match Battery::find("/sys".as_ref()) {
///     Some(battery) => println!("{}", battery.name()),
///     None => println!("no battery that reports its power"),
/// }
/// ```
#[derive(Debug)]
pub struct Battery {
    batteries: Vec<Pack>,
    /// Whether each mains adapter is connected.
    mains: Vec<KeptFile>,
    was_read: bool,
}

#[derive(Debug)]
struct Pack {
    name: String,
    status: KeptFile,
    /// Microwatts.
    power: Option<KeptFile>,
    /// Microamperes and microvolts.
    current: Option<(KeptFile, KeptFile)>,
}

impl Battery {
    /// Finds the batteries under `sys` (`/sys`). `None` if there is none, or if one of them reports
    /// neither its power nor its current. Batteries of mice and other devices do not count.
    ///
    /// ```
    /// use eco2ai::sensor::Battery;
    ///
    /// let battery = Battery::find("/sys".as_ref());
    /// println!("on a laptop: {}", battery.is_some());
    /// ```
    pub fn find(sys: &Path) -> Option<Self> {
        Self::search(sys)?.ok()
    }

    /// The batteries, or the name of one that cannot be read and the reason. `None` if there are
    /// none.
    fn search(sys: &Path) -> Option<Result<Self, (String, String)>> {
        let mut supplies: Vec<PathBuf> = std::fs::read_dir(sys.join(POWER_SUPPLY))
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect();
        supplies.sort_unstable();
        let (mut batteries, mut mains) = (Vec::new(), Vec::new());
        for supply in supplies {
            let text = |file| read_trimmed(supply.join(file));
            if text("scope").is_some_and(|scope| scope == "Device") {
                continue;
            }
            if text("type").is_none_or(|it| it != "Battery") {
                mains.extend(KeptFile::open(supply.join("online")));
                continue;
            }
            if text("present").is_some_and(|present| present == "0") {
                continue;
            }
            match Pack::open(&supply) {
                Ok(pack) => batteries.push(pack),
                Err(error) => return Some(Err((name_of(&supply), error.to_string()))),
            }
        }
        let is_empty = batteries.is_empty();
        (!is_empty).then_some(Ok(Self { batteries, mains, was_read: false }))
    }

    /// The power of the machine. `None` while it does not run on its batteries alone.
    fn now(&self) -> Result<Option<Watts>, SensorError> {
        // 1 and 2 mean connected.
        let is_online = |file: &KeptFile| file.read_i64().is_ok_and(|online| online != 0);
        if self.mains.iter().any(is_online) {
            return Ok(None);
        }
        let mut sum = None;
        for battery in &self.batteries {
            let mut buffer = [0; 32];
            match battery.status.read(&mut buffer).map(<[u8]>::trim_ascii) {
                Ok(b"Discharging") => {
                    let watts = battery.watts()?;
                    sum = Some(sum.unwrap_or(0.0) + watts);
                }
                Ok(b"Charging") => return Ok(None),
                // The other battery is in use: this one is full, or waits.
                Ok(_) => {}
                Err(error) => return Err(missing(&battery.status, &error)),
            }
        }
        match sum {
            Some(watts) if !PLAUSIBLE.contains(&watts) => Err(SensorError::Missing(format!(
                "{}: {}, which it cannot have",
                self.name(),
                Watts(watts)
            ))),
            sum => Ok(sum.map(Watts)),
        }
    }
}

impl Pack {
    fn open(supply: &Path) -> io::Result<Self> {
        let open = |file| match KeptFile::open(supply.join(file)) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        };
        let power = open("power_now")?;
        let current = open("current_now")?.zip(open("voltage_now")?);
        if power.is_none() && current.is_none() {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                "it reports neither its power nor its current",
            ));
        }
        let status = KeptFile::open(supply.join("status"))?;
        Ok(Self { name: name_of(supply), status, power, current })
    }

    /// The power that is drawn from the battery. Some drivers show it as a negative number.
    fn watts(&self) -> Result<f64, SensorError> {
        let number = |file: &KeptFile| file.read_i64().map_err(|error| missing(file, &error));
        let power = self.power.as_ref().map(&number);
        match (power, &self.current) {
            (Some(Ok(microwatts)), _) => Ok((microwatts as f64 * 1e-6).abs()),
            (_, Some((current, voltage))) => {
                Ok((number(current)? as f64 * number(voltage)? as f64 * 1e-12).abs())
            }
            (Some(Err(error)), None) => Err(error),
            (None, None) => Err(SensorError::Missing(format!("{}: no power", self.name))),
        }
    }
}

/// Adds the batteries, unless something else measures the whole machine.
pub(crate) fn detect(roots: &Roots, is_virtual: bool, found: &mut Found) {
    match Battery::search(&roots.sys) {
        None => {}
        Some(Ok(battery)) if is_virtual => found.add_missing(
            battery.name(),
            "a virtual machine shows the battery of its host",
            None,
        ),
        Some(Ok(battery)) => found.add_machine(battery),
        Some(Err((name, why))) => found.add_missing(format!("battery {name}"), why, None),
    }
}

impl Sensor for Battery {
    fn source(&self) -> &'static str {
        "battery"
    }

    fn component(&self) -> Component {
        Component::Machine
    }

    fn read(&mut self) -> Result<Reading, SensorError> {
        match self.now()? {
            Some(power) => {
                self.was_read = true;
                Ok(Reading::Power(power))
            }
            // Nothing was measured yet: there is nothing to warn of.
            None if !self.was_read => Err(SensorError::NotReady),
            // The last power is not the one on mains.
            None => Err(SensorError::Missing("the machine is on mains power".into())),
        }
    }

    /// Such as `battery BAT0`.
    fn name(&self) -> String {
        let names: Vec<&str> = self.batteries.iter().map(|pack| pack.name.as_str()).collect();
        format!("battery {}", names.join(" + "))
    }

    fn quality(&self) -> Quality {
        Quality::Sampled
    }

    fn how(&self) -> String {
        let how = "power, sampled, while the machine runs on it alone";
        match self.now() {
            Ok(Some(_)) => how.into(),
            Ok(None) => format!("{how}; on mains power now"),
            Err(error) => format!("{how}; no reading now: {error}"),
        }
    }

    fn share(&mut self, processes: &[u32]) -> Share {
        let _ = processes;
        // A whole machine: its processors show best who uses it.
        Share::CpuTime
    }
}

fn name_of(supply: &Path) -> String {
    supply.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn missing(file: &KeptFile, error: &io::Error) -> SensorError {
    SensorError::Missing(format!("{}: {error}", file.path().display()))
}
