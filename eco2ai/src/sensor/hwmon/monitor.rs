//! [`Hwmon`]: a device that is read through a few files of hardware monitoring.

use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use crate::sensor::component::Component;
use crate::sensor::kept_file::{KeptFile, read_trimmed};
use crate::sensor::reading::{Quality, Reading, SensorError};
use crate::sensor::sensor::Sensor;
use crate::sensor::share::Share;
use crate::units::{Joules, Watts};

/// A device read through a few files of its `hwmon` directory.
///
/// After a reset of a counter, the value falls; the meter handles this. A power that the device
/// cannot have, such as the largest number of its register, is a missing reading. A graphics card
/// that sleeps is not woken to be read: it is off and counts as 0 W.
///
/// ```
/// use eco2ai::sensor::{Hwmon, Sensor as _};
///
/// for device in Hwmon::find("/sys".as_ref(), false) {
///     println!("{}", device.name());
/// }
/// ```
#[derive(Debug)]
pub struct Hwmon {
    pub(super) source: &'static str,
    pub(super) component: Component,
    pub(super) name: String,
    pub(super) how: String,
    pub(super) readout: Readout,
    /// The powers that the device can have, in watts.
    pub(super) plausible: RangeInclusive<f64>,
    /// Linux's state of the device (`power/runtime_status`), for devices that can sleep.
    pub(super) runtime_status: Option<KeptFile>,
}

/// The files that contain the figure.
#[derive(Debug)]
pub(super) enum Readout {
    /// Microwatts.
    Power(KeptFile),
    /// Microjoules.
    Energy(Energy),
    /// Rails, which are added up.
    Rails(Vec<Rail>),
}

/// The counters of one device, of which each contains the next. Some devices have a counter that
/// always shows 0, which is no energy: the first one that shows more is used from then on.
#[derive(Debug)]
pub(super) struct Energy {
    pub(super) counters: Vec<KeptFile>,
    pub(super) used: Option<usize>,
    pub(super) last: Option<Joules>,
}

/// A rail of a board: millivolts and milliamperes.
#[derive(Debug)]
pub(super) struct Rail {
    pub(super) voltage: KeptFile,
    pub(super) current: KeptFile,
}

/// What a search came across.
pub(super) enum Finding {
    Sensor(Hwmon),
    /// A monitor that is not used.
    Unused {
        name: String,
        why: String,
    },
    /// A device that cannot be read: the figures of its component lack its energy.
    Unreadable {
        component: Component,
        source: &'static str,
        name: String,
        why: String,
    },
}

impl Finding {
    pub(super) fn unused(name: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Unused { name: name.into(), why: why.into() }
    }
}

/// A directory of a driver's files: `/sys/class/hwmon/hwmon3`.
pub(super) struct Monitor {
    directory: PathBuf,
    /// The driver's name of the device; empty if it has none.
    pub(super) name: String,
}

impl Monitor {
    /// Returns the monitors in a directory.
    pub(super) fn list(parent: &Path) -> Vec<Self> {
        let monitor = |directory: PathBuf| {
            let name = read_trimmed(directory.join("name"))
                .or_else(|| read_trimmed(directory.join("device/name")));
            Self { directory, name: name.unwrap_or_default() }
        };
        entries(parent, "hwmon").into_iter().map(monitor).collect()
    }

    /// Returns the name of the device, or else of the directory.
    pub(super) fn label(&self) -> String {
        if self.name.is_empty() {
            self.directory.file_name().unwrap_or_default().to_string_lossy().into_owned()
        } else {
            self.name.clone()
        }
    }

