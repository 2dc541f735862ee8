//! Energy by job, rank, machine and user.

use maud::{Markup, html};

use super::totals_table::totals_table;
use crate::report::format::{counted, non_blank_or};
use crate::report::log_totals::{LogTotals, NamedTotals};
use crate::report::logs::Logs;

/// The number of rows in a table; one more contains the rest.
const MAX_GROUPS: usize = 15;

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
    let mut rest = LogTotals::default();
    for (_, one) in others {
        rest += *one;
    }
    let mut lines: Vec<_> =
        shown.iter().map(|(name, one)| (html! { (non_blank_or(name, unnamed)) }, one)).collect();
    if !others.is_empty() {
        let name = counted(others.len() as u64, &format!("more {}", heading.to_lowercase()));
        lines.push((html! { (name) }, &rest));
    }
    html! {
        section aria-labelledby=(id) {
            h2 id=(id) { (title) }
            (totals_table(logs, heading, &lines))
        }
    }
}
