//! The flame graph: each call path as a bar below its caller, as wide as its energy.

use maud::{Markup, PreEscaped, html};

use super::call_tree::{CallTree, Label};
use super::format::{kwh, percent};
use super::logs::Logs;

/// The bars with the most energy are drawn.
const MAX_BARS: usize = 1500;
/// A bar with a smaller share of the whole cannot be seen.
const MIN_SHARE: f64 = 1e-4;

/// A drawn flame graph.
pub(super) struct FlameGraph {
    pub(super) markup: Markup,
    /// How many call paths are too small to be drawn.
    pub(super) left_out: usize,
}

/// Draws the tree; returns `None` if it has no energy. `nonce` permits the script to run.
pub(super) fn draw(tree: &CallTree, logs: &Logs, nonce: &str) -> Option<FlameGraph> {
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
        div #flame-graph role="img" aria-label="Energy flame graph. The table of functions has the same values." style={ "--rows:" (rows) } {
            @for (depth, name, at, path) in &bars {
                @let share = path.total / whole;
                @let start = place(&mut next, *at, path.parent as usize, share);
                span title={ (name) ": " (kwh(path.total)) ", " (percent(path.total, whole)) }
                    style=(format!("--x:{start:.6};--w:{share:.6};--y:{depth};--hue:{}", hue(name))) { (name) }
            }
        }
        script nonce=(nonce) { (PreEscaped(include_str!("flame.js"))) }
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
    if name.trim().is_empty() { "(no name)".to_owned() } else { name }
}

/// The colour of a name, the same in each report: a hue from green to blue.
fn hue(name: &str) -> u32 {
    150 + name.bytes().fold(0, |sum: u32, byte| sum.wrapping_mul(31) + u32::from(byte)) % 70
}
