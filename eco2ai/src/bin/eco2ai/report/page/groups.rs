//! Energy by job, rank, machine and user.

use maud::{Markup, html};

use crate::report::format::{count, counted, kg, kwh, non_blank_or, percent};
use crate::report::log_totals::{LogTotals, NamedTotals};
use crate::report::logs::Logs;

/// The number of rows in a table; one more contains the rest.
const MAX_GROUPS: usize = 20;

/// Returns a section on the jobs, one on the ranks, one on the machines and one on the users, each if
/// there are several.
pub(super) fn groups(logs: &Logs) -> Markup {
    html! {
        (section("jobs", "Jobs", "Job", "(no job)", &logs.jobs, logs))
        (section("ranks", "Ranks", "Rank", "(no rank)", &logs.ranks, logs))
        (section("machines", "Machines", "Machine", "(no name)", &logs.hosts, logs))
        (section("users", "Users", "User", "(no name)", &logs.users, logs))
    }
}

fn section(
    id: &str,
    title: &str,
    heading: &str,
    unnamed: &str,
    totals: &NamedTotals,
    logs: &Logs,
) -> Markup {
    if totals.len() < 2 {
        return html! {};
    }
    let all = totals.by_energy();
    let (shown, others) = all.split_at(all.len().min(MAX_GROUPS));
    let line = |name: &str, one: &LogTotals| {
        html! {
            tr {
                th scope="row" { span.name { (name) } }
                td.n data-label="Energy" { (kwh(one.energy)) }
                td.n.minor data-label="Share" { (percent(one.energy, logs.total.energy)) }
                td.n data-label="CO2" { (kg(one.co2)) }
                td.n data-label="Rows" { (count(one.rows)) }
            }
        }
    };
    let mut rest = LogTotals::default();
    for (_, one) in others {
        rest.rows += one.rows;
        rest.energy += one.energy;
        rest.co2 += one.co2;
    }
    html! {
        section aria-labelledby=(id) {
            h2 id=(id) { (title) }
            div.scroll tabindex="0" role="region" aria-labelledby=(id) {
                table.cards {
                    thead { tr {
                        th scope="col" { (heading) }
                        th.n scope="col" aria-sort="descending" { "Energy" }
                        th.n scope="col" { "Share" }
                        th.n scope="col" { "CO" sub { "2" } }
                        th.n scope="col" { "Rows" }
                    } }
                    tbody {
                        @for (name, one) in shown {
                            (line(non_blank_or(name, unnamed), one))
                        }
                        @if !others.is_empty() {
                            (line(&counted(others.len() as u64, &format!("more {}", heading.to_lowercase())), &rest))
                        }
                    }
                }
            }
        }
    }
}
