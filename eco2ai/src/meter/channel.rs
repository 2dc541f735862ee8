//! One sensor with its history: from readings to the energy of the device and of this process.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::counter::Counter;
use super::gauge::Gauge;
use super::increment::Increment;
use super::models::{CpuLoad, MemoryInUse};
use super::power_model::ScalesWith;
use super::usage_window::UsageChange;
use crate::sensor::{Bounds, Component, Quality, Reading, Sensor, SensorError, Share, Usage};
use crate::units::{Joules, Watts};

/// After so many failures in a row a sensor is reported as failing.
const FAILURES_BEFORE_WARNING: u32 = 3;

/// A sensor and what is known from its readings so far.
pub(super) struct Channel {
    sensor: Box<dyn Sensor>,
    component: Component,
    source: String,
    tick: Duration,
    longest_interval: Option<Duration>,
    history: History,
    share: Share,
    failures: u32,
    lost: bool,
}

/// The readings so far, by the kind of the sensor.
enum History {
    /// No reading yet, or none since the sensor failed.
    Empty,
    Counter(Counter),
    Gauge(Gauge),
    CpuLoad(CpuLoad),
    MemoryInUse(MemoryInUse),
}

impl Channel {
    pub(super) fn new(sensor: Box<dyn Sensor>) -> Self {
        Self {
            component: sensor.component(),
            source: sensor.source().to_owned(),
            tick: sensor.tick(),
            longest_interval: sensor.longest_interval(),
            sensor,
            history: History::Empty,
            share: Share::Whole,
            failures: 0,
            lost: false,
        }
    }

    pub(super) fn component(&self) -> Component {
        self.component
    }

    pub(super) fn source(&self) -> &str {
        &self.source
    }

    pub(super) fn share(&self) -> Share {
        self.share
    }

    /// The longest time between two refreshes of a counter.
    pub(super) fn tick(&self) -> Duration {
        self.tick
    }

    /// The bounds of figures of each quality, from the weakest.
    pub(super) fn bounds(&self) -> [Bounds; Quality::ALL.len()] {
        Quality::ALL.map(|quality| {
            guarded(|| self.sensor.bounds(quality)).map_or(Bounds::UNKNOWN, Bounds::valid)
        })
    }

    pub(super) fn longest_interval(&self) -> Option<Duration> {
        if self.lost { None } else { self.longest_interval }
    }

    /// Updates the part of the device's energy that belongs to this process.
    pub(super) fn refresh_share(&mut self, processes: &[u32]) {
        if self.lost {
            return;
        }
        match guarded(|| self.sensor.share(processes)) {
            Some(share) => self.share = share,
            None => self.failed(&SensorError::Lost("the sensor panicked".into())),
        }
    }

    /// Whether its figures are missing for longer than a moment.
    pub(super) fn is_failing(&self) -> bool {
        self.lost || self.failures >= FAILURES_BEFORE_WARNING
    }

    /// Reads the sensor. The quality is that of this reading, or of the last one where the sensor
    /// has nothing new; `None` where there is none.
    pub(super) fn read(
        &mut self,
        now: Duration,
        usage: &UsageChange,
    ) -> (Increment, Option<Quality>) {
        if self.lost {
            return (Increment::default(), None);
        }
        self.share = known_share(self.share, &usage.now);
        let read = guarded(|| self.sensor.read())
            .unwrap_or_else(|| Err(SensorError::Lost("the sensor panicked".into())));
        let read = match read.and_then(Reading::valid) {
            Ok(reading) => self.take(now, reading, usage).map(|it| (it, Some(reading.quality()))),
            Err(SensorError::NotReady) => self.go_on(now, usage).map(|it| (it, self.quality())),
            Err(error) => Err(error),
        };
        match read {
            Ok(read) => {
                self.failures = 0;
                read
            }
            Err(error) => {
                self.failed(&error);
                (self.go_on(now, usage).unwrap_or_default(), None)
            }
        }
    }

