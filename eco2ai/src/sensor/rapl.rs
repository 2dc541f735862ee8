//! The energy counters of processors (RAPL), which Linux provides under `powercap`, for Intel and
//! AMD.
//!
//! Only `package` and `dram` zones are counted: `core` and `uncore` are contained in the package,
//! `psys` contains it, and `intel-rapl-mmio` repeats it. A `dram` zone is below its package in the
//! tree, but the counter of the package does not include it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::component::Component;
use super::cpu_info::CpuInfo;
use super::found::Found;
use super::kept_file::{KeptFile, read_trimmed};
use super::reading::{Quality, Reading, SensorError};
use super::roots::Roots;
use super::sensor::Sensor;
use crate::units::{Joules, Watts};

/// The folder of the zones, under `/sys`.
const POWERCAP: &str = "class/powercap";
/// The approximate time between two updates of a counter. Source: Intel's manual, volume 3, on
/// RAPL.
const TICK: Duration = Duration::from_millis(1);
/// The number of updates over which the first power is computed.
const POWER_WINDOW: Duration = Duration::from_millis(3);
/// An upper bound of the power of a zone, which determines how soon a counter can wrap.
const MAX_POWER: Watts = Watts(1000.0);
/// The maximum difference in microjoules between two views of one counter: 1 ms at 100 W.
const MIRROR_LAG: u64 = 100_000;

/// The energy of all packages (processors) or of all `dram` zones (memory).
///
/// Wraps are corrected for each zone. After a reset of a counter, for example by a suspend, only
/// the energy since the reset is added.
///
/// ```
/// use eco2ai::sensor::Rapl;
///
/// match Rapl::packages("/sys/class/powercap".as_ref()) {
///     Ok(rapl) => println!("{} zones", rapl.zones()),
///     Err(error) => println!("no counter: {error}"),
/// }
/// ```
#[derive(Debug)]
pub struct Rapl {
    component: Component,
    name: String,
    zones: Vec<Zone>,
    /// The energy since the counters were opened.
    microjoules: u64,
    /// The time and the count from which the first power is computed.
    power_since: (Instant, u64),
}

#[derive(Debug)]
struct Zone {
    energy: KeptFile,
    /// The highest value of the counter, in microjoules, after which it wraps to 0.
    range: u64,
    last: u64,
}

impl Rapl {
    /// Opens the counters of the processors, from the zones under `powercap`
    /// (`/sys/class/powercap`).
    ///
    /// ```
    /// use eco2ai::sensor::Rapl;
    ///
    /// match Rapl::packages("/sys/class/powercap".as_ref()) {
    ///     Ok(packages) => println!("{} sockets have a counter", packages.zones()),
    ///     Err(error) => println!("no counters: {error}"),
    /// }
    /// ```
    ///
    /// # Errors
    /// Returns an error of the kind `NotFound` if there are no counters, `PermissionDenied` if the
    /// process has no permission to read them, and `InvalidData` if they always read 0, as in some
    /// virtual machines.
    pub fn packages(powercap: &Path) -> io::Result<Self> {
        Self::open(powercap, Component::Cpu, |name| name.starts_with("package-"))
    }

    /// Opens the counters of memory, from the zones under `powercap` (`/sys/class/powercap`).
    ///
    /// # Errors
    /// Same as for [`packages`](Self::packages).
    pub fn dram(powercap: &Path) -> io::Result<Self> {
        Self::open(powercap, Component::Ram, |name| name == "dram")
    }

    fn open(
        powercap: &Path,
        component: Component,
        counts: impl Fn(&str) -> bool,
    ) -> io::Result<Self> {
        let mut paths: Vec<PathBuf> = std::fs::read_dir(powercap)
            .map_err(|error| named(powercap, &error))?
            .flatten()
            .filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b"intel-rapl:"))
            .map(|entry| entry.path())
            .filter(|path| read_trimmed(path.join("name")).is_some_and(|name| counts(name.trim())))
            .collect();
        paths.sort();
        let mut zones: Vec<Zone> = Vec::new();
        for path in paths {
            let zone = Zone::open(&path)?;
            if !zones.iter().any(|other| zone.mirrors(other)) {
                zones.push(zone);
            }
        }
        if zones.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                format!("{}: no such zone", powercap.display()),
            ));
        }
        Ok(Self {
            component,
            name: component.to_string(),
            zones,
            microjoules: 0,
            power_since: (Instant::now(), 0),
        })
    }

    /// Returns the number of zones that are added up.
    pub fn zones(&self) -> usize {
        self.zones.len()
    }
}

/// Adds the counters of processors and memory, or the reasons why there are none.
pub(crate) fn detect(roots: &Roots, cpu: &CpuInfo, found: &mut Found) {
    let powercap = roots.sys.join(POWERCAP);
    for (opened, name) in
        [(Rapl::packages(&powercap), cpu.brand.as_str()), (Rapl::dram(&powercap), "memory")]
    {
        match opened {
            Ok(rapl) => found.add(Rapl { name: name.to_owned(), ..rapl }),
            Err(error) => add_missing(&error, name, &powercap, cpu, found),
        }
    }
}

