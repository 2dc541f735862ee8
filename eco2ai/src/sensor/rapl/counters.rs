//! The sensor: the counters of all zones of a component, added up.
//!
//! Only `package` and `dram` zones are counted: `core` and `uncore` are contained in the package,
//! `psys` contains it. A `dram` zone is below its package in the tree, but the counter of the
//! package does not include it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::search::{self, Candidate};
use super::time::Time;
use super::zone::{Place, TICK, Zone, named};
use crate::sensor::component::Component;
use crate::sensor::reading::{Quality, Reading, SensorError};
use crate::sensor::sensor::Sensor;
use crate::sensor::share::Share;
use crate::units::{Joules, Watts};

/// The number of updates over which the first power is computed.
const POWER_WINDOW: Duration = Duration::from_millis(3);
/// The time between two searches for missing zones, which bounds their cost.
const SEARCH_PERIOD: Duration = Duration::from_secs(1);

/// The energy of all packages (processors) or of all `dram` zones (memory).
///
/// Wraps are corrected for each zone. After a reset of a counter, for example by a suspend, only
/// the energy since the reset is added. A zone that cannot be read or does not move is left out,
/// and the sensor is then [partial](Sensor::is_partial); the zone is counted again when it is back.
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
    pub(super) name: String,
    powercap: PathBuf,
    zones: Vec<Zone>,
    time: Time,
    /// Why zones that exist were not opened.
    unopened: Vec<(Place, io::Error)>,
    /// When zones were last searched for.
    searched_at: Duration,
    /// The number of sockets that should have a zone.
    sockets: usize,
    /// The model that replaces the counters while all of them stand still.
    pub(super) model: Option<Reading>,
    /// The energy since the counters were opened.
    microjoules: u64,
    /// The time and the count from which the first power is computed.
    power_since: (Duration, u64),
    is_partial: bool,
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
    /// process has no permission to read any of them, and `InvalidData` if they always read 0, as
    /// in some virtual machines.
    pub fn packages(powercap: &Path) -> io::Result<Self> {
        Self::open(powercap, Component::Cpu)
    }

    /// Opens the counters of memory, from the zones under `powercap` (`/sys/class/powercap`).
    ///
    /// # Errors
    /// Same as for [`packages`](Self::packages).
    pub fn dram(powercap: &Path) -> io::Result<Self> {
        Self::open(powercap, Component::Ram)
    }

    fn open(powercap: &Path, component: Component) -> io::Result<Self> {
        let mut rapl = Self {
            component,
            name: component.to_string(),
            powercap: powercap.to_owned(),
            zones: Vec::new(),
            time: Time::default(),
            unopened: Vec::new(),
            searched_at: Duration::ZERO,
            sockets: 0,
            model: None,
            microjoules: 0,
            power_since: (Duration::ZERO, 0),
            is_partial: false,
        };
        let candidates = search::find(powercap, component)?;
        rapl.open_zones(candidates);
        rapl.is_partial = rapl.lacks_a_part(rapl.time.now());
        if rapl.zones() > 0 {
            return Ok(rapl);
        }
        let errors = std::mem::take(&mut rapl.unopened).into_iter();
        let is_other =
            |(_, error): &(_, io::Error)| error.kind() != io::ErrorKind::PermissionDenied;
        Err(match (errors.min_by_key(is_other), rapl.zones.first()) {
            (Some((_, error)), _) => error,
            (None, Some(zone)) => zero(zone),
            (None, None) => {
                let text = "no zone of a processor's package";
                let text = if component == Component::Ram { "no zone of memory" } else { text };
                named(powercap, &io::Error::new(io::ErrorKind::NotFound, text))
            }
        })
    }

    /// Opens the zones that are not open yet, and notes why others cannot be opened.
    fn open_zones(&mut self, candidates: Vec<Candidate>) {
        self.unopened.clear();
        for Candidate { folder, place, is_second_view } in candidates {
            let is_known = self.zones.iter().any(|zone| {
                zone.folder == folder || (is_second_view && zone.place == place && !zone.is_zero())
            });
            if is_known {
                continue;
            }
            match Zone::open(&folder, place, self.time.now()) {
                Ok(zone) => {
                    if is_second_view {
                        // It stands for the first view, which is at 0 or cannot be read.
                        self.zones.retain(|other| other.place != place);
                        self.unopened.retain(|(other, _)| *other != place);
                    }
                    if !self.zones.iter().any(|other| zone.mirrors(other)) {
                        self.zones.push(zone);
                    }
                }
                Err(error) => self.unopened.push((place, error)),
            }
        }
    }

    /// Takes the time of the readings from `now` instead of the system, for tests with counters that
    /// do not advance by themselves. Only with the feature `test-util`.
    #[cfg(feature = "test-util")]
    #[must_use]
    pub fn on_clock(mut self, now: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        self.zones.iter_mut().for_each(|zone| zone.read_at = now());
        self.power_since.0 = now();
        self.time = Time::Test(Box::new(now));
        self
    }

    /// Returns the number of zones that are added up.
    pub fn zones(&self) -> usize {
        self.zones.iter().filter(|zone| !zone.is_zero()).count()
    }

    /// Sets the number of sockets that should have a zone.
    pub(super) fn expect_sockets(&mut self, sockets: usize) {
        self.sockets = sockets;
        self.is_partial = self.lacks_a_part(self.time.now());
    }

    /// Returns the number of sockets whose zones are added up, and of those that should have one.
    pub(super) fn sockets(&self) -> (usize, usize) {
        (self.counted_sockets(), self.sockets)
    }

    fn counted_sockets(&self) -> usize {
        let packages = self.zones.iter().filter(|it| !it.is_zero()).map(|it| it.place.package);
        let is_first = |(index, package): &(usize, Option<u32>)| {
            !packages.clone().take(*index).any(|earlier| earlier == *package)
        };
        packages.clone().enumerate().filter(is_first).count()
    }

    /// Returns why zones of this component are not counted.
    pub(super) fn reasons(&self) -> impl Iterator<Item = io::Error> {
        let unopened = self.unopened.iter();
        unopened
            .map(|(_, error)| io::Error::new(error.kind(), error.to_string()))
            .chain(self.zones.iter().filter(|zone| zone.is_zero()).map(zero))
    }

    /// Whether the process has no permission to read the range of a counter that it can read.
    pub(super) fn has_closed_range(&self) -> bool {
        self.zones.iter().any(|zone| zone.is_range_closed)
    }

    /// Whether the energy of a socket or zone is missing.
    fn lacks_a_part(&self, now: Duration) -> bool {
        !self.unopened.is_empty()
            || self.counted_sockets() < self.sockets
            || self.zones.iter().any(|zone| !zone.is_counted(now))
    }

    /// Reads all zones and adds up what they counted. Returns why one could not be read.
    fn count(&mut self, now: Duration) -> Option<io::Error> {
        let mut failure = None;
        for zone in &mut self.zones {
            match zone.read(now) {
                Ok(energy) => self.microjoules = self.microjoules.saturating_add(energy),
                Err(error) => failure = Some(error),
            }
        }
        failure
    }

    /// Returns the reading of the model, as no counter can be used.
    fn model(&mut self, failure: Option<&io::Error>) -> Result<Reading, SensorError> {
        let why = failure.map_or_else(
            || format!("the counters under {} do not move", self.powercap.display()),
            ToString::to_string,
        );
        let Some(model) = self.model else { return Err(SensorError::Missing(why)) };
        crate::report::warn_once(&format!(
            "{}: {why}; until this changes, its energy is only estimated",
            self.name
        ));
        // The model covers the whole component.
        self.is_partial = false;
        Ok(model)
    }
}

