//! All sensors of a meter, read together.

use std::time::Duration;

use super::channel::Channel;
use super::power_model::ScalesWith;
use super::provenance::Provenance;
use super::usage_window::UsageWindow;
use super::used_energy::UsedEnergy;
use crate::sensor::{CpuClock, Quality, Sensor, Usage, UsageSource};

/// The sensors, and the usage by which their energy is shared.
pub(super) struct Sensing {
    channels: Vec<Channel>,
    usage: Box<dyn UsageSource>,
    /// CPU time of the process, without its children.
    cpu_clock: Option<CpuClock>,
    window: UsageWindow,
    refreshed: Option<Duration>,
    /// The usage at the last reading.
    pub(super) last_usage: Usage,
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
            last_usage: Usage::default(),
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
            bounds: channel.bounds(),
            tick: channel.tick(),
            added: now,
            qualities: Vec::new(),
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
            sensor.qualities.last().is_some_and(|(_, quality)| *quality == Some(Quality::Sampled))
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
        self.last_usage = usage;
        let own_cpu = self.cpu_clock.as_ref().map(|clock| clock());
        let (usage, mut model) = self.window.advance(now, usage, own_cpu);
        let mut used = UsedEnergy::default();
        for (channel, provenance) in self.channels.iter_mut().zip(&mut self.provenance) {
            let (increment, quality) = channel.read(now, &usage);
            let component = channel.component();
            for (energies, figure) in [
                (&mut used.machine, increment.machine.0),
                (&mut used.process, increment.process.0),
                (&mut used.machine_power, increment.machine_power.0),
                (&mut used.process_power, increment.process_power.0),
            ] {
                energies[component] += figure;
            }
            match increment.scales_with {
                ScalesWith::Time => model.steady[component] += increment.process_power.0,
                ScalesWith::CpuShare => model.shared[component] += increment.machine_power.0,
                ScalesWith::CpuTime(power) => model.per_cpu[component] += power.0,
            }
            // A single reading that failed changes nothing yet, unless it is the very first.
            let is_first = provenance.qualities.is_empty();
            if quality.is_some() || is_first || channel.is_failing() {
                self.provenance_changed |= provenance.note(now, quality);
            }
            if provenance.share != channel.share() {
                provenance.share = channel.share();
                self.provenance_changed = true;
            }
        }
        used.model = self.cpu_clock.is_some().then_some(model);
        used
    }
}
