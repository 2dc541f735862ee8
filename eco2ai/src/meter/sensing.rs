//! All sensors of a meter, read together.

use std::time::Duration;

use super::Reading;
use super::channel::{Channel, Follows, UsageChange};
use super::energies::Energies;
use super::provenance::Provenance;
use crate::sensor::{CpuClock, Quality, Sensor, Usage, UsageSource};

/// Shorter than this, the kernel's account of busy time (in steps of 10 ms) is too coarse to
/// compare with.
const SHARE_WINDOW: Duration = Duration::from_millis(100);

/// Usage at a moment.
#[derive(Clone, Copy)]
struct Mark {
    at: Duration,
    usage: Usage,
    /// CPU time of the process alone, without its children.
    alone: Option<Duration>,
}

/// What the process's energy follows until the next reading, so that a run that is too short for
/// a reading of its own gets its part by CPU time rather than by time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    /// CPU time of the process at the reading, without its children.
    pub(super) alone: Duration,
    /// CPUs that its children keep busy.
    children: f64,
    /// CPUs that other processes keep busy.
    others: f64,
    /// Power in watts that follows time alone.
    steady: Energies,
    /// Power in watts, of which the process has its share of the busy CPU time.
    shared: Energies,
    /// Power in watts of one busy CPU.
    per_cpu: Energies,
}

impl Pace {
    /// The process's power in watts over a stretch in which its CPU time went on to `alone`.
    pub(super) fn power(&self, alone: Duration, passed: Duration) -> Energies {
        let used = alone.saturating_sub(self.alone).as_secs_f64() / passed.as_secs_f64();
        let own = used + self.children;
        self.steady + self.shared * cpu_share(own, self.others) + self.per_cpu * own
    }
}

/// The process's part of the busy CPU time, where it and the others have used so much.
fn cpu_share(own: f64, others: f64) -> f64 {
    if own > 0.0 { own / (own + others) } else { 0.0 }
}

/// The sensors, and the usage by which their energy is shared.
pub(super) struct Sensing {
    channels: Vec<Channel>,
    usage: Box<dyn UsageSource>,
    /// CPU time of the process alone.
    pub(super) cpu_clock: Option<CpuClock>,
    last: Option<Mark>,
    /// Where the window for the share of CPU time begins, and where the next one will.
    window: Option<(Mark, Mark)>,
    cpu_share: Option<f64>,
    refreshed: Option<Duration>,
    /// How each channel's figures were obtained, in the order of the channels.
    pub(super) provenance: Vec<Provenance>,
    /// Whether `provenance` has changed since somebody last asked.
    pub(super) provenance_changed: bool,
}

impl Sensing {
    pub(super) fn new(usage: Box<dyn UsageSource>) -> Self {
        Self {
            channels: Vec::new(),
            cpu_clock: usage.cpu_clock(),
            usage,
            last: None,
            window: None,
            cpu_share: None,
            refreshed: None,
            provenance: Vec::new(),
            provenance_changed: false,
        }
    }

    pub(super) fn add(&mut self, sensor: Box<dyn Sensor>, now: Duration) {
        let channel = Channel::new(sensor);
        self.provenance.push(Provenance {
            component: channel.component(),
            source: channel.source().to_owned(),
            share: channel.share(),
            added: now,
            qualities: Vec::new(),
        });
        self.channels.push(channel);
    }

    /// The longest time between two readings at which no counter wraps unseen.
    pub(super) fn longest_interval(&self) -> Option<Duration> {
        self.channels.iter().filter_map(Channel::longest_interval).min()
    }

    /// Whether some device tells only its power, which is to be read often.
    pub(super) fn has_gauge(&self) -> bool {
        self.provenance.iter().any(|sensor| {
            sensor.qualities.last().is_some_and(|(_, quality)| *quality == Some(Quality::Sampled))
        })
    }

