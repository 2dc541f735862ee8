//! A tracker that goes by a meter of chosen sensors and a clock that stands still.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use eco2ai::meter::{ManualClock, Meter, MeterBuilder};
use eco2ai::units::{Joules, KilowattHours};
use eco2ai::{CpuProcesses, Record, Tracker, TrackerBuilder};
use tempfile::TempDir;

/// The meter, its clock, and a folder for the log.
#[derive(Debug)]
pub struct Bench {
    pub clock: ManualClock,
    pub meter: Meter,
    folder: TempDir,
}

impl Bench {
    /// A meter as `build` makes it.
    ///
    /// # Panics
    /// Where no temporary folder can be made.
    pub fn new(build: impl FnOnce(&ManualClock) -> MeterBuilder) -> Self {
        let clock = ManualClock::new(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000));
        let meter = build(&clock).clock(clock.clone()).build();
        Self { clock, meter, folder: TempDir::new().expect("a folder") }
    }

    /// The log of its trackers.
    pub fn log(&self) -> PathBuf {
        self.folder.path().join("emission.csv")
    }

    /// A tracker on this meter, to be given more parameters.
    pub fn builder(&self) -> TrackerBuilder {
        Tracker::builder().file(self.log()).meter(&self.meter).forget()
    }

    /// A tracker of this process, or of the whole machine.
    ///
    /// # Panics
    /// Where the environment holds parameters that are wrong.
    pub fn tracker(&self, scope: CpuProcesses) -> Tracker {
        self.builder().cpu_processes(scope).build().expect("good parameters")
    }

    /// Lets time pass, with the readings that the meter's thread would take.
    pub fn pass(&self, seconds: f64) {
        self.meter.simulate(&self.clock, Duration::from_secs_f64(seconds));
    }

    /// A run of this length.
    ///
    /// # Panics
    /// Where its row cannot be written.
    pub fn run(&self, scope: CpuProcesses, seconds: f64) -> Record {
        let run = self.tracker(scope).start().expect("a run");
        self.pass(seconds);
        run.stop().expect("a record")
    }
}

/// A component's energy in joules; nothing where it is missing.
pub fn joules(energy: impl Into<Option<KilowattHours>>) -> Option<f64> {
    energy.into().map(|energy| Joules::from(energy).0)
}

/// Checks an energy, given in joules, to a millionth.
///
/// # Panics
/// Where it is another one, or missing.
#[track_caller]
pub fn assert_joules(energy: impl Into<Option<KilowattHours>>, expected: f64) {
    assert_about(energy, expected, 1e-6 * expected.max(1e-3));
}

/// Checks an energy, given in joules, to within `tolerance`.
///
/// # Panics
/// Where it is another one, or missing.
#[track_caller]
pub fn assert_about(energy: impl Into<Option<KilowattHours>>, expected: f64, tolerance: f64) {
    let found = joules(energy).expect("an energy");
    assert!((found - expected).abs() <= tolerance, "{found} J for {expected} J");
}
