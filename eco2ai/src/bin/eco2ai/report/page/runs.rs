//! The table of the runs with the most energy. A script lets it be sorted and filtered.

use std::fmt::Write as _;
use std::time::Duration;

use eco2ai::units::{ColumnUnit, Count, Price, Watts};
use maud::{Markup, PreEscaped, html};

use super::totals_table::has_tariff;
use crate::report::format::non_blank_or;
use crate::report::index::NONE;
use crate::report::largest_runs::{MAX_RUNS, cut};
use crate::report::logged_run::LoggedRun;
use crate::report::logs::Logs;
use crate::report::scale::{Co2Unit, EnergyUnit, Scale, unit_up_to};
use crate::report::timeline::format_time;

/// The units of the columns.
struct Columns {
    time: ColumnUnit<Duration>,
    energy: EnergyUnit,
    co2: Co2Unit,
    power: ColumnUnit<Watts>,
    cost: Option<ColumnUnit<Price>>,
    has_hosts: bool,
}

/// Returns the section on the largest runs.
pub(super) fn runs(logs: &Logs) -> Markup {
    let shown = logs.largest.sorted(&logs.runs);
    let all: Vec<(u32, &LoggedRun)> = shown
        .into_iter()
        .filter_map(|number| Some((number, logs.runs.get(number as usize)?)))
        .collect();
    if all.len() < 2 {
        return html! {};
    }
    let largest =
        |of: fn(&LoggedRun) -> f64| all.iter().map(|(_, run)| of(run)).fold(0.0, f64::max);
    let columns = Columns {
        time: unit_up_to(largest(|run| run.seconds.into())),
        energy: unit_up_to(largest(|run| run.inclusive)),
        co2: unit_up_to(largest(|run| run.co2.into())),
        power: unit_up_to(largest(watts)),
        cost: has_tariff(logs).then(|| unit_up_to(largest(|run| run.cost.into()))),
        has_hosts: logs.hosts.len() > 1,
    };
    let with_rows = logs.runs.iter().filter(|run| run.rows > 0).count();
    html! {
        section aria-labelledby="runs" {
            h2 #runs { @if with_rows > MAX_RUNS { "The " (MAX_RUNS) " largest runs" } @else { "Runs" } }
            p.note {
                @if with_rows > MAX_RUNS { "Of " (Count(with_rows as u64)) " runs. " }
                "The energy of a run includes the runs under it. Times are in UTC" (logs.zone()) "."
            }
            div.scroll tabindex="0" role="group" aria-labelledby="runs" {
                (labels(&columns))
                table.cards data-sortable {
                    thead { tr {
                        @for (name, unit, class) in headings(&columns) {
                            th scope="col" class=[class] aria-sort=[(name == "Energy").then_some("descending")] {
                                (name) @if !unit.is_empty() { " " span.unit { (unit) } }
                            }
                        }
                    } }
                    tbody { @for (number, run) in &all { (line(logs, &columns, *number, run)) } }
                }
            }
        }
    }
}

/// Returns the name, the unit and the class of each column.
fn headings(columns: &Columns) -> Vec<(&'static str, &'static str, Option<&'static str>)> {
    let n = Some("n");
    let mut all = vec![
        ("Run", "", None),
        ("Start", "", None),
        ("Status", "", None),
        ("Duration", columns.time.symbol(), n),
        ("Energy", columns.energy.symbol(), n),
        ("Own", columns.energy.symbol(), n),
        ("CO₂e", columns.co2.symbol(), n),
        ("Power", columns.power.symbol(), n),
    ];
    all.extend(columns.cost.map(|_| ("Cost", "", n)));
    all.extend(columns.has_hosts.then_some(("Machine", "", None)));
    all
}

/// Returns the labels that a phone shows before the cells. In each cell, they would take much space.
fn labels(columns: &Columns) -> Markup {
    let mut style = String::new();
    for (at, (name, unit, _)) in headings(columns).into_iter().enumerate().skip(1) {
        let comma = if unit.is_empty() { "" } else { ", " };
        let place = at + 1;
        // Writing to a `String` cannot fail.
        let _ = write!(
            style,
            "[data-sortable] td:nth-child({place}){{--label:\"{name}{comma}{unit}\"}}"
        );
    }
    html! { style { (PreEscaped(style)) } }
}

fn line(logs: &Logs, columns: &Columns, number: u32, run: &LoggedRun) -> Markup {
    let texts = logs.largest.texts(number);
    let project = non_blank_or(logs.project_names.text(run.project), "(no name)");
    let name = if run.function == NONE { project } else { logs.function_names.text(run.function) };
    let more =
        [if run.function == NONE { "" } else { &*cut(project) }, &*texts.description, &*texts.job];
    let more: Vec<_> = more.into_iter().filter(|text| !text.trim().is_empty()).collect();
    let start = run.start.map(|start| format_time(start, logs.zone(), "%Y-%m-%d %H:%M:%S"));
    html! {
        tr {
            th scope="row" { (cut(name)) small { (more.join(" · ")) } }
            td { (start.unwrap_or_default()) }
            td { (run.status) }
            td.n { (columns.time.number(run.seconds.into())) }
            td.n {
                (columns.energy.number(run.inclusive))
                @if let Some(bounds) = columns.energy.bounds(&run.inclusive_bounded()) { small { (bounds) } }
            }
            td.n { (columns.energy.number(run.own)) }
            td.n { (columns.co2.number(run.co2.into())) }
            td.n { @if run.seconds > 0.0 { (columns.power.number(watts(run))) } }
            @if let Some(cost) = &columns.cost { td.n { (cost.number(run.cost.into())) } }
            @if columns.has_hosts { td { (texts.host) } }
        }
    }
}

/// Returns the average power of a run, with the runs under it.
fn watts(run: &LoggedRun) -> f64 {
    if run.seconds > 0.0 { run.inclusive * 3.6e6 / f64::from(run.seconds) } else { 0.0 }
}
