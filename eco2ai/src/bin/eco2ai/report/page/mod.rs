//! The page: one self-contained HTML document.

mod groups;
mod over_time;
mod provenance;
mod tables;
mod totals;

use std::path::Path;

use chrono::{Local, Offset as _};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use uuid::Uuid;

use super::breakdown::Breakdown;
use super::call_tree::CallTree;
use super::flame;
use super::format::counted;
use super::logs::Logs;
use super::timeline::format_time;
use crate::failure::Result;

/// Allows no request and no script but our own, whatever a log contains.
fn content_security_policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'unsafe-inline'; \
         img-src data:; base-uri 'none'; form-action 'none'"
    )
}

/// Returns the page about `logs`, which were read from `files`.
pub(super) fn page(files: &[impl AsRef<Path>], logs: &Logs) -> Result<String> {
    let names: Vec<_> = files.iter().map(|file| file.as_ref().display().to_string()).collect();
    let title = match names.as_slice() {
        [name] => format!("Energy report: {name}"),
        names => format!("Energy report: {} logs", names.len()),
    };
    let nonce = Uuid::new_v4().to_string();
    let body = if logs.total.rows == 0 { empty() } else { contents(logs, &nonce)? };

    let zone = Local::now().offset().fix();
    let now = format_time(Local::now().timestamp(), zone, "%Y-%m-%d %H:%M");
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
                title { (title) }
                style { (PreEscaped(include_str!("page.css"))) }
            }
            body {
                header {
                    h1 { "Energy report" }
                    p.files {
                        @for (at, name) in names.iter().take(10).enumerate() {
                            @if at > 0 { ", " }
                            code { (name) }
                        }
                        @if names.len() > 10 { " and " (counted(names.len() as u64 - 10, "more log")) }
                    }
                }
                main {
                    (body)
                    (provenance::problems(logs))
                }
                footer {
                    p { "Created by eco2ai " (env!("CARGO_PKG_VERSION")) " on " (now) ". This page makes no network requests." }
                }
            }
        }
    };
    Ok(page.into_string())
}

fn empty() -> Markup {
    html! {
        section.empty {
            h2 { "No runs yet" }
            p { "The log contains no valid row. A tracked function, a tracker and " code { "eco2ai run" } " add one at the end of each run." }
        }
    }
}

fn contents(logs: &Logs, nonce: &str) -> Result<Markup> {
    let tree = CallTree::new(logs);
    let breakdown = Breakdown::new(logs);
    let order = logs.projects_by_energy();
    Ok(html! {
        (totals::totals(logs, &breakdown))
        (over_time::over_time(logs, &order)?)
        div.columns {
            (tables::projects(logs, &order))
            (tables::components(logs, &breakdown))
        }
        (flame_graph(logs, &tree, nonce))
        (tables::functions(logs, &tree))
        (groups::groups(logs))
        (provenance::provenance(logs, &tree, &breakdown))
    })
}

fn flame_graph(logs: &Logs, tree: &CallTree, nonce: &str) -> Markup {
    // A single bar shows nothing that the totals do not.
    if tree.paths.len() < 3 {
        return html! {};
    }
    let Some(graph) = flame::draw(tree, logs, nonce) else { return html! {} };
    html! {
        section aria-labelledby="flame" {
            h2 #flame { "Energy flame graph" }
            p.note {
                "Each bar is a function below its caller; its width is its energy. Click a bar to zoom in, and the top bar to zoom out."
                @if graph.left_out > 0 { " Too small to draw: " (counted(graph.left_out as u64, "call path")) "." }
            }
            div.tall { (graph.markup) }
        }
    }
}
