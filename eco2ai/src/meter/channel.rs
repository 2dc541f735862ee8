//! One sensor with its history: from readings to energy.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::sensor::{Component, Quality, Reading, Sensor, SensorError, Share, Usage};
use crate::units::{Joules, Watts};

/// After so many failures in a row a sensor's silence is told.
const FAILURES_BEFORE_TOLD: u32 = 3;

/// The step in which the kernel accounts for a CPU's busy time.
const BUSY_GRAIN: Duration = Duration::from_millis(10);

/// What a channel adds to a reading of the meter.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Increment {
    /// Energy of the device since the last reading of the meter. It may be below zero where the
    /// last reading ran ahead of the counter.
    pub(super) machine: Joules,
    /// The part of it that is this process's.
    pub(super) process: Joules,
    /// Power of the device, to go on with.
    pub(super) machine_power: Watts,
    /// The part of it that is this process's.
    pub(super) process_power: Watts,
    /// What that part follows until the next reading.
    pub(super) follows: Follows,
}

/// What the process's part of a device's power follows between two readings.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Follows {
    /// Time alone.
    #[default]
    Time,
    /// The process's share of the busy CPU time.
    CpuShare,
    /// The process's CPU time: this is the power of one busy CPU.
    CpuTime(Watts),
}

/// Usage since the last reading.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct UsageChange {
    pub(super) own_cpu: Option<Duration>,
    pub(super) busy_cpu: Option<Duration>,
    /// Own over busy CPU time.
    pub(super) cpu_share: Option<f64>,
    /// Own over used memory.
    pub(super) memory_share: Option<f64>,
    pub(super) now: Usage,
}

/// The last successful reading.
#[derive(Clone, Copy, Debug)]
struct Last {
    at: Duration,
    value: f64,
}

/// A sensor and what is known from its readings so far.
pub(super) struct Channel {
    sensor: Box<dyn Sensor>,
    component: Component,
    source: String,
    tick: Duration,
    longest_interval: Option<Duration>,
    last: Option<Last>,
    /// Energy up to the last change that the sensor told, in joules.
    told: f64,
    /// Energy that the last reading of the meter went by, in joules: `told`, and what was expected
    /// beyond it.
    counted: f64,
    /// Power of the device in watts.
    power: f64,
    /// Of a counter: since when, and from which `told` on, the power is taken next.
    power_since: Last,
    /// Of a counter: when it was read last.
    read_at: Duration,
    share: Share,
    /// Of a model: CPU time of the machine that was counted before the kernel's coarse account of
    /// it showed it.
    ahead: Duration,
    failures: u32,
    lost: bool,
}

