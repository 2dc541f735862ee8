//! The ledger as time passes: gives out the energy, and deals with the changes of prices.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::energies::Energies;
use super::forecast::{Forecast, Prices};
use super::ledger::Ledger;
use super::nanoseconds::Nanoseconds;
use super::tariffs::Change;
use super::used_energy::UsedEnergy;
use crate::scope::Scope;

impl Ledger {
    /// Whether the calendar's time matters now.
    pub(super) fn needs_wall(&self) -> bool {
        !self.tariffs.is_empty()
    }

    /// The prices of which more must be known before energy is given out up to `now`, when the
    /// calendar shows `wall`; and from when on.
    pub(super) fn outdated_prices(
        &mut self,
        now: Nanoseconds,
        wall: SystemTime,
    ) -> (SystemTime, Vec<Arc<dyn Prices>>) {
        let passed = now.since(self.tree.pools.process.advanced());
        let began = wall.checked_sub(passed.into()).unwrap_or(wall);
        (began, self.tariffs.outdated(began, wall))
    }

    /// Whether the changes of a price are known.
    pub(super) fn knows(&self, prices: &Arc<dyn Prices>) -> bool {
        self.tariffs.knows(prices)
    }

    /// Takes in what was found out about a price.
    pub(super) fn update_prices(&mut self, prices: Arc<dyn Prices>, forecast: Forecast) {
        if let Some(ended) = self.tariffs.update(prices, forecast) {
            self.tree.change_prices(ended, self.tree.clocks());
        }
    }

    /// Gives out the energy up to `now` by the last known power. `wall` is the calendar's time,
    /// where it matters.
    pub(super) fn advance(&mut self, now: Nanoseconds, wall: Option<SystemTime>) {
        for scope in Scope::ALL {
            let pool = self.tree.pools.get_mut(scope);
            // Runs of the machine are rare: its pool waits for the next one.
            if scope == Scope::Machine && pool.leaf_sharers == 0 {
                continue;
            }
            let from = pool.advanced();
            if let Some(due) = pool.advance(now) {
                self.give(scope, due, from, now, wall);
            }
        }
        self.pass_changes(wall);
    }

    /// Gives out the energy of the process up to `now` by its CPU time so far.
    pub(super) fn sample_cpu_clock(
        &mut self,
        now: Nanoseconds,
        wall: Option<SystemTime>,
        own_cpu: Duration,
    ) {
        let from = self.tree.pools.process.advanced();
        if let Some(due) = self.tree.pools.process.sample_cpu_clock(now, own_cpu) {
            self.give(Scope::Process, due, from, now, wall);
        }
    }

    /// Takes a reading.
    pub(super) fn read(
        &mut self,
        now: Nanoseconds,
        wall: Option<SystemTime>,
        reading: &UsedEnergy,
    ) {
        let UsedEnergy { process, machine, late_process, late_machine, .. } = *reading;
        for (scope, used, late, power, model) in [
            (Scope::Process, process, late_process, reading.process_power, reading.model),
            (Scope::Machine, machine, late_machine, reading.machine_power, None),
        ] {
            let from = self.tree.pools.get_mut(scope).advanced();
            if let Some(due) = self.tree.pools.get_mut(scope).read(now, used, late, power, model) {
                self.give(scope, due, from, now, wall);
            }
        }
        self.pass_changes(wall);
    }

    /// Gives out what was used between two moments, evenly over that time; where a price changes on
    /// the way, what the runs received until then is kept apart.
    fn give(
        &mut self,
        scope: Scope,
        energy: Energies,
        from: Nanoseconds,
        to: Nanoseconds,
        wall: Option<SystemTime>,
    ) {
        let (mut from, mut energy) = (from, energy);
        if let Some(wall) = wall {
            self.find_changes(wall);
            for change in &mut self.changes {
                let ago = wall.duration_since(change.at).unwrap_or_default();
                let at = to.since(ago.into()).clamp(from, to.max(from));
                let rest = to.since(from).as_secs_f64();
                let part = if rest > 0.0 { at.since(from).as_secs_f64() / rest } else { 0.0 };
                let before = energy * part;
                let clocks = match scope {
                    Scope::Process => &mut change.process,
                    Scope::Machine => &mut change.machine,
                };
                // Given out up to now already, where the CPU clock was sampled.
                if clocks.is_some() {
                    continue;
                }
                let pool = self.tree.pools.get_mut(scope);
                pool.give(before);
                *clocks = Some(pool.clocks);
                energy = energy - before;
                from = at;
            }
        }
        self.tree.pools.get_mut(scope).give(energy);
    }

    /// Finds the changes of prices up to now, unless that was done.
    fn find_changes(&mut self, wall: SystemTime) {
        if self.changes.is_empty() {
            let changes = self.tariffs.changes_until(wall).into_iter();
            let change = |at| Change { at, process: None, machine: None };
            self.changes.extend(changes.map(change));
        }
    }

    /// All energy up to now was given out: the prices change.
    fn pass_changes(&mut self, wall: Option<SystemTime>) {
        let Some(wall) = wall else { return };
        self.find_changes(wall);
        for Change { at, process, machine } in std::mem::take(&mut self.changes) {
            let mut clocks = self.tree.clocks();
            clocks.process = process.unwrap_or(clocks.process);
            clocks.machine = machine.unwrap_or(clocks.machine);
            let ended = self.tariffs.pass(at);
            self.tree.change_prices(ended, clocks);
        }
    }
}
