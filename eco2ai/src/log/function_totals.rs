//! The energy of functions so far, for exporters: a sink.

use std::collections::HashMap;

use crate::error::Result;
use crate::locks::{Lock, Locked, Rank};
use crate::log::record::Record;
use crate::log::sink::{FinishedRun, RunSink};
use crate::process::PerProcess;
use crate::units::Joules;

/// The maximum number of pairs of a project and a function that have figures of their own. Exporters
/// turn each into a few time series, and the servers behind them keep all of these in memory.
pub(crate) const MAX_FUNCTIONS: usize = 1000;

/// The name of the project and the function under which all others are added up.
const OTHERS: &str = "(other)";

/// The name of the function of runs without one.
const NO_FUNCTION: &str = "(none)";

/// A function in a project.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FunctionName {
    pub(crate) project: String,
    pub(crate) function: String,
}

/// What the runs of a function add up to, with PUE.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct FunctionTotals {
    /// Adds up over functions.
    pub(crate) own: Joules,
    /// With the runs under them.
    pub(crate) inclusive: Joules,
    pub(crate) calls: u64,
}

impl FunctionTotals {
    fn add(&mut self, record: &Record) {
        self.own += record.own_energy.into();
        self.inclusive += record.energy.into();
        // The epochs of a training are one call.
        self.calls += if record.epoch == "N/A" { record.calls } else { 0 };
    }

    /// Returns these totals, or those that were shown already where they are higher.
    fn or_shown(self, shown: Self) -> Self {
        Self {
            own: Joules(self.own.0.max(shown.own.0)),
            inclusive: Joules(self.inclusive.0.max(shown.inclusive.0)),
            calls: self.calls.max(shown.calls),
        }
    }
}

/// The totals by function. A function keeps its place, or has none, for ever.
#[derive(Debug, Default)]
struct Table(HashMap<FunctionName, Entry>);

#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    /// Of the runs that have ended.
    ended: FunctionTotals,
    /// What an exporter got last.
    shown: FunctionTotals,
}

impl Table {
    fn entry(&mut self, record: &Record) -> &mut Entry {
        self.0.entry(self.name(record)).or_default()
    }

    fn name(&self, record: &Record) -> FunctionName {
        let function = record.function.as_deref().unwrap_or(NO_FUNCTION).to_owned();
        let name = FunctionName { project: record.project.clone(), function };
        if self.0.len() < MAX_FUNCTIONS || self.0.contains_key(&name) {
            return name;
        }
        FunctionName { project: OTHERS.to_owned(), function: OTHERS.to_owned() }
    }

    /// Adds the runs under way to those that had ended before, and remembers what is shown.
    fn show(
        &mut self,
        mut ended: HashMap<FunctionName, FunctionTotals>,
        under_way: &[Record],
    ) -> Vec<(FunctionName, FunctionTotals)> {
        for record in under_way {
            self.entry(record);
            ended.entry(self.name(record)).or_default().add(record);
        }
        let shown = ended.into_iter().filter_map(|(name, totals)| {
            let entry = self.0.get_mut(&name)?;
            entry.shown = totals.or_shown(entry.shown);
            Some((name, entry.shown))
        });
        shown.collect()
    }
}

fn table() -> Locked<'static, Table> {
    static TABLE: PerProcess<Lock<Table>> = PerProcess::new();
    TABLE.get_or_init(|| Lock::new(Rank::FunctionTotals, Table::default())).lock()
}

/// Adds each run that has ended to the totals of its function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FunctionTotalsSink;

impl RunSink for FunctionTotalsSink {
    fn finish(&self, run: &FinishedRun<'_>) -> Result<()> {
        table().entry(run.record).ended.add(run.record);
        Ok(())
    }
}

/// Returns the totals of all functions of this process: of the runs that have ended, and of those that
/// `under_way` returns. No total is ever less than before.
pub(crate) fn function_totals(
    under_way: impl FnOnce() -> Vec<Record>,
) -> Vec<(FunctionName, FunctionTotals)> {
    // First: a run that ends in between is missing this once, but does not count twice.
    let ended = table().0.iter().map(|(name, entry)| (name.clone(), entry.ended)).collect();
    let under_way = under_way();
    table().show(ended, &under_way)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::KilowattHours;

    fn record(function: &str, joules: f64) -> Record {
        let energy = KilowattHours::from(Joules(joules));
        Record {
            project: "p".to_owned(),
            function: Some(function.to_owned()),
            own_energy: energy,
            energy,
            epoch: "N/A".to_owned(),
            ..Record::default()
        }
    }

    fn own(shown: &[(FunctionName, FunctionTotals)], function: &str) -> Option<f64> {
        let of_function = shown.iter().find(|(name, _)| name.function == function);
        of_function.map(|(_, totals)| totals.own.0.round())
    }

    impl Table {
        fn ended(&self) -> HashMap<FunctionName, FunctionTotals> {
            self.0.iter().map(|(name, entry)| (name.clone(), entry.ended)).collect()
        }
    }

    #[test]
    fn functions_beyond_the_maximum_share_one_place_and_keep_it() {
        let mut table = Table::default();
        for number in 0..MAX_FUNCTIONS + 2 {
            let record = record(&format!("f{number}"), 1.0);
            table.entry(&record).ended.add(&record);
        }
        let shown = table.show(table.ended(), &[record("f0", 1.0), record("new", 1.0)]);
        assert_eq!(shown.len(), MAX_FUNCTIONS + 1);
        assert_eq!((own(&shown, "f0"), own(&shown, OTHERS)), (Some(2.0), Some(3.0)));
    }

    #[test]
    fn a_run_between_its_end_and_its_row_makes_no_total_less() {
        let mut table = Table::default();
        let run = record("f", 5.0);
        let shown = table.show(table.ended(), std::slice::from_ref(&run));
        assert_eq!(own(&shown, "f"), Some(5.0));
        let shown = table.show(table.ended(), &[]);
        assert_eq!(own(&shown, "f"), Some(5.0));
        table.entry(&run).ended.add(&run);
        let shown = table.show(table.ended(), &[record("f", 1.0)]);
        assert_eq!(own(&shown, "f"), Some(6.0));
    }
}