    /// Takes in a reading. One of another kind than before begins a new history.
    fn take(
        &mut self,
        now: Duration,
        reading: Reading,
        usage: &UsageChange,
    ) -> Result<Increment, SensorError> {
        match (reading, &mut self.history) {
            (Reading::Energy(value), History::Counter(counter)) => {
                let (energy, power) = (counter.read(now, value), counter.power());
                Ok(self.shared(energy, power, usage))
            }
            (Reading::Energy(value), _) => {
                let counter = self.first_count(now, value);
                self.history = History::Counter(counter);
                Ok(self.shared(Joules::ZERO, counter.power(), usage))
            }
            (Reading::Power(power), History::Gauge(gauge)) => {
                let energy = gauge.read(now, power);
                Ok(self.shared(energy, power, usage))
            }
            (Reading::Power(power), _) => {
                self.history = History::Gauge(Gauge::new(now, power));
                Ok(self.shared(Joules::ZERO, power, usage))
            }
            (Reading::AtFullLoad(power), History::CpuLoad(model)) => {
                model.at_full_load = power;
                model.read(now, usage)
            }
            (Reading::AtFullLoad(power), _) => {
                let mut model = CpuLoad::new(power);
                let increment = model.read(now, usage);
                self.history = History::CpuLoad(model);
                increment
            }
            (Reading::PerGibibyte(power), History::MemoryInUse(model)) => {
                model.per_gibibyte = power;
                model.read(now, usage)
            }
            (Reading::PerGibibyte(power), _) => {
                let mut model = MemoryInUse::new(power);
                let increment = model.read(now, usage);
                self.history = History::MemoryInUse(model);
                increment
            }
        }
    }

    /// Where a counter begins.
    fn first_count(&mut self, now: Duration, value: Joules) -> Counter {
        let power = guarded(|| self.sensor.power()).flatten().map_or(0.0, |power| power.0);
        let power = Watts(if power.is_finite() { power.max(0.0) } else { 0.0 });
        // The question may have taken the time of some ticks.
        let value = match guarded(|| self.sensor.read()) {
            Some(Ok(Reading::Energy(energy))) if energy.0.is_finite() => energy,
            _ => value,
        };
        Counter::new(now, value, power, self.tick, self.longest_interval)
    }

    /// In place of a reading: a counter and a gauge go on at the last known power, and the next
    /// reading settles the difference; a model goes on by the usage.
    fn go_on(&mut self, now: Duration, usage: &UsageChange) -> Result<Increment, SensorError> {
        match &mut self.history {
            History::Empty => Ok(Increment::default()),
            History::Counter(counter) => {
                let (energy, power) = (counter.go_on(now), counter.power());
                Ok(self.shared(energy, power, usage))
            }
            History::Gauge(gauge) => {
                let (energy, power) = (gauge.go_on(now), gauge.power());
                Ok(self.shared(energy, power, usage))
            }
            History::CpuLoad(model) => model.read(now, usage),
            History::MemoryInUse(model) => model.read(now, usage),
        }
    }

    /// The quality of the readings so far.
    fn quality(&self) -> Option<Quality> {
        match self.history {
            History::Empty => None,
            History::Counter(_) => Some(Quality::Measured),
            History::Gauge(_) => Some(Quality::Sampled),
            History::CpuLoad(_) | History::MemoryInUse(_) => Some(Quality::Estimated),
        }
    }

    /// The device's energy and power, and this process's part of both.
    fn shared(&self, energy: Joules, power: Watts, usage: &UsageChange) -> Increment {
        let share = self.fraction(usage);
        Increment {
            machine: energy,
            process: energy * share,
            machine_power: power,
            process_power: power * share,
            scales_with: match self.share {
                Share::CpuTime => ScalesWith::CpuShare,
                _ => ScalesWith::Time,
            },
        }
    }

    /// Which part of the device's energy is the process's.
    fn fraction(&self, usage: &UsageChange) -> f64 {
        match self.share {
            Share::CpuTime => usage.cpu_share.unwrap_or(1.0),
            Share::Memory => usage.memory_share.unwrap_or(1.0),
            Share::Fraction(fraction) if fraction.is_finite() => fraction.clamp(0.0, 1.0),
            Share::Fraction(_) | Share::Whole | Share::WholeThoughShared => 1.0,
        }
    }

    /// A missing reading: nothing is known of this interval yet, which is not 0.
    fn failed(&mut self, error: &SensorError) {
        self.failures = self.failures.saturating_add(1);
        self.lost |= matches!(error, SensorError::Lost(_));
        if self.lost || self.failures == FAILURES_BEFORE_WARNING {
            // It begins anew when it is back: what it counted meanwhile is not that of the runs
            // which are active then.
            self.history = History::Empty;
            crate::report::warn_once(&format!(
                "{}: {error}; its energy is missing from now on{}",
                self.source,
                if self.lost { "" } else { " until it can be read again" },
            ));
        }
    }
}

/// Returns the share by usage if the platform reports that usage, else the whole energy.
fn known_share(share: Share, usage: &Usage) -> Share {
    let is_known = match share {
        Share::CpuTime => usage.own_cpu.is_some() && usage.busy_cpu.is_some(),
        Share::Memory => usage.own_memory.is_some() && usage.used_memory.is_some(),
        _ => true,
    };
    if is_known { share } else { Share::WholeThoughShared }
}

/// A sensor of the user's own may panic: that ends the sensor, not what is being measured.
fn guarded<T>(f: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(f)).ok()
}
