//! The power management counters of HPE Cray nodes (`pm_counters`).
//!
//! The counter of the node contains those of its processors, memory and accelerators, which do not
//! contain each other. Source: HPE, "User Access to Compute Node Power Data".

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::component::Component;
use super::found::Found;
use super::kept_file::KeptFile;
use super::reading::{Quality, Reading, SensorError};
use super::roots::Roots;
use super::sensor::Sensor;
use super::share::Share;
use crate::units::{Joules, Watts};

const SOURCE: &str = "cray";
/// The folder of the counters, under `/sys`.
const COUNTERS: &str = "cray/pm_counters";
/// The node controller updates the counters about 10 times a second.
const TICK: Duration = Duration::from_millis(100);
/// A counter whose time stamp is older stands still: the node controller does not answer.
const MAX_AGE: Duration = Duration::from_secs(1);

/// One counter of an HPE Cray node: of the node, its processors, its memory or one accelerator.
///
/// The counter restarts with the node controller. The value then falls; the meter handles this.
///
/// ```
/// use eco2ai::sensor::{CrayCounter, Sensor as _};
///
/// for counter in CrayCounter::find("/sys".as_ref()) {
///     println!("{}", counter.name());
/// }
/// ```
#[derive(Debug)]
pub struct CrayCounter {
    component: Component,
    name: String,
    /// `1234 J 1690000000 us`
    energy: KeptFile,
    /// `215 W 1690000000 us`
    power: Option<KeptFile>,
    /// The time stamp of the last reading, and when it was first seen.
    last: Option<(u64, Instant)>,
}

impl CrayCounter {
    /// Finds the counters under `sys` (`/sys`). One that shows 0 does not work, or counts a device
    /// that is not there.
    ///
    /// ```
    /// use eco2ai::sensor::{CrayCounter, Sensor as _};
    ///
    /// for counter in CrayCounter::find("/sys".as_ref()) {
    ///     println!("{}: {}", counter.component(), counter.name());
    /// }
    /// ```
    pub fn find(sys: &Path) -> Vec<Self> {
        let opened = Self::search(sys).into_iter().filter_map(|(.., counter)| counter.ok());
        opened.filter(|counter| !counter.is_zero()).collect()
    }

    /// Finds the counters, also those that show 0 or cannot be opened, with their names.
    fn search(sys: &Path) -> Vec<(Component, String, io::Result<Self>)> {
        let folder = sys.join(COUNTERS);
        let mut names: Vec<String> = std::fs::read_dir(&folder)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter_map(|name| name.strip_suffix("energy").map(str::to_owned))
            .collect();
        names.sort_unstable();
        let parts = |prefix: &str| {
            let is_part = |name: &&String| {
                let number = name.strip_prefix(prefix).and_then(|it| it.strip_suffix('_'));
                number.is_some_and(|it| !it.is_empty() && it.bytes().all(|b| b.is_ascii_digit()))
            };
            names.iter().filter(is_part).cloned().collect::<Vec<_>>()
        };
        let one = |name: &str| names.iter().filter(|it| *it == name).cloned().collect::<Vec<_>>();
        // Each alternative is the sum of the other: one counter of all, or one of each.
        let or = |first: Vec<String>, second: Vec<String>| {
            if first.is_empty() { second } else { first }
        };
        let kinds = [
            (Component::Machine, one("")),
            (Component::Cpu, or(one("cpu_"), parts("cpu"))),
            (Component::Ram, one("memory_")),
            (Component::Gpu, or(parts("accel"), one("accel_"))),
        ];
        let counters = kinds
            .into_iter()
            .flat_map(|(component, names)| names.into_iter().map(move |name| (component, name)));
        let open = |(component, prefix): (Component, String)| {
            let what = match prefix.trim_end_matches('_') {
                "" => "node",
                "cpu" => "processors",
                part => part,
            };
            let name = format!("HPE Cray {what}");
            (component, name.clone(), Self::open(&folder, component, name, &prefix))
        };
        counters.map(open).collect()
    }

