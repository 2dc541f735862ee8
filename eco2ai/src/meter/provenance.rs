//! How the figures of a run were obtained.

use std::time::Duration;

use super::gauge::GAUGE_INTERVAL;
use crate::method::{Method, ShareMark};
use crate::sensor::{Bounds, Component, Quality, Share};

/// How many changes of quality are kept apart.
const MAX_CHANGES: usize = 64;

/// How the figures of one sensor were obtained.
#[derive(Clone, Debug)]
pub(super) struct Provenance {
    pub(super) component: Component,
    pub(super) source: String,
    pub(super) share: Share,
    /// The bounds of figures of each quality, from the weakest.
    pub(super) bounds: [Bounds; Quality::ALL.len()],
    /// The longest time between two refreshes of a counter.
    pub(super) tick: Duration,
    /// When the sensor was added.
    pub(super) added: Duration,
    /// Each quality that its readings had, with the time at which it began; `None` while they are
    /// missing.
    pub(super) qualities: Vec<(Duration, Option<Quality>)>,
}

impl Provenance {
    /// Notes the quality from `now` on; returns whether it is another one.
    pub(super) fn note(&mut self, now: Duration, quality: Option<Quality>) -> bool {
        let last = self.qualities.last().map(|(_, quality)| *quality);
        if last == Some(quality) {
            return false;
        }
        // The first reading begins all that follows: runs wait for it.
        let from = if last.is_some() { now } else { self.added };
        // A sensor that comes and goes for weeks must not fill the memory.
        if let [_, (_, second), _, ..] = self.qualities.as_slice()
            && self.qualities.len() >= MAX_CHANGES
        {
            let second = *second;
            if let Some((_, first)) = self.qualities.first_mut() {
                *first = [*first, second].into_iter().flatten().min();
            }
            self.qualities.remove(1);
        }
        self.qualities.push((from, quality));
        true
    }

    /// Whether it could be read all the time from `since` on.
    fn is_whole(&self, since: Duration) -> bool {
        let first = self.qualities.iter().rposition(|(at, _)| *at <= since);
        first.is_some_and(|first| self.qualities.iter().skip(first).all(|(_, it)| it.is_some()))
    }

    /// The qualities of the readings from `since` on.
    pub(super) fn qualities_since(&self, since: Duration) -> impl Iterator<Item = Quality> {
        let first = self.qualities.iter().rposition(|(at, _)| *at <= since).unwrap_or(0);
        self.qualities.iter().skip(first).filter_map(|(_, quality)| *quality)
    }

    /// The weakest quality from `since` on; `None` where there was no reading.
    fn weakest(&self, since: Duration) -> Option<Quality> {
        self.qualities_since(since).min()
    }

    /// The longest time between two values of the device.
    pub(super) fn resolution(&self, quality: Quality) -> Duration {
        match quality {
            Quality::Measured => self.tick,
            Quality::Sampled => GAUGE_INTERVAL,
            Quality::Estimated => Duration::ZERO,
        }
    }
}

/// How each component's figure of a run was obtained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Methods {
    pub(crate) cpu: Method,
    pub(crate) gpu: Method,
    pub(crate) ram: Method,
    pub(crate) other: Method,
    /// The wall meter's, where there is one that could be read all the time: a total that misses a
    /// part would be worse than the sum of the components.
    pub(crate) machine: Option<Method>,
}

impl Methods {
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
        let method = |component| {
            let mut weakest: Option<Quality> = None;
            let mut sources: Vec<&str> = Vec::new();
            let mut share = None;
            let mut is_partial = false;
            for sensor in sensors.iter().filter(|sensor| sensor.component == component) {
                if !sensor.qualities.is_empty() && !sensor.is_whole(since) {
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
                if quality > Quality::Estimated && !whole_machine {
                    share = match sensor.share {
                        Share::WholeThoughShared => Some(ShareMark::Unshared),
                        Share::CpuTime | Share::Memory | Share::Fraction(_) => {
                            share.or(Some(ShareMark::Share))
                        }
                        Share::Whole => share,
                    };
                }
            }
            Some(Method::new(weakest?, &sources, share, is_partial))
        };
        let or_none = |component| method(component).unwrap_or_else(Method::none);
        let mut wall_meters =
            sensors.iter().filter(|sensor| sensor.component == Component::Machine);
        Self {
            cpu: or_none(Component::Cpu),
            gpu: or_none(Component::Gpu),
            ram: or_none(Component::Ram),
            other: or_none(Component::Other),
            machine: wall_meters
                .all(|meter| meter.is_whole(since))
                .then(|| method(Component::Machine))
                .flatten(),
        }
    }
}
