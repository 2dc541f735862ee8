//! One zone: a counter of microjoules that wraps, can be reset, can stand still, and can be gone
//! for a while.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::sensor::kept_file::KeptFile;
use crate::units::Watts;

/// An upper bound of the power of a zone, well above that of any processor.
pub(super) const MAX_POWER: Watts = Watts(1000.0);
/// The approximate time between two updates of a counter. Source: Intel 64 and IA-32 Architectures
/// Software Developer's Manual, volume 3, on RAPL.
pub(super) const TICK: Duration = Duration::from_millis(1);
/// A shorter range is not believed: the counter would wrap within a second at [`MAX_POWER`]. The
/// shortest range of known processors is 65.5 kJ.
const MIN_RANGE: u64 = 1_000_000_000;
/// The range that is assumed where it is unknown: the shortest one (32 bits of 15.3 uJ).
const SHORTEST_RANGE: u64 = 65_532_610_987;
/// A counter that has not moved for so long stands still; no counter is updated so rarely. At 0.1 W, less than an idle package or
/// memory needs, it moves 160 times in this time (steps of 61 uJ).
const STANDSTILL: Duration = Duration::from_millis(100);
/// After so many failed readings in a row a zone is taken to be gone.
const MAX_FAILURES: u32 = 2;
/// The maximum difference in microjoules between two views of one counter: 1 ms at 1000 W.
const MIRROR_LAG: u64 = 1_000_000;

/// The place of a zone in the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// The socket; `None` if the name of the zone does not say it.
    pub(super) package: Option<u32>,
    pub(super) die: Option<u32>,
}

/// The counter of one zone.
#[derive(Debug)]
pub(super) struct Zone {
    pub(super) place: Place,
    pub(super) folder: PathBuf,
    /// Whether the process has no permission to read the range.
    pub(super) is_range_closed: bool,
    energy: KeptFile,
    /// The highest value, after which the counter wraps to 0; `None` if it is unknown.
    range: Option<u64>,
    last: u64,
    /// The time of the last successful reading.
    pub(super) read_at: Duration,
    /// When the counter moved last, or was first read.
    moved_at: Option<Duration>,
    /// The number of failed readings since the last successful one.
    failures: u32,
}

impl Zone {
    /// Opens the counter in `folder`.
    pub(super) fn open(folder: &Path, place: Place, now: Duration) -> io::Result<Self> {
        let energy = open_counter(folder)?;
        let last = energy.read_u64().map_err(|error| named(energy.path(), &error))?;
        let range = KeptFile::open(folder.join("max_energy_range_uj"));
        let is_range_closed =
            range.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied);
        let range = range.and_then(|file| file.read_u64()).ok();
        Ok(Self {
            place,
            folder: folder.to_owned(),
            is_range_closed,
            energy,
            range: range.filter(|&range| range >= MIN_RANGE.max(last)),
            last,
            read_at: now,
            moved_at: None,
            failures: 0,
        })
    }

    /// Opens the file again if the zone was gone: an open file of a removed zone never works again.
    pub(super) fn reopen(&mut self) {
        if self.failures > 0
            && let Ok(energy) = open_counter(&self.folder)
        {
            self.energy = energy;
        }
    }

    /// Reads the counter. Returns the microjoules since the last successful reading.
    pub(super) fn read(&mut self, now: Duration) -> io::Result<u64> {
        match self.energy.read_u64() {
            Ok(value) => Ok(self.advance(value, now)),
            Err(error) => {
                self.failures = self.failures.saturating_add(1);
                Err(named(self.energy.path(), &error))
            }
        }
    }

    fn advance(&mut self, value: u64, now: Duration) -> u64 {
        let passed = now.saturating_sub(std::mem::replace(&mut self.read_at, now));
        let last = std::mem::replace(&mut self.last, value);
        if value != last || self.moved_at.is_none() {
            self.moved_at = Some(now);
        }
        let was_gone = std::mem::take(&mut self.failures) > 0;
        if was_gone && passed > self.longest_interval() {
            // It may have wrapped more than once.
            return 0;
        }
        let is_possible = |energy: u64| {
            let highest = MAX_POWER * (passed + STANDSTILL);
            energy as f64 * 1e-6 <= highest.0
        };
        let energy = if value >= last {
            value - last
        } else {
            let wrapped = self.range.map(|range| range.saturating_sub(last).saturating_add(value));
            // Otherwise it is a reset, or a wrap at an unknown value, which looks the same: the
            // energy since then is counted, so that at most that of one interval is missing.
            wrapped.filter(|&wrapped| is_possible(wrapped)).unwrap_or(value)
        };
        // More is a jump to another value.
        if is_possible(energy) { energy } else { 0 }
    }

    /// Whether the counter is at 0, as it always is in some virtual machines and where a part has no
    /// such counter.
    pub(super) fn is_zero(&self) -> bool {
        self.last == 0
    }

    /// Whether the counter cannot be used: it is at 0, stands still or is gone.
    pub(super) fn is_dead(&self, now: Duration) -> bool {
        let stands_still =
            self.moved_at.is_some_and(|moved| now.saturating_sub(moved) >= STANDSTILL);
        match self.failures {
            0 => self.is_zero() || stands_still,
            failures => failures > MAX_FAILURES,
        }
    }

    /// Whether the energy of the zone is in the sum of the last reading.
    pub(super) fn is_counted(&self, now: Duration) -> bool {
        self.failures == 0 && !self.is_dead(now)
    }

    /// Returns the longest time between two readings after which a wrap is unambiguous.
    pub(super) fn longest_interval(&self) -> Duration {
        let range = self.range.unwrap_or(SHORTEST_RANGE);
        Duration::from_secs_f64(range as f64 * 1e-6 / 2.0 / MAX_POWER.0)
    }

    /// Whether both are dies of one package and show its one counter, as on some AMD parts: this
    /// one's value then lies between two values of the other, with a tolerance for the time that a
    /// die needs to take over the new value. Two sockets never share a counter.
    pub(super) fn mirrors(&self, other: &Self) -> bool {
        if self.place.package.is_none()
            || self.place.package != other.place.package
            || self.place.die == other.place.die
            || self.is_zero()
        {
            return false;
        }
        let read = || {
            let before = other.energy.read_u64().ok()?;
            let own = self.energy.read_u64().ok()?;
            let after = other.energy.read_u64().ok()?;
            Some((before.saturating_sub(MIRROR_LAG), own, after.saturating_add(MIRROR_LAG)))
        };
        // Twice: a wrap between the readings does not prove the contrary. A die that cannot be
        // compared is not counted, as it may be a mirror.
        (0..2).any(|_| read().is_none_or(|(before, own, after)| before <= own && own <= after))
    }
}

