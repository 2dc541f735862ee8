//! What the readings of one sensor so far come to: the energy of its device.

use std::time::Duration;

use super::counter::Counter;
use super::gauge::Gauge;
use super::increment::{Amounts, Increment};
use super::models::{CpuLoad, MemoryInUse};
use super::power_model::Scaling;
use super::usage_window::UsageChange;
use crate::sensor::{Quality, Reading, SensorError};
use crate::units::{Joules, Watts};

/// The readings so far, by the kind of the sensor.
pub(super) enum History {
    /// No reading yet, or none since the sensor failed.
    Empty,
    /// The first value of a counter, taken at a time, whose power the second value will show.
    FirstValue(Duration, Joules),
    Counter(Counter),
    /// Measured, or estimated by the sensor.
    Gauge(Gauge, Quality),
    CpuLoad(CpuLoad),
    MemoryInUse(MemoryInUse),
}

/// The process's part of a device's energy.
#[derive(Clone, Copy)]
pub(super) struct Sharing {
    pub(super) fraction: f64,
    /// The fraction is the share of the busy CPU time.
    pub(super) by_cpu_time: bool,
}

impl Sharing {
    /// Returns the energy and power of the device, and the process's part of both.
    fn increment(self, (energy, power): (Joules, Watts)) -> Increment {
        let total = Amounts {
            machine: energy,
            process: energy * self.fraction,
            machine_power: power,
            process_power: power * self.fraction,
        };
        let scaling = if self.by_cpu_time {
            Scaling::shared(power)
        } else {
            Scaling::steady(total.process_power)
        };
        Increment { total, scaling, ..Increment::default() }
    }
}

/// Properties of a counter, and the power that it shows until it changes.
#[derive(Clone, Copy, Debug)]
pub(super) struct CounterFacts {
    pub(super) tick: Duration,
    pub(super) longest_interval: Option<Duration>,
    pub(super) power: Option<Watts>,
}

impl CounterFacts {
    fn counter(self, at: Duration, value: Joules, power: Watts) -> Counter {
        Counter::new(at, value, power, self.tick, self.longest_interval)
    }
}

impl History {
    /// Returns the quality of the readings so far.
    pub(super) fn quality(&self) -> Option<Quality> {
        match self {
            Self::Empty | Self::FirstValue(..) => None,
            Self::Counter(_) => Some(Quality::Measured),
            Self::Gauge(_, quality) => Some(*quality),
            Self::CpuLoad(_) | Self::MemoryInUse(_) => Some(Quality::Estimated),
        }
    }

    /// Whether the energy is that of a model of processors or memory.
    pub(super) fn is_model(&self) -> bool {
        matches!(self, Self::CpuLoad(_) | Self::MemoryInUse(_))
    }

    /// Takes in a reading of `now`. One of another kind than before begins a new history; a model
    /// then includes the time since the last reading, `read_at`.
    pub(super) fn take(
        &mut self,
        now: Duration,
        reading: Reading,
        facts: CounterFacts,
        read_at: Option<Duration>,
        (usage, sharing): (&UsageChange, Sharing),
    ) -> Result<Increment, SensorError> {
        let added = match (reading, &mut *self) {
            (Reading::Energy(value), Self::Counter(counter)) => {
                (counter.read(now, value), counter.power())
            }
            (Reading::Energy(value), _) => {
                let power = facts.power.unwrap_or(Watts::ZERO);
                *self = Self::Counter(facts.counter(now, value, power));
                (Joules::ZERO, power)
            }
            (Reading::Power(power) | Reading::Estimate(power), Self::Gauge(gauge, quality)) => {
                *quality = reading.quality();
                (gauge.read(now, power), power)
            }
            (Reading::Power(power), Self::Counter(counter)) => {
                // The time since the last reading is counted by the power. What was counted for the
                // time before stays.
                let mut gauge = Gauge::new(counter.read_at(), power);
                let energy = gauge.read(now, power);
                *self = Self::Gauge(gauge, reading.quality());
                (energy, power)
            }
            (Reading::Power(power) | Reading::Estimate(power), _) => {
                *self = Self::Gauge(Gauge::new(now, power), reading.quality());
                (Joules::ZERO, power)
            }
            _ => {
                self.set_model(reading, read_at);
                return self.go_on(now, usage, sharing);
            }
        };
        Ok(sharing.increment(added))
    }

