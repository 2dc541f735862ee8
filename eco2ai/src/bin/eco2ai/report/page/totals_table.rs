//! Tables of totals: one line for each project, machine, place or status.

use eco2ai::units::{ColumnUnit, Count, Price, Quantity};
use maud::{Markup, html};

use crate::report::format::percent;
use crate::report::log_totals::{Bounded, LogTotals};
use crate::report::logs::Logs;
use crate::report::scale::{Co2Unit, EnergyUnit, Scale, unit_up_to};

/// The columns that all tables of totals have, each with one unit.
pub(super) struct TotalsColumns {
    energy: EnergyUnit,
    co2: Co2Unit,
    /// `None` if no run had a tariff.
    cost: Option<ColumnUnit<Price>>,
    whole: f64,
}

impl TotalsColumns {
    /// Returns the columns for lines of which none is above `largest`.
    pub(super) fn new(logs: &Logs, largest: &LogTotals) -> Self {
        Self {
            energy: unit_up_to(largest.energy.value),
            co2: unit_up_to(largest.co2.value),
            cost: has_tariff(logs).then(|| unit_up_to(largest.cost.value)),
            whole: logs.total.energy.value,
        }
    }

    /// Returns the columns for these lines.
    pub(super) fn for_lines<'a>(
        logs: &Logs,
        lines: impl IntoIterator<Item = &'a LogTotals>,
    ) -> Self {
        let mut largest = LogTotals::default();
        for line in lines {
            largest.energy.value = largest.energy.value.max(line.energy.value);
            largest.co2.value = largest.co2.value.max(line.co2.value);
            largest.cost.value = largest.cost.value.max(line.cost.value);
        }
        Self::new(logs, &largest)
    }

    /// Returns the headings of the columns.
    pub(super) fn head(&self) -> Markup {
        html! {
            (heading("Energy", self.energy.symbol()))
            th.n scope="col" { "Share" }
            (heading("CO₂e", self.co2.symbol()))
            @if self.cost.is_some() { th.n scope="col" { "Cost" } }
        }
    }

    /// Returns the cells of a line.
    pub(super) fn cells(&self, one: &LogTotals) -> Markup {
        html! {
            (bounded("Energy", &self.energy, &one.energy))
            td.n.minor data-label="Share" { (percent(one.energy.value, self.whole)) }
            (bounded("CO₂e", &self.co2, &one.co2))
            @if let Some(scale) = &self.cost { (bounded("Cost", scale, &one.cost)) }
        }
    }
}

/// Returns a table with a line for each name, and a last column with the number of rows.
pub(super) fn totals_table(logs: &Logs, label: &str, lines: &[(Markup, &LogTotals)]) -> Markup {
    let columns = TotalsColumns::for_lines(logs, lines.iter().map(|(_, one)| *one));
    html! {
        div.scroll tabindex="0" role="group" aria-label=(label) {
            table.cards {
                thead { tr {
                    th scope="col" { (label) }
                    (columns.head())
                    th.n scope="col" { "Rows" }
                } }
                tbody {
                    @for (name, one) in lines {
                        tr {
                            th scope="row" { span.name { (name) } }
                            (columns.cells(one))
                            td.n data-label="Rows" { (Count(one.rows)) }
                        }
                    }
                }
            }
        }
    }
}

/// Whether a run had a tariff. Without one, a cost of 0 says nothing.
pub(super) fn has_tariff(logs: &Logs) -> bool {
    logs.total.cost.value != 0.0
}

/// Returns the heading of a column of figures, with its unit.
pub(super) fn heading(name: &str, unit: &str) -> Markup {
    html! { th.n scope="col" { (name) @if !unit.is_empty() { " " span.unit { (unit) } } } }
}

/// Returns a cell with a figure, and its bounds below it. A phone shows the label and the unit.
pub(super) fn bounded<Q: Quantity>(label: &str, scale: &ColumnUnit<Q>, figure: &Bounded) -> Markup {
    html! {
        td.n data-label={ (label) @if !scale.symbol().is_empty() { ", " (scale.symbol()) } } {
            (scale.number(figure.value))
            @if let Some(bounds) = scale.bounds(figure).filter(|_| figure.value > 0.0) {
                small { (bounds) }
            }
        }
    }
}
