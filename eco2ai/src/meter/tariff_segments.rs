//! Runs whose price depends on the time: the energy that they received at each price.
//!
//! A tariff may execute the user's code, so it is asked before the ledger is locked. The ledger
//! only contains the resulting forecasts.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use slotmap::SecondaryMap;

use super::forecast::{Forecast, Prices};
use super::keys::RunKey;
use super::run_energy::{Received, RunEnergy};

/// The maximum number of prices that are kept for later runs while no run uses them.
const MAX_UNUSED: usize = 16;

/// Identifies prices by their address, which is constant while `PricesInUse` holds them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct PricesId(usize);

impl PricesId {
    fn new(prices: &Arc<dyn Prices>) -> Self {
        Self(Arc::as_ptr(prices).cast::<()>().addr())
    }
}

/// A price that changes, and the forecast of its changes.
#[derive(Debug)]
struct PricesInUse {
    prices: Arc<dyn Prices>,
    runs: usize,
    forecast: Forecast,
}

/// A period at one price that has ended.
#[derive(Clone, Copy, Debug)]
struct Segment {
    price: f64,
    /// The total energy that the run had received by the end of the period.
    received: Received,
}

/// The energy that a run received at each price.
#[derive(Debug)]
struct RunSegments {
    prices: PricesId,
    passed: Vec<Segment>,
}

/// The prices that change, and the runs that use them.
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

    /// Replaces the forecast of a price. Returns the runs whose price has changed because the system
    /// time was set, with their previous price.
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

    /// Returns the prices whose forecast does not cover the time from `began` to `now`. Removes those
    /// that no run uses.
    pub(super) fn outdated(&mut self, began: SystemTime, now: SystemTime) -> Vec<Arc<dyn Prices>> {
        let is_outdated = |tariff: &PricesInUse| tariff.forecast.is_outdated(began, now);
        if !self.tariffs.values().any(is_outdated) {
            return Vec::new();
        }
        self.tariffs.retain(|_, tariff| tariff.runs > 0 || !is_outdated(tariff));
        let outdated = self.tariffs.values().filter(|tariff| is_outdated(tariff));
        outdated.map(|tariff| Arc::clone(&tariff.prices)).collect()
    }

    /// Adds a run that starts with these prices.
    pub(super) fn add(&mut self, run: RunKey, prices: &Arc<dyn Prices>) {
        let id = PricesId::new(prices);
        if let Some(tariff) = self.tariffs.get_mut(&id) {
            tariff.runs += 1;
            self.runs.insert(run, RunSegments { prices: id, passed: Vec::new() });
        }
    }

    /// Removes a run that has ended.
    pub(super) fn remove(&mut self, run: RunKey) {
        if let Some(segments) = self.runs.remove(run)
            && let Some(tariff) = self.tariffs.get_mut(&segments.prices)
        {
            tariff.runs -= 1;
        }
    }

    /// Returns the times up to `now` at which a price changes, in order.
    pub(super) fn changes_until(&self, now: SystemTime) -> Vec<SystemTime> {
        let changes = self.tariffs.values().flat_map(|tariff| {
            tariff.forecast.changes.iter().map(|(at, _)| *at).take_while(|at| *at <= now)
        });
        let mut changes: Vec<_> = changes.collect();
        changes.sort_unstable();
        changes.dedup();
        changes
    }

    /// Returns the runs whose price changes at `at`, with their previous price.
    pub(super) fn changing_at(&self, at: SystemTime) -> Vec<(RunKey, f64)> {
        let changing = self.tariffs.iter().filter_map(|(id, tariff)| {
            let Forecast { price, changes, .. } = &tariff.forecast;
            let change = changes.iter().position(|(change, _)| *change == at)?;
            let before = change.checked_sub(1).and_then(|before| changes.get(before));
            Some((*id, before.map_or(*price, |(_, price)| *price)))
        });
        changing.flat_map(|(id, price)| self.runs_at(id, price)).collect()
    }

    /// Ends a period of a run, which had received the given energy.
    pub(super) fn end_segment(&mut self, run: RunKey, price: f64, received: Received) {
        if let Some(segments) = self.runs.get_mut(run) {
            segments.passed.push(Segment { price, received });
        }
    }

    /// Advances the forecasts to `now`.
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
