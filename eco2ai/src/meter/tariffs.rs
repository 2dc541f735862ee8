//! The prices that change with the time, and the runs that use them.
//!
//! A tariff may execute the user's code, so it is asked before the ledger is locked. The ledger
//! only contains the resulting forecasts.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use super::forecast::{Forecast, Horizon, Prices};
use super::price_cuts::{Accounts, Clocks, PriceState};
use super::run_energy::RunEnergy;

/// The maximum number of prices that are kept for later runs while no run uses them.
const MAX_UNUSED: usize = 16;

/// Names prices as long as they are kept; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct TariffId(u64);

/// The address of prices, which is constant while `Tariff` holds them.
fn address(prices: &Arc<dyn Prices>) -> usize {
    Arc::as_ptr(prices).cast::<()>().addr()
}

/// A price that changes, and the forecast of its changes.
#[derive(Debug)]
struct Tariff {
    id: TariffId,
    prices: Arc<dyn Prices>,
    runs: usize,
    forecast: Forecast,
}

/// A change of a price, and the clocks of the pools at that time, as far as energy was given out.
pub(super) struct Change {
    pub(super) at: SystemTime,
    pub(super) process: Option<Clocks>,
    pub(super) machine: Option<Clocks>,
}

/// The price of each tariff, in the order of their ids.
type PricesNow = Vec<(TariffId, f64)>;

/// The prices that change.
#[derive(Debug, Default)]
pub(super) struct Tariffs {
    by_address: HashMap<usize, Tariff>,
    addresses: HashMap<TariffId, usize>,
    last: u64,
    unused: usize,
    /// The first change of all, so that an edge need not ask each.
    horizon: Horizon,
    /// The prices that there were together, each once.
    states: Vec<PricesNow>,
    state: PriceState,
}

impl Tariffs {
    pub(super) fn is_empty(&self) -> bool {
        self.by_address.is_empty()
    }

    pub(super) fn knows(&self, prices: &Arc<dyn Prices>) -> bool {
        self.by_address.contains_key(&address(prices))
    }

    /// Replaces the forecast of a price. Returns the state of the prices that ends now, where a price
    /// has changed because the system time was set.
    #[must_use]
    pub(super) fn update(
        &mut self,
        prices: Arc<dyn Prices>,
        forecast: Forecast,
    ) -> Option<PriceState> {
        if let Some(tariff) = self.by_address.get_mut(&address(&prices)) {
            let old = std::mem::replace(&mut tariff.forecast, forecast);
            let is_same = old.price.total_cmp(&tariff.forecast.price).is_eq();
            self.find_horizon();
            return if is_same { None } else { Some(self.end_state()) };
        }
        if self.unused >= MAX_UNUSED {
            self.retain(|tariff| tariff.runs > 0);
        }
        self.last += 1;
        let id = TariffId(self.last);
        // No run has used the price so far: it may have been this one in what has passed.
        if self.states.is_empty() {
            self.states.push(Vec::new());
        }
        if let Some(state) = self.states.get_mut(self.state as usize) {
            state.push((id, forecast.price));
        }
        self.horizon.add(&forecast);
        self.unused += 1;
        self.addresses.insert(id, address(&prices));
        self.by_address.insert(address(&prices), Tariff { id, prices, runs: 0, forecast });
        None
    }

    /// Keeps some of the tariffs; the others are used by no run.
    fn retain(&mut self, keep: impl Fn(&Tariff) -> bool) {
        let (addresses, unused) = (&mut self.addresses, &mut self.unused);
        self.by_address.retain(|_, tariff| {
            let is_kept = keep(tariff);
            if !is_kept {
                addresses.remove(&tariff.id);
                *unused = unused.saturating_sub(1);
            }
            is_kept
        });
        for state in &mut self.states {
            state.retain(|(id, _)| self.addresses.contains_key(id));
        }
        if self.by_address.is_empty() {
            (self.states, self.state) = (Vec::new(), 0);
        }
        self.find_horizon();
    }

    fn find_horizon(&mut self) {
        self.horizon = Horizon::default();
        for tariff in self.by_address.values() {
            self.horizon.add(&tariff.forecast);
        }
    }