    /// Returns the path of a file, which older drivers keep in the directory of the device.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        let file = self.directory.join(name);
        if file.exists() { file } else { self.directory.join("device").join(name) }
    }

    /// Returns the text of a file. `None` if it cannot be read.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        read_trimmed(self.file(name))
    }

    /// Returns whether the driver has the file.
    pub(super) fn has(&self, name: &str) -> bool {
        self.file(name).exists()
    }

    /// Opens a file. `None` if the driver does not have it.
    pub(super) fn open(&self, name: &str) -> io::Result<Option<KeptFile>> {
        match KeptFile::open(self.file(name)) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// A graphics card: `/sys/class/drm/card0`.
pub(super) struct Card {
    pub(super) path: PathBuf,
    /// `card0`
    pub(super) label: String,
    pub(super) monitors: Vec<Monitor>,
}

impl Card {
    /// Returns the graphics cards in the order of their numbers, without their outputs
    /// (`card0-HDMI-A-1`).
    pub(super) fn list(sys: &Path) -> Vec<Self> {
        let card = |path: PathBuf| {
            let label = path.file_name()?.to_str()?.to_owned();
            let number: u32 = label.strip_prefix("card")?.parse().ok()?;
            let monitors = Monitor::list(&path.join("device/hwmon"));
            Some((number, Self { path, label, monitors }))
        };
        let drm = entries(&sys.join("class/drm"), "card");
        let mut cards: Vec<(u32, Self)> = drm.into_iter().filter_map(card).collect();
        cards.sort_unstable_by_key(|(number, _)| *number);
        cards.into_iter().map(|(_, card)| card).collect()
    }

    /// Returns the file with the state of the card.
    pub(super) fn runtime_status(&self) -> Option<KeptFile> {
        KeptFile::open(self.path.join("device/power/runtime_status")).ok()
    }
}

impl Hwmon {
    /// Reads the device as it is now. For a counter, also returns which one was read.
    fn now(&self) -> Result<(Reading, Option<usize>), SensorError> {
        if is_asleep(self.runtime_status.as_ref()) {
            return match &self.readout {
                Readout::Power(_) | Readout::Rails(_) => Ok((Reading::Power(Watts::ZERO), None)),
                Readout::Energy(Energy { last, used, .. }) => {
                    last.map(|last| (Reading::Energy(last), *used)).ok_or(SensorError::NotReady)
                }
            };
        }
        let power = match &self.readout {
            Readout::Energy(energy) => {
                let (value, used) = energy.now()?;
                return Ok((Reading::Energy(value), used));
            }
            Readout::Power(file) => Watts(number(file)? * 1e-6),
            Readout::Rails(rails) => {
                let mut sum = Watts::ZERO;
                for rail in rails {
                    // A rail that is off can show a little less than 0.
                    let watts = number(&rail.voltage)? * number(&rail.current)? * 1e-6;
                    sum += Watts(watts.max(0.0));
                }
                sum
            }
        };
        if !self.plausible.contains(&power.0) {
            let text = format!("{}: {power}, which it cannot have", self.name);
            return Err(SensorError::Missing(text));
        }
        Ok((Reading::Power(power), None))
    }
}

impl Energy {
    /// The counters that could be opened; the first contains the others.
    pub(super) fn new(counters: Vec<KeptFile>) -> Self {
        Self { counters, used: None, last: None }
    }

    fn now(&self) -> Result<(Joules, Option<usize>), SensorError> {
        let joules = |file| number(file).map(|value| Joules(value * 1e-6));
        if let Some(counter) = self.used.and_then(|used| self.counters.get(used)) {
            return Ok((joules(counter)?, self.used));
        }
        for (index, counter) in self.counters.iter().enumerate() {
            let value = joules(counter)?;
            if value > Joules::ZERO {
                return Ok((value, Some(index)));
            }
        }
        let path = self.counters.first().map(|counter| counter.path().display().to_string());
        Err(SensorError::Missing(format!("{}: shows 0", path.unwrap_or_default())))
    }
}

impl Sensor for Hwmon {
    fn source(&self) -> &'static str {
        self.source
    }

    fn component(&self) -> Component {
        self.component
    }

    fn read(&mut self) -> Result<Reading, SensorError> {
        let (reading, counter) = self.now()?;
        if let (Readout::Energy(energy), Reading::Energy(value)) = (&mut self.readout, reading) {
            energy.used = counter;
            energy.last = Some(value);
        }
        Ok(reading)
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    fn quality(&self) -> Quality {
        match self.readout {
            Readout::Energy(_) => Quality::Measured,
            Readout::Power(_) | Readout::Rails(_) => Quality::Sampled,
        }
    }

    fn how(&self) -> String {
        if is_asleep(self.runtime_status.as_ref()) {
            return format!("{}; asleep now", self.how);
        }
        match self.now() {
            Ok((_, Some(1..))) => format!("{}, of the package without its memory", self.how),
            Ok(_) => self.how.clone(),
            Err(error) => format!("{}; no reading now: {error}", self.how),
        }
    }

    fn share(&mut self, _: &[u32]) -> Share {
        Share::by_usage(self.component)
    }
}

/// `ENODEV` of Linux.
const NO_SUCH_DEVICE: i32 = 19;

/// Returns the number in a file.
fn number(file: &KeptFile) -> Result<f64, SensorError> {
    file.read_i64().map(|value| value as f64).map_err(|error| {
        let text = format!("{}: {error}", file.path().display());
        // A card that was pulled out or whose driver is gone stays away.
        match error.raw_os_error() {
            Some(NO_SUCH_DEVICE) => SensorError::Lost(text),
            _ => SensorError::Missing(text),
        }
    })
}

/// Returns whether Linux has powered the device down. To read its sensors would wake it, on some
/// kernels.
pub(super) fn is_asleep(runtime_status: Option<&KeptFile>) -> bool {
    let mut buffer = [0; 16];
    let text = runtime_status.and_then(|file| file.read(&mut buffer).ok());
    text.is_some_and(|text| text.starts_with(b"suspend"))
}

/// Returns the entries of a directory whose names begin with `prefix`, sorted.
pub(super) fn entries(directory: &Path, prefix: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| entry.file_name().as_encoded_bytes().starts_with(prefix.as_bytes()))
        .map(|entry| entry.path())
        .collect();
    paths.sort_unstable();
    paths
}
