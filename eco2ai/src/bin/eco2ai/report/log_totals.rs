//! The totals of rows, of all or by a text that they share.

use eco2ai::Record;

use super::interner::Interner;

/// The totals of some rows: energy in kWh, CO2 in kg.
#[derive(Clone, Copy, Default)]
pub(super) struct LogTotals {
    pub(super) rows: u64,
    /// How many calls the rows count; only in the totals of all rows and of a project.
    pub(super) runs: u64,
    pub(super) energy: f64,
    /// The bounds of the energy. The lower one is 0, and the upper one infinite, if not known.
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) co2: f64,
    pub(super) cost: f64,
}

impl LogTotals {
    pub(super) fn add(&mut self, record: &Record) {
        self.rows += 1;
        self.energy += record.own_energy.0;
        self.low += record.own_energy_low().map_or(0.0, |low| low.0);
        self.high += record.own_energy_high().map_or(f64::INFINITY, |high| high.0);
        self.co2 += record.own_co2.0;
        self.cost += record.own_cost;
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
            right.energy.total_cmp(&left.energy).then_with(|| a.cmp(b))
        });
        all
    }
}
