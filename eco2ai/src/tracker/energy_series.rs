//! The energy of the process as time series, for exporters.

use super::energy_counter::EnergyCounter;
use super::tracker::Tracker;
use crate::error::Result;
use crate::locks::{Lock, Rank};
use crate::meter::EnergyMark;
use crate::method::Method;
use crate::scope::Scope;
use crate::sensor::Component;
use crate::units::{Joules, KilogramsCo2e};

/// The energy of the process by component and method, from the start on. All figures have the PUE, and
/// none ever decreases.
#[derive(Debug)]
pub(crate) struct EnergySeries {
    counter: EnergyCounter,
    project: String,
    pue: f64,
    state: Lock<State>,
}

#[derive(Clone, Debug, Default)]
struct State {
    /// The reading up to which energy was added.
    read: EnergyMark,
    energies: Vec<ComponentSeries>,
    co2: KilogramsCo2e,
    cost: f64,
}

/// The energy of one component while it was obtained by one method.
#[derive(Clone, Debug)]
pub(crate) struct ComponentSeries {
    component: Component,
    pub(crate) method: Method,
    pub(crate) energy: Joules,
}

impl ComponentSeries {
    /// Returns the component as the value of a label, as in the names of the log's columns.
    pub(crate) fn component(&self) -> &'static str {
        match self.component {
            Component::Cpu => "cpu",
            Component::Gpu => "gpu",
            Component::Ram => "ram",
            Component::Other | Component::Machine => "other",
        }
    }
}

/// The figures at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct SeriesNow {
    pub(crate) energies: Vec<ComponentSeries>,
    pub(crate) co2: KilogramsCo2e,
    /// In the currency of the tariff.
    pub(crate) cost: f64,
}

impl EnergySeries {
    /// Starts to count the energy of the process, with the parameters of `tracker`.
    pub(crate) fn start(tracker: &Tracker) -> Result<Self> {
        let counter = tracker.start_counter()?;
        let state = State { read: counter.start_mark(), ..State::default() };
        Ok(Self {
            project: tracker.project().to_owned(),
            pue: tracker.pue(),
            state: Lock::new(Rank::Series, state),
            counter,
        })
    }

    pub(crate) fn project(&self) -> &str {
        &self.project
    }

    /// Returns the figures up to now.
    pub(crate) fn now(&self) -> SeriesNow {
        if !self.counter.is_counting() {
            // Nor may a forked child wait for the lock, which a thread of its parent may have held.
            return SeriesNow::default();
        }
        let now = self.counter.mark();
        let cost = self.counter.read_at(Scope::Process, &now).cost;
        let mut state = self.state.lock();
        // Another thread may have come first.
        if now.at > state.read.at {
            // Each part has the method of its own time: a series whose method changes ends, and a sum
            // over all methods stays right.
            let new = self.counter.between(&state.read, &now, Scope::Process);
            state.read = now;
            state.co2 += new.co2;
            state.cost = state.cost.max(cost);
            for part in new.components {
                if let Some(energy) = part.energy {
                    let energy = Joules::from(energy * self.pue);
                    state.add(part.component, part.method, energy);
                }
            }
        }
        SeriesNow { energies: state.energies.clone(), co2: state.co2, cost: state.cost }
    }
}

impl State {
    fn add(&mut self, component: Component, method: Method, energy: Joules) {
        let is_same =
            |known: &&mut ComponentSeries| known.component == component && known.method == method;
        match self.energies.iter_mut().find(is_same) {
            Some(known) => known.energy += energy,
            None => self.energies.push(ComponentSeries { component, method, energy }),
        }
    }
}
