//! One sensor with its history: from readings to the energy of the device and of this process.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::counter::Counter;
use super::counter_check::CounterCheck;
use super::gauge::Gauge;
use super::increment::{Amounts, Increment};
use super::models::{CpuLoad, MemoryInUse};
use super::power_model::Scaling;
use super::provenance::{ReadingState, ShareKind};
use super::usage_window::UsageChange;
use crate::sensor::{Bounds, Component, Quality, Reading, Sensor, SensorError, Share, Usage};
use crate::units::{Joules, Watts};

/// The number of consecutive failures after which a sensor is reported.
const FAILURES_BEFORE_WARNING: u32 = 3;

/// A sensor, with the state that follows from its readings so far.
pub(super) struct Channel {
    sensor: Box<dyn Sensor>,
    component: Component,
    source: String,
    tick: Duration,
    longest_interval: Option<Duration>,
    history: History,
    /// The last reading, or the time up to which `history` went on without one.
    read_at: Option<Duration>,
    /// Compares the counter with the reported power, if there are both.
    check: Option<CounterCheck>,
    /// The reported power is used instead of the counter.
    counter_is_wrong: bool,
    share: Share,
    failures: u32,
    lost: bool,
}

/// The readings so far, by the kind of the sensor.
enum History {
    /// No reading yet, or none since the sensor failed.
    Empty,
    Counter(Counter),
    /// Measured, or estimated by the sensor.
    Gauge(Gauge, Quality),
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
            read_at: None,
            check: None,
            counter_is_wrong: false,
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

    /// Whether the figures say how much of them is the idle power of the machine.
    pub(super) fn knows_idle(&self) -> bool {
        matches!(&self.history, History::CpuLoad(model) if model.idle.is_some())
    }

    /// Components whose energy the figures contain.
    pub(super) fn includes(&self) -> Vec<Component> {
        guarded(|| self.sensor.includes().to_vec()).unwrap_or_default()
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

    /// Whether more frequent readings are needed to judge its counter.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.check.as_ref().is_some_and(CounterCheck::is_in_doubt)
    }

    /// Whether its figures are missing for longer than a moment.
    pub(super) fn is_failing(&self) -> bool {
        self.lost || self.failures >= FAILURES_BEFORE_WARNING
    }

    /// Reads the sensor. The quality is that of this reading, or of the last one if the sensor has
    /// nothing new; `None` if there is none.
    pub(super) fn read(&mut self, now: Duration, usage: &UsageChange) -> (Increment, ReadingState) {
        if self.lost {
            return (Increment::default(), ReadingState::default());
        }
        self.share = known_share(self.share, &usage.now);
        let read = guarded(|| self.sensor.read())
            .unwrap_or_else(|| Err(SensorError::Lost("the sensor panicked".into())));
        let read = read.and_then(Reading::valid).and_then(|it| self.without_fault(now, it));
        let read = match read {
            Ok(reading) => self.take(now, reading, usage).map(|it| (it, Some(reading.quality()))),
            Err(SensorError::NotReady) => self.go_on(now, usage).map(|it| (it, self.quality())),
            Err(error) => Err(error),
        };
        let read = match read {
            Ok((increment, quality)) => {
                self.failures = 0;
                let state = ReadingState {
                    quality,
                    lacks_device_part: guarded(|| self.sensor.is_partial()).unwrap_or(true),
                    lacks_process_part: usage.now.is_partial && self.depends_on_usage(),
                    lacks_machine_part: self.is_model() && self.share == Share::WholeThoughShared,
                    share: self.share_kind(),
                };
                (increment, state)
            }
            Err(error) => {
                self.failed(&error);
                (self.go_on(now, usage).unwrap_or_default(), ReadingState::default())
            }
        };
        self.read_at = (!matches!(self.history, History::Empty)).then_some(now);
        read
    }

