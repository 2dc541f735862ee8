//! The energy that a run received.

use super::energies::Energies;
use super::nanoseconds::Nanoseconds;
use super::provenance::Methods;
use crate::scope::Scope;
use crate::sensor::Component;
use crate::units::Joules;

/// Energy up to a moment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Received {
    /// The own energy of the run.
    pub(crate) own: Energies,
    /// The energy of the run and its descendants.
    pub(crate) inclusive: Energies,
    /// The energy of the whole process, or machine, during the run.
    pub(crate) process: Energies,
}

/// Energy at one price.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PricedEnergy {
    /// Per kWh.
    pub(crate) price: f64,
    pub(crate) own: Energies,
    pub(crate) inclusive: Energies,
}

/// The energy that a run, or all calls of a sum, received, and the time.
#[derive(Clone, Debug, Default)]
pub(crate) struct RunEnergy {
    pub(crate) received: Received,
    /// The same by price, where the price depends on the time.
    pub(crate) priced: Vec<PricedEnergy>,
    pub(crate) scope: Scope,
    /// Since when, on the meter's clock.
    pub(crate) since: Nanoseconds,
    pub(crate) duration: Nanoseconds,
    /// Time during which unrelated runs were active as well.
    pub(crate) overlap: Nanoseconds,
    /// Whether a reading was taken in each of the runs.
    pub(crate) read: bool,
}

impl RunEnergy {
    /// Returns how much of the processor's inclusive energy is the idle power of the machine. `None`
    /// if that is not known, as for a counter.
    pub(crate) fn idle_energy(&self, methods: &Methods) -> Option<Joules> {
        let inclusive = &self.received.inclusive;
        // Within the carry of a short run the two may differ.
        let at_most = inclusive.get(Component::Cpu).0.max(0.0);
        methods.knows_idle.then(|| Joules(inclusive.idle().0.clamp(0.0, at_most)))
    }

    /// Nothing yet, at the time and in the scope of a call.
    fn none_like(call: &Self) -> Self {
        let Self { scope, since, read, .. } = *call;
        Self { scope, since, read, ..Self::default() }
    }

    /// Adds a call. What an inner call of a recursion used is part of the outer call already:
    /// only its own energy counts.
    #[expect(clippy::inline_always, reason = "where the call is new, it is never in memory")]
    #[inline(always)]
    fn add(&mut self, call: &Self, outermost: bool) {
        self.received.own += call.received.own;
        self.since = self.since.min(call.since);
        self.read &= call.read;
        if outermost {
            self.received.inclusive += call.received.inclusive;
            self.received.process += call.received.process;
            self.duration = self.duration.plus(call.duration);
            self.overlap = self.overlap.plus(call.overlap);
        }
        for part in &call.priced {
            let inclusive = if outermost { part.inclusive } else { Energies::ZERO };
            self.add_at_price(part.price, part.own, inclusive);
        }
    }

    /// Adds energy at a price.
    pub(super) fn add_at_price(&mut self, price: f64, own: Energies, inclusive: Energies) {
        if let Some(known) = self.priced.iter_mut().find(|it| it.price.total_cmp(&price).is_eq()) {
            known.own += own;
            known.inclusive += inclusive;
        } else {
            self.priced.push(PricedEnergy { price, own, inclusive });
        }
    }

    /// Makes the own energy at least that of `earlier`, which is of the same run: what a program has
    /// reported late was own energy before.
    pub(crate) fn keep_own(&mut self, earlier: &Self) {
        self.received.own = self.received.own.zip(earlier.received.own, f64::max);
    }

    /// Returns the energy after `earlier`, which is of the same run.
    pub(crate) fn after(&self, earlier: &Self) -> Self {
        let mut rest = self.clone();
        rest.keep_own(earlier);
        rest.received = Received {
            own: rest.received.own - earlier.received.own,
            inclusive: self.received.inclusive - earlier.received.inclusive,
            process: self.received.process - earlier.received.process,
        };
        rest.duration = self.duration.since(earlier.duration);
        rest.overlap = self.overlap.since(earlier.overlap);
        // The prices of a run only grow in number and in energy.
        for (part, before) in rest.priced.iter_mut().zip(&earlier.priced) {
            part.own = part.own - before.own;
            part.inclusive = part.inclusive - before.inclusive;
        }
        rest
    }
}

/// The calls of a function, added up.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub(crate) energy: RunEnergy,
    pub(crate) calls: u64,
    /// The worst.
    pub(crate) status: crate::status::Status,
}

impl Tally {
    /// Adds a call to what there is so far.
    #[expect(clippy::inline_always, reason = "where the call is new, it is never in memory")]
    #[inline(always)]
    pub(super) fn add(
        so_far: &mut Option<Self>,
        call: &RunEnergy,
        status: crate::status::Status,
        outermost: bool,
    ) {
        let tally = so_far.get_or_insert_with(|| Self {
            energy: RunEnergy::none_like(call),
            calls: 0,
            status,
        });
        tally.energy.add(call, outermost);
        tally.calls = tally.calls.saturating_add(1);
        tally.status = tally.status.max(status);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::Method;

    #[test]
    fn the_idle_part_is_unknown_unless_each_processor_s_figure_says_it() {
        let methods = |knows_idle| Methods {
            cpu: Method::none(),
            gpu: Method::none(),
            ram: Method::none(),
            other: Method::none(),
            knows_idle,
            machine: None,
        };
        let mut energy = RunEnergy::default();
        energy.received.inclusive[Component::Cpu] = 5.0;
        *energy.received.inclusive.idle_mut() = 3.0;
        assert_eq!(energy.idle_energy(&methods(true)), Some(Joules(3.0)));
        assert_eq!(energy.idle_energy(&methods(false)), None);
        // The carry of a short run may differ in both.
        *energy.received.inclusive.idle_mut() = 6.0;
        assert_eq!(energy.idle_energy(&methods(true)), Some(Joules(5.0)));
    }
}