/// Notes why there is no counter of `name`. If permission is missing, warns with the command that
/// grants it.
fn add_missing(error: &io::Error, name: &str, powercap: &Path, cpu: &CpuInfo, found: &mut Found) {
    let (why, command) = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            let command = permission_command(powercap);
            crate::report::warn_once(&format!(
                "no permission to read the energy counters under {}, so energy is only estimated; \
                 to make them readable until the next boot: {command}",
                powercap.display()
            ));
            (error.to_string(), Some(command))
        }
        io::ErrorKind::NotFound if cpu.is_virtual => ("a virtual machine has none".into(), None),
        // Many parts have no counter of memory, but hardly any lacks one of its own.
        io::ErrorKind::NotFound
            if name == cpu.brand && cfg!(any(target_arch = "x86_64", target_arch = "x86")) =>
        {
            let why = format!("{error}; a container hides them, or the driver is not loaded");
            (why, Some("sudo modprobe intel_rapl_msr".into()))
        }
        _ => (error.to_string(), None),
    };
    found.add_missing(format!("energy counter of {name} (RAPL)"), why, command);
}

/// Returns the command that makes the counters readable for all users until the next boot.
fn permission_command(powercap: &Path) -> String {
    format!("sudo chmod a+r {}/intel-rapl:*/energy_uj", powercap.display())
}

impl Zone {
    fn open(path: &Path) -> io::Result<Self> {
        let file = path.join("energy_uj");
        let energy = KeptFile::open(&file).map_err(|error| named(&file, &error))?;
        let now = energy.read_u64().map_err(|error| named(&file, &error))?;
        if now == 0 {
            let text = format!("{}: always reads 0", file.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        let file = path.join("max_energy_range_uj");
        let range = KeptFile::open(&file).and_then(|range| range.read_u64());
        let range = range.map_err(|error| named(&file, &error))?;
        Ok(Self { energy, range, last: now })
    }

    /// Whether both show the counter of the same socket, as the dies of some AMD parts do: this
    /// one's value then lies between two values of the other, give or take what a die needs to
    /// take over the new value.
    fn mirrors(&self, other: &Self) -> bool {
        let read = || {
            let before = other.energy.read_u64().ok()?;
            let own = self.energy.read_u64().ok()?;
            let after = other.energy.read_u64().ok()?;
            Some((before.saturating_sub(MIRROR_LAG), own, after.saturating_add(MIRROR_LAG)))
        };
        // Twice: a wrap between the readings is no proof of the contrary.
        (0..2).any(|_| read().is_some_and(|(before, own, after)| before <= own && own <= after))
    }

    /// Returns the microjoules since the last reading.
    fn advance(&mut self, now: u64) -> u64 {
        let last = std::mem::replace(&mut self.last, now);
        if now >= last {
            return now - last;
        }
        let wrapped = self.range.saturating_sub(last).saturating_add(now);
        // Readings are close enough for half the range: what would be more is a reset.
        if wrapped <= self.range / 2 { wrapped } else { now }
    }
}

/// Adds the path to an error.
fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

impl Sensor for Rapl {
    fn source(&self) -> &'static str {
        "rapl"
    }

    fn component(&self) -> Component {
        self.component
    }

    fn read(&mut self) -> Result<Reading, SensorError> {
        for zone in &mut self.zones {
            // The zones before this one keep what they have counted: nothing is lost.
            let now = zone.energy.read_u64().map_err(|error| {
                SensorError::Missing(format!("{}: {error}", zone.energy.path().display()))
            })?;
            self.microjoules = self.microjoules.saturating_add(zone.advance(now));
        }
        Ok(Reading::Energy(Joules(self.microjoules as f64 * 1e-6)))
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    fn quality(&self) -> Quality {
        Quality::Measured
    }

    fn how(&self) -> String {
        format!("energy counter, {} zone(s)", self.zones())
    }

    fn tick(&self) -> Duration {
        TICK
    }

    /// Returns the mean power since the counters were opened, so that it is known even for a first
    /// run shorter than an update. Waits for a few updates if there were none yet.
    fn power(&mut self) -> Option<Watts> {
        let passed = self.power_since.0.elapsed();
        if self.longest_interval().is_some_and(|longest| passed > longest) {
            // They may have wrapped meanwhile.
            self.read().ok()?;
            self.power_since = (Instant::now(), self.microjoules);
        }
        let (since, counted) = self.power_since;
        std::thread::sleep(POWER_WINDOW.saturating_sub(since.elapsed()));
        self.read().ok()?;
        let energy = Joules(self.microjoules.saturating_sub(counted) as f64 * 1e-6);
        Some(Watts(energy.0 / since.elapsed().as_secs_f64())).filter(|power| power.0 > 0.0)
    }

    fn longest_interval(&self) -> Option<Duration> {
        let range = self.zones.iter().map(|zone| zone.range).min()?;
        Some(Duration::from_secs_f64(range as f64 * 1e-6 / 2.0 / MAX_POWER.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrap_goes_on_and_a_reset_starts_anew() {
        let zone =
            |last| Zone { energy: KeptFile::open("/proc/self/stat").unwrap(), range: 1000, last };
        assert_eq!(zone(400).advance(700), 300);
        assert_eq!(zone(900).advance(50), 150, "wrapped");
        assert_eq!(zone(300).advance(20), 20, "reset: 720 would be too much for a wrap");
    }

    #[test]
    fn a_refusal_is_noted_with_the_command_that_lifts_it() {
        let (brand, id) = ("a part".into(), None);
        let cpu = CpuInfo { brand, sockets: 1, logical: 1, is_virtual: false, id };
        let mut found = Found::default();
        let refused = io::Error::from(io::ErrorKind::PermissionDenied);
        add_missing(&refused, "memory", "/sys/class/powercap".as_ref(), &cpu, &mut found);
        let command = "sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj";
        assert_eq!(found.missing[0].command.as_deref(), Some(command));
        assert!(found.sensors.is_empty());
    }
}
