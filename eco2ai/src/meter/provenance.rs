//! How the figures of a run were obtained.

use std::sync::Arc;
use std::time::Duration;

use super::gauge::GAUGE_INTERVAL;
use crate::method::{Method, ShareMark};
use crate::scope::Scope;
use crate::sensor::{Bounds, Component, Quality};

/// The maximum number of states that are kept.
const MAX_CHANGES: usize = 64;

/// How the figures of one sensor were obtained.
#[derive(Clone, Debug)]
pub(super) struct Provenance {
    pub(super) component: Component,
    pub(super) source: String,
    /// The other components that the figures contain.
    pub(super) includes: Vec<Component>,
    /// The scope in which the figures count, if the sensor says so of only one.
    pub(super) scope: Option<Scope>,
    /// Whether the figures count in the scopes of the process and of the machine.
    pub(super) counts: [bool; Scope::ALL.len()],
    /// Whether the figures say how much of them is the idle power of the machine.
    pub(super) knows_idle: bool,
    /// The bounds of figures of each quality, from the weakest.
    pub(super) bounds: [Bounds; Quality::ALL.len()],
    /// The longest time between two refreshes of a counter.
    pub(super) tick: Duration,
    /// The time between two readings, where it is slow and read less often than the others.
    pub(super) interval: Duration,
    /// When the sensor was added.
    pub(super) added: Duration,
    /// Each state that its readings had, with the time at which it began.
    pub(super) states: Vec<(Duration, ReadingState)>,
}

/// How readings are obtained at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ReadingState {
    /// The quality of the readings; `None` while there are none.
    pub(super) quality: Option<Quality>,
    /// A part of the device is missing from the readings.
    pub(super) lacks_device_part: bool,
    /// A part of this process's usage is missing from its share.
    pub(super) lacks_process_part: bool,
    /// A part of the machine's usage is missing from the model.
    pub(super) lacks_machine_part: bool,
    /// The part of the device's energy that the process's figure contains.
    pub(super) share: ShareKind,
}

/// The part of a device's energy that the process's figure contains. A run has the last one in this
/// order that applied to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ShareKind {
    /// All of it: no other process uses the device, or the figure is that of this process alone.
    #[default]
    Whole,
    /// None of it.
    Nothing,
    /// The share of the memory.
    Memory,
    /// The share of the busy CPU time.
    CpuTime,
    /// A fraction that the device reports.
    Fraction,
    /// All of it, although other processes may use the device.
    Unshared,
}

impl ShareKind {
    fn mark(self) -> Option<ShareMark> {
        match self {
            Self::Whole => None,
            Self::Nothing | Self::Memory | Self::CpuTime | Self::Fraction => Some(ShareMark::Share),
            Self::Unshared => Some(ShareMark::Unshared),
        }
    }
}

impl ReadingState {
    /// Combines two states into one that is no better than either.
    fn merge(self, other: Self) -> Self {
        Self {
            quality: [self.quality, other.quality].into_iter().flatten().min(),
            lacks_device_part: self.lacks_device_part || other.lacks_device_part,
            lacks_process_part: self.lacks_process_part || other.lacks_process_part,
            lacks_machine_part: self.lacks_machine_part || other.lacks_machine_part,
            share: self.share.max(other.share),
        }
    }

    /// Returns whether the energy of the device, or of the process's part of it, is complete.
    fn is_whole(self, whole_machine: bool) -> bool {
        let lacks_usage =
            if whole_machine { self.lacks_machine_part } else { self.lacks_process_part };
        self.quality.is_some() && !self.lacks_device_part && !lacks_usage
    }
}

impl Provenance {
    /// Decides in which scopes each sensor counts: one of a single scope replaces those of the same
    /// component that are for both.
    pub(super) fn divide_scopes(sensors: &mut [Self]) {
        let of_one_scope: Vec<_> =
            sensors.iter().filter_map(|it| Some((it.component, it.scope?))).collect();
        for sensor in sensors {
            sensor.counts = Scope::ALL.map(|scope| match sensor.scope {
                Some(only) => only == scope,
                None => !of_one_scope.contains(&(sensor.component, scope)),
            });
        }
    }

    /// Returns whether the figures count in a scope.
    pub(super) fn counts(&self, whole_machine: bool) -> bool {
        let [in_process, in_machine] = self.counts;
        if whole_machine { in_machine } else { in_process }
    }