fn open_counter(folder: &Path) -> io::Result<KeptFile> {
    let file = folder.join("energy_uj");
    KeptFile::open(&file).map_err(|error| named(&file, &error))
}

/// Adds the path to an error.
pub(super) fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANGE: u64 = 262_143_328_850;

    /// A zone that showed `last` at the time 0.
    fn zone(range: Option<u64>, last: u64) -> Zone {
        Zone {
            place: Place::default(),
            folder: PathBuf::new(),
            is_range_closed: false,
            energy: KeptFile::open("/proc/self/stat").unwrap(),
            range,
            last,
            read_at: Duration::ZERO,
            moved_at: Some(Duration::ZERO),
            failures: 0,
        }
    }

    /// The microjoules that are counted when the counter goes from `last` to `value` in a second.
    fn counted(range: Option<u64>, last: u64, value: u64) -> u64 {
        zone(range, last).advance(value, Duration::from_secs(1))
    }

    #[test]
    fn a_wrap_goes_on_and_a_reset_starts_anew() {
        assert_eq!(counted(Some(RANGE), 400, 700), 300);
        assert_eq!(counted(Some(RANGE), RANGE - 100, 50), 150, "wrapped");
        assert_eq!(counted(Some(RANGE), 300_000, 20_000), 20_000, "reset");
        assert_eq!(counted(Some(RANGE), 240_000_000_000, 20_000), 20_000, "22 kJ in a second?");
    }

    #[test]
    fn a_jump_to_another_value_is_not_energy() {
        assert_eq!(counted(Some(RANGE), 250_000_000_000, 100_000_000_000), 0);
        assert_eq!(counted(Some(RANGE), 100_000_000_000, 250_000_000_000), 0);
        assert_eq!(counted(None, 60_000_000_000, 50_000_000_000), 0);
        assert_eq!(counted(Some(RANGE), 0, 5_000_000_000), 0, "a counter that begins to work");
    }

    #[test]
    fn a_wrap_at_an_unknown_value_counts_what_came_after_it() {
        assert_eq!(counted(None, RANGE - 100, 50_000_000), 50_000_000);
    }

    #[test]
    fn a_counter_that_does_not_move_stands_still_until_it_moves() {
        let (before, later) = (Duration::from_millis(99), Duration::from_millis(100));
        let mut zone = zone(Some(RANGE), 500);
        assert_eq!(zone.advance(500, before), 0);
        assert!(zone.is_counted(before));
        assert_eq!(zone.advance(500, later), 0);
        assert!(zone.is_dead(later));
        assert_eq!(zone.advance(501, later), 1);
        assert!(zone.is_counted(later));
    }

    #[test]
    fn a_zone_that_was_gone_catches_up_unless_it_may_have_wrapped_meanwhile() {
        let back = |after: Duration| {
            Zone { failures: 2, ..zone(Some(RANGE), 500) }.advance(9_000_500, after)
        };
        assert_eq!(back(Duration::from_secs(1)), 9_000_000);
        assert_eq!(back(Duration::from_secs(3600)), 0);
    }
}