    /// Returns the reading, or the reported power instead of a counter that is wrong.
    fn without_fault(&mut self, now: Duration, reading: Reading) -> Result<Reading, SensorError> {
        let Reading::Energy(energy) = reading else { return Ok(reading) };
        if let Some(check) = &mut self.check
            && let Err(fault) = check.add(now, energy, || reported_power(&mut *self.sensor))
        {
            let name = guarded(|| self.sensor.name()).unwrap_or_else(|| self.source.clone());
            crate::report::warn_once(&format!(
                "{name}: the energy counter {fault}; from now on the power is used"
            ));
            self.check = None;
            self.counter_is_wrong = true;
        }
        if !self.counter_is_wrong {
            return Ok(reading);
        }
        reported_power(&mut *self.sensor).map(Reading::Power).ok_or_else(|| {
            SensorError::Missing("the energy counter is wrong, and no power is reported".into())
        })
    }

    /// Which part of the device's energy the process's figure contains.
    fn share_kind(&self) -> ShareKind {
        match &self.history {
            // A model of this process alone.
            History::CpuLoad(model) if model.idle.is_none() => return ShareKind::Whole,
            History::MemoryInUse(_) => return ShareKind::Whole,
            _ => {}
        }
        match self.share {
            Share::Whole => ShareKind::Whole,
            Share::Fraction(0.0) => ShareKind::Nothing,
            Share::Memory => ShareKind::Memory,
            Share::CpuTime => ShareKind::CpuTime,
            Share::Fraction(_) => ShareKind::Fraction,
            Share::WholeThoughShared => ShareKind::Unshared,
        }
    }

    /// Whether the process's part follows from its CPU time or memory.
    fn depends_on_usage(&self) -> bool {
        self.is_model() || matches!(self.share, Share::CpuTime | Share::Memory)
    }

    /// Whether the energy is that of a model of processors or memory.
    fn is_model(&self) -> bool {
        matches!(self.history, History::CpuLoad(_) | History::MemoryInUse(_))
    }

