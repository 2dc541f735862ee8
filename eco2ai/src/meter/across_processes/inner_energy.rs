//! The energy of programs that this process has started and that track themselves: it is in their
//! rows, so no run of this process has it as its own.

use super::energy_report::EnergyByScope;
use crate::meter::energies::Energies;
use crate::meter::keys::RunKey;
use crate::meter::run_energy::RunEnergy;
use crate::meter::tree::RunTree;
use crate::scope::Scope;
use crate::sensor::Component;

/// Energy that a program has reported.
#[derive(Clone, Copy, Debug)]
pub(in crate::meter) struct InnerEnergy {
    /// The run under which it was started, if that is a run of this process.
    pub(in crate::meter) run: Option<RunKey>,
    pub(in crate::meter) energy: EnergyByScope,
    /// Whether the program also reports to the run under which this process was started.
    pub(in crate::meter) is_reported: bool,
}

/// Energy that was added to the inclusive energy of a run.
#[derive(Clone, Copy, Debug)]
pub(in crate::meter) struct Credit {
    run: RunKey,
    scope: Scope,
    energy: Energies,
    /// The part of it that is of another scope than the run.
    of_other_scope: Energies,
    is_reported: bool,
}

impl RunTree {
    /// Adds what a program has reported to the inclusive energy of the run under which it was started;
    /// if that has ended, of the oldest run without a parent. The energy counts as given out. To be
    /// called before a reading, and [`settle`](Self::settle) after it. `None` if no run is active.
    pub(in crate::meter) fn credit(&mut self, inner: &InnerEnergy) -> Option<Credit> {
        let active = inner.run.filter(|run| self.nodes.contains_key(*run));
        let run = active.or_else(|| {
            let roots = self.nodes.iter().filter(|(_, node)| node.parent.is_none());
            roots.min_by_key(|(_, node)| node.started).map(|(run, _)| run)
        })?;
        self.cut(run);
        let node = self.nodes.get_mut(run)?;
        let scope = node.scope;
        let of_other_scope = Scope::ALL
            .into_iter()
            .filter(|other| *other != scope)
            .fold(Energies::ZERO, |sum, other| sum + inner.energy.get(other));
        let energy = inner.energy.get(scope) + of_other_scope;
        node.received += energy;
        let credit = Credit { run, scope, energy, of_other_scope, is_reported: inner.is_reported };
        self.add_given(&credit, energy);
        Some(credit)
    }

    /// Takes back from active runs what they received before the program reported it: from the
    /// run of the program first, and never more than a run has. The program may have reported more
    /// than this process has measured so far; the difference is settled by the next readings, unless
    /// the program measures the whole machine and this process does not.
    pub(in crate::meter) fn settle(&mut self, credit: &Credit) {
        let carry = self.pools.get(credit.scope).carry();
        let missing = Energies::ZERO - carry;
        let mut missing = positive(missing.zip(positive(credit.energy), f64::min));
        if missing == Energies::ZERO {
            return;
        }
        let others: Vec<RunKey> = self.nodes.keys().filter(|key| *key != credit.run).collect();
        for key in std::iter::once(credit.run).chain(others) {
            let Some(node) = self.nodes.get(key).filter(|node| node.scope == credit.scope) else {
                continue;
            };
            let taken = missing.zip(positive(self.own(node)), f64::min);
            self.cut(key);
            if let Some(node) = self.nodes.get_mut(key) {
                node.base = node.base - taken;
            }
            let pool = self.pools.get_mut(credit.scope);
            pool.given = pool.given - taken;
            missing = missing - taken;
            if missing == Energies::ZERO {
                return;
            }
        }
        let dropped = missing.zip(positive(credit.of_other_scope), f64::min);
        self.cut(credit.run);
        if let Some(node) = self.nodes.get_mut(credit.run) {
            node.received = node.received - dropped;
        }
        self.add_given(credit, Energies::ZERO - dropped);
    }

    fn add_given(&mut self, credit: &Credit, energy: Energies) {
        let pool = self.pools.get_mut(credit.scope);
        pool.given += energy;
        if credit.is_reported {
            pool.not_reported += energy;
        }
    }

    /// The own energy of a run is in no row.
    pub(in crate::meter) fn discard(&mut self, energy: &RunEnergy) {
        self.pools.get_mut(energy.scope).not_reported += energy.received.own;
    }

    /// The energy in the rows of this process, and of the programs that report to its own runs.
    pub(in crate::meter) fn own_report(&self) -> EnergyByScope {
        EnergyByScope::new(|scope| {
            let pool = self.pools.get(scope);
            let mut energy = pool.given - pool.not_reported;
            // Without a wall meter, rows count the sum of the components.
            let seen_by_wall_meter = (pool.carry() + pool.given)[Component::Machine];
            if seen_by_wall_meter == 0.0 {
                energy[Component::Machine] = energy.total(false).0;
            }
            energy
        })
    }
}

fn positive(energy: Energies) -> Energies {
    energy.zip(Energies::ZERO, f64::max)
}
