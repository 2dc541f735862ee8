//! The totals and their equivalents.

use std::time::Duration;

use chrono::FixedOffset;
use eco2ai::carbon::equivalents;
use eco2ai::units::{HumanDuration, KilogramsCo2e, KilowattHours, Price};
use maud::{Markup, html};

use crate::report::breakdown::Breakdown;
use crate::report::format::{bounds, count, kg, kwh, percent};
use crate::report::log_totals::LogTotals;
use crate::report::logs::Logs;
use crate::report::timeline::format_time;

/// Returns the sections on totals and equivalents.
pub(super) fn totals(logs: &Logs, breakdown: &Breakdown) -> Markup {
    let total = &logs.total;
    let number_and_unit = kwh(total.energy);
    let (number, unit) = number_and_unit.split_once(' ').unwrap_or((&number_and_unit, ""));
    let co2 = kg(total.co2);
    let (co2_number, co2_unit) = co2.split_once(' ').unwrap_or((&co2, ""));
    html! {
        section.totals aria-label="Totals" {
            div.hero {
                p.label { "Energy" }
                p.number { (number) " " span.unit { (unit) } }
                @if let Some(bounds) = bounds(total) { p.how { (bounds) } }
                p.how { (quality(breakdown, total.energy)) }
            }
            div.hero {
                p.label { "CO" sub { "2" } " equivalents" }
                p.number { (co2_number) " " span.unit { (co2_unit) " CO2e" } }
                @if total.energy > 0.0 {
                    p.how { "at " (format!("{:.0}", total.co2 / total.energy * 1000.0)) " gCO2e/kWh on average" }
                }
            }
            dl.details {
                div { dt { "Runs" } dd { (count(total.runs)) } }
                @if let Some((first, last)) = logs.span {
                    div {
                        dt { "Span" }
                        dd { (HumanDuration(Duration::from_secs((last - first).unsigned_abs()))) }
                        dd.small { (format_span(first, last, logs.zone())) }
                    }
                }
                @if total.cost != 0.0 {
                    div { dt { "Cost" } dd { (Price(total.cost)) } dd.small { "in the currency of the tariff" } }
                }
                @if logs.project_names.len() > 1 {
                    div { dt { "Projects" } dd { (count(logs.project_names.len() as u64)) } }
                }
                @if logs.unusable_rows > 0 {
                    div.poor { dt { "Invalid rows" } dd { a href="#problems" { (count(logs.unusable_rows)) } } }
                }
                @if logs.hosts.len() > 1 {
                    div { dt { "Machines" } dd { (count(logs.hosts.len() as u64)) } }
                }
            }
        }
        (comparisons(total))
    }
}

/// Formats a span as days, or as hours within one day.
fn format_span(first: i64, last: i64, zone: FixedOffset) -> String {
    let [from, to] = [first, last].map(|moment| format_time(moment, zone, "%-d %b %Y"));
    if from == to {
        let [first, last] = [first, last].map(|moment| format_time(moment, zone, "%H:%M"));
        format!("{from}, {first} to {last}")
    } else {
        format!("{from} to {to}")
    }
}

/// Describes how the total was obtained.
fn quality(breakdown: &Breakdown, whole: f64) -> String {
    let [(_, measured), (_, sampled), (_, estimated), _] = breakdown.qualities();
    if measured + sampled > 0.0 {
        format!("{} measured or sampled", percent(measured + sampled, whole))
    } else if estimated > 0.0 {
        "estimated from models of the devices".to_owned()
    } else {
        "obtained by an unknown method".to_owned()
    }
}

fn comparisons(total: &LogTotals) -> Markup {
    // An amount of less than a half says little.
    let all: Vec<_> = equivalents(KilowattHours(total.energy), KilogramsCo2e(total.co2))
        .map(|one| (one.to_string(), one.source))
        .filter_map(|(text, source)| {
            let (amount, what) = text.split_once(' ')?;
            let enough = amount.parse::<f64>().is_ok_and(|amount| amount >= 0.5);
            enough.then(|| (amount.to_owned(), what.to_owned(), source))
        })
        .collect();
    if all.is_empty() {
        return html! {};
    }
    html! {
        section aria-labelledby="like" {
            h2 #like { "Roughly equivalent to" }
            ul.like {
                @for (amount, what, _) in &all { li { strong { (amount) } " " (what) } }
            }
            details {
                summary { "Sources" }
                ul.plain { @for (_, what, source) in &all { li { (what) ": " (source) } } }
            }
        }
    }
}