    /// The prices have changed: finds their state. Returns the previous one.
    fn end_state(&mut self) -> PriceState {
        let now = self.by_address.values().map(|tariff| (tariff.id, tariff.forecast.price));
        let mut now: PricesNow = now.collect();
        now.sort_unstable_by_key(|(id, _)| *id);
        let is_now = |state: &PricesNow| {
            let mut pairs = state.iter().zip(&now);
            let same = |((one, a), (other, b)): (&(TariffId, f64), &(TariffId, f64))| {
                one == other && a.total_cmp(b).is_eq()
            };
            state.len() == now.len() && pairs.all(same)
        };
        let known = self.states.iter().position(is_now);
        let place = known.unwrap_or_else(|| {
            self.states.push(now);
            self.states.len() - 1
        });
        let place = PriceState::try_from(place).unwrap_or(self.state);
        std::mem::replace(&mut self.state, place)
    }

    /// Returns the prices whose forecast does not cover the time from `began` to `now`. Removes those
    /// that no run uses.
    pub(super) fn outdated(&mut self, began: SystemTime, now: SystemTime) -> Vec<Arc<dyn Prices>> {
        if !self.horizon.is_outdated(began, now) {
            return Vec::new();
        }
        self.retain(|tariff| tariff.runs > 0 || !tariff.forecast.is_outdated(began, now));
        let tariffs = self.by_address.values();
        let outdated = tariffs.filter(|tariff| tariff.forecast.is_outdated(began, now));
        outdated.map(|tariff| Arc::clone(&tariff.prices)).collect()
    }

    /// Adds a run that starts with these prices.
    pub(super) fn add(&mut self, prices: &Arc<dyn Prices>) -> Option<TariffId> {
        let tariff = self.by_address.get_mut(&address(prices))?;
        if tariff.runs == 0 {
            self.unused = self.unused.saturating_sub(1);
        }
        tariff.runs += 1;
        Some(tariff.id)
    }

    /// Removes a run that has ended.
    pub(super) fn remove(&mut self, id: TariffId) {
        let tariff = self.addresses.get(&id).and_then(|at| self.by_address.get_mut(at));
        if let Some(tariff) = tariff.filter(|tariff| tariff.runs > 0) {
            tariff.runs -= 1;
            self.unused += usize::from(tariff.runs == 0);
        }
    }

    /// Returns the times up to `now` at which a price changes, in order.
    pub(super) fn changes_until(&self, now: SystemTime) -> Vec<SystemTime> {
        if !self.horizon.has_change_until(now) {
            return Vec::new();
        }
        let changes = self.by_address.values().flat_map(|tariff| {
            tariff.forecast.changes.iter().map(|(at, _)| *at).take_while(|at| *at <= now)
        });
        let mut changes: Vec<_> = changes.collect();
        changes.sort_unstable();
        changes.dedup();
        changes
    }

    /// Advances the forecasts to `now`. Returns the state of the prices that ends there.
    pub(super) fn pass(&mut self, now: SystemTime) -> PriceState {
        for tariff in self.by_address.values_mut() {
            tariff.forecast.pass(now);
        }
        self.find_horizon();
        self.end_state()
    }

    fn price(&self, id: TariffId, state: PriceState) -> Option<f64> {
        let prices = self.states.get(state as usize)?;
        let place = prices.binary_search_by_key(&id, |(known, _)| *known).ok()?;
        prices.get(place).map(|(_, price)| *price)
    }

    /// Adds to the energy of a run what it received at each price.
    pub(super) fn price_energy(&self, id: TariffId, accounts: &Accounts, energy: &mut RunEnergy) {
        let Some(price) = self.price(id, self.state) else { return };
        let mut rest = energy.received;
        for (state, account) in &accounts.0 {
            let price = self.price(id, *state).unwrap_or(price);
            energy.add_at_price(price, account.own, account.inclusive());
            rest.own = rest.own - account.own;
            rest.inclusive = rest.inclusive - account.inclusive();
        }
        energy.add_at_price(price, rest.own, rest.inclusive);
    }
}
