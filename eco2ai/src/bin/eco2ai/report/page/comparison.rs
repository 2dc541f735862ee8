//! The comparison with an earlier log or period.

use std::collections::{BTreeSet, HashMap};

use eco2ai::units::{Count, KilowattHours};
use maud::{Markup, html};

use super::totals_table::{bounded, heading};
use crate::report::baseline::{self, Baseline, RunEnergy};
use crate::report::call_tree::CallTree;
use crate::report::format::{change, non_blank_or};
use crate::report::logs::Logs;
use crate::report::scale::unit_up_to;

/// The number of rows in a table: those that changed most.
const MAX_LINES: usize = 12;

/// A line: its name, before, and now.
type Line = (String, RunEnergy, RunEnergy);

/// Returns the section that compares the logs with `baseline`.
pub(super) fn comparison(logs: &Logs, tree: &CallTree, baseline: &Baseline) -> Markup {
    let total = [&baseline.total, &logs.total]
        .map(|totals| RunEnergy { energy: totals.energy, runs: totals.runs });
    let [before, now] = total;
    let projects = lines(&baseline.projects, &baseline::projects(logs));
    let functions = lines(&baseline.functions, &baseline::functions(logs, tree));
    html! {
        section aria-labelledby="comparison" {
            h2 #comparison { "Compared with " (baseline.name) }
            p {
                "Energy " strong { (change(before.energy.value, now.energy.value)) }
                ", CO₂e " strong { (change(baseline.total.co2.value, logs.total.co2.value)) }
                ", runs " strong { (change(before.runs as f64, now.runs as f64)) }
                ", energy per run " strong { (per_run(&before, &now)) } "."
            }
            (table("Project", &projects, Some((before, now))))
            @if !functions.is_empty() { (table("Function", &functions, None)) }
            p.note { "The lines that changed most. The energy of a function is its own, without the functions that it called. One run differs from the next: a change of few runs may be chance." }
        }
    }
}

/// Returns the lines of both, those with the largest change first.
fn lines(before: &HashMap<String, RunEnergy>, now: &HashMap<String, RunEnergy>) -> Vec<Line> {
    let names: BTreeSet<_> = before.keys().chain(now.keys()).collect();
    let of = |all: &HashMap<String, RunEnergy>, name| all.get(name).copied().unwrap_or_default();
    let mut lines: Vec<Line> =
        names.into_iter().map(|name| (name.clone(), of(before, name), of(now, name))).collect();
    lines.sort_by(|a, b| size(b).total_cmp(&size(a)));
    lines
}

fn size((_, before, now): &Line) -> f64 {
    (now.energy.value - before.energy.value).abs()
}

/// Returns the change of the energy per run, unless there is none in one of the two.
fn per_run(before: &RunEnergy, now: &RunEnergy) -> String {
    if before.runs == 0 || now.runs == 0 {
        return "–".to_owned();
    }
    change(before.energy.value / before.runs as f64, now.energy.value / now.runs as f64)
}

fn table(label: &str, lines: &[Line], total: Option<(RunEnergy, RunEnergy)>) -> Markup {
    let all = || lines.iter().map(|(_, before, now)| (before, now));
    let shown = all().chain(total.iter().map(|(before, now)| (before, now)));
    let scale = unit_up_to::<KilowattHours>(
        shown.flat_map(|(a, b)| [a.energy.value, b.energy.value]).fold(0.0, f64::max),
    );
    let line = |name: Markup, before: &RunEnergy, now: &RunEnergy| {
        html! {
            tr {
                th scope="row" { span.name { (name) } }
                (bounded("Before", &scale, &before.energy))
                (bounded("Now", &scale, &now.energy))
                td.n data-label="Change" { (change(before.energy.value, now.energy.value)) }
                td.n.minor data-label="Runs" { (Count(before.runs)) " → " (Count(now.runs)) }
                td.n data-label="Per run" { (per_run(before, now)) }
            }
        }
    };
    html! {
        div.scroll tabindex="0" role="group" aria-label={ "Comparison by " (label.to_lowercase()) } {
            table.cards {
                thead { tr {
                    th scope="col" { (label) }
                    (heading("Before", scale.symbol()))
                    (heading("Now", scale.symbol()))
                    th.n scope="col" { "Change" }
                    th.n scope="col" { "Runs" }
                    th.n scope="col" { "Per run" }
                } }
                tbody {
                    @for (name, before, now) in lines.iter().take(MAX_LINES) {
                        (line(html! { (non_blank_or(name, "(no name)")) }, before, now))
                    }
                }
                @if let Some((before, now)) = &total { tfoot { (line(html! { "Total" }, before, now)) } }
            }
        }
    }
}
