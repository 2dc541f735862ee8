//! Energy over time: a chart and a table.

use eco2ai::units::KilowattHours;
use maud::{Markup, html};

use super::totals_table::heading;
use crate::report::chart::{self, SERIES};
use crate::report::format::non_blank_or;
use crate::report::logs::Logs;
use crate::report::scale::{Scale, unit_up_to};
use crate::report::timeline::Timeline;

/// Returns the section on energy over time, with the projects in their `order`.
pub(super) fn over_time(logs: &Logs, order: &[u32]) -> Markup {
    let Some(span) = logs.span else { return html! {} };
    let max = SERIES;
    // The last series is for all other projects, if there are any.
    let shown = if order.len() > max { max - 1 } else { order.len() };
    let count = order.len().min(max);
    let mut places = vec![count - 1; order.len()];
    for (place, project) in order.iter().take(shown).enumerate() {
        if let Some(known) = places.get_mut(*project as usize) {
            *known = place;
        }
    }
    let series = |project: u32| places.get(project as usize).copied().unwrap_or(count - 1);
    let timeline = Timeline::new(&logs.timed, span, logs.zone(), count, series);
    let highest = timeline.bins.iter().map(|bin| bin.iter().sum::<f64>()).fold(0.0, f64::max);
    let scale = unit_up_to::<KilowattHours>(highest);
    let each = timeline.step.name();
    let names: Vec<_> = (0..count)
        .map(|place| match order.get(place) {
            Some(project) if place < shown => {
                non_blank_or(logs.project_names.text(*project), "(no name)")
            }
            _ => "other projects",
        })
        .collect();
    html! {
        section aria-labelledby="time" {
            h2 #time { "Energy over time" }
            p.note { (scale.symbol()) " per " (each) ". Times are in UTC" (logs.zone()) "." }
            figure {
                div.chart role="img" aria-label={ "Bar chart of the energy per " (each) ". The table below has the same values." } {
                    (chart::bars(&timeline, &scale, &names))
                }
                @if count > 1 {
                    figcaption.legend {
                        @for (place, name) in names.iter().enumerate() {
                            span { i class={ "s" (place) } {} (name) }
                        }
                    }
                }
            }
            details {
                summary { "Show as table" }
                div.scroll tabindex="0" role="group" aria-label="Energy over time" {
                    table {
                        thead { tr {
                            th scope="col" { "Start" }
                            @if count > 1 { @for name in &names { th.n scope="col" { (name) } } }
                            (heading("Total", scale.symbol()))
                        } }
                        tbody {
                            @for (bin, edge) in timeline.bins.iter().zip(&timeline.edges) {
                                tr {
                                    th scope="row" { (timeline.step.full_label(*edge, timeline.zone)) }
                                    @if count > 1 { @for energy in bin { td.n { (scale.number(*energy)) } } }
                                    td.n { (scale.number(bin.iter().sum())) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
