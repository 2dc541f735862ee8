//! One sensor with its history: from readings to the energy of the device and of this process.

use std::sync::Arc;
use std::time::Duration;

use super::access::{Access, Answer};
use super::activity::Activities;
use super::clock::Clock;
use super::counter_check::CounterCheck;
use super::history::{CounterFacts, History, LateReading, Sharing};
use super::increment::{Increment, Late};
use super::own_power::OwnPower;
use super::power_model::Scaling;
use super::provenance::{Provenance, ReadingState, ShareKind};
use super::readout::{Readout, Request, guarded};
use super::usage_window::UsageChange;
use crate::scope::Scope;
use crate::sensor::{Bounds, Component, Quality, Reading, Sensor, SensorError, Share, Usage};
use crate::units::Watts;

/// The number of consecutive failures after which a sensor is reported.
const FAILURES_BEFORE_WARNING: u32 = 3;

/// A sensor, with the state that follows from its readings so far.
pub(super) struct Channel {
    access: Access,
    component: Component,
    source: String,
    name: String,
    /// Components whose energy the figures contain.
    includes: Vec<Component>,
    /// The scope in which the figures count, if it is only one.
    scope: Option<Scope>,
    /// The bounds of figures of each quality, from the weakest.
    bounds: [Bounds; Quality::ALL.len()],
    tick: Duration,
    longest_interval: Option<Duration>,
    history: History,
    /// The power of a CPU, where the energy is that of this process alone.
    own_power: OwnPower,
    /// The last reading, or the time up to which `history` went on without one.
    read_at: Option<Duration>,
    /// Compares the counter with the reported power, if there are both.
    check: Option<CounterCheck>,
    /// The reported power is used instead of the counter.
    counter_is_wrong: bool,
    share: Share,
    /// A part of the device is missing from its readings.
    is_partial: bool,
    failures: u32,
    /// The activity of runs up to the last reading that came late.
    last_late: Activities,
    /// Since when its energy is missing, if it is.
    missing_since: Duration,
}

/// What a channel adds to a reading of the meter.
pub(super) struct ChannelReading {
    pub(super) increment: Increment,
    /// The quality is that of this reading, or of the last one if the sensor has nothing new;
    /// `None` if there is none.
    pub(super) state: ReadingState,
    /// From when on the state holds.
    pub(super) since: Duration,
}

impl Channel {
    pub(super) fn new(sensor: Box<dyn Sensor>, clock: Arc<dyn Clock>, now: Duration) -> Self {
        let source = sensor.source().to_owned();
        Self {
            component: sensor.component(),
            name: guarded(|| sensor.name()).unwrap_or_else(|| source.clone()),
            source,
            includes: guarded(|| sensor.includes().to_vec()).unwrap_or_default(),
            scope: guarded(|| sensor.scope()).flatten(),
            bounds: Quality::ALL.map(|quality| {
                guarded(|| sensor.bounds(quality)).map_or(Bounds::UNKNOWN, Bounds::valid)
            }),
            tick: sensor.tick(),
            longest_interval: sensor.longest_interval(),
            access: Access::new(sensor, clock),
            history: History::Empty,
            own_power: OwnPower::default(),
            read_at: None,
            check: None,
            counter_is_wrong: false,
            share: Share::Whole,
            is_partial: false,
            failures: 0,
            last_late: Activities::default(),
            missing_since: now,
        }
    }

    /// Returns what is known of its figures before the first reading.
    pub(super) fn provenance(&self) -> Provenance {
        Provenance {
            component: self.component,
            source: self.source.clone(),
            includes: self.includes.clone(),
            scope: self.scope,
            counts: [true; Scope::ALL.len()],
            knows_idle: false,
            bounds: self.bounds,
            tick: self.tick,
            interval: Duration::ZERO,
            added: self.missing_since,
            states: Vec::new(),
        }
    }

    pub(super) fn component(&self) -> Component {
        self.component
    }

    /// The longest time between two readings; `None` where it does not matter, or where the sensor
    /// is not read at the meter's pace.
    pub(super) fn longest_interval(&self) -> Option<Duration> {
        self.longest_interval.filter(|_| self.access.is_direct())
    }

    /// Whether the figures say how much of them is the idle power of the machine.
    pub(super) fn knows_idle(&self) -> bool {
        matches!(&self.history, History::CpuLoad(model) if model.idle.is_some())
    }

    /// Whether frequent readings by any thread are needed: the device reports only its power, or
    /// its counter is in doubt.
    pub(super) fn is_gauge(&self) -> bool {
        let is_gauge = matches!(self.history, History::Gauge(_, Quality::Sampled))
            || self.check.as_ref().is_some_and(CounterCheck::is_in_doubt);
        is_gauge && self.access.is_direct()
    }

