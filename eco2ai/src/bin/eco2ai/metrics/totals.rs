//! The totals of rows and of runs in progress, by their labels.

use std::collections::BTreeMap;

use eco2ai::Record;
use eco2ai::units::KilowattHours;

use super::labels::{ByLabels, Labels, OTHER, cut};

/// The component of energy that a row does not divide.
const UNKNOWN: &str = "unknown";

/// The maximum number of methods in the totals of one combination of labels.
const MAX_METHODS: usize = 16;

/// The sums of own energy, CO2 and cost, in the units of the log.
#[derive(Debug, Default)]
pub(super) struct Sums {
    pub(super) rows: u64,
    pub(super) calls: u64,
    pub(super) seconds: f64,
    /// In kWh, by component and method. Their sum is the own energy.
    pub(super) energy: BTreeMap<(&'static str, String), f64>,
    pub(super) co2_kg: f64,
    pub(super) cost: f64,
}

impl Sums {
    fn add(&mut self, row: &Record) {
        self.rows += 1;
        self.calls += row.calls;
        self.seconds += row.duration.as_secs_f64();
        self.co2_kg += row.own_co2.0;
        self.cost += row.own_cost;
        let components = [
            ("cpu", row.cpu_energy, &row.cpu_method),
            ("gpu", row.gpu_energy, &row.gpu_method),
            ("ram", row.ram_energy, &row.ram_method),
            ("other", row.other_energy, &row.other_method),
        ];
        let known = components.map(|(_, energy, _)| energy.map_or(0.0, positive));
        let sum: f64 = known.iter().sum();
        if sum <= 0.0 {
            self.add_energy(UNKNOWN, UNKNOWN, row.own_energy.0);
            return;
        }
        for ((component, _, method), energy) in components.into_iter().zip(known) {
            if energy > 0.0 {
                let method = Some(method.as_str()).filter(|method| !method.is_empty());
                let part = row.own_energy.0 * energy / sum;
                self.add_energy(component, method.unwrap_or(UNKNOWN), part);
            }
        }
    }

    fn add_energy(&mut self, component: &'static str, method: &str, kwh: f64) {
        let mut key = (component, cut(method).to_owned());
        if self.energy.len() >= MAX_METHODS && !self.energy.contains_key(&key) {
            OTHER.clone_into(&mut key.1);
        }
        *self.energy.entry(key).or_default() += kwh;
    }
}

fn positive(energy: KilowattHours) -> f64 {
    energy.0.max(0.0)
}

/// The totals of the rows of logs. They only grow.
#[derive(Debug, Default)]
pub(crate) struct RowTotals {
    pub(super) sums: ByLabels<Sums>,
    pub(super) unusable_rows: u64,
    pub(super) repeated_rows: u64,
}

impl RowTotals {
    pub(crate) fn add(&mut self, row: &Record) {
        // A counter never decreases.
        if [row.own_energy.0, row.own_co2.0, row.own_cost].iter().any(|amount| *amount < 0.0) {
            self.unusable_rows += 1;
            return;
        }
        let function = row.function.as_deref().unwrap_or_default();
        let labels = Labels::new(&row.project, function, row.status.as_str());
        self.sums.value_mut(labels).add(row);
    }

    /// Counts rows that are not in the totals: those that cannot be used, and those that another of
    /// the logs has.
    pub(crate) fn add_left_out(&mut self, unusable: u64, repeated: u64) {
        self.unusable_rows += unusable;
        self.repeated_rows += repeated;
    }

    /// Returns whether there are too many labels for each to have its own totals.
    pub(crate) fn is_full(&self) -> bool {
        self.sums.is_full()
    }
}

/// The totals of the runs in progress so far. They fall when a run ends.
#[derive(Debug, Default)]
pub(crate) struct LiveTotals {
    pub(super) sums: ByLabels<Sums>,
}

impl LiveTotals {
    pub(crate) fn add(&mut self, run: &Record) {
        let function = run.function.as_deref().unwrap_or_default();
        self.sums.value_mut(Labels::new(&run.project, function, "")).add(run);
    }
}
