//! The totals of rows, of all or by a text that they share.

use std::ops::AddAssign;

use eco2ai::Record;

use super::interner::Interner;

/// A figure and its bounds. The lower one is 0, and the upper one infinite, if not known.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bounded {
    pub(super) value: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl AddAssign for Bounded {
    fn add_assign(&mut self, other: Self) {
        self.value += other.value;
        self.low += other.low;
        self.high += other.high;
    }
}

impl Bounded {
    /// Returns `value` with bounds in the proportions of another figure.
    pub(super) fn in_proportion(value: f64, to: Self) -> Self {
        if to.value > 0.0 {
            let factor = value / to.value;
            // Nothing of what is not bounded is nothing.
            let high = if value > 0.0 { to.high * factor } else { 0.0 };
            Self { value, low: to.low * factor, high }
        } else {
            Self { value, low: value, high: value }
        }
    }
}

/// The totals of some rows: energy in kWh, CO2 in kg, cost in the currency of the tariff.
#[derive(Clone, Copy, Default)]
pub(super) struct LogTotals {
    pub(super) rows: u64,
    /// How many calls the rows count; only in the totals of all rows and of a project.
    pub(super) runs: u64,
    pub(super) energy: Bounded,
    /// The bounds are those of the energy, at the same carbon intensity.
    pub(super) co2: Bounded,
    pub(super) cost: Bounded,
}

impl AddAssign for LogTotals {
    fn add_assign(&mut self, other: Self) {
        self.rows += other.rows;
        self.runs = self.runs.saturating_add(other.runs);
        self.energy += other.energy;
        self.co2 += other.co2;
        self.cost += other.cost;
    }
}

impl LogTotals {
    pub(super) fn add(&mut self, record: &Record) {
        let energy = Bounded {
            value: record.own_energy.0,
            low: record.own_energy_low().map_or(0.0, |low| low.0),
            high: record.own_energy_high().map_or(f64::INFINITY, |high| high.0),
        };
        self.rows += 1;
        self.energy += energy;
        self.co2 += Bounded::in_proportion(record.own_co2.0, energy);
        self.cost += Bounded::in_proportion(record.own_cost, energy);
    }
}

/// The totals of the rows with each text.
#[derive(Default)]
pub(super) struct NamedTotals {
    names: Interner,
    /// By the number of its name.
    totals: Vec<LogTotals>,
}

impl NamedTotals {
    pub(super) fn add(&mut self, name: &str, record: &Record) {
        let number = self.names.number(name) as usize;
        if self.totals.len() <= number {
            self.totals.push(LogTotals::default());
        }
        if let Some(totals) = self.totals.get_mut(number) {
            totals.add(record);
        }
    }

    /// Returns how many texts there are.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// Returns each text with its totals, the most energy first.
    pub(super) fn by_energy(&self) -> Vec<(&str, LogTotals)> {
        let mut all: Vec<_> =
            (0..).map(|number| self.names.text(number)).zip(self.totals.iter().copied()).collect();
        all.sort_by(|(a, left), (b, right)| {
            right.energy.value.total_cmp(&left.energy.value).then_with(|| a.cmp(b))
        });
        all
    }
}
