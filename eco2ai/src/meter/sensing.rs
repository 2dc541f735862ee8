//! All sensors of a meter, read together.

use std::time::Duration;

use super::Reading;
use super::channel::{Channel, UsageChange};
use super::provenance::Provenance;
use crate::sensor::{Quality, Sensor, Usage, UsageSource};

/// Shorter than this, the kernel's account of busy time (in steps of 10 ms) is too coarse to
/// compare with.
const SHARE_WINDOW: Duration = Duration::from_millis(100);

/// Usage at a moment.
#[derive(Clone, Copy)]
struct Mark {
    at: Duration,
    usage: Usage,
}

/// The sensors, and the usage by which their energy is shared.
pub(super) struct Sensing {
    channels: Vec<Channel>,
    usage: Box<dyn UsageSource>,
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
            usage,
            last: None,
            window: None,
            cpu_share: None,
            refreshed: None,
            provenance: Vec::new(),
            provenance_changed: false,
        }
    }

    pub(super) fn add(&mut self, sensor: Box<dyn Sensor>) {
        let channel = Channel::new(sensor);
        self.provenance.push(Provenance {
            component: channel.component(),
            source: channel.source().to_owned(),
            share: channel.share(),
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
            sensor.qualities.last().is_some_and(|(_, quality)| *quality == Quality::Sampled)
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
        let usage = self.usage_change(now);
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
            let last = provenance.qualities.last().map(|(_, quality)| *quality);
            if let Some(quality) = quality.filter(|quality| last != Some(*quality)) {
                provenance.qualities.push((now, quality));
                self.provenance_changed = true;
            }
            if provenance.share != channel.share() {
                provenance.share = channel.share();
                self.provenance_changed = true;
            }
        }
        reading
    }

    fn usage_change(&mut self, now: Duration) -> UsageChange {
        let usage = self.usage.read();
        let mark = Mark { at: now, usage };
        let last = self.last.replace(mark);
        let change = |from: &Usage, of: fn(&Usage) -> Option<Duration>| {
            Some(of(&usage)?.saturating_sub(of(from)?))
        };
        let own = |usage: &Usage| usage.own_cpu;
        let busy = |usage: &Usage| usage.busy_cpu;
        let long = |from: &Mark| now.saturating_sub(from.at) >= SHARE_WINDOW;
        // The window reaches back to the last reading, or at least over `SHARE_WINDOW`.
        let (begin, next) = match (self.window, last) {
            (_, Some(last)) if long(&last) => (last, mark),
            (Some((_, next)), _) if long(&next) => (next, mark),
            (Some(window), _) => window,
            (None, Some(last)) => (last, last),
            (None, None) => (mark, mark),
        };
        self.window = Some((begin, next));
        if let (Some(own), Some(busy)) = (change(&begin.usage, own), change(&begin.usage, busy)) {
            let most = own.max(busy);
            self.cpu_share =
                Some(if most.is_zero() { 0.0 } else { own.as_secs_f64() / most.as_secs_f64() });
        }
        if last.is_none() {
            // Nothing to compare with yet: one busy CPU, the one that asks.
            self.cpu_share = Some(1.0 / usage.cpus.max(1.0));
        }
        let memory_share = match (usage.own_memory, usage.used_memory) {
            (Some(own), Some(used)) if used.max(own) > 0 => Some(own as f64 / used.max(own) as f64),
            _ => None,
        };
        UsageChange {
            own_cpu: last.and_then(|last| change(&last.usage, own)),
            busy_cpu: last.and_then(|last| change(&last.usage, busy)),
            cpu_share: self.cpu_share,
            memory_share,
            now: usage,
        }
    }
}
