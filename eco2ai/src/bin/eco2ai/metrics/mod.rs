//! Totals of rows as metrics of Prometheus: for `eco2ai export` and `eco2ai serve`.

mod exposition;
mod labels;
mod totals;

pub(crate) use exposition::{Exposition, write_live_runs, write_totals};
pub(crate) use totals::{LiveTotals, RowTotals};