    fn is_zero(&self) -> bool {
        self.now().is_ok_and(|(energy, _)| energy == Joules::ZERO)
    }

    fn open(folder: &Path, component: Component, name: String, prefix: &str) -> io::Result<Self> {
        let file = |kind: &str| -> PathBuf { folder.join(format!("{prefix}{kind}")) };
        Ok(Self {
            component,
            name,
            energy: KeptFile::open(file("energy"))?,
            power: KeptFile::open(file("power")).ok(),
            last: None,
        })
    }

    /// The energy, and the time stamp in microseconds if there is one.
    fn now(&self) -> Result<(Joules, Option<u64>), SensorError> {
        let missing =
            |why: &str| SensorError::Missing(format!("{}: {why}", self.energy.path().display()));
        let mut buffer = [0; 64];
        let text = self.energy.read(&mut buffer).map_err(|error| missing(&error.to_string()))?;
        let mut words = words(text);
        let energy = words.next().and_then(|word| word.parse::<f64>().ok());
        let energy = energy.ok_or_else(|| missing("holds no number"))?;
        if words.next().is_some_and(|unit| unit != "J") {
            return Err(missing("is not in joules"));
        }
        Ok((Joules(energy), words.next().and_then(|word| word.parse().ok())))
    }
}

/// Adds the counters of components that have no counter yet.
pub(crate) fn detect(roots: &Roots, found: &mut Found) {
    let counters = CrayCounter::search(&roots.sys);
    let measured: Vec<Component> =
        Component::ALL.iter().copied().filter(|component| found.has(*component)).collect();
    for (component, name, counter) in counters {
        match counter {
            // A node has files for more accelerators than it has accelerators.
            Ok(counter) if counter.is_zero() && component == Component::Gpu => {}
            _ if component != Component::Machine && measured.contains(&component) => {
                found.add_missing(name, format!("the {component} is measured already"), None);
            }
            // Some of the accelerators may be counted.
            Err(error) if component == Component::Gpu => {
                found.add_unreadable(component, SOURCE, name, error.to_string(), None);
            }
            Err(error) => found.add_missing(name, error.to_string(), None),
            Ok(counter) if counter.is_zero() => {
                found.add_missing(name, "its counter shows 0", None);
            }
            Ok(counter) if component == Component::Machine => found.add_machine(counter),
            Ok(counter) => found.add(counter),
        }
    }
}

impl Sensor for CrayCounter {
    fn source(&self) -> &'static str {
        SOURCE
    }

    fn component(&self) -> Component {
        self.component
    }

    fn read(&mut self) -> Result<Reading, SensorError> {
        let (energy, time) = self.now()?;
        let Some(time) = time else { return Ok(Reading::Energy(energy)) };
        match self.last {
            Some((last, seen)) if last == time => {
                if seen.elapsed() > MAX_AGE {
                    let path = self.energy.path().display();
                    return Err(SensorError::Missing(format!("{path}: no longer updated")));
                }
                Err(SensorError::NotReady)
            }
            _ => {
                self.last = Some((time, Instant::now()));
                Ok(Reading::Energy(energy))
            }
        }
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    fn quality(&self) -> Quality {
        Quality::Measured
    }

    fn tick(&self) -> Duration {
        TICK
    }

    fn power(&mut self) -> Option<Watts> {
        let mut buffer = [0; 64];
        let text = self.power.as_ref()?.read(&mut buffer).ok()?;
        words(text).next()?.parse().ok().map(Watts)
    }

    fn share(&mut self, _: &[u32]) -> Share {
        Share::by_usage(self.component)
    }
}

/// The words of a counter's text.
fn words(text: &[u8]) -> impl Iterator<Item = &str> {
    std::str::from_utf8(text).unwrap_or_default().split_ascii_whitespace()
}
