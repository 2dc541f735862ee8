//! Energy per project, per component and per function.

use eco2ai::units::{Count, KilowattHours};
use maud::{Markup, html};

use super::totals_table::{TotalsColumns, bounded, heading};
use crate::report::breakdown::{Breakdown, quality_class, quality_name};
use crate::report::call_tree::{CallTree, Label};
use crate::report::chart::SERIES;
use crate::report::format::{counted, non_blank_or, percent};
use crate::report::log_totals::{Bounded, LogTotals};
use crate::report::logs::{COMPONENTS, Logs};
use crate::report::scale::{Scale, unit_up_to};

/// The number of rows in a table; one more contains the rest.
const MAX_PROJECTS: usize = 20;
const MAX_FUNCTIONS: usize = 40;

/// Returns the section on projects, in their `order`, with bars in the colours of the chart.
pub(super) fn projects(logs: &Logs, order: &[u32]) -> Markup {
    let all: Vec<LogTotals> = order.iter().map(|number| logs.project(*number)).collect();
    let largest = all.first().map_or(0.0, |one| one.energy.value);
    let mut rest = LogTotals::default();
    for one in all.iter().skip(MAX_PROJECTS) {
        rest += *one;
    }
    let columns = TotalsColumns::new(logs, &logs.total);
    let line = |name: &str, one: &LogTotals, series: usize| {
        html! {
            tr {
                th scope="row" {
                    span.name { (name) }
                    span.bar aria-hidden="true" {
                        span class={ "s" (series) } style=(width(one.energy.value, largest)) {}
                    }
                }
                (columns.cells(one))
                td.n data-label="Runs" { (Count(one.runs)) }
            }
        }
    };
    html! {
        section aria-labelledby="projects" {
            h2 #projects { "Projects" }
            div.scroll tabindex="0" role="group" aria-labelledby="projects" {
                table.cards {
                    thead { tr {
                        th scope="col" { "Project" }
                        (columns.head())
                        th.n scope="col" { "Runs" }
                    } }
                    tbody {
                        @for ((place, number), one) in order.iter().take(MAX_PROJECTS).enumerate().zip(&all) {
                            (line(non_blank_or(logs.project_names.text(*number), "(no name)"), one, place.min(SERIES - 1)))
                        }
                        @if order.len() > MAX_PROJECTS {
                            (line(&format!("{} more", Count((order.len() - MAX_PROJECTS) as u64)), &rest, SERIES - 1))
                        }
                    }
                    @if order.len() > 1 {
                        tfoot { tr {
                            th scope="row" { "Total" }
                            (columns.cells(&logs.total))
                            td.n data-label="Runs" { (Count(logs.total.runs)) }
                        } }
                    }
                }
            }
        }
    }
}

/// Returns the style of a bar relative to the largest one.
fn width(part: f64, largest: f64) -> String {
    let percent = if largest > 0.0 { (part / largest * 100.0).clamp(0.0, 100.0) } else { 0.0 };
    format!("width:{percent:.2}%")
}

/// Returns the style of a part of a stacked bar.
fn part_of(part: f64, whole: f64) -> String {
    format!("flex-grow:{:.5}", part / whole)
}

/// Returns the section on components and data quality.
pub(super) fn components(logs: &Logs, breakdown: &Breakdown) -> Markup {
    let whole = logs.total.energy.value;
    let undivided = ("Unknown component", breakdown.undivided, 5);
    let all: Vec<_> = COMPONENTS
        .into_iter()
        .zip(breakdown.components)
        .enumerate()
        .map(|(at, (name, energy))| (name, energy, at))
        .chain([undivided])
        .filter(|(_, energy, _)| *energy > 0.0)
        .collect();
    if all.is_empty() {
        return html! {};
    }
    let known: Vec<_> =
        breakdown.qualities().into_iter().filter(|(_, energy)| *energy > 0.0).collect();
    let scale =
        unit_up_to::<KilowattHours>(all.iter().map(|(_, energy, _)| *energy).fold(0.0, f64::max));
    html! {
        section aria-labelledby="components" {
            h2 #components { "Components" }
            div.stack aria-hidden="true" {
                @for (_, energy, at) in &all {
                    span class={ "s" (at) } style=(part_of(*energy, whole)) {}
                }
            }
            div.scroll tabindex="0" role="group" aria-labelledby="components" {
                table {
                    thead { tr {
                        th scope="col" { "Component" }
                        (heading("Energy", scale.symbol()))
                        th.n scope="col" { "Share" }
                    } }
                    tbody {
                        @for (name, energy, at) in &all {
                            tr {
                                th scope="row" { i class={ "s" (at) } {} (name) }
                                td.n { (scale.number(*energy)) }
                                td.n { (percent(*energy, whole)) }
                            }
                        }
                    }
                }
            }
            @if !known.is_empty() {
                h3 { "Data quality" }
                div.stack aria-hidden="true" {
                    @for (quality, energy) in &known {
                        span class=(quality_class(*quality)) style=(part_of(*energy, whole)) {}
                    }
                }
                p.legend {
                    @for (quality, energy) in &known {
                        span class={ "badge " (quality_class(*quality)) } { (percent(*energy, whole)) " " (quality_name(*quality)) }
                    }
                }
            }
        }
    }
}

