//! Writes a summary in columns for people.

use std::fmt;

use super::{Summary, Totals};
use crate::text_table::{Align, name_cell, write_rows};
use crate::units::{ColumnUnit, Count, HumanDuration, KilowattHours, Percent, Price, Quantity};

/// The name of the last line.
pub(super) const TOTAL: &str = "Total";
/// The name of the line of groups that are left out.
pub(super) const OTHERS: &str = "Others";

/// What stands for a figure that is not known.
const UNKNOWN: &str = "-";

/// A column after those of the names.
struct Column<'a> {
    head: String,
    cell: Box<dyn Fn(&Totals) -> String + 'a>,
}

impl<'a> Column<'a> {
    fn new(head: impl Into<String>, cell: impl Fn(&Totals) -> String + 'a) -> Self {
        Self { head: head.into(), cell: Box::new(cell) }
    }

    /// Creates a column of figures of one unit.
    fn of_unit<Q: Quantity + 'a>(
        head: &str,
        unit: ColumnUnit<Q>,
        figure: impl Fn(&Totals) -> Option<Q> + 'a,
    ) -> Self {
        let cell = move |totals: &Totals| {
            figure(totals).map_or_else(|| UNKNOWN.to_owned(), |figure| unit.cell(figure))
        };
        Self::new(unit.heading(head), cell)
    }
}

impl Summary {
    /// Iterates over the lines: the groups, the others, and the total.
    fn lines(&self) -> impl Iterator<Item = (&[String], &'static str, &Totals)> + Clone {
        let groups = self.groups.iter().map(|group| (group.names.as_slice(), "", &group.totals));
        let others = self.others.iter().map(|others| (&[][..], OTHERS, others));
        groups.chain(others).chain([(&[][..], TOTAL, &self.total)])
    }

    /// Returns the columns after the names. Those without any figure are left out.
    fn columns(&self) -> Vec<Column<'_>> {
        let totals = || self.lines().map(|(_, _, totals)| totals);
        let any = |is_known: fn(&Totals) -> bool| totals().any(is_known);
        let is_code = self.by.iter().any(|by| by.is_code());
        let mut columns = vec![
            Column::new("calls", |totals| Count(totals.calls).to_string()),
            Column::new("time", move |totals| {
                // That of the total has nothing nested, as it has no inclusive energy.
                let duration = if is_code && totals.inclusive_energy.is_some() {
                    Some(totals.duration)
                } else {
                    totals.outermost_duration
                };
                duration.map_or_else(
                    || UNKNOWN.to_owned(),
                    |duration| HumanDuration(duration).to_string(),
                )
            }),
        ];
        let energy = ColumnUnit::new(totals().map(|totals| totals.energy));
        columns.push(Column::of_unit("own energy", energy, |totals| Some(totals.energy)));
        if any(|totals| totals.energy_low.is_some() || totals.energy_high.is_some()) {
            let bounds = move |totals: &Totals| bounds(totals, energy);
            columns.push(Column::new(energy.heading("low to high"), bounds));
        }
        columns.push(Column::new("share", |totals| {
            self.share(totals).map_or_else(|| UNKNOWN.to_owned(), |part| Percent(part).to_string())
        }));
        let per_call = ColumnUnit::new(totals().filter_map(|totals| totals.energy_per_call));
        columns.push(Column::of_unit("own per call", per_call, |totals| totals.energy_per_call));
        if is_code {
            let unit = ColumnUnit::new(totals().filter_map(|totals| totals.inclusive_energy));
            columns.push(Column::of_unit("inclusive", unit, |totals| totals.inclusive_energy));
        }
        if any(|totals| totals.average_power.is_some()) {
            let unit = ColumnUnit::new(totals().filter_map(|totals| totals.average_power));
            columns.push(Column::of_unit("power", unit, |totals| totals.average_power));
        }
        let co2 = ColumnUnit::new(totals().map(|totals| totals.co2));
        columns.push(Column::of_unit("CO2e", co2, |totals| Some(totals.co2)));
        if any(|totals| totals.cost.is_some()) {
            let cost = |totals: &Totals| totals.cost.map(Price);
            columns.push(Column::of_unit("cost", ColumnUnit::new(totals().filter_map(cost)), cost));
        }
        columns
    }
}

/// Returns the bounds of the energy in the unit of its column.
fn bounds(totals: &Totals, unit: ColumnUnit<KilowattHours>) -> String {
    let text = |bound| unit.cell(bound);
    match (totals.energy_low.map(text), totals.energy_high.map(text)) {
        (Some(low), Some(high)) => format!("{low} to {high}"),
        (Some(low), None) => format!("at least {low}"),
        (None, Some(high)) => format!("at most {high}"),
        (None, None) => UNKNOWN.to_owned(),
    }
}

/// Writes a table with a line for each group and one for the total, followed by the
/// [`notes`](Self::notes). Energies are own energies; in groups by function or by run, the inclusive
/// ones stand beside them. The time of other groups and of the total is that of the outermost runs,
/// so that nested runs count once.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.columns();
        let names = self.by.len().max(1);
        let mut align = vec![Align::Left; names];
        align.resize(names + columns.len(), Align::Right);
        let mut heads: Vec<_> = self.by.iter().map(|by| by.as_str().to_owned()).collect();
        heads.resize(names, String::new());
        heads.extend(columns.iter().map(|column| column.head.clone()));
        let rows = self.lines().map(|(group, line, totals)| {
            let mut cells: Vec<_> = group.iter().map(|name| name_cell(name)).collect();
            if cells.is_empty() {
                cells.push(line.to_owned());
            }
            cells.resize(names, String::new());
            cells.extend(columns.iter().map(|column| (column.cell)(totals)));
            cells
        });
        write_rows(f, &align, [heads].into_iter().chain(rows))?;
        for note in self.idle_power().into_iter().chain(self.notes()) {
            write!(f, "\n{note}")?;
        }
        Ok(())
    }
}
