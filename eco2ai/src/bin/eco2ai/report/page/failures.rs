//! The share of failed runs, and what they cost.

use eco2ai::units::{ColumnUnit, Count, KilogramsCo2e, KilowattHours, Price, Quantity};
use maud::{Markup, html};

use super::totals_table::{has_tariff, totals_table};
use crate::report::failed::{Failed, is_failure};
use crate::report::format::{counted, percent};
use crate::report::log_totals::Bounded;
use crate::report::logs::Logs;
use crate::report::scale::{Scale, unit_up_to};

/// Returns the section on failed runs, if there are any.
pub(super) fn failures(logs: &Logs) -> Markup {
    if !logs.statuses.keys().any(|status| is_failure(*status)) {
        return html! {};
    }
    let failed = Failed::new(logs);
    let totals = &failed.totals;
    let lines: Vec<_> = logs
        .statuses
        .iter()
        .filter(|(status, _)| is_failure(**status))
        .map(|(status, one)| (html! { (status) }, one))
        .collect();
    html! {
        section aria-labelledby="failures" {
            h2 #failures { "Failed runs" }
            p {
                strong { (counted(failed.runs, "run")) " of " (Count(logs.total.runs)) }
                " failed (" (percent(failed.runs as f64, logs.total.runs as f64)) "). With all runs under them, they took "
                (figure(&unit_up_to::<KilowattHours>(totals.energy.value), &totals.energy, ""))
                ", " (percent(totals.energy.value, logs.total.energy.value)) " of the energy, and "
                (figure(&unit_up_to::<KilogramsCo2e>(totals.co2.value), &totals.co2, " CO₂e"))
                @if has_tariff(logs) {
                    ". They cost " (figure(&unit_up_to::<Price>(totals.cost.value), &totals.cost, "")) " in the currency of the tariff"
                }
                "."
            }
            (totals_table(logs, "Status", &lines))
            p.note { "The table counts each row by its own status and its own energy." }
        }
    }
}

/// Returns a figure of `what` with its bounds.
fn figure<Q: Quantity>(scale: &ColumnUnit<Q>, figure: &Bounded, what: &str) -> Markup {
    html! {
        strong { (scale.with_unit(figure.value)) (what) }
        @if let Some(bounds) = scale.bounds(figure) { " (" (bounds) ")" }
    }
}