/// The error for a counter that reads 0.
fn zero(zone: &Zone) -> io::Error {
    let text = format!("{}: always reads 0", zone.folder.join("energy_uj").display());
    io::Error::new(io::ErrorKind::InvalidData, text)
}

impl Sensor for Rapl {
    fn source(&self) -> &'static str {
        "rapl"
    }

    fn component(&self) -> Component {
        self.component
    }

    fn read(&mut self) -> Result<Reading, SensorError> {
        let now = self.time.now();
        let failure = self.count(now);
        if self.zones.iter().all(|zone| zone.is_dead(now)) {
            return self.model(failure.as_ref());
        }
        self.is_partial = self.lacks_a_part(now);
        match failure {
            // The zones keep what they have counted: the next reading catches up.
            Some(error) if !self.zones.iter().any(|zone| zone.is_counted(now)) => {
                Err(SensorError::Missing(error.to_string()))
            }
            _ => Ok(Reading::Energy(Joules(self.microjoules as f64 * 1e-6))),
        }
    }

    fn is_partial(&self) -> bool {
        self.is_partial
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    fn quality(&self) -> Quality {
        Quality::Measured
    }

    fn how(&self) -> String {
        let (zones, counted) = (self.zones(), self.counted_sockets());
        if counted < self.sockets {
            format!("energy counter, {zones} zone(s), {counted} of {} sockets", self.sockets)
        } else {
            format!("energy counter, {zones} zone(s)")
        }
    }

    fn tick(&self) -> Duration {
        TICK
    }

    /// Returns the mean power since the counters were opened, so that it is known even for a first
    /// run shorter than an update. Waits for a few updates if there were none yet.
    fn power(&mut self) -> Option<Watts> {
        let now = self.time.now();
        let passed = now.saturating_sub(self.power_since.0);
        if self.longest_interval().is_some_and(|longest| passed > longest) {
            // They may have wrapped meanwhile.
            self.count(now);
            self.power_since = (now, self.microjoules);
        }
        let (since, counted) = self.power_since;
        std::thread::sleep((since + POWER_WINDOW).saturating_sub(now));
        let now = self.time.now();
        self.count(now);
        let energy = Joules(self.microjoules.saturating_sub(counted) as f64 * 1e-6);
        let power = Watts(energy.0 / now.saturating_sub(since).as_secs_f64());
        Some(power).filter(|power| power.0 > 0.0 && power.0.is_finite())
    }

    fn longest_interval(&self) -> Option<Duration> {
        self.zones.iter().map(Zone::longest_interval).min()
    }

    /// Searches for the zones that are missing, then returns the share of the CPU time or memory.
    fn share(&mut self, _: &[u32]) -> Share {
        let now = self.time.now();
        let is_missing = self.is_partial || self.zones.iter().any(|zone| zone.is_dead(now));
        if is_missing && now.saturating_sub(self.searched_at) >= SEARCH_PERIOD {
            self.searched_at = now;
            self.zones.iter_mut().for_each(Zone::reopen);
            if let Ok(candidates) = search::find(&self.powercap, self.component) {
                self.open_zones(candidates);
            }
        }
        if self.component == Component::Ram { Share::Memory } else { Share::CpuTime }
    }
}
