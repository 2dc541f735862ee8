//! The epochs of trainings: each metric against the energy.

use eco2ai::units::{Count, KilowattHours};
use maud::{Markup, html};

use super::totals_table::heading;
use crate::report::chart::{self, Point};
use crate::report::epochs::{MAX_METRICS, TrainingEpoch, TrainingEpochs};
use crate::report::format::{counted, non_blank_or, percent, short_number};
use crate::report::index::NONE;
use crate::report::logs::Logs;
use crate::report::scale::{EnergyUnit, Scale, unit_up_to};
use crate::report::timeline::format_time;

/// The trainings with the most energy are shown.
const MAX_TRAININGS: usize = 3;
/// The charts for one training.
const MAX_CHARTS: usize = 2;
/// The points of a chart, and the rows of a table; of more epochs, some are left out.
const MAX_POINTS: usize = 40;
const MAX_ROWS: usize = 20;

/// Returns the section on trainings, if there are any.
pub(super) fn trainings(logs: &Logs) -> Markup {
    let (shown, all) = logs.epochs.largest(&logs.runs, MAX_TRAININGS);
    if shown.is_empty() {
        return html! {};
    }
    html! {
        section aria-labelledby="trainings" {
            h2 #trainings { "Trainings" }
            p.note {
                "Each metric against the energy from the first epoch on, with the runs under the training."
                @if all > shown.len() as u64 { " The " (shown.len()) " largest of " (counted(all, "training")) "." }
            }
            @for training in &shown { (one(logs, training)) }
        }
    }
}

fn one(logs: &Logs, training: &TrainingEpochs<'_>) -> Markup {
    let Some(run) = logs.runs.get(training.run as usize) else { return html! {} };
    let project = non_blank_or(logs.project_names.text(run.project), "(no name)");
    let function = if run.function == NONE { "" } else { logs.function_names.text(run.function) };
    let start = run.start.map(|start| format_time(start, logs.zone(), "%-d %b %Y, %H:%M"));
    let whole = training.epochs.last().map_or(0.0, |last| last.cumulated);
    let scale = unit_up_to::<KilowattHours>(whole);
    html! {
        article.training {
            h3 {
                (project) @if !function.is_empty() { " · " code { (function) } }
                @if let Some(start) = start { " · " (start) }
            }
            p {
                (counted(training.epochs.len() as u64, "epoch")) ", " (scale.with_unit(whole)) "."
                @for (metric, name) in training.metrics.iter().enumerate().take(MAX_METRICS) {
                    @if let Some((word, best)) = best(training, metric, name) {
                        " " (word) " " (name) " " strong { (short_number(metric_of(best, metric))) }
                        " in epoch " (Count(best.number.into())) ", after " (percent(best.cumulated, whole)) " of the energy."
                    }
                }
            }
            div.charts {
                @for (metric, name) in training.metrics.iter().enumerate().take(MAX_CHARTS) {
                    figure {
                        figcaption { (name) }
                        div.chart.small-chart role="img" aria-label={ "Line chart of " (name) " against energy. The table below has the same values." } {
                            (chart::line(&points(training, metric, name, &scale), scale.symbol()))
                        }
                    }
                }
            }
            (table(training, &scale))
        }
    }
}

fn points(
    training: &TrainingEpochs<'_>,
    metric: usize,
    name: &str,
    scale: &EnergyUnit,
) -> Vec<Point> {
    some(&training.epochs, MAX_POINTS)
        .filter(|epoch| metric_of(epoch, metric).is_finite())
        .map(|epoch| Point {
            x: scale.scaled(epoch.cumulated),
            y: metric_of(epoch, metric),
            text: format!(
                "Epoch {}: {}, {name} {}",
                epoch.number,
                scale.with_unit(epoch.cumulated),
                short_number(metric_of(epoch, metric))
            ),
        })
        .collect()
}

fn table(training: &TrainingEpochs<'_>, whole: &EnergyUnit) -> Markup {
    let each = unit_up_to::<KilowattHours>(
        training.epochs.iter().map(|one| one.energy).fold(0.0, f64::max),
    );
    let left_out = training.epochs.len().saturating_sub(MAX_ROWS);
    html! {
        details {
            summary { "Show as table" }
            div.scroll tabindex="0" role="group" aria-label="Epochs" {
                table {
                    thead { tr {
                        th scope="col" { "Epoch" }
                        (heading("Energy", each.symbol()))
                        (heading("So far", whole.symbol()))
                        @for name in &training.metrics { th.n scope="col" { (name) } }
                    } }
                    tbody {
                        @for epoch in some(&training.epochs, MAX_ROWS) {
                            tr {
                                th scope="row" { (Count(epoch.number.into())) }
                                td.n { (each.number(epoch.energy)) }
                                td.n { (whole.number(epoch.cumulated)) }
                                @for metric in 0..training.metrics.len() {
                                    @let value = metric_of(epoch, metric);
                                    td.n { @if value.is_finite() { (short_number(value)) } @else { "–" } }
                                }
                            }
                        }
                    }
                }
            }
            @if left_out > 0 { p.note { (counted(left_out as u64, "epoch")) " between these left out." } }
        }
    }
}

/// Iterates over at most `max` of the epochs, evenly, with the first and the last.
fn some(epochs: &[TrainingEpoch], max: usize) -> impl Iterator<Item = &TrainingEpoch> {
    let count = epochs.len().min(max);
    (0..count).filter_map(move |at| epochs.get(at * (epochs.len() - 1) / (count - 1).max(1)))
}

fn metric_of(epoch: &TrainingEpoch, metric: usize) -> f64 {
    epoch.metrics.get(metric).copied().unwrap_or(f64::NAN)
}

/// Returns the epoch with the best value of a metric, and what is best: the lowest of a loss or an
/// error, else the highest.
fn best<'a>(
    training: &'a TrainingEpochs<'_>,
    metric: usize,
    name: &str,
) -> Option<(&'static str, &'a TrainingEpoch)> {
    const LOWER_IS_BETTER: [&str; 8] =
        ["loss", "err", "perplexity", "ppl", "mse", "mae", "wer", "nll"];
    let name = name.to_lowercase();
    let is_lower = LOWER_IS_BETTER.iter().any(|known| name.contains(known));
    let known = training.epochs.iter().filter(|epoch| metric_of(epoch, metric).is_finite());
    let by = |a: &&TrainingEpoch, b: &&TrainingEpoch| {
        metric_of(a, metric).total_cmp(&metric_of(b, metric))
    };
    if is_lower {
        Some(("Lowest", known.min_by(by)?))
    } else {
        // The first of several.
        Some(("Highest", known.rev().max_by(by)?))
    }
}