    /// Reads all sensors. Looks for children anew where `period` has passed since that was done.
    pub(super) fn read(&mut self, now: Duration, period: Duration) -> Reading {
        if self.refreshed.is_none_or(|at| now.saturating_sub(at) >= period) {
            self.refreshed = Some(now);
            self.usage.refresh();
            for channel in &mut self.channels {
                channel.refresh_share(self.usage.processes());
            }
        }
        let (usage, mut pace) = self.usage_change(now);
        let mut reading = Reading::default();
        for (channel, provenance) in self.channels.iter_mut().zip(&mut self.provenance) {
            let (increment, quality) = channel.read(now, &usage);
            let component = channel.component();
            for (energies, figure) in [
                (&mut reading.machine, increment.machine.0),
                (&mut reading.process, increment.process.0),
                (&mut reading.machine_power, increment.machine_power.0),
                (&mut reading.process_power, increment.process_power.0),
            ] {
                energies[component] += figure;
            }
            match increment.follows {
                Follows::Time => pace.steady[component] += increment.process_power.0,
                Follows::CpuShare => pace.shared[component] += increment.machine_power.0,
                Follows::CpuTime(power) => pace.per_cpu[component] += power.0,
            }
            // A single reading that failed changes nothing yet, unless it is the very first.
            let is_first = provenance.qualities.is_empty();
            if quality.is_some() || is_first || channel.is_silent() {
                self.provenance_changed |= provenance.note(now, quality);
            }
            if provenance.share != channel.share() {
                provenance.share = channel.share();
                self.provenance_changed = true;
            }
        }
        reading.pace = self.cpu_clock.is_some().then_some(pace);
        reading
    }

    /// Usage since the last reading, and how the CPUs go on.
    fn usage_change(&mut self, now: Duration) -> (UsageChange, Pace) {
        let usage = self.usage.read();
        let mark = Mark { at: now, usage, alone: self.cpu_clock.as_ref().map(|clock| clock()) };
        let last = self.last.replace(mark);
        let change = |from: &Usage, of: fn(&Usage) -> Option<Duration>| {
            Some(of(&usage)?.saturating_sub(of(from)?))
        };
        let own = |usage: &Usage| usage.own_cpu;
        let busy = |usage: &Usage| usage.busy_cpu;
        let long = |from: &Mark| now.saturating_sub(from.at) >= SHARE_WINDOW;
        // What others do is taken from a window that reaches back to the last reading, or at least
        // over `SHARE_WINDOW`; what the process itself does is known more finely.
        let (begin, next) = match (self.window, last) {
            (_, Some(last)) if long(&last) => (last, mark),
            (Some((_, next)), _) if long(&next) => (next, mark),
            (Some(window), _) => window,
            (None, Some(last)) => (last, last),
            (None, None) => (mark, mark),
        };
        self.window = Some((begin, next));
        let mut pace = Pace::default();
        let window = now.saturating_sub(begin.at);
        if let Some(own) = change(&begin.usage, own).filter(|_| !window.is_zero()) {
            let part = |time: Duration| time.as_secs_f64() / window.as_secs_f64();
            pace.others = change(&begin.usage, busy).map_or(0.0, |it| part(it.saturating_sub(own)));
            let alone = mark.alone.zip(begin.alone).map(|(now, then)| now.saturating_sub(then));
            pace.children = alone.map_or(0.0, |alone| part(own.saturating_sub(alone)));
        }
        if let Some(last) = last
            && let (Some(own), Some(_)) = (change(&last.usage, own), usage.busy_cpu)
            && now > last.at
        {
            let passed = now.saturating_sub(last.at).as_secs_f64();
            self.cpu_share = Some(cpu_share(own.as_secs_f64(), pace.others * passed));
        }
        if last.is_none() {
            // Nothing to compare with yet: one busy CPU, the one that asks.
            self.cpu_share = Some(1.0 / usage.cpus.max(1.0));
        }
        let memory_share = match (usage.own_memory, usage.used_memory) {
            (Some(own), Some(used)) if used.max(own) > 0 => Some(own as f64 / used.max(own) as f64),
            _ => None,
        };
        let change = UsageChange {
            own_cpu: last.and_then(|last| change(&last.usage, own)),
            busy_cpu: last.and_then(|last| change(&last.usage, busy)),
            cpu_share: self.cpu_share,
            memory_share,
            now: usage,
        };
        (change, pace)
    }
}
