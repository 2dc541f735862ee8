//! Energy per project, per component and per function.

use eco2ai::units::Price;
use maud::{Markup, html};

use crate::report::breakdown::{Breakdown, quality_class, quality_name};
use crate::report::call_tree::{CallTree, Label};
use crate::report::chart::SERIES;
use crate::report::format::{bounds, count, counted, kg, kwh, non_blank_or, percent};
use crate::report::log_totals::LogTotals;
use crate::report::logs::{COMPONENTS, Logs};

/// The number of rows in a table; one more contains the rest.
const MAX_PROJECTS: usize = 20;
const MAX_FUNCTIONS: usize = 50;

/// Returns the section on projects, in their `order`, with bars in the colours of the chart.
pub(super) fn projects(logs: &Logs, order: &[u32]) -> Markup {
    let largest = order.first().map_or(0.0, |number| logs.project(*number).energy);
    let mut rest = LogTotals::default();
    for one in order.iter().skip(MAX_PROJECTS).map(|number| logs.project(*number)) {
        rest.runs = rest.runs.saturating_add(one.runs);
        rest.energy += one.energy;
        rest.low += one.low;
        rest.high += one.high;
        rest.co2 += one.co2;
        rest.cost += one.cost;
    }
    let has_bounds = bounds(&logs.total).is_some();
    let line = |name: &str, one: &LogTotals, series: usize| {
        html! {
            tr {
                th scope="row" {
                    span.name { (name) }
                    span.bar aria-hidden="true" {
                        span class={ "s" (series) } style=(width(one.energy, largest)) {}
                    }
                }
                td.n data-label="Energy" { (kwh(one.energy)) }
                @if has_bounds { td.n.minor data-label="Bounds" { (bounds(one).unwrap_or_default()) } }
                td.n.minor data-label="Share" { (percent(one.energy, logs.total.energy)) }
                td.n data-label="CO2" { (kg(one.co2)) }
                @if logs.total.cost != 0.0 { td.n data-label="Cost" { (Price(one.cost)) } }
                td.n data-label="Runs" { (count(one.runs)) }
            }
        }
    };
    html! {
        section aria-labelledby="projects" {
            h2 #projects { "Projects" }
            div.scroll tabindex="0" role="region" aria-labelledby="projects" {
                table.cards {
                    thead { tr {
                        th scope="col" { "Project" }
                        th.n scope="col" { "Energy" }
                        @if has_bounds { th.n scope="col" { "Bounds" } }
                        th.n scope="col" { "Share" }
                        th.n scope="col" { "CO" sub { "2" } }
                        @if logs.total.cost != 0.0 { th.n scope="col" { "Cost" } }
                        th.n scope="col" { "Runs" }
                    } }
                    tbody {
                        @for (place, number) in order.iter().take(MAX_PROJECTS).enumerate() {
                            (line(non_blank_or(logs.project_names.text(*number), "(no name)"), &logs.project(*number), place.min(SERIES.len() - 1)))
                        }
                        @if order.len() > MAX_PROJECTS {
                            (line(&format!("{} more", count((order.len() - MAX_PROJECTS) as u64)), &rest, SERIES.len() - 1))
                        }
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
    let whole = logs.total.energy;
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
    html! {
        section aria-labelledby="components" {
            h2 #components { "Components" }
            div.stack aria-hidden="true" {
                @for (_, energy, at) in &all {
                    span class={ "s" (at) } style=(part_of(*energy, whole)) {}
                }
            }
            div.scroll tabindex="0" role="region" aria-labelledby="components" {
                table {
                    thead { tr {
                        th scope="col" { "Component" }
                        th.n scope="col" { "Energy" }
                        th.n scope="col" { "Share" }
                    } }
                    tbody {
                        @for (name, energy, at) in &all {
                            tr {
                                th scope="row" { i class={ "s" (at) } {} (name) }
                                td.n { (kwh(*energy)) }
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
    all.sort_by(|(a, left), (b, right)| right.own.total_cmp(&left.own).then_with(|| a.cmp(b)));
    let largest = all.iter().map(|(_, one)| one.inclusive.max(one.own)).fold(0.0, f64::max);
    let (shown, rest) = all.split_at(all.len().min(MAX_FUNCTIONS));
    html! {
        section aria-labelledby="functions" {
            h2 #functions { "Functions" }
            p.note {
                i.own {} strong { "Own" } " energy is used by the function itself. " i.under {} strong { "Inclusive" }
                " energy includes the functions that it called. The own energies add up to the total."
            }
            div.scroll tabindex="0" role="region" aria-labelledby="functions" {
                table.cards {
                    thead { tr {
                        th scope="col" { "Function" }
                        th.n scope="col" aria-sort="descending" { "Own" }
                        th.n scope="col" { "Inclusive" }
                        th.n scope="col" { "Calls" }
                        th.n scope="col" { "Own per call" }
                    } }
                    tbody {
                        @for (label, one) in shown {
                            tr {
                                th scope="row" {
                                    span.name { (label_name(**label, logs)) }
                                    span.bar aria-hidden="true" {
                                        span.own style=(width(one.own, largest)) {}
                                        span.under style=(width(one.inclusive - one.own, largest)) {}
                                    }
                                }
                                td.n data-label="Own" { (kwh(one.own)) }
                                td.n data-label="Inclusive" { (kwh(one.inclusive)) }
                                td.n data-label="Calls" { (count(one.calls)) }
                                td.n data-label="Own per call" { (kwh(one.own / one.calls as f64)) }
                            }
                        }
                        @if !rest.is_empty() {
                            tr.rest {
                                th scope="row" { (counted(rest.len() as u64, "more function")) }
                                td.n data-label="Own" { (kwh(rest.iter().map(|(_, one)| one.own).sum())) }
                                td.n {}
                                td.n data-label="Calls" { (count(rest.iter().fold(0, |sum, (_, one)| one.calls.saturating_add(sum)))) }
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
