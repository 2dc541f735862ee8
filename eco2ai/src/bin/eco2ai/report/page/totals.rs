//! The totals, and what they compare to.

use chrono::FixedOffset;
use eco2ai::carbon::equivalents;
use eco2ai::units::{KilogramsCo2e, KilowattHours};
use maud::{Markup, html};

use crate::report::logs::{Logs, Sums};
use crate::report::parts::Parts;
use crate::report::text::{count, duration, kg, kwh, percent, price};
use crate::report::timeline::format_time;

/// The main figures, and what they compare to.
pub(super) fn totals(logs: &Logs, parts: &Parts) -> Markup {
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
                p.how { (sureness(parts, total.energy)) }
            }
            div.hero {
                p.label { "CO" sub { "2" } " equivalents" }
                p.number { (co2_number) " " span.unit { (co2_unit) " CO2e" } }
                @if total.energy > 0.0 {
                    p.how { "at " (format!("{:.0}", total.co2 / total.energy * 1000.0)) " gCO2e/kWh on average" }
                }
            }
            dl.facts {
                div { dt { "Runs" } dd { (count(total.runs)) } }
                @if let Some((first, last)) = logs.span {
                    div {
                        dt { "Span" }
                        dd { (duration(last - first)) }
                        dd.small { (from_to(first, last, logs.zone())) }
                    }
                }
                @if total.cost != 0.0 {
                    div { dt { "Cost" } dd { (price(total.cost)) } dd.small { "in the tariff's currency" } }
                }
                @if logs.project_names.len() > 1 {
                    div { dt { "Projects" } dd { (count(logs.project_names.len() as u64)) } }
                }
                @if logs.unusable_rows > 0 {
                    div.poor { dt { "Unusable rows" } dd { a href="#problems" { (count(logs.unusable_rows)) } } }
                }
                @if logs.hosts() > 1 {
                    div { dt { "Machines" } dd { (count(logs.hosts() as u64)) } }
                }
            }
        }
        (like(total))
    }
}

/// Days, or hours where they are of the same day.
fn from_to(first: i64, last: i64, zone: FixedOffset) -> String {
    let [from, to] = [first, last].map(|moment| format_time(moment, zone, "%-d %b %Y"));
    if from == to {
        let [first, last] = [first, last].map(|moment| format_time(moment, zone, "%H:%M"));
        format!("{from}, {first} to {last}")
    } else {
        format!("{from} to {to}")
    }
}

/// The best thing that can be said of the whole figure in a few words.
fn sureness(parts: &Parts, whole: f64) -> String {
    let [(_, measured), (_, sampled), (_, estimated), _] = parts.qualities();
    if measured + sampled > 0.0 {
        format!("{} read from the devices", percent(measured + sampled, whole))
    } else if estimated > 0.0 {
        "estimated by models of the devices".to_owned()
    } else {
        "the log does not tell how it was obtained".to_owned()
    }
}

fn like(total: &Sums) -> Markup {
    // Each as a number and what it counts; a thousandth of a week says nothing to anybody.
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
            h2 #like { "That is about" }
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
