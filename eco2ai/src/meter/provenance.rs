//! How the figures of a run were obtained.

use std::time::Duration;

use crate::sensor::{Component, Quality, Share};

/// Changes of quality that are kept apart.
const MOST_CHANGES: usize = 64;

/// What is known of one sensor's figures.
#[derive(Clone, Debug)]
pub(super) struct Provenance {
    pub(super) component: Component,
    pub(super) source: String,
    pub(super) share: Share,
    /// Each quality that its readings had, with the time at which it began; `None` while they are
    /// missing.
    pub(super) qualities: Vec<(Duration, Option<Quality>)>,
}

impl Provenance {
    /// Notes the quality from `now` on; returns whether it is another one.
    pub(super) fn note(&mut self, now: Duration, quality: Option<Quality>) -> bool {
        let last = self.qualities.last().map(|(_, quality)| *quality);
        if last.unwrap_or(None) == quality {
            return false;
        }
        // A sensor that comes and goes for weeks must not fill the memory.
        if let [_, (_, second), _, ..] = self.qualities.as_slice()
            && self.qualities.len() >= MOST_CHANGES
        {
            let second = *second;
            if let Some((_, first)) = self.qualities.first_mut() {
                *first = [*first, second].into_iter().flatten().min();
            }
            self.qualities.remove(1);
        }
        self.qualities.push((now, quality));
        true
    }

    /// The weakest quality from `since` on; `None` where there was no reading.
    fn weakest(&self, since: Duration) -> Option<Quality> {
        let first = self.qualities.iter().rposition(|(at, _)| *at <= since).unwrap_or(0);
        self.qualities.iter().skip(first).filter_map(|(_, quality)| *quality).min()
    }
}

/// How each component's figure of a run was obtained, in the row's form
/// `quality:source[:share]`, or `none`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Methods {
    pub(crate) cpu: String,
    pub(crate) gpu: String,
    pub(crate) ram: String,
    pub(crate) other: String,
    /// The wall meter's, where there is one.
    pub(crate) machine: Option<String>,
}

impl Methods {
    /// Those of the time from `since` on. `at_most` is the best quality that can be claimed.
    pub(super) fn since(
        since: Duration,
        sensors: &[Provenance],
        at_most: Quality,
        whole_machine: bool,
    ) -> Self {
        let method = |component| {
            let mut weakest: Option<Quality> = None;
            let mut sources: Vec<&str> = Vec::new();
            let mut mark = "";
            for sensor in sensors.iter().filter(|sensor| sensor.component == component) {
                let Some(quality) = sensor.weakest(since).map(|quality| quality.min(at_most))
                else {
                    continue;
                };
                weakest = Some(weakest.map_or(quality, |weakest| weakest.min(quality)));
                if !sources.contains(&sensor.source.as_str()) {
                    sources.push(&sensor.source);
                }
                if quality > Quality::Estimated && !whole_machine {
                    mark = match sensor.share {
                        Share::WholeThoughShared => ":unshared",
                        Share::CpuTime | Share::Memory | Share::Fraction(_) if mark.is_empty() => {
                            ":share"
                        }
                        _ => mark,
                    };
                }
            }
            let quality = match weakest? {
                Quality::Estimated => "estimated",
                Quality::Sampled => "sampled",
                Quality::Measured => "measured",
            };
            Some(format!("{quality}:{}{mark}", sources.join("+")))
        };
        let or_none = |component| method(component).unwrap_or_else(|| "none".into());
        Self {
            cpu: or_none(Component::Cpu),
            gpu: or_none(Component::Gpu),
            ram: or_none(Component::Ram),
            other: or_none(Component::Other),
            machine: method(Component::Machine),
        }
    }
}