    /// Whether its figures are missing for longer than a moment.
    pub(super) fn is_failing(&self) -> bool {
        self.access.is_lost() || self.failures >= FAILURES_BEFORE_WARNING
    }

    /// Whether the energy of this process depends on the memory that the whole machine uses: it is
    /// shared by memory, or it is a part of the machine's, of which memory is another.
    pub(super) fn depends_on_machine_memory(&self) -> bool {
        let is_modelled = matches!(self.history, History::MemoryInUse(_));
        self.share == Share::Memory && !is_modelled || self.component == Component::Machine
    }

    /// Updates the part of the device's energy that belongs to this process.
    pub(super) fn refresh_share(&mut self, now: Duration, processes: &[u32]) {
        match self.access.share(processes) {
            Ok(share) => self.share = share.unwrap_or(self.share),
            Err(error) => self.failed(now, &error),
        }
    }

    /// Has threads of their own read sensors for the first time, which give back the fast ones, and
    /// waits for them for a while.
    pub(super) fn try_out(channels: &mut [Self], now: Duration) {
        for channel in &mut *channels {
            let request = channel.request(now);
            channel.access.try_out(now, request);
        }
        for channel in channels {
            channel.access.wait();
        }
    }

    /// Asks a slow sensor for a reading, if that would not cost too much.
    pub(super) fn ask(&mut self, now: Duration, processes: &[u32]) {
        let is_first_value = matches!(self.history, History::FirstValue(..));
        let request = self.request(now);
        self.access.ask(now, is_first_value.then_some(self.tick), || Request {
            processes: Some(processes.to_vec()),
            ..request
        });
    }

    /// Returns the time between two readings of a slow sensor.
    pub(super) fn slow_interval(&self) -> Duration {
        self.access.slow_interval()
    }

    /// Reads the sensor, or goes on with what is known of a slow one.
    pub(super) fn read(&mut self, activities: &Activities, usage: &UsageChange) -> ChannelReading {
        let now = activities.now;
        self.share = known_share(self.share, &usage.now);
        let mut since = now;
        let request = self.request(now);
        let answer = self.access.read(now, &request);
        let was_read = matches!(answer, Answer::Now(_) | Answer::Late(_));
        let read = match answer {
            Answer::Now(readout) => self.take(now, usage, readout),
            Answer::Late(readout) => {
                self.share = known_share(readout.share.unwrap_or(self.share), &usage.now);
                self.take_late(activities, usage, readout, &mut since)
            }
            Answer::Hangs if !self.is_failing() => {
                self.failures = FAILURES_BEFORE_WARNING - 1;
                Err(SensorError::Missing("no answer".into()))
            }
            Answer::Hangs | Answer::Nothing => self.go_on(now, usage),
        };
        let (increment, quality) = match read {
            Ok(increment) => {
                self.failures = if was_read { 0 } else { self.failures };
                (increment, self.history.quality())
            }
            Err(error) => {
                self.failed(now, &error);
                (self.go_on(now, usage).unwrap_or_default(), None)
            }
        };
        self.read_at = self.history.quality().map(|_| now);
        let increment = self.scaled(increment, usage);
        let state = quality.map_or_else(ReadingState::default, |_| self.state(quality, usage));
        ChannelReading { increment, state, since }
    }

    /// Returns the increment as it scales until the next reading: the energy of a processor for this
    /// process alone follows its CPU time.
    fn scaled(&mut self, increment: Increment, usage: &UsageChange) -> Increment {
        let is_own = self.component == Component::Cpu && self.scope == Some(Scope::Process);
        if !is_own || self.history.is_model() {
            return increment;
        }
        let cpu_time = usage.own_cpu.unwrap_or_default();
        let power = self.own_power.add(increment.total.process, cpu_time);
        let per_cpu = power.unwrap_or(increment.total.process_power);
        Increment { scaling: Scaling { per_cpu, ..Scaling::default() }, ..increment }
    }

    /// What to ask the sensor for.
    fn request(&self, now: Duration) -> Request {
        let is_power_due = self.check.as_ref().is_some_and(|check| check.is_power_due(now));
        Request {
            begins: !self.counter_is_wrong && !matches!(self.history, History::Counter(_)),
            reported_power: self.counter_is_wrong || is_power_due,
            processes: None,
        }
    }

    /// Takes in a reading of `now`.
    fn take(
        &mut self,
        now: Duration,
        usage: &UsageChange,
        readout: Readout,
    ) -> Result<Increment, SensorError> {
        let facts = self.facts(readout.power);
        let Some(reading) = self.reading(now, readout)? else { return self.go_on(now, usage) };
        let sharing = self.sharing(usage);
        self.history.take(now, reading, facts, self.read_at, (usage, sharing))
    }

