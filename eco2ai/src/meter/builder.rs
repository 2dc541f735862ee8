//! [`MeterBuilder`]: builds a meter with given sensors.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::channel::Channel;
#[cfg(feature = "test-util")]
use super::clock::Clock;
use super::clock::MeterClock;
use super::meter::Meter;
use super::meter_state::{MeterState, Names};
use super::sensing::Sensing;
use crate::sensor::{GivenPower, Sensor, Usage, UsageSource};

/// Builds a [`Meter`] with given sensors. See [`Meter::builder`].
///
/// ```
/// use eco2ai::meter::Meter;
/// use eco2ai::sensor::{CpuModel, Usage, UsageSource};
/// use eco2ai::units::Watts;
///
/// /// The usage of an unknown machine.
/// struct Unknown;
///
/// impl UsageSource for Unknown {
///     fn read(&mut self) -> Usage {
///         Usage::default()
///     }
///     fn refresh(&mut self) {}
///     fn processes(&self) -> &[u32] {
///         &[]
///     }
/// }
///
/// let meter = Meter::builder(Unknown).sensor(CpuModel::from_watts(Watts(65.0))).build();
/// meter.read();
/// ```
pub struct MeterBuilder {
    clock: MeterClock,
    usage: Box<dyn UsageSource>,
    sensors: Vec<Box<dyn Sensor>>,
}

impl fmt::Debug for MeterBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MeterBuilder").field("clock", &self.clock).finish_non_exhaustive()
    }
}

impl MeterBuilder {
    /// Adds a sensor.
    #[must_use]
    pub fn sensor(mut self, sensor: impl Sensor + 'static) -> Self {
        self.sensors.push(Box::new(sensor));
        self
    }

    /// Sets the clock. The default is the clock of the machine. With a clock that does not advance
    /// by itself, the meter has no thread: call [`Meter::read`] or [`Meter::simulate`]. Only with
    /// the feature `test-util`.
    #[cfg(feature = "test-util")]
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = MeterClock::Given(Arc::new(clock));
        self
    }

    /// Builds the meter. Each sensor is read once, in a thread of its own; one that does not answer
    /// within 20 ms is not waited for.
    pub fn build(self) -> Meter {
        let clock = self.clock;
        let mut sensing = Sensing::new(self.usage);
        let sensors = self.sensors.into_iter();
        let mut channels: Vec<_> =
            sensors.map(|sensor| Channel::new(sensor, clock.shared(), Duration::ZERO)).collect();
        if clock.runs() {
            Channel::try_out(&mut channels, Duration::ZERO);
        }
        for channel in channels {
            sensing.add(channel);
        }
        let (names, given) = (Names::default(), GivenPower::default());
        Meter { state: Arc::new(MeterState::new(clock, sensing, names, given)) }
    }
}

impl Meter {
    /// Returns a builder without sensors. `usage` reports the CPU time and memory of the process
    /// and the machine.
    ///
    #[cfg_attr(
        target_os = "linux",
        doc = r"
```
use eco2ai::Tracker;
use eco2ai::meter::Meter;
use eco2ai::sensor::{CpuModel, LinuxUsage};
use eco2ai::units::Watts;

// Of this machine only the processor counts, at 65 W.
let meter = Meter::builder(LinuxUsage::new()).sensor(CpuModel::from_watts(Watts(65.0))).build();
let tracker = Tracker::builder().meter(&meter).forget().build()?;
# drop(tracker);
# Ok::<(), eco2ai::Error>(())
```
"
    )]
    pub fn builder(usage: impl UsageSource + 'static) -> MeterBuilder {
        MeterBuilder { clock: MeterClock::default(), usage: Box::new(usage), sensors: Vec::new() }
    }

    /// Returns a meter that measures nothing, always the same.
    pub(crate) fn none() -> Self {
        static NONE: OnceLock<Meter> = OnceLock::new();
        NONE.get_or_init(Self::new_none).clone()
    }

    /// Makes a meter that measures nothing.
    pub(crate) fn new_none() -> Self {
        Self::builder(NoUsage).build()
    }
}

/// The usage of nothing.
struct NoUsage;

impl UsageSource for NoUsage {
    fn read(&mut self) -> Usage {
        Usage::default()
    }

    fn refresh(&mut self) {}

    fn processes(&self) -> &[u32] {
        &[]
    }
}
