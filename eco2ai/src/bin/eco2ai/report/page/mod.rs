//! The page: one self-contained HTML document.

mod caution;
mod comparison;
mod elsewhere;
mod failures;
mod groups;
mod over_time;
mod provenance;
mod runs;
mod tables;
mod totals;
mod totals_table;
mod trainings;

use std::path::Path;

use chrono::Utc;
use eco2ai::__private::LocalTime;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use uuid::Uuid;

use super::baseline::Baseline;
use super::breakdown::Breakdown;
use super::call_tree::CallTree;
use super::flame;
use super::format::counted;
use super::logs::Logs;
use super::options::ReportOptions;
use super::timeline::format_time;

/// Allows no request and no script but our own, whatever a log contains.
fn content_security_policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'unsafe-inline'; \
         img-src data:; base-uri 'none'; form-action 'none'"
    )
}

/// Returns the page about `logs`, which were read from `files`.
pub(super) fn page(
    files: &[impl AsRef<Path>],
    logs: &Logs,
    options: &ReportOptions,
    baseline: Option<&Baseline>,
) -> String {
    let names: Vec<_> = files.iter().map(|file| file.as_ref().display().to_string()).collect();
    let heading = options.title.as_deref().unwrap_or("Energy report");
    let subject = options.period.clone().unwrap_or_else(|| match names.as_slice() {
        [name] => name.clone(),
        names => format!("{} logs", names.len()),
    });
    let nonce = Uuid::new_v4().to_string();
    let now = Utc::now().with_timezone(&LocalTime);
    let zone = *now.offset();
    let now = format_time(now.timestamp(), zone, "%Y-%m-%d %H:%M");
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(content_security_policy(&nonce));
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content=(concat!("eco2ai ", env!("CARGO_PKG_VERSION")));
                link rel="icon" href="data:,";
                title { (heading) ": " (subject) }
                style { (PreEscaped(include_str!("page.css"))) }
            }
            body {
                header {
                    h1 { (heading) }
                    @if let Some(period) = &options.period { p.period { (period) } }
                    (sources(&names))
                }
                main {
                    @if logs.total.rows == 0 { (empty(options)) } @else { (contents(logs, options, baseline)) }
                    (provenance::problems(logs))
                }
                footer {
                    p { "Created by eco2ai " (env!("CARGO_PKG_VERSION")) " on " (now) ". This page makes no network requests." }
                }
                script nonce=(nonce) { (PreEscaped(include_str!("page.js"))) }
            }
        }
    };
    page.into_string()
}

/// Names the logs.
fn sources(names: &[String]) -> Markup {
    const MAX_NAMES: usize = 10;
    html! {
        p.files {
            @for (at, name) in names.iter().take(MAX_NAMES).enumerate() {
                @if at > 0 { ", " }
                code { (name) }
            }
            @if names.len() > MAX_NAMES { " and " (counted((names.len() - MAX_NAMES) as u64, "more log")) }
        }
    }
}

fn empty(options: &ReportOptions) -> Markup {
    html! {
        section.empty {
            h2 { "No runs yet" }
            @if options.period.is_some() {
                p { "No run of the logs started in this period." }
            } @else {
                p { "The log contains no valid row. A tracked function, a tracker and " code { "eco2ai run" } " add one at the end of each run." }
            }
        }
    }
}

fn contents(logs: &Logs, options: &ReportOptions, baseline: Option<&Baseline>) -> Markup {
    let tree = CallTree::new(logs);
    let breakdown = Breakdown::new(logs);
    let order = logs.projects_by_energy();
    html! {
        (totals::totals(logs, &breakdown))
        (caution::caution(logs))
        @if let Some(baseline) = baseline { (comparison::comparison(logs, &tree, baseline)) }
        (totals::comparisons(logs, options))
        (elsewhere::elsewhere(logs, options))
        (over_time::over_time(logs, &order))
        (tables::projects(logs, &order))
        (tables::components(logs, &breakdown))
        (trainings::trainings(logs))
        (flame_graph(logs, &tree))
        (tables::functions(logs, &tree))
        (runs::runs(logs))
        (failures::failures(logs))
        (groups::groups(logs))
        (provenance::provenance(logs, &tree, &breakdown))
    }
}

fn flame_graph(logs: &Logs, tree: &CallTree) -> Markup {
    // A single bar shows nothing that the totals do not.
    if tree.paths.len() < 3 {
        return html! {};
    }
    let Some(graph) = flame::draw(tree, logs) else { return html! {} };
    html! {
        section aria-labelledby="flame" {
            h2 #flame { "Energy flame graph" }
            p.note {
                "Each bar is a function below its caller. Its width is its energy; the stronger its colour, the more of it is its own. Select a bar to zoom in, and the top bar to zoom out; the arrow keys move between bars."
                @if graph.left_out > 0 { " Too small to draw: " (counted(graph.left_out as u64, "call path")) "." }
            }
            (graph.markup)
        }
    }
}
