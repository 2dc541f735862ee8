//! All sensors of a meter, read together.

use std::time::Duration;

use super::activity::Activities;
use super::channel::{Channel, ChannelReading};
use super::energies::Energies;
use super::provenance::Provenance;
use super::usage_window::UsageWindow;
use super::used_energy::UsedEnergy;
use super::wall_meter::WallMeter;
use crate::sensor::{Component, CpuClock, Usage, UsageSource};

/// The sensors, and the usage by which their energy is shared.
pub(super) struct Sensing {
    channels: Vec<Channel>,
    usage: Box<dyn UsageSource>,
    /// CPU time of the process, without its children.
    cpu_clock: Option<CpuClock>,
    window: UsageWindow,
    refreshed: Option<Duration>,
    shared_memory_refreshed: Option<Duration>,
    /// Whether the energy of the whole machine is counted here, and not by another process of the
    /// job on this machine.
    pub(super) counts_machine: bool,
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
            shared_memory_refreshed: None,
            counts_machine: true,
            last_usage: Usage::default(),
            provenance: Vec::new(),
            provenance_changed: false,
        }
    }

    pub(super) fn cpu_clock(&self) -> Option<&CpuClock> {
        self.cpu_clock.as_ref()
    }

    /// Adds a sensor.
    pub(super) fn add(&mut self, channel: Channel) {
        self.provenance.push(channel.provenance());
        Provenance::divide_scopes(&mut self.provenance);
        self.channels.push(channel);
    }

    /// The longest time between two readings at which no counter wraps unseen.
    pub(super) fn longest_interval(&self) -> Option<Duration> {
        self.channels.iter().filter_map(Channel::longest_interval).min()
    }

    /// Whether the power of some device must be read often: because the device reports nothing else,
    /// or because its counter is in doubt.
    pub(super) fn has_gauge(&self) -> bool {
        self.channels.iter().any(Channel::is_gauge)
    }

    /// Asks slow sensors for readings, where that does not cost too much.
    pub(super) fn ask_slow(&mut self, now: Duration) {
        for channel in &mut self.channels {
            channel.ask(now, self.usage.processes());
        }
    }

    /// Whether all figures follow the CPU time and the memory of the process.
    pub(super) fn follows_cpu_time(&self) -> bool {
        let follows = |it: &Provenance| matches!(it.component, Component::Cpu | Component::Ram);
        self.provenance.iter().all(follows)
    }

    /// Searches for children and updates the devices' shares, if `period` has passed since the last
    /// time. `counts_machine` is whether a run of the whole machine is active.
    pub(super) fn refresh(&mut self, now: Duration, period: Duration, counts_machine: bool) {
        let shares_memory = self.channels.iter().any(Channel::depends_on_machine_memory);
        self.usage.need_machine_memory(counts_machine || shares_memory);
        if self.refreshed.is_some_and(|at| now.saturating_sub(at) < period) {
            return;
        }
        self.refreshed = Some(now);
        self.usage.refresh();
        for channel in &mut self.channels {
            channel.refresh_share(now, self.usage.processes());
        }
    }

    /// Reads how much memory processes share, if `period` has passed since the last time. May take
    /// long, so no run may wait for it.
    pub(super) fn refresh_shared_memory(&mut self, now: Duration, period: Duration) {
        if self.shared_memory_refreshed.is_none_or(|at| now.saturating_sub(at) >= period) {
            self.shared_memory_refreshed = Some(now);
            self.usage.refresh_shared_memory();
        }
    }

    /// Reads all sensors but the slow ones, whose answers are taken.
    pub(super) fn read(&mut self, activities: &Activities) -> UsedEnergy {
        let now = activities.now;
        let usage = self.usage.read();
        self.last_usage = usage;
        // At the same moment as the usage, of which the rest is that of children.
        let own_cpu = usage.process_cpu.or_else(|| self.cpu_clock.as_ref().map(|clock| clock()));
        let (usage, mut model) = self.window.advance(now, usage, own_cpu);
        let mut used = UsedEnergy::default();
        let mut wall_meters = Vec::new();
        for (channel, provenance) in self.channels.iter_mut().zip(&mut self.provenance) {
            let ChannelReading { increment, state, since } = channel.read(activities, &usage);
            let [in_process, in_machine] = provenance.counts;
            let increment = increment.counted(in_process, in_machine);
            let component = channel.component();
            if component == Component::Machine && increment.scaling.shared.0 > 0.0 {
                // Its part of GPUs is known once they are read.
                wall_meters.push(increment);
            } else {
                used.add(component, &increment);
                model.add(component, increment.scaling, increment.idle.is_some());
            }
            // A single reading that failed changes nothing yet, unless it is the very first.
            let is_first = provenance.states.is_empty();
            if state.quality.is_some() || is_first || channel.is_failing() {
                self.provenance_changed |= provenance.note(since, state);
            }
            if provenance.interval != channel.slow_interval() {
                provenance.interval = channel.slow_interval();
                self.provenance_changed = true;
            }
            if provenance.knows_idle != channel.knows_idle() {
                provenance.knows_idle = channel.knows_idle();
                self.provenance_changed = true;
            }
        }
        for mut increment in wall_meters {
            let split = WallMeter::new(&increment.total, &used);
            split.charge(&mut increment);
            used.add(Component::Machine, &increment);
            model.add(Component::Machine, split.scaling(), false);
        }
        if !self.counts_machine {
            (used.machine, used.machine_power) = (Energies::ZERO, Energies::ZERO);
            used.late_machine = Energies::ZERO;
        }
        used.model = self.cpu_clock.is_some().then_some(model);
        used
    }
}
