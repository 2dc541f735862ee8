//! The totals and their equivalents.

use std::time::Duration;

use chrono::FixedOffset;
use eco2ai::carbon::{Equivalent, equivalents};
use eco2ai::units::{
    ColumnUnit, Count, HumanDuration, KilogramsCo2e, KilowattHours, Price, Quantity,
};
use maud::{Markup, html};

use super::totals_table::has_tariff;
use crate::report::breakdown::Breakdown;
use crate::report::format::{no_break, percent, short_number};
use crate::report::index::index;
use crate::report::log_totals::{Bounded, LogTotals};
use crate::report::logs::Logs;
use crate::report::options::{EquivalentsRegion, ReportOptions};
use crate::report::scale::{Scale, unit_up_to};
use crate::report::timeline::format_time;

/// Returns the section on totals.
pub(super) fn totals(logs: &Logs, breakdown: &Breakdown) -> Markup {
    let total = &logs.total;
    let Bounded { value: energy, .. } = total.energy;
    html! {
        section.totals aria-label="Totals" {
            div.hero {
                p.label { "Energy" }
                (figure(&unit_up_to::<KilowattHours>(energy), &total.energy, ""))
                p.how { (quality(breakdown, energy)) }
            }
            div.hero {
                p.label { "Greenhouse gases" }
                (figure(&unit_up_to::<KilogramsCo2e>(total.co2.value), &total.co2, " CO₂e"))
                @if energy > 0.0 {
                    p.how { "at " (short_number((total.co2.value / energy * 1000.0).round())) " g CO₂e/kWh on average" }
                }
            }
            (details(logs, total))
        }
    }
}

/// Returns a figure in large type, with its bounds.
fn figure<Q: Quantity>(scale: &ColumnUnit<Q>, figure: &Bounded, of: &str) -> Markup {
    html! {
        p.number { (scale.number(figure.value)) " " span.unit { (scale.symbol()) (of) } }
        @if let Some(bounds) = scale.bounds(figure) { p.how { (bounds) " " (scale.symbol()) } }
    }
}

fn details(logs: &Logs, total: &LogTotals) -> Markup {
    let cost = unit_up_to::<Price>(total.cost.value);
    let [machine, user] =
        [&logs.hosts, &logs.users].map(|names| names.by_energy().first().map(|(name, _)| *name));
    html! {
        dl.details {
            div { dt { "Runs" } dd { (Count(total.runs)) } }
            @if let Some((first, last)) = logs.span {
                div {
                    dt { "Span" }
                    dd {
                        (no_break(HumanDuration(Duration::from_secs((last - first).unsigned_abs()))))
                        small { (format_span(first, last, logs.zone())) }
                    }
                }
            }
            @if has_tariff(logs) {
                div {
                    dt { "Cost" }
                    dd {
                        (cost.number(total.cost.value))
                        small { @if let Some(bounds) = cost.bounds(&total.cost) { (bounds) ", " } "in the currency of the tariff" }
                    }
                }
            }
            @if logs.project_names.len() > 1 {
                div { dt { "Projects" } dd { (Count(logs.project_names.len() as u64)) } }
            }
            @if logs.unusable_rows > 0 {
                div.poor { dt { "Invalid rows" } dd { a href="#problems" { (Count(logs.unusable_rows)) } } }
            }
            (one_or_many("Machine", machine, logs.hosts.len()))
            (one_or_many("User", user, logs.users.len()))
        }
    }
}

/// Returns the only name, or how many there are.
fn one_or_many(what: &str, name: Option<&str>, names: usize) -> Markup {
    html! {
        @if names > 1 {
            div { dt { (what) "s" } dd { (Count(names as u64)) } }
        } @else if let Some(name) = name.filter(|name| !name.is_empty()) {
            div { dt { (what) } dd.text { (name) } }
        }
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

/// Returns the section on everyday equivalents.
pub(super) fn comparisons(logs: &Logs, options: &ReportOptions) -> Markup {
    let total = &logs.total;
    let region = options.equivalents.unwrap_or_else(|| region(logs)).as_str();
    let all: Vec<Equivalent> =
        equivalents(KilowattHours(total.energy.value), KilogramsCo2e(total.co2.value))
            .filter(|one| one.region.is_none_or(|of| of == region))
            // An amount of less than a half says little.
            .filter(|one| one.readable().0 >= 0.5)
            .collect();
    if all.is_empty() {
        return html! {};
    }
    html! {
        section aria-labelledby="like" {
            h2 #like { "Roughly equivalent to" }
            ul.like {
                @for one in &all {
                    @let (amount, unit) = one.readable();
                    li {
                        strong { (rounded(amount)) " " (unit) }
                        " " (one.what)
                        small { "the same " (one.basis.as_str()) }
                    }
                }
            }
            details {
                summary { "Sources" }
                ul.plain { @for one in &all { li { (one.what) ": " (one.source) } } }
            }
        }
    }
}

/// Formats an amount with two or three digits: it is only an equivalent.
fn rounded(amount: f64) -> String {
    if amount < 9.95 { format!("{amount:.1}") } else { short_number(amount.round()) }
}

/// Returns the region of the place with the most energy: the United States, or else Europe.
fn region(logs: &Logs) -> EquivalentsRegion {
    let largest = (0..).map(index).zip(&logs.intensities);
    let largest =
        largest.max_by(|(_, a), (_, b)| a.totals.energy.value.total_cmp(&b.totals.energy.value));
    let place = largest.map_or("", |(number, _)| logs.intensity_names.text(number));
    if place == "US" || place.starts_with("US/") || place.starts_with("US\n") {
        EquivalentsRegion::Us
    } else {
        EquivalentsRegion::Eu
    }
}
