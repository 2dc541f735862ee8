//! A comparison as columns for people.

use eco2ai::units::{ColumnUnit, Count, KilowattHours, PercentChange};

use super::comparison::{Change, FunctionChanges, Side, Verdict};
use crate::text_table::{Align, TextTable, name_cell};

/// Returns a table with a line for each function. All energies have one unit.
pub(super) fn table(functions: &[FunctionChanges]) -> TextTable<9> {
    const NUMBER: Align = Align::Right;
    let mut table = TextTable::new([
        Align::Left,
        Align::Left,
        NUMBER,
        NUMBER,
        NUMBER,
        NUMBER,
        NUMBER,
        NUMBER,
        Align::Left,
    ]);
    let sides = functions.iter().flat_map(|function| {
        [&function.own_energy_kwh.before, &function.own_energy_kwh.after].into_iter().flatten()
    });
    let unit = ColumnUnit::new(sides.map(|side| KilowattHours(side.mean)));
    table.push([
        "project".to_owned(),
        "function".to_owned(),
        "runs".to_owned(),
        unit.heading("own energy before"),
        unit.heading("after"),
        "energy".to_owned(),
        "time".to_owned(),
        "CO2e".to_owned(),
        "energy is".to_owned(),
    ]);
    for function in functions {
        let energy = &function.own_energy_kwh;
        let runs = |side: &Option<Side>| Count(side.as_ref().map_or(0, |side| side.runs));
        table.push([
            name_cell(&function.project),
            name_cell(&function.function),
            format!("{} to {}", runs(&energy.before), runs(&energy.after)),
            mean(energy.before.as_ref(), unit),
            mean(energy.after.as_ref(), unit),
            percent(energy),
            percent(&function.duration_s),
            percent(&function.own_co2_kg),
            energy.verdict.as_str().to_owned(),
        ]);
    }
    table
}

/// Returns a mean, and its standard deviation if there are several runs.
fn mean(side: Option<&Side>, unit: ColumnUnit<KilowattHours>) -> String {
    let Some(Side { mean, deviation, .. }) = side else { return "-".to_owned() };
    let cell = |energy: f64| unit.cell(KilowattHours(energy));
    match deviation {
        None => cell(*mean),
        Some(deviation) => format!("{} ± {}", cell(*mean), cell(*deviation)),
    }
}

/// Returns a change in percent, marked if it does not stand out of the noise.
fn percent(change: &Change) -> String {
    match (change.relative.map(PercentChange), change.verdict) {
        (None, _) => "-".to_owned(),
        (Some(change), Verdict::WithinNoise) => format!("~ {change}"),
        (Some(change), _) => change.to_string(),
    }
}
