//! How the values were obtained, and what is missing.

use std::cmp::Ordering;

use eco2ai::ShareMark;
use eco2ai::units::{Count, KilowattHours};
use maud::{Markup, html};

use super::caution::is_guess;
use super::totals_table::{TotalsColumns, heading};
use crate::report::breakdown::{Breakdown, quality_class, quality_name};
use crate::report::call_tree::CallTree;
use crate::report::format::{counted, non_blank_or, percent, short_number};
use crate::report::index::index;
use crate::report::logs::{IntensityUse, Logs};
use crate::report::scale::{Scale, kwh, unit_up_to};

/// The number of rows in a table; the rest is counted.
const MAX_METHODS: usize = 20;
const MAX_INTENSITIES: usize = 10;

/// Returns the section on methods, carbon intensities and kinds of rows.
pub(super) fn provenance(logs: &Logs, tree: &CallTree, breakdown: &Breakdown) -> Markup {
    html! {
        section aria-labelledby="how" {
            h2 #how { "Methods and sources" }
            (methods(logs, breakdown))
            (intensities(logs))
            (rows(logs, tree))
        }
    }
}

fn methods(logs: &Logs, breakdown: &Breakdown) -> Markup {
    let whole = logs.total.energy.value;
    let methods = breakdown.methods();
    if methods.is_empty() {
        return html! {};
    }
    let scale = unit_up_to::<KilowattHours>(
        methods.iter().map(|(_, _, energy)| *energy).fold(0.0, f64::max),
    );
    let has_share = |mark| methods.iter().any(|(_, method, _)| method.share() == Some(mark));
    html! {
        h3 { "Energy" }
        div.scroll tabindex="0" role="group" aria-label="Methods" {
            table.cards {
                thead { tr {
                    th scope="col" { "Component" }
                    th scope="col" { "Quality" }
                    th scope="col" { "Method" }
                    (heading("Energy", scale.symbol()))
                    th.n scope="col" { "Share" }
                } }
                tbody {
                    @for (component, method, energy) in methods.iter().take(MAX_METHODS) {
                        @let quality = method.quality();
                        tr {
                            th scope="row" { (component) }
                            td data-label="Quality" { span class={ "badge " (quality_class(quality)) } { (quality_name(quality)) } }
                            td.long data-label="Method" { code { (method) } }
                            td.n.minor data-label="Energy" { (scale.number(*energy)) }
                            td.n data-label="Share" { (percent(*energy, whole)) }
                        }
                    }
                }
            }
        }
        @if methods.len() > MAX_METHODS { p.note { (counted((methods.len() - MAX_METHODS) as u64, "more method")) " with less energy." } }
        p.note {
            strong { "Measured" } " values come from an energy counter, " strong { "sampled" } " values from power readings, and "
            strong { "estimated" } " values from a model of the device. In the log, the components of a run include the runs under it; here, every run is counted once."
            " The smaller figures below a value are its bounds, from the published errors of its methods."
            @if has_share(ShareMark::Share) {
                " " code { "share" } " is the part of the energy of a device that is attributed to the process."
            }
            @if has_share(ShareMark::Unshared) {
                " " code { "unshared" } " is the whole energy of a device, although other processes may have used it too."
            }
            @if logs.pue > 1.0 { " All values include the overhead of the data centre (PUE, up to " (logs.pue) ")." }
        }
    }
}

fn intensities(logs: &Logs) -> Markup {
    let mut all: Vec<_> = logs.intensities.iter().enumerate().collect();
    all.sort_by(|(_, a), (_, b)| b.totals.energy.value.total_cmp(&a.totals.energy.value));
    let more = all.len().saturating_sub(MAX_INTENSITIES);
    all.truncate(MAX_INTENSITIES);
    let columns = TotalsColumns::for_lines(logs, all.iter().map(|(_, one)| &one.totals));
    html! {
        h3 { "Carbon intensity" }
        div.scroll tabindex="0" role="group" aria-label="Carbon intensities" {
            table.cards {
                thead { tr {
                    th scope="col" { "Place" }
                    (heading("Intensity", "g CO₂e/kWh"))
                    th scope="col" { "Source" }
                    (columns.head())
                } }
                tbody {
                    @for (number, one) in &all {
                        @let name = logs.intensity_names.text(index(*number));
                        @let (place, source) = name.split_once('\n').unwrap_or((name, ""));
                        tr {
                            th scope="row" {
                                (non_blank_or(place, "unknown"))
                                @if is_guess(source) { " " a href="#caution" { "a guess" } }
                            }
                            td.n data-label="g CO₂e/kWh" { (levels(one)) }
                            td.long data-label="Source" { (non_blank_or(source, "unknown")) }
                            (columns.cells(&one.totals))
                        }
                    }
                }
            }
        }
        @if more > 0 { p.note { (counted(more as u64, "more place")) " with less energy." } }
    }
}

/// Formats the lowest and the highest carbon intensity.
fn levels(one: &IntensityUse) -> String {
    let [min, max] = [one.min, one.max].map(short_number);
    match one.min.partial_cmp(&one.max) {
        Some(Ordering::Less) => format!("{min} to {max}"),
        Some(Ordering::Equal) => min,
        _ => "unknown".to_owned(),
    }
}

fn rows(logs: &Logs, tree: &CallTree) -> Markup {
    html! {
        h3 { "Rows" }
        ul.plain {
            @for (status, totals) in &logs.statuses {
                li { strong { (Count(totals.rows)) } " " (status) ", " (kwh(totals.energy.value)) }
            }
            @for note in &logs.notes { li { (note) "." } }
            @if logs.summed_rows > 0 { li { (counted(logs.summed_rows, "row")) " for many calls each. Over time, their energy is spread evenly from the first call on." } }
            @if logs.machine_rows > 0 { li { (counted(logs.machine_rows, "row")) " for the whole machine instead of one process." } }
            @if logs.rows_without_methods > 0 { li { (counted(logs.rows_without_methods, "row")) " with Eco2AI's columns only, which do not contain the method." } }
            @if tree.orphans > 0 { li { (counted(tree.orphans, "run")) " under a run that is not in the log or the period, or not yet. They are shown as outermost." } }
        }
    }
}

/// Returns the section on invalid rows.
pub(super) fn problems(logs: &Logs) -> Markup {
    if logs.unusable_rows == 0 {
        return html! {};
    }
    let more = logs.unusable_rows - logs.problems.len() as u64;
    html! {
        section.problems aria-labelledby="problems" {
            h2 #problems { (counted(logs.unusable_rows, "invalid row")) }
            p { "The totals do not include them." }
            ul {
                @for problem in &logs.problems {
                    li { code { (problem.path.display()) } ", line " (problem.line) ": " (problem.reason) }
                }
                @if more > 0 { li { "and " (Count(more)) " more" } }
            }
        }
    }
}