impl Channel {
    pub(super) fn new(sensor: Box<dyn Sensor>) -> Self {
        Self {
            component: sensor.component(),
            source: sensor.source().to_owned(),
            tick: sensor.tick(),
            longest_interval: sensor.longest_interval(),
            sensor,
            share: Share::Whole,
            ahead: Duration::ZERO,
            last: None,
            told: 0.0,
            counted: 0.0,
            power: 0.0,
            power_since: Last { at: Duration::ZERO, value: 0.0 },
            read_at: Duration::ZERO,
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

    pub(super) fn longest_interval(&self) -> Option<Duration> {
        if self.lost { None } else { self.longest_interval }
    }

    /// Asks anew which part of the device is this process's.
    pub(super) fn refresh_share(&mut self, processes: &[u32]) {
        if self.lost {
            return;
        }
        match guarded(|| self.sensor.share(processes)) {
            Some(share) => self.share = share,
            None => self.failed(&SensorError::Lost("it panicked".into())),
        }
    }

    /// Whether its figures are missing for longer than a moment.
    pub(super) fn is_silent(&self) -> bool {
        self.lost || self.failures >= FAILURES_BEFORE_TOLD
    }

    /// Reads the sensor. The quality is that of this reading; `None` where it is missing.
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
            .unwrap_or_else(|| Err(SensorError::Lost("it panicked".into())));
        let (quality, increment) = match read.and_then(valid) {
            Ok(reading) => {
                let increment = match reading {
                    Reading::AtFullLoad(power) => self.at_full_load(now, power, usage),
                    Reading::PerGibibyte(power) => self.per_gibibyte(now, power, usage),
                    Reading::Energy(energy) => {
                        let energy = self.counter(now, energy.0);
                        Ok(self.shared(energy, usage))
                    }
                    Reading::Power(power) => {
                        let energy = self.gauge(now, power.0);
                        Ok(self.shared(energy, usage))
                    }
                };
                (Some(reading.quality()), increment)
            }
            Err(error) => (None, Err(error)),
        };
        match increment {
            Ok(increment) => {
                self.failures = 0;
                (increment, quality)
            }
            Err(error) => {
                self.failed(&error);
                let energy = self.expected(now);
                (self.shared(energy, usage), None)
            }
        }
    }

    /// The device's energy in joules and its power, and this process's part of both.
    fn shared(&self, energy: f64, usage: &UsageChange) -> Increment {
        let share = self.fraction(usage);
        let (energy, power) = (Joules(energy), Watts(self.power));
        Increment {
            machine: energy,
            process: energy * share,
            machine_power: power,
            process_power: power * share,
            follows: match self.share {
                Share::CpuTime => Follows::CpuShare,
                _ => Follows::Time,
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

    /// A counter: what it moved since the last reading, and for a counter that is refreshed now
    /// and then only, what is expected since its last refresh.
    fn counter(&mut self, now: Duration, value: f64) -> f64 {
        let Some(last) = self.last else {
            let power = guarded(|| self.sensor.power()).flatten().map_or(0.0, |power| power.0);
            self.power = if power.is_finite() { power.max(0.0) } else { 0.0 };
            // The question may have taken the time of some ticks.
            let value = match guarded(|| self.sensor.read()) {
                Some(Ok(Reading::Energy(energy))) if energy.0.is_finite() => energy.0,
                _ => value,
            };
            self.last = Some(Last { at: now, value });
            self.power_since = Last { at: now, value: self.told };
            self.read_at = now;
            return 0.0;
        };
        let passed = now.saturating_sub(last.at);
        let since = now.saturating_sub(self.read_at);
        let unsettled = self.counted + self.power * since.as_secs_f64();
        let mut ahead = Duration::ZERO;
        if value < last.value {
            // The device was reset: what it counted since its last reading is gone. The last known
            // power stands in for it.
            self.told += self.power * passed.as_secs_f64();
            self.last = Some(Last { at: now, value });
            self.power_since = Last { at: now, value: self.told };
        } else if value > last.value {
            self.told += value - last.value;
            self.last = Some(Last { at: now, value });
            self.follow_power(now, passed);
        } else {
            // It has not been refreshed yet, or it stands still.
            if passed > self.tick {
                self.power = 0.0;
            }
            ahead = passed.min(self.tick);
        }
        self.read_at = now;
        let settled = self.told + self.power * ahead.as_secs_f64();
        if since >= self.tick {
            return self.count(settled);
        }
        // It may have been refreshed just now and show a whole tick, most of which lies before the
        // last reading: what the last known power did not foresee is settled within a tick's time.
        let part = since.as_secs_f64() / self.tick.as_secs_f64();
        self.count(unsettled + (settled - unsettled) * part)
    }

    /// The power of a counter that has just moved, over a tick or more: less would show a whole
    /// tick's energy, or nothing.
    fn follow_power(&mut self, now: Duration, passed: Duration) {
        let since = now.saturating_sub(self.power_since.at);
        if since < self.tick || since.is_zero() {
            return;
        }
        // After a pause in which it may have wrapped more than once it tells no power.
        if self.longest_interval.is_none_or(|longest| passed <= longest * 2) {
            self.power = (self.told - self.power_since.value) / since.as_secs_f64();
        }
        self.power_since = Last { at: now, value: self.told };
    }

    fn gauge(&mut self, now: Duration, power: f64) -> f64 {
        if let Some(last) = self.last {
            let passed = now.saturating_sub(last.at);
            self.told += f64::midpoint(last.value, power) * passed.as_secs_f64();
        }
        self.power = power;
        self.last = Some(Last { at: now, value: power });
        self.count(self.told)
    }

    /// In place of a reading that is missing: what the last known power comes to. The next reading
    /// settles the difference.
    fn expected(&mut self, now: Duration) -> f64 {
        let passed = self.last.map_or(Duration::ZERO, |last| now.saturating_sub(last.at));
        self.count(self.told + self.power * passed.as_secs_f64())
    }

    fn count(&mut self, energy: f64) -> f64 {
        let increment = energy - self.counted;
        self.counted = energy;
        increment
    }

    /// A model by utilisation. The process's part is exact even where the machine's own account
    /// of its busy time is too coarse.
    fn at_full_load(
        &mut self,
        now: Duration,
        power: Watts,
        usage: &UsageChange,
    ) -> Result<Increment, SensorError> {
        let per_cpu = power / usage.now.cpus.max(1.0);
        let passed = self.last.map(|last| now.saturating_sub(last.at));
        self.last = Some(Last { at: now, value: 0.0 });
        let Some(passed) = passed.filter(|passed| !passed.is_zero()) else {
            // Until there is something to compare with: one busy CPU, the one that asks.
            return Ok(Increment {
                machine_power: per_cpu,
                process_power: per_cpu,
                follows: Follows::CpuTime(per_cpu),
                ..Increment::default()
            });
        };
        let own = usage
            .own_cpu
            .ok_or_else(|| SensorError::Missing("the CPU time of the process is unknown".into()))?;
        // What the process is known to have used the machine has used too, though its account,
        // which moves in steps, may show it later.
        let told = usage.busy_cpu.unwrap_or(own);
        let busy = told.saturating_sub(self.ahead).max(own);
        let grain = BUSY_GRAIN.mul_f64(usage.now.cpus.clamp(1.0, 1e4));
        self.ahead = self.ahead.saturating_add(busy).saturating_sub(told).min(grain);
        let (machine, process) = (per_cpu * busy, per_cpu * own);
        Ok(Increment {
            machine,
            process,
            machine_power: Watts(machine.0 / passed.as_secs_f64()),
            process_power: Watts(process.0 / passed.as_secs_f64()),
            follows: Follows::CpuTime(per_cpu),
        })
    }

    /// A model by memory in use.
    fn per_gibibyte(
        &mut self,
        now: Duration,
        power: Watts,
        usage: &UsageChange,
    ) -> Result<Increment, SensorError> {
        const GIB: f64 = 1_073_741_824.0;
        let own = usage.now.own_memory.ok_or_else(|| {
            SensorError::Missing("the resident memory of the process is unknown".into())
        })?;
        let used = usage.now.used_memory.unwrap_or(own).max(own);
        let (machine_power, process_power) =
            (power * (used as f64 / GIB), power * (own as f64 / GIB));
        let passed = self.last.map_or(Duration::ZERO, |last| now.saturating_sub(last.at));
        self.last = Some(Last { at: now, value: 0.0 });
        Ok(Increment {
            machine: machine_power * passed,
            process: process_power * passed,
            machine_power,
            process_power,
            follows: Follows::Time,
        })
    }

    /// A missing reading: nothing is known of this interval yet, which is not 0.
    fn failed(&mut self, error: &SensorError) {
        self.failures = self.failures.saturating_add(1);
        self.lost |= matches!(error, SensorError::Lost(_));
        if self.lost || self.failures == FAILURES_BEFORE_TOLD {
            // It begins anew when it is back: what it counted meanwhile is not that of the runs
            // which are active then.
            self.power = 0.0;
            self.last = None;
            self.told = self.counted;
            crate::report::warn_once(&format!(
                "{}: {error}; its energy is missing from here on{}",
                self.source,
                if self.lost { "" } else { " until it can be read again" },
            ));
        }
    }
}

/// What can be shared by usage where the platform tells that usage, else all of it.
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

/// A figure that cannot be is a missing one.
fn valid(reading: Reading) -> Result<Reading, SensorError> {
    let figure = match reading {
        Reading::Energy(energy) => energy.0,
        Reading::Power(power) | Reading::AtFullLoad(power) | Reading::PerGibibyte(power) => power.0,
    };
    if figure.is_finite() && figure >= 0.0 {
        Ok(reading)
    } else {
        Err(SensorError::Missing(format!("it reads {figure}")))
    }
}
