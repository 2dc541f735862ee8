//! How the figures were obtained, and what is missing.

use maud::{Markup, html};

use crate::report::logs::{Logs, index};
use crate::report::parts::{Parts, Quality};
use crate::report::text::{count, counted, kg, kwh, or, percent, plain};
use crate::report::tree::Tree;

/// Lines of a table; the rest is counted.
const MOST_METHODS: usize = 20;
const MOST_INTENSITIES: usize = 10;

/// Methods, carbon intensities, and what kinds of rows there are.
pub(super) fn provenance(logs: &Logs, tree: &Tree, parts: &Parts) -> Markup {
    let whole = logs.total.energy;
    let methods = parts.methods();
    let mut intensities: Vec<_> = logs.intensities.iter().enumerate().collect();
    intensities.sort_by(|(_, a), (_, b)| b.sums.energy.total_cmp(&a.sums.energy));
    html! {
        section aria-labelledby="how" {
            h2 #how { "How the figures were obtained" }
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
                            @for (component, method, energy) in methods.iter().take(MOST_METHODS) {
                                @let quality = Quality::of(method);
                                tr {
                                    th scope="row" { (component) }
                                    td data-label="Quality" { span class={ "badge q" (quality as usize) } { (quality.name()) } }
                                    td.long data-label="Method" { code { (method) } }
                                    td.n.minor data-label="Energy" { (kwh(*energy)) }
                                    td.n data-label="Share" { (percent(*energy, whole)) }
                                }
                            }
                        }
                    }
                }
                @if methods.len() > MOST_METHODS { p.note { (counted((methods.len() - MOST_METHODS) as u64, "more method")) " with less energy." } }
                p.note {
                    strong { "Measured" } " is read from a counter of energy, " strong { "sampled" } " from a gauge of power, "
                    strong { "estimated" } " from a model of the device. A row tells its components with all that ran under it; the rows under it are taken off here, so that nothing counts twice."
                    @if methods.iter().any(|(_, method, _)| method.ends_with(":share")) {
                        " " code { "share" } " is the part of a device's energy that goes to the process."
                    }
                    @if methods.iter().any(|(_, method, _)| method.ends_with(":unshared")) {
                        " " code { "unshared" } " is a device that is counted whole though others may have used it."
                    }
                    @if logs.pue > 1.0 { " All figures include the data centre's overhead (PUE, up to " (logs.pue) ")." }
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
                        @for (number, one) in intensities.iter().take(MOST_INTENSITIES) {
                            @let name = logs.intensity_names.text(index(*number));
                            @let (place, source) = name.split_once('\n').unwrap_or((name, ""));
                            tr {
                                th scope="row" { (or(place, "not stated")) }
                                td.n data-label="gCO2e/kWh" {
                                    @if one.least <= one.most {
                                        (plain(one.least))
                                        @if one.most > one.least { " to " (plain(one.most)) }
                                    } @else { "not stated" }
                                }
                                td.long data-label="Source" { (or(source, "not stated")) }
                                td.n.minor data-label="Energy" { (kwh(one.sums.energy)) }
                                td.n data-label="CO2" { (kg(one.sums.co2)) }
                            }
                        }
                    }
                }
            }
            @if intensities.len() > MOST_INTENSITIES { p.note { (counted((intensities.len() - MOST_INTENSITIES) as u64, "more place")) " with less energy." } }
            h3 { "Rows" }
            ul.plain {
                @for (status, sums) in &logs.statuses {
                    li { strong { (count(sums.rows)) } " " (status) ", " (kwh(sums.energy)) }
                }
                @for note in &logs.notes { li { (note) "." } }
                @if logs.summed_rows > 0 { li { (counted(logs.summed_rows, "row")) " for many calls each; over time, their energy is spread from the first call on." } }
                @if logs.machine_rows > 0 { li { (counted(logs.machine_rows, "row")) " for the whole machine, not for one process." } }
                @if logs.rows_without_methods > 0 { li { (counted(logs.rows_without_methods, "row")) " with Eco2AI's columns only, which do not tell how the energy was obtained." } }
                @if tree.orphans > 0 { li { (counted(tree.orphans, "run")) " under a run that is not in the log, or not yet: shown as outermost." } }
            }
        }
    }
}

/// The rows that could not be used.
pub(super) fn problems(logs: &Logs) -> Markup {
    if logs.unusable_rows == 0 {
        return html! {};
    }
    let more = logs.unusable_rows - logs.problems.len() as u64;
    html! {
        section.problems aria-labelledby="problems" {
            h2 #problems { (counted(logs.unusable_rows, "row")) " could not be used" }
            p { "Their energy is missing above." }
            ul {
                @for problem in &logs.problems {
                    li { code { (problem.path.display()) } ", line " (problem.line) ": " (problem.reason) }
                }
                @if more > 0 { li { "and " (count(more)) " more" } }
            }
        }
    }
}
