//! How the values were obtained, and what is missing.

use eco2ai::ShareMark;
use maud::{Markup, html};

use crate::report::breakdown::{Breakdown, quality_class, quality_name};
use crate::report::call_tree::CallTree;
use crate::report::format::{count, counted, kg, kwh, non_blank_or, percent, short_number};
use crate::report::index::index;
use crate::report::logs::Logs;

/// The number of rows in a table; the rest is counted.
const MAX_METHODS: usize = 20;
const MAX_INTENSITIES: usize = 10;

/// Returns the section on methods, carbon intensities and kinds of rows.
pub(super) fn provenance(logs: &Logs, tree: &CallTree, breakdown: &Breakdown) -> Markup {
    let whole = logs.total.energy;
    let methods = breakdown.methods();
    let mut intensities: Vec<_> = logs.intensities.iter().enumerate().collect();
    intensities.sort_by(|(_, a), (_, b)| b.totals.energy.total_cmp(&a.totals.energy));
    html! {
        section aria-labelledby="how" {
            h2 #how { "Methods and sources" }
            @if !methods.is_empty() {
                h3 { "Energy" }
                div.scroll tabindex="0" role="region" aria-label="Methods" {
                    table.cards {
                        thead { tr {
                            th scope="col" { "Component" }
                            th scope="col" { "Quality" }
                            th scope="col" { "Method" }
                            th.n scope="col" { "Energy" }
                            th.n scope="col" { "Share" }
                        } }
                        tbody {
                            @for (component, method, energy) in methods.iter().take(MAX_METHODS) {
                                @let quality = method.quality();
                                tr {
                                    th scope="row" { (component) }
                                    td data-label="Quality" { span class={ "badge " (quality_class(quality)) } { (quality_name(quality)) } }
                                    td.long data-label="Method" { code { (method) } }
                                    td.n.minor data-label="Energy" { (kwh(*energy)) }
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
                    @if methods.iter().any(|(_, method, _)| method.share() == Some(ShareMark::Share)) {
                        " " code { "share" } " is the part of the energy of a device that is attributed to the process."
                    }
                    @if methods.iter().any(|(_, method, _)| method.share() == Some(ShareMark::Unshared)) {
                        " " code { "unshared" } " is the whole energy of a device, although other processes may have used it too."
                    }
                    @if logs.pue > 1.0 { " All values include the overhead of the data centre (PUE, up to " (logs.pue) ")." }
                }
            }
            h3 { "Carbon intensity" }
            div.scroll tabindex="0" role="region" aria-label="Carbon intensities" {
                table.cards {
                    thead { tr {
                        th scope="col" { "Place" }
                        th.n scope="col" { "gCO2e/kWh" }
                        th scope="col" { "Source" }
                        th.n scope="col" { "Energy" }
                        th.n scope="col" { "CO" sub { "2" } }
                    } }
                    tbody {
                        @for (number, one) in intensities.iter().take(MAX_INTENSITIES) {
                            @let name = logs.intensity_names.text(index(*number));
                            @let (place, source) = name.split_once('\n').unwrap_or((name, ""));
                            tr {
                                th scope="row" { (non_blank_or(place, "unknown")) }
                                td.n data-label="gCO2e/kWh" {
                                    @if one.min <= one.max {
                                        (short_number(one.min))
                                        @if one.max > one.min { " to " (short_number(one.max)) }
                                    } @else { "unknown" }
                                }
                                td.long data-label="Source" { (non_blank_or(source, "unknown")) }
                                td.n.minor data-label="Energy" { (kwh(one.totals.energy)) }
                                td.n data-label="CO2" { (kg(one.totals.co2)) }
                            }
                        }
                    }
                }
            }
            @if intensities.len() > MAX_INTENSITIES { p.note { (counted((intensities.len() - MAX_INTENSITIES) as u64, "more place")) " with less energy." } }
            h3 { "Rows" }
            ul.plain {
                @for (status, totals) in &logs.statuses {
                    li { strong { (count(totals.rows)) } " " (status) ", " (kwh(totals.energy)) }
                }
                @for note in &logs.notes { li { (note) "." } }
                @if logs.summed_rows > 0 { li { (counted(logs.summed_rows, "row")) " for many calls each. Over time, their energy is spread evenly from the first call on." } }
                @if logs.machine_rows > 0 { li { (counted(logs.machine_rows, "row")) " for the whole machine instead of one process." } }
                @if logs.rows_without_methods > 0 { li { (counted(logs.rows_without_methods, "row")) " with Eco2AI's columns only, which do not contain the method." } }
                @if tree.orphans > 0 { li { (counted(tree.orphans, "run")) " under a run that is not in the log, or not yet. They are shown as outermost." } }
            }
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
                @if more > 0 { li { "and " (count(more)) " more" } }
            }
        }
    }
}