    /// Takes in a reading of the past. Its state may hold since an earlier time.
    fn take_late(
        &mut self,
        activities: &Activities,
        usage: &UsageChange,
        readout: Readout,
        since: &mut Duration,
    ) -> Result<Increment, SensorError> {
        let (now, was_model) = (activities.now, self.history.is_model());
        let expected = self.go_on(now, usage)?;
        let (at, facts, sharing) = (readout.at, self.facts(readout.power), self.sharing(usage));
        let Some(reading) = self.reading(at, readout)? else { return Ok(expected) };
        let late = self.history.take_late(now, at, reading, facts, self.read_at);
        let (energy, active) = match late {
            LateReading::Corrects(energy) => (energy, activities.parts_since(&self.last_late)),
            LateReading::Begins(power) => {
                // The runs that are active were so without a figure.
                *since = activities.busy_since().unwrap_or(now).max(self.missing_since);
                let energy = power * now.saturating_sub(*since);
                (energy, activities.unbroken_parts_since(*since))
            }
        };
        self.last_late = *activities;
        if was_model {
            return Ok(expected);
        }
        let mut increment = self.go_on(now, usage)?;
        increment.total.machine += expected.total.machine;
        increment.total.process += expected.total.process;
        increment.late = Late { energy, share: sharing.fraction, active };
        Ok(increment)
    }

    /// Continues without a reading.
    fn go_on(&mut self, now: Duration, usage: &UsageChange) -> Result<Increment, SensorError> {
        let sharing = self.sharing(usage);
        self.history.go_on(now, usage, sharing)
    }

    /// Returns the reading that was taken `at` a time, or the reported power instead of a counter
    /// that is wrong; `None` if there is nothing new.
    fn reading(&mut self, at: Duration, readout: Readout) -> Result<Option<Reading>, SensorError> {
        self.is_partial = readout.is_partial;
        let energy = match readout.reading {
            Ok(Reading::Energy(energy)) => energy,
            Ok(reading) => return Ok(Some(reading)),
            Err(SensorError::NotReady) => return Ok(None),
            Err(error) => return Err(error),
        };
        if let Some(check) = &mut self.check
            && let Err(fault) = check.add(at, energy, readout.reported_power)
        {
            crate::report::warn_once(&format!(
                "{}: the energy counter {fault}; from now on the power is used",
                self.name
            ));
            self.check = None;
            self.counter_is_wrong = true;
        }
        if self.counter_is_wrong {
            let power = readout.reported_power.map(Reading::Power);
            return power.map(Some).ok_or_else(|| {
                SensorError::Missing("the energy counter is wrong, and no power is reported".into())
            });
        }
        if readout.begins {
            self.check = readout
                .reported_power
                .map(|power| CounterCheck::new(at, energy, power, readout.power_limit));
        }
        Ok(Some(Reading::Energy(energy)))
    }

    fn facts(&self, power: Option<Watts>) -> CounterFacts {
        CounterFacts { tick: self.tick, longest_interval: self.longest_interval, power }
    }

    /// How the readings are obtained now.
    fn state(&self, quality: Option<Quality>, usage: &UsageChange) -> ReadingState {
        let is_model = self.history.is_model();
        let depends_on_usage = is_model || matches!(self.share, Share::CpuTime | Share::Memory);
        ReadingState {
            quality,
            lacks_device_part: self.is_partial,
            lacks_process_part: usage.now.is_partial && depends_on_usage,
            lacks_machine_part: is_model && self.share == Share::WholeThoughShared,
            share: self.share_kind(),
        }
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

    /// Returns the process's part of the device's energy.
    fn sharing(&self, usage: &UsageChange) -> Sharing {
        let fraction = match self.share {
            Share::CpuTime => usage.cpu_share.unwrap_or(1.0),
            Share::Memory => usage.memory_share.unwrap_or(1.0),
            Share::Fraction(fraction) if fraction.is_finite() => fraction.clamp(0.0, 1.0),
            Share::Fraction(_) | Share::Whole | Share::WholeThoughShared => 1.0,
        };
        Sharing { fraction, by_cpu_time: self.share == Share::CpuTime }
    }

    /// Notes a missing reading. The energy of the interval is unknown, not 0.
    fn failed(&mut self, now: Duration, error: &SensorError) {
        self.failures = self.failures.saturating_add(1);
        let is_lost = matches!(error, SensorError::Lost(_));
        if is_lost {
            self.access.lose();
        }
        if is_lost || self.failures == FAILURES_BEFORE_WARNING {
            // The next reading begins a new history: the energy until then is not that of the runs
            // that are active then.
            self.history = History::Empty;
            self.missing_since = now;
            crate::report::warn_once(&format!(
                "{}: {error}; its energy is missing from now on{}",
                self.source,
                if is_lost { "" } else { " until it can be read again" },
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
