//! Power that the user gives, for devices that do not report theirs.

use std::fmt;
use std::str::FromStr;

use super::component::Component;
use super::found::Found;
use super::reading::{Quality, Reading, SensorError};
use super::sensor::{Sensor, idle_to_full_load};
use super::share::Share;
use crate::error::InvalidArgument;
use crate::units::Watts;

/// The power of all processors of the machine: the parameter `cpu_power`.
///
/// The text form is the power at full load in watts, or the power when idle and at full load:
/// `120`, `35..120`.
///
/// ```
/// use eco2ai::CpuPower;
/// use eco2ai::units::Watts;
///
/// let power: CpuPower = "35..120".parse()?;
/// assert_eq!(power.at_full_load, Watts(120.0));
/// assert_eq!(power.idle, Some(Watts(35.0)));
/// assert_eq!(power.to_string(), "35..120");
/// # Ok::<(), eco2ai::InvalidArgument>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct CpuPower {
    /// The power when no CPU is busy. `None` if it is not known: only the load is charged then.
    pub idle: Option<Watts>,
    /// The power when every CPU is busy.
    pub at_full_load: Watts,
}

impl CpuPower {
    /// Makes a power at full load; the idle power is not known.
    pub fn from_watts(at_full_load: Watts) -> Self {
        Self { idle: None, at_full_load }
    }

    /// Checks that the numbers are finite, not negative, and in order.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let idle = self.idle.unwrap_or(Watts::ZERO).0;
        let full = self.at_full_load.0;
        if full.is_finite() && (0.0..=full).contains(&idle) { Ok(()) } else { Err(ALLOWED) }
    }
}

/// The allowed values, in words.
const ALLOWED: &str = "must be watts at full load, or idle..full, such as 120 or 35..120";

impl fmt::Display for CpuPower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(idle) = self.idle {
            write!(f, "{}..", idle.0)?;
        }
        write!(f, "{}", self.at_full_load.0)
    }
}

impl FromStr for CpuPower {
    type Err = InvalidArgument;

    fn from_str(text: &str) -> Result<Self, InvalidArgument> {
        let wrong = |_| InvalidArgument::new(text, ALLOWED);
        let watts = |text: &str| text.trim().parse().map(Watts).map_err(wrong);
        let power = match text.split_once("..") {
            Some((idle, full)) => Self { idle: Some(watts(idle)?), at_full_load: watts(full)? },
            None => Self::from_watts(watts(text)?),
        };
        power.check().map_err(|reason| InvalidArgument::new(text, reason))?;
        Ok(power)
    }
}

/// The power that the user gives.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct GivenPower {
    pub(crate) cpu: Option<CpuPower>,
    /// Per GiB of memory in use.
    pub(crate) ram: Option<Watts>,
    /// Of all GPUs together.
    pub(crate) gpu: Option<Watts>,
}

impl GivenPower {
    /// Adds the power that is given for `component`, which has this name, unless a sensor of it was
    /// found.
    pub(crate) fn detect(self, component: Component, name: &str, found: &mut Found) {
        let reading = match component {
            Component::Cpu => self.cpu.map(Reading::from),
            Component::Ram => self.ram.map(Reading::PerGibibyte),
            Component::Gpu => self.gpu.map(Reading::Estimate),
            Component::Other | Component::Machine => None,
        };
        if let Some(reading) = reading
            && !found.has(component)
        {
            found.add(Given { component, name: name.to_owned(), reading });
        }
    }
}

impl From<CpuPower> for Reading {
    fn from(CpuPower { idle, at_full_load }: CpuPower) -> Self {
        match idle {
            Some(idle) => Self::IdleToFull { idle, full: at_full_load },
            None => Self::AtFullLoad(at_full_load),
        }
    }
}

/// A device whose power the user gives.
#[derive(Clone, Debug)]
struct Given {
    component: Component,
    name: String,
    reading: Reading,
}

impl Sensor for Given {
    fn source(&self) -> &'static str {
        "given"
    }

    fn component(&self) -> Component {
        self.component
    }

    fn read(&mut self) -> Result<Reading, SensorError> {
        Ok(self.reading)
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    fn quality(&self) -> Quality {
        Quality::Estimated
    }

    fn how(&self) -> String {
        match self.reading {
            Reading::IdleToFull { idle, full } => {
                format!("{}, by utilisation", idle_to_full_load(idle, full))
            }
            Reading::AtFullLoad(power) => format!("utilisation x {power}"),
            Reading::PerGibibyte(power) => format!("memory in use x {power} per GiB"),
            Reading::Power(power) | Reading::Estimate(power) => {
                format!("{power} during each run: its load is not known")
            }
            Reading::Energy(_) => "energy counter".to_owned(),
        }
    }

    fn note(&self) -> Option<String> {
        Some("as given by the user".to_owned())
    }

    fn share(&mut self, _: &[u32]) -> Share {
        Share::by_usage(self.component)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_is_a_number_or_a_range_in_order() {
        let parsed = |text: &str| text.parse::<CpuPower>().map(|power| power.to_string());
        for (text, same) in [("120", "120"), (" 35 .. 120.5 ", "35..120.5"), ("0..0", "0..0")] {
            assert_eq!(parsed(text).as_deref(), Ok(same));
        }
        for text in
            ["", "-1", "inf", "nan", "120..35", "..120", "35..", "35-120", "35..nan", "120 W"]
        {
            assert_eq!(parsed(text).unwrap_err().reason, ALLOWED, "{text}");
        }
    }
}
