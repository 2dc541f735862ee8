//! The flame graph: each call path as a bar below its caller, as wide as its energy.

use maud::{Markup, html};

use super::call_tree::{CallPath, CallTree, Label};
use super::format::{non_blank_or, percent};
use super::logs::Logs;
use super::scale::kwh;

/// The bars with the most energy are drawn.
const MAX_BARS: usize = 500;
/// A bar with a smaller share of the whole cannot be seen.
const MIN_SHARE: f64 = 1e-4;

/// A drawn flame graph.
pub(super) struct FlameGraph {
    pub(super) markup: Markup,
    /// How many call paths are too small to be drawn.
    pub(super) left_out: usize,
}

/// Draws the tree; returns `None` if it has no energy. To a screen reader it is a tree, whose items
/// the script connects with the keyboard.
pub(super) fn draw(tree: &CallTree, logs: &Logs) -> Option<FlameGraph> {
    let whole = tree.paths.first().map(|path| path.total).filter(|total| *total > 0.0)?;
    let mut totals: Vec<f64> = tree.paths.iter().map(|path| path.total).collect();
    totals.sort_by(|a, b| b.total_cmp(a));
    let limit = totals.get(MAX_BARS).copied().unwrap_or(0.0).max(whole * MIN_SHARE);

    let mut bars: Vec<_> = tree
        .paths
        .iter()
        .enumerate()
        .filter(|(at, path)| *at == 0 || path.total > limit)
        .map(|(at, path)| (path.depth, name(path.label, logs), at, path))
        .collect();
    // Callers before those that they call, which stand side by side in the order of their names.
    bars.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    let left_out = tree.paths.iter().filter(|path| path.total > 0.0).count() - bars.len();
    let rows = bars.last().map_or(0, |(depth, ..)| depth + 1);

    // Where the next bar below each bar begins, as a share of the whole.
    let mut next = vec![0.0; tree.paths.len()];
    let markup = html! {
        div #flame-graph role="tree" aria-labelledby="flame" style={ "--rows:" (rows) } {
            @for (depth, name, at, path) in &bars {
                @let share = path.total / whole;
                @let start = place(&mut next, *at, path.parent as usize, share);
                span role="treeitem" aria-level=(depth + 1) tabindex=[(*depth == 0).then_some("0")]
                    style=(format!("--x:{start:.5};--w:{share:.5};--y:{depth};--heat:{}%", heat(path))) {
                    (name) i { ": " (kwh(path.total)) ", " (percent(path.total, whole)) }
                }
            }
        }
        p #flame-text aria-hidden="true" { "\u{a0}" }
    };
    Some(FlameGraph { markup, left_out })
}

/// Takes the next place below `parent` for `bar`, and returns where it begins.
fn place(next: &mut [f64], bar: usize, parent: usize, share: f64) -> f64 {
    let Some(free) = next.get_mut(parent) else { return 0.0 };
    let start = *free;
    // The root is its own parent and alone in its row.
    if bar != parent {
        *free += share;
    }
    if let Some(below) = next.get_mut(bar) {
        *below = start;
    }
    start
}

fn name(label: Label, logs: &Logs) -> String {
    let name = match label {
        Label::All => "all".to_owned(),
        Label::Project(project) => logs.project_names.text(project).to_owned(),
        Label::Tracker(project) => format!("[{}]", logs.project_names.text(project)),
        Label::Function(function) => logs.function_names.text(function).to_owned(),
    };
    non_blank_or(&name, "(no name)").to_owned()
}

/// Returns the strength of a bar's colour in percent: the more of its energy is its own, the
/// stronger.
fn heat(path: &CallPath) -> u8 {
    let own = if path.total > 0.0 { (path.own / path.total).clamp(0.0, 1.0) } else { 0.0 };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 8 to 40")]
    let heat = (8.0 + 32.0 * own) as u8;
    heat
}