    /// Takes in a reading. One of another kind than before begins a new history; a model then
    /// includes the time since the last reading.
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
            (Reading::Power(power) | Reading::Estimate(power), History::Gauge(gauge, quality)) => {
                *quality = reading.quality();
                let energy = gauge.read(now, power);
                Ok(self.shared(energy, power, usage))
            }
            (Reading::Power(power), History::Counter(counter)) => {
                // The time since the last reading is counted by the power. What was counted for the
                // time before stays.
                let mut gauge = Gauge::new(counter.read_at(), power);
                let energy = gauge.read(now, power);
                self.history = History::Gauge(gauge, reading.quality());
                Ok(self.shared(energy, power, usage))
            }
            (Reading::Power(power) | Reading::Estimate(power), _) => {
                self.history = History::Gauge(Gauge::new(now, power), reading.quality());
                Ok(self.shared(Joules::ZERO, power, usage))
            }
            (Reading::AtFullLoad(full), _) => self.take_load(now, None, full, usage),
            (Reading::IdleToFull { idle, full }, _) => self.take_load(now, Some(idle), full, usage),
            (Reading::PerGibibyte(power), History::MemoryInUse(model)) => {
                model.per_gibibyte = power;
                model.read(now, usage)
            }
            (Reading::PerGibibyte(power), _) => {
                let mut model = MemoryInUse::new(power, self.read_at);
                let increment = model.read(now, usage);
                self.history = History::MemoryInUse(model);
                increment
            }
        }
    }

    /// Takes in a reading of a model of the processor.
    fn take_load(
        &mut self,
        now: Duration,
        idle: Option<Watts>,
        at_full_load: Watts,
        usage: &UsageChange,
    ) -> Result<Increment, SensorError> {
        let mut model = match self.history {
            History::CpuLoad(model) => model,
            _ => CpuLoad::new(self.read_at),
        };
        (model.idle, model.at_full_load) = (idle, at_full_load);
        let (share, by_cpu_time) = (self.fraction(usage), self.share == Share::CpuTime);
        let increment = model.read(now, usage, share, by_cpu_time);
        self.history = History::CpuLoad(model);
        increment
    }

    /// Begins the history of a counter.
    fn first_count(&mut self, now: Duration, value: Joules) -> Counter {
        let power = guarded(|| self.sensor.power()).flatten();
        let power = power.filter(|it| Reading::Power(*it).valid().is_ok()).unwrap_or(Watts::ZERO);
        // Reading the power may have taken several ticks.
        let value = match guarded(|| self.sensor.read()) {
            Some(Ok(Reading::Energy(energy))) if energy.0.is_finite() => energy,
            _ => value,
        };
        self.check = reported_power(&mut *self.sensor).map(|power| {
            let limit = guarded(|| self.sensor.properties().power_limit).flatten();
            CounterCheck::new(now, value, power, limit)
        });
        Counter::new(now, value, power, self.tick, self.longest_interval)
    }

    /// Continues without a reading: a counter and a gauge with the last known power, which the next
    /// reading corrects; a model with the usage.
    fn go_on(&mut self, now: Duration, usage: &UsageChange) -> Result<Increment, SensorError> {
        let (share, by_cpu_time) = (self.fraction(usage), self.share == Share::CpuTime);
        match &mut self.history {
            History::Empty => Ok(Increment::default()),
            History::Counter(counter) => {
                let (energy, power) = (counter.go_on(now), counter.power());
                Ok(self.shared(energy, power, usage))
            }
            History::Gauge(gauge, _) => {
                let (energy, power) = (gauge.go_on(now), gauge.power());
                Ok(self.shared(energy, power, usage))
            }
            History::CpuLoad(model) => model.read(now, usage, share, by_cpu_time),
            History::MemoryInUse(model) => model.read(now, usage),
        }
    }

    /// Returns the quality of the readings so far.
    fn quality(&self) -> Option<Quality> {
        match self.history {
            History::Empty => None,
            History::Counter(_) => Some(Quality::Measured),
            History::Gauge(_, quality) => Some(quality),
            History::CpuLoad(_) | History::MemoryInUse(_) => Some(Quality::Estimated),
        }
    }

    /// Returns the energy and power of the device, and the process's part of both.
    fn shared(&self, energy: Joules, power: Watts, usage: &UsageChange) -> Increment {
        let share = self.fraction(usage);
        let total = Amounts {
            machine: energy,
            process: energy * share,
            machine_power: power,
            process_power: power * share,
        };
        let scaling = match self.share {
            Share::CpuTime => Scaling::shared(power),
            _ => Scaling::steady(total.process_power),
        };
        Increment { total, idle: None, scaling }
    }

    /// Returns the process's part of the device's energy.
    fn fraction(&self, usage: &UsageChange) -> f64 {
        match self.share {
            Share::CpuTime => usage.cpu_share.unwrap_or(1.0),
            Share::Memory => usage.memory_share.unwrap_or(1.0),
            Share::Fraction(fraction) if fraction.is_finite() => fraction.clamp(0.0, 1.0),
            Share::Fraction(_) | Share::Whole | Share::WholeThoughShared => 1.0,
        }
    }

    /// Notes a missing reading. The energy of the interval is unknown, not 0.
    fn failed(&mut self, error: &SensorError) {
        self.failures = self.failures.saturating_add(1);
        self.lost |= matches!(error, SensorError::Lost(_));
        if self.lost || self.failures == FAILURES_BEFORE_WARNING {
            // The next reading begins a new history: the energy until then is not that of the runs
            // that are active then.
            self.history = History::Empty;
            crate::report::warn_once(&format!(
                "{}: {error}; its energy is missing from now on{}",
                self.source,
                if self.lost { "" } else { " until it can be read again" },
            ));
        }
    }
}

/// Returns the share by usage if the platform reports that usage of the process and the machine,
/// else the whole energy.
fn known_share(share: Share, usage: &Usage) -> Share {
    let is_known = match share {
        Share::CpuTime => usage.own_cpu.is_some() && usage.busy_cpu.is_some(),
        Share::Memory => usage.own_memory.is_some() && usage.used_memory.is_some(),
        _ => return share,
    } && !usage.of_container;
    if is_known { share } else { Share::WholeThoughShared }
}

/// Returns the power that the device reports besides its counter, if it is a valid one.
fn reported_power(sensor: &mut dyn Sensor) -> Option<Watts> {
    let power = guarded(|| sensor.reported_power()).flatten()?;
    Reading::Power(power).valid().is_ok().then_some(power)
}

/// Returns the result of a call of a sensor; `None` if it panics. A custom sensor that panics must not
/// end the program that is being measured.
fn guarded<T>(f: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(f)).ok()
}