    /// Notes the state from `since` on. Returns whether it differs from the last one.
    pub(super) fn note(&mut self, since: Duration, state: ReadingState) -> bool {
        let last = self.states.last();
        if last.is_some_and(|(_, last)| *last == state) {
            return false;
        }
        // Runs wait for the first reading, so its state also applies to the time before it.
        let from = last.map_or(self.added, |(last, _)| since.max(*last));
        // Limits the memory that a sensor with frequent failures uses.
        if let [_, (_, second), _, ..] = self.states.as_slice()
            && self.states.len() >= MAX_CHANGES
        {
            let second = *second;
            if let Some((_, first)) = self.states.first_mut() {
                *first = first.merge(second);
            }
            self.states.remove(1);
        }
        self.states.push((from, state));
        true
    }

    /// Returns the states from `since` on.
    fn states_since(&self, since: Duration) -> impl Iterator<Item = ReadingState> {
        let first = self.states.iter().rposition(|(at, _)| *at <= since).unwrap_or(0);
        self.states.iter().skip(first).map(|(_, state)| *state)
    }

    /// Returns whether nothing is missing from `since` on.
    fn is_whole(&self, since: Duration, whole_machine: bool) -> bool {
        self.states.first().is_some_and(|(at, _)| *at <= since)
            && self.states_since(since).all(|state| state.is_whole(whole_machine))
    }

    /// Returns the qualities of the readings from `since` on.
    pub(super) fn qualities_since(&self, since: Duration) -> impl Iterator<Item = Quality> {
        self.states_since(since).filter_map(|state| state.quality)
    }

    /// Returns the weakest quality from `since` on. `None` if there was no reading.
    fn weakest(&self, since: Duration) -> Option<Quality> {
        self.qualities_since(since).min()
    }

    /// Returns the longest time between two values of the device.
    pub(super) fn resolution(&self, quality: Quality) -> Duration {
        match quality {
            Quality::Measured => self.tick.max(self.interval),
            Quality::Sampled => GAUGE_INTERVAL.max(self.interval),
            Quality::Estimated => Duration::ZERO,
        }
    }

    /// Returns the part of the device's energy that the figure from `since` on contains.
    pub(super) fn share(&self, since: Duration) -> ShareKind {
        let of_readings = self.states_since(since).filter(|state| state.quality.is_some());
        of_readings.map(|state| state.share).max().unwrap_or_default()
    }
}

/// How the figures of all sensors of a meter were obtained.
#[derive(Debug)]
pub(super) struct SensorsProvenance {
    sensors: Vec<Provenance>,
    /// The methods of runs that began after the last change of a state.
    known: Vec<KnownMethods>,
}

/// The methods of all runs of this kind since the last change of a state.
#[derive(Debug)]
struct KnownMethods {
    at_most: Quality,
    whole_machine: bool,
    methods: Arc<Methods>,
}

impl SensorsProvenance {
    pub(super) fn new(sensors: Vec<Provenance>) -> Self {
        Self { sensors, known: Vec::new() }
    }

    /// Replaces the provenance of all sensors, which has changed.
    pub(super) fn update(&mut self, sensors: &[Provenance]) {
        sensors.clone_into(&mut self.sensors);
        self.known.clear();
    }

    pub(super) fn sensors(&self) -> &[Provenance] {
        &self.sensors
    }

    /// Returns the methods of the time from `since` on. `at_most` is the best quality to report.
    pub(super) fn methods(
        &mut self,
        since: Duration,
        at_most: Quality,
        whole_machine: bool,
    ) -> Arc<Methods> {
        let methods = || Arc::new(Methods::since(since, &self.sensors, at_most, whole_machine));
        let changed = |sensor: &Provenance| sensor.states.last().is_some_and(|(at, _)| *at > since);
        if self.sensors.iter().any(changed) {
            return methods();
        }
        let is_same =
            |it: &&KnownMethods| it.at_most == at_most && it.whole_machine == whole_machine;
        if let Some(known) = self.known.iter().find(is_same) {
            return Arc::clone(&known.methods);
        }
        let methods = methods();
        self.known.push(KnownMethods { at_most, whole_machine, methods: Arc::clone(&methods) });
        methods
    }
}

/// How each component's figure of a run was obtained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Methods {
    pub(crate) cpu: Method,
    pub(crate) gpu: Method,
    pub(crate) ram: Method,
    pub(crate) other: Method,
    /// Whether it is known how much of the processor's figure is the idle power of the machine.
    pub(crate) knows_idle: bool,
    /// The wall meter's, where there is one that could be read all the time: a total that misses a
    /// part would be worse than the sum of the components.
    pub(crate) machine: Option<Method>,
}

impl Methods {
    /// Marks the figures as partial: a part of the work was done where it was not measured.
    pub(crate) fn mark_partial(&mut self) {
        let components = [&mut self.cpu, &mut self.gpu, &mut self.ram, &mut self.other];
        for method in components.into_iter().chain(self.machine.as_mut()) {
            method.mark_partial();
        }
    }

