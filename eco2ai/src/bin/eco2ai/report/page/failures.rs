//! The share of failed runs, and what they cost.

use maud::{Markup, html};

use super::totals_table::{has_tariff, totals_table};
use crate::report::failed::{Failed, is_failure};
use crate::report::format::{count, counted, percent};
use crate::report::logs::Logs;
use crate::report::scale::{Scale, kg, kwh};

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
                strong { (counted(failed.runs, "run")) " of " (count(logs.total.runs)) }
                " failed (" (percent(failed.runs as f64, logs.total.runs as f64)) "). With all runs under them, they took "
                strong { (kwh(totals.energy.value)) } " (" (percent(totals.energy.value, logs.total.energy.value)) " of the energy)"
                @if has_tariff(logs) {
                    ", " strong { (kg(totals.co2.value)) " CO₂e" } " and " strong { (Scale::plain(totals.cost.value).number(totals.cost.value)) }
                    " in the currency of the tariff."
                } @else {
                    " and " strong { (kg(totals.co2.value)) " CO₂e" } "."
                }
            }
            (totals_table(logs, "Status", &lines))
            p.note { "The table counts each row by its own status and its own energy." }
        }
    }
}
