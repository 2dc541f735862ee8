//! The page: one HTML document that needs nothing but itself.

mod over_time;
mod provenance;
mod tables;
mod totals;

use std::path::Path;

use chrono::{Local, Offset as _};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use uuid::Uuid;

use super::flame;
use super::logs::Logs;
use super::parts::Parts;
use super::text::counted;
use super::timeline::format_time;
use super::tree::Tree;
use crate::failure::Result;

/// Nothing is loaded and no script but ours runs, whatever a log holds.
fn policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'unsafe-inline'; \
         img-src data:; base-uri 'none'; form-action 'none'"
    )
}

/// Writes the page about `logs`, which were read from `files`.
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
                meta http-equiv="Content-Security-Policy" content=(policy(&nonce));
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
                    p { "Made by eco2ai " (env!("CARGO_PKG_VERSION")) " on " (now) ". This page loads nothing." }
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
            p { "There is no row in the log that can be used. A tracked function, a tracker or " code { "eco2ai run" } " adds one at the end of each run." }
        }
    }
}

fn contents(logs: &Logs, nonce: &str) -> Result<Markup> {
    let tree = Tree::new(logs);
    let parts = Parts::new(logs);
    let order = logs.projects_by_energy();
    Ok(html! {
        (totals::totals(logs, &parts))
        (over_time::over_time(logs, &order)?)
        div.columns {
            (tables::projects(logs, &order))
            (tables::components(logs, &parts))
        }
        (flame_graph(logs, &tree, nonce)?)
        (tables::functions(logs, &tree))
        (provenance::provenance(logs, &tree, &parts))
    })
}

fn flame_graph(logs: &Logs, tree: &Tree, nonce: &str) -> Result<Markup> {
    // One bar says nothing.
    if tree.frames.len() < 3 {
        return Ok(html! {});
    }
    let Some(flame) = flame::draw(tree, logs, nonce)? else { return Ok(html! {}) };
    Ok(html! {
        section aria-labelledby="flame" {
            h2 #flame { "Energy flame graph" }
            p.note {
                "Each bar is a function under the one that called it, as wide as its energy. Select one to zoom in."
                @if flame.left_out > 0 { " " (counted(flame.left_out as u64, "call path")) " too small to see: part of their callers." }
            }
            iframe title="Energy flame graph; the table of functions has the figures" srcdoc=(flame.document) style={ "height:" (flame.height) "px" } {}
        }
    })
}