/// Returns the section on functions, the most own energy first.
pub(super) fn functions(logs: &Logs, tree: &CallTree) -> Markup {
    let mut all: Vec<_> = tree.functions.iter().collect();
    all.sort_by(|(a, left), (b, right)| {
        right.own.value.total_cmp(&left.own.value).then_with(|| a.cmp(b))
    });
    let largest =
        all.iter().map(|(_, one)| one.inclusive.value.max(one.own.value)).fold(0.0, f64::max);
    let (shown, rest) = all.split_at(all.len().min(MAX_FUNCTIONS));
    let mut others = Bounded::default();
    for (_, one) in rest {
        others += one.own;
    }
    let per_call =
        |one: &Bounded, calls: u64| if calls > 0 { one.value / calls as f64 } else { 0.0 };
    let scale = unit_up_to::<KilowattHours>(largest.max(others.value));
    let each = shown.iter().map(|(_, one)| per_call(&one.own, one.calls)).fold(0.0, f64::max);
    let each = unit_up_to::<KilowattHours>(each);
    html! {
        section aria-labelledby="functions" {
            h2 #functions { "Functions" }
            p.note {
                i.own {} strong { "Own" } " energy is used by the function itself. " i.under {} strong { "Inclusive" }
                " energy includes the functions that it called. The own energies add up to the total."
            }
            div.scroll tabindex="0" role="group" aria-labelledby="functions" {
                table.cards {
                    thead { tr {
                        th scope="col" { "Function" }
                        (heading("Own", scale.symbol()))
                        (heading("Inclusive", scale.symbol()))
                        th.n scope="col" { "Calls" }
                        (heading("Own per call", each.symbol()))
                    } }
                    tbody {
                        @for (label, one) in shown {
                            tr {
                                th scope="row" {
                                    span.name { (label_name(**label, logs)) }
                                    span.bar aria-hidden="true" {
                                        span.own style=(width(one.own.value, largest)) {}
                                        span.under style=(width(one.inclusive.value - one.own.value, largest)) {}
                                    }
                                }
                                (bounded("Own", &scale, &one.own))
                                (bounded("Inclusive", &scale, &one.inclusive))
                                td.n data-label="Calls" { (Count(one.calls)) }
                                td.n data-label={ "Own per call, " (each.symbol()) } { (each.number(per_call(&one.own, one.calls))) }
                            }
                        }
                        @if !rest.is_empty() {
                            tr.rest {
                                th scope="row" { (counted(rest.len() as u64, "more function")) }
                                (bounded("Own", &scale, &others))
                                td.n {}
                                td.n data-label="Calls" { (Count(rest.iter().fold(0, |sum, (_, one)| one.calls.saturating_add(sum)))) }
                                td.n {}
                            }
                        }
                    }
                }
            }
        }
    }
}

fn label_name(label: Label, logs: &Logs) -> Markup {
    match label {
        Label::Function(number) => html! { code { (logs.function_names.text(number)) } },
        Label::Tracker(number) => {
            html! { (non_blank_or(logs.project_names.text(number), "(no name)")) " " small { "plain tracker" } }
        }
        // Not a function.
        Label::All | Label::Project(_) => html! {},
    }
}