    /// Takes in a reading of a model, which counts from `since` if it is new.
    fn set_model(&mut self, reading: Reading, since: Option<Duration>) {
        let (idle, at_full_load) = match reading {
            Reading::AtFullLoad(full) => (None, full),
            Reading::IdleToFull { idle, full } => (Some(idle), full),
            Reading::PerGibibyte(power) => {
                return match self {
                    Self::MemoryInUse(model) => model.per_gibibyte = power,
                    _ => *self = Self::MemoryInUse(MemoryInUse::new(power, since)),
                };
            }
            _ => return,
        };
        let mut model = match self {
            Self::CpuLoad(model) => *model,
            _ => CpuLoad::new(since),
        };
        (model.idle, model.at_full_load) = (idle, at_full_load);
        *self = Self::CpuLoad(model);
    }

    /// Takes in a reading that was taken `at` some time in the past, when the history has gone on
    /// up to `now`. Returns the correction of the energy since the reading before it. For a history
    /// that only begins, returns the power, by which an unknown time before it can be counted.
    pub(super) fn take_late(
        &mut self,
        now: Duration,
        at: Duration,
        reading: Reading,
        facts: CounterFacts,
        read_at: Option<Duration>,
    ) -> LateReading {
        match (reading, &mut *self) {
            (Reading::Energy(value), Self::Counter(counter)) => {
                LateReading::Corrects(counter.read(at, value) + counter.go_on(now))
            }
            (Reading::Power(power) | Reading::Estimate(power), Self::Gauge(gauge, quality)) => {
                *quality = reading.quality();
                LateReading::Corrects(gauge.read(at, power) + gauge.go_on(now))
            }
            (Reading::Energy(value), _) => {
                let first =
                    if let Self::FirstValue(at, value) = *self { Some((at, value)) } else { None };
                let shown = first.and_then(|first| power_between(first, (at, value)));
                let Some(power) = facts.power.or(shown) else {
                    *self = Self::FirstValue(at, value);
                    return LateReading::Corrects(Joules::ZERO);
                };
                let mut counter = facts.counter(at, value, power);
                counter.go_on(now);
                *self = Self::Counter(counter);
                LateReading::Begins(power)
            }
            (Reading::Power(power) | Reading::Estimate(power), _) => {
                let mut gauge = Gauge::new(at, power);
                gauge.go_on(now);
                let is_new = self.quality().is_none();
                *self = Self::Gauge(gauge, reading.quality());
                if is_new {
                    LateReading::Begins(power)
                } else {
                    LateReading::Corrects(Joules::ZERO)
                }
            }
            _ => {
                self.set_model(reading, read_at);
                LateReading::Corrects(Joules::ZERO)
            }
        }
    }

    /// Continues without a reading: a counter and a gauge with the last known power, which the next
    /// reading corrects; a model with the usage.
    pub(super) fn go_on(
        &mut self,
        now: Duration,
        usage: &UsageChange,
        sharing: Sharing,
    ) -> Result<Increment, SensorError> {
        match self {
            Self::Empty | Self::FirstValue(..) => Ok(Increment::default()),
            Self::Counter(counter) => Ok(sharing.increment((counter.go_on(now), counter.power()))),
            Self::Gauge(gauge, _) => Ok(sharing.increment((gauge.go_on(now), gauge.power()))),
            Self::CpuLoad(model) => model.read(now, usage, sharing.fraction, sharing.by_cpu_time),
            Self::MemoryInUse(model) => model.read(now, usage),
        }
    }
}

/// What a reading of the past adds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum LateReading {
    /// The first power that is known.
    Begins(Watts),
    /// The correction of the energy that was expected since the reading before.
    Corrects(Joules),
}

/// Returns the mean power between two values of a counter, if they can be right.
fn power_between(first: (Duration, Joules), second: (Duration, Joules)) -> Option<Watts> {
    let passed = second.0.saturating_sub(first.0);
    if passed.is_zero() {
        return None;
    }
    let power = Watts((second.1 - first.1).0 / passed.as_secs_f64());
    Reading::Power(power).valid().is_ok().then_some(power)
}
