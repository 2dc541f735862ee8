//! All sensors of a meter, read together.

use std::time::Duration;

use super::channel::Channel;
use super::provenance::Provenance;
use super::usage_window::UsageWindow;
use super::used_energy::UsedEnergy;
use crate::sensor::{CpuClock, Quality, Sensor, UsageSource};

/// The sensors, and the usage by which their energy is shared.
pub(super) struct Sensing {
    channels: Vec<Channel>,
    usage: Box<dyn UsageSource>,
    /// CPU time of the process, without its children.
    cpu_clock: Option<CpuClock>,
    window: UsageWindow,
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
            window: UsageWindow::default(),
            refreshed: None,
            provenance: Vec::new(),
            provenance_changed: false,
        }
    }

    pub(super) fn cpu_clock(&self) -> Option<&CpuClock> {
        self.cpu_clock.as_ref()
    }

    pub(super) fn add(&mut self, sensor: Box<dyn Sensor>, now: Duration) {
        let channel = Channel::new(sensor);
        self.provenance.push(Provenance {
            component: channel.component(),
            source: channel.source().to_owned(),
            share: channel.share(),
            includes: channel.includes(),
            knows_idle: false,
            added: now,
            states: Vec::new(),
        });
        self.channels.push(channel);
    }

    /// The longest time between two readings at which no counter wraps unseen.
    pub(super) fn longest_interval(&self) -> Option<Duration> {
        self.channels.iter().filter_map(Channel::longest_interval).min()
    }

    /// Whether some device reports only its power, which is to be read often.
    pub(super) fn has_gauge(&self) -> bool {
        self.provenance.iter().any(|sensor| {
            sensor.states.last().is_some_and(|(_, state)| state.quality == Some(Quality::Sampled))
        })
    }

    /// Reads all sensors. Searches for children anew where `period` has passed since that was done.
    pub(super) fn read(&mut self, now: Duration, period: Duration) -> UsedEnergy {
        if self.refreshed.is_none_or(|at| now.saturating_sub(at) >= period) {
            self.refreshed = Some(now);
            self.usage.refresh();
            for channel in &mut self.channels {
                channel.refresh_share(self.usage.processes());
            }
        }
        let usage = self.usage.read();
        let own_cpu = self.cpu_clock.as_ref().map(|clock| clock());
        let (usage, mut model) = self.window.advance(now, usage, own_cpu);
        let mut used = UsedEnergy::default();
        for (channel, provenance) in self.channels.iter_mut().zip(&mut self.provenance) {
            let (increment, state) = channel.read(now, &usage);
            let component = channel.component();
            used.add(component, &increment.total, increment.idle.as_ref());
            model.add(component, increment.scaling, increment.idle.is_some());
            // A single reading that failed changes nothing yet, unless it is the very first.
            let is_first = provenance.states.is_empty();
            if state.quality.is_some() || is_first || channel.is_failing() {
                self.provenance_changed |= provenance.note(now, state);
            }
            let shown = (channel.share(), channel.knows_idle());
            if (provenance.share, provenance.knows_idle) != shown {
                (provenance.share, provenance.knows_idle) = shown;
                self.provenance_changed = true;
            }
        }
        used.model = self.cpu_clock.is_some().then_some(model);
        used
    }
}
