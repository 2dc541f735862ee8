//! Runs whose price changes with the time: at each change, the energy that they received is kept
//! apart.
//!
//! What a tariff says is asked before the ledger is locked: the ledger only knows the changes
//! that were found then.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use slotmap::SecondaryMap;

use super::forecast::{Forecast, Prices};
use super::keys::RunKey;
use super::run_energy::{Received, RunEnergy};

/// Prices without a run are kept for the next one, up to this many.
const MAX_UNUSED: usize = 16;

/// Names a price by where it lies, which keeps its place while it is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct PricesId(usize);

impl PricesId {
    fn new(prices: &Arc<dyn Prices>) -> Self {
        Self(Arc::as_ptr(prices).cast::<()>().addr())
    }
}

/// A price that changes, with what is known of its changes.
#[derive(Debug)]
struct PricesInUse {
    prices: Arc<dyn Prices>,
    runs: usize,
    forecast: Forecast,
}

/// A time at one price that has ended.
#[derive(Clone, Copy, Debug)]
struct Segment {
    price: f64,
    /// The total energy that the run had received until its end.
    received: Received,
}

/// The energy that a run received at each price.
#[derive(Debug)]
struct RunSegments {
    prices: PricesId,
    passed: Vec<Segment>,
}

/// All prices that change and are in use, and the runs that use them.
#[derive(Debug, Default)]
pub(super) struct TariffSegments {
    tariffs: HashMap<PricesId, PricesInUse>,
    runs: SecondaryMap<RunKey, RunSegments>,
}

impl TariffSegments {
    pub(super) fn is_empty(&self) -> bool {
        self.tariffs.is_empty()
    }

    pub(super) fn knows(&self, prices: &Arc<dyn Prices>) -> bool {
        self.tariffs.contains_key(&PricesId::new(prices))
    }

    /// Takes in what was found out about a price. Gives the runs whose price is another one now
    /// because the calendar was set, with the price that ends: nothing was used in the time that
    /// the calendar left out.
    #[must_use]
    pub(super) fn update(
        &mut self,
        prices: Arc<dyn Prices>,
        forecast: Forecast,
    ) -> Vec<(RunKey, f64)> {
        let id = PricesId::new(&prices);
        if let Some(tariff) = self.tariffs.get_mut(&id) {
            let old = std::mem::replace(&mut tariff.forecast, forecast);
            let is_same = old.price.total_cmp(&tariff.forecast.price).is_eq();
            return if is_same { Vec::new() } else { self.runs_at(id, old.price) };
        }
        if self.tariffs.len() - self.tariffs_in_use() >= MAX_UNUSED {
            self.tariffs.retain(|_, tariff| tariff.runs > 0);
        }
        self.tariffs.insert(id, PricesInUse { prices, runs: 0, forecast });
        Vec::new()
    }

    fn runs_at(&self, id: PricesId, price: f64) -> Vec<(RunKey, f64)> {
        let runs = self.runs.iter().filter(|(_, segments)| segments.prices == id);
        runs.map(|(run, _)| (run, price)).collect()
    }

    fn tariffs_in_use(&self) -> usize {
        self.tariffs.values().filter(|tariff| tariff.runs > 0).count()
    }

    /// The prices of which it is not known what they are between `began` and `now`. Those that no
    /// run uses are forgotten.
    pub(super) fn outdated(&mut self, began: SystemTime, now: SystemTime) -> Vec<Arc<dyn Prices>> {
        let is_outdated = |tariff: &PricesInUse| tariff.forecast.is_outdated(began, now);
        if !self.tariffs.values().any(is_outdated) {
            return Vec::new();
        }
        self.tariffs.retain(|_, tariff| tariff.runs > 0 || !is_outdated(tariff));
        let outdated = self.tariffs.values().filter(|tariff| is_outdated(tariff));
        outdated.map(|tariff| Arc::clone(&tariff.prices)).collect()
    }

    /// A run with these prices starts.
    pub(super) fn add(&mut self, run: RunKey, prices: &Arc<dyn Prices>) {
        let id = PricesId::new(prices);
        if let Some(tariff) = self.tariffs.get_mut(&id) {
            tariff.runs += 1;
            self.runs.insert(run, RunSegments { prices: id, passed: Vec::new() });
        }
    }

    /// A run has ended.
    pub(super) fn remove(&mut self, run: RunKey) {
        if let Some(segments) = self.runs.remove(run)
            && let Some(tariff) = self.tariffs.get_mut(&segments.prices)
        {
            tariff.runs -= 1;
        }
    }

    /// The moments up to `now` at which a price changes, in their order.
    pub(super) fn changes_until(&self, now: SystemTime) -> Vec<SystemTime> {
        let changes = self.tariffs.values().flat_map(|tariff| {
            tariff.forecast.changes.iter().map(|(at, _)| *at).take_while(|at| *at <= now)
        });
        let mut changes: Vec<_> = changes.collect();
        changes.sort_unstable();
        changes.dedup();
        changes
    }

    /// The runs whose price changes at `at`, with the price that ends.
    pub(super) fn changing_at(&self, at: SystemTime) -> Vec<(RunKey, f64)> {
        let changing = self.tariffs.iter().filter_map(|(id, tariff)| {
            let Forecast { price, changes, .. } = &tariff.forecast;
            let change = changes.iter().position(|(change, _)| *change == at)?;
            let before = change.checked_sub(1).and_then(|before| changes.get(before));
            Some((*id, before.map_or(*price, |(_, price)| *price)))
        });
        changing.flat_map(|(id, price)| self.runs_at(id, price)).collect()
    }

    /// A run received so much until the end of a segment.
    pub(super) fn end_segment(&mut self, run: RunKey, price: f64, received: Received) {
        if let Some(segments) = self.runs.get_mut(run) {
            segments.passed.push(Segment { price, received });
        }
    }

    /// Lets the calendar pass all changes up to `now`.
    pub(super) fn pass(&mut self, now: SystemTime) {
        for tariff in self.tariffs.values_mut() {
            let forecast = &mut tariff.forecast;
            while let Some((at, price)) = forecast.changes.front().copied()
                && at <= now
            {
                (forecast.since, forecast.price) = (at, price);
                forecast.changes.pop_front();
            }
        }
    }

    /// Adds to the energy of a run what it received at each price.
    pub(super) fn price(&self, run: RunKey, energy: &mut RunEnergy) {
        let Some(segments) = self.runs.get(run) else { return };
        let Some(tariff) = self.tariffs.get(&segments.prices) else { return };
        let now = Segment { price: tariff.forecast.price, received: energy.received };
        let mut before = Received::default();
        for Segment { price, received } in segments.passed.iter().chain([&now]) {
            energy.add_at_price(
                *price,
                received.own - before.own,
                received.inclusive - before.inclusive,
            );
            before = *received;
        }
    }
}