    /// The methods of a run of the whole machine, whose figures are those of another process.
    pub(super) fn counted_elsewhere(mut self) -> Self {
        for method in [&mut self.cpu, &mut self.gpu, &mut self.ram, &mut self.other] {
            if !method.is_none() {
                *method = Method::included();
            }
        }
        Self { machine: None, knows_idle: false, ..self }
    }

    /// Returns the method of a component; `None` for a wall meter that does not count.
    pub(super) fn of(&self, component: Component) -> Option<&Method> {
        match component {
            Component::Cpu => Some(&self.cpu),
            Component::Gpu => Some(&self.gpu),
            Component::Ram => Some(&self.ram),
            Component::Other => Some(&self.other),
            Component::Machine => self.machine.as_ref(),
        }
    }

    /// Returns the methods of the time from `since` on. `at_most` is the best quality to report.
    pub(super) fn since(
        since: Duration,
        sensors: &[Provenance],
        at_most: Quality,
        whole_machine: bool,
    ) -> Self {
        let counting = || sensors.iter().filter(|sensor| sensor.counts(whole_machine));
        let method = |component| {
            let mut weakest: Option<Quality> = None;
            let mut sources: Vec<&str> = Vec::new();
            let mut share = None;
            let mut is_partial = false;
            for sensor in counting().filter(|sensor| sensor.component == component) {
                if !sensor.states.is_empty() && !sensor.is_whole(since, whole_machine) {
                    is_partial = true;
                }
                let Some(quality) = sensor.weakest(since).map(|quality| quality.min(at_most))
                else {
                    continue;
                };
                weakest = Some(weakest.map_or(quality, |weakest| weakest.min(quality)));
                if !sources.contains(&sensor.source.as_str()) {
                    sources.push(&sensor.source);
                }
                if !whole_machine {
                    share = share.max(sensor.share(since).mark());
                }
            }
            Some(Method::new(weakest?, &sources, share, is_partial))
        };
        let or_none = |component| {
            let is_included = || {
                counting().any(|sensor| {
                    sensor.includes.contains(&component) && sensor.weakest(since).is_some()
                })
            };
            method(component)
                .unwrap_or_else(|| if is_included() { Method::included() } else { Method::none() })
        };
        let mut processors = counting()
            .filter(|it| it.component == Component::Cpu && it.weakest(since).is_some())
            .peekable();
        let knows_idle =
            processors.peek().is_some() && processors.all(|processor| processor.knows_idle);
        let mut wall_meters = counting().filter(|sensor| sensor.component == Component::Machine);
        Self {
            cpu: or_none(Component::Cpu),
            gpu: or_none(Component::Gpu),
            ram: or_none(Component::Ram),
            other: or_none(Component::Other),
            knows_idle,
            machine: wall_meters
                .all(|meter| meter.is_whole(since, whole_machine))
                .then(|| method(Component::Machine))
                .flatten(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sensor that has estimated since the beginning.
    fn sensor(component: Component, includes: &[Component], knows_idle: bool) -> Provenance {
        let quality = Some(Quality::Estimated);
        Provenance {
            component,
            source: "source".to_owned(),
            includes: includes.to_vec(),
            scope: None,
            counts: [true; Scope::ALL.len()],
            knows_idle,
            bounds: [Bounds::EXACT; Quality::ALL.len()],
            tick: Duration::ZERO,
            interval: Duration::ZERO,
            added: Duration::ZERO,
            states: vec![(Duration::ZERO, ReadingState { quality, ..ReadingState::default() })],
        }
    }

    fn methods(sensors: &[Provenance]) -> Methods {
        Methods::since(Duration::ZERO, sensors, Quality::Measured, false)
    }

    #[test]
    fn a_component_without_a_sensor_is_included_if_another_one_contains_it() {
        let server = sensor(Component::Cpu, &[Component::Ram], true);
        assert!(methods(std::slice::from_ref(&server)).ram.is_included());
        let memory = sensor(Component::Ram, &[], false);
        assert_eq!(methods(&[server.clone(), memory]).ram, "estimated:source");
        let unread = Provenance { states: Vec::new(), ..server };
        assert!(methods(&[unread]).ram.is_none());
    }

    #[test]
    fn the_idle_part_is_known_if_each_sensor_of_the_processor_knows_it() {
        let (one, other) = (sensor(Component::Cpu, &[], true), sensor(Component::Cpu, &[], false));
        assert!(methods(&[one.clone(), sensor(Component::Gpu, &[], false)]).knows_idle);
        assert!(!methods(&[one, other]).knows_idle);
        assert!(!methods(&[sensor(Component::Gpu, &[], true)]).knows_idle, "no processor");
    }
}
