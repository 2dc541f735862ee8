//! The energy flame graph of nested tracked functions.

use std::fmt::Write as _;

use eco2ai::units::KilowattHours;
use inferno::flamegraph::color::BasicPalette;
use inferno::flamegraph::{self, Direction, Options, Palette, TextTruncateDirection};

use super::logs::Logs;
use super::text::EnergyUnit;
use super::tree::{Label, Tree};
use crate::failure::{Failure, Result};

/// So many frames are drawn, the largest; the rest is part of the frames that hold it.
const MOST_FRAMES: usize = 1500;
/// The whole in the unit in which the drawing counts.
const RESOLUTION: f64 = 1e12;

/// A drawn flame graph.
pub(super) struct Flame {
    /// A document of its own.
    pub(super) document: String,
    /// In pixels.
    pub(super) height: u32,
    /// Frames that were too small to be drawn.
    pub(super) left_out: usize,
}

/// Draws the tree; `None` where it has no energy. Its scripts say `nonce`.
pub(super) fn draw(tree: &Tree, logs: &Logs, nonce: &str) -> Result<Option<Flame>> {
    let whole = tree.frames.first().map_or(0.0, |frame| frame.total);
    if whole <= 0.0 {
        return Ok(None);
    }
    let mut totals: Vec<f64> = tree.frames.iter().map(|frame| frame.total).collect();
    totals.sort_by(|a, b| b.total_cmp(a));
    let least = totals.get(MOST_FRAMES).copied().unwrap_or(0.0).max(whole * 1e-4);

    // What is too small is left to its parent.
    let mut own: Vec<f64> = tree.frames.iter().map(|frame| frame.own).collect();
    let mut left_out = 0;
    for (at, frame) in tree.frames.iter().enumerate().skip(1).rev() {
        if frame.total <= least {
            own[frame.parent as usize] += own[at];
            own[at] = 0.0;
            left_out += usize::from(frame.total > 0.0);
        }
    }
    let mut lines = Vec::new();
    let mut path = Vec::new();
    for (at, own) in own.into_iter().enumerate() {
        if own <= 0.0 {
            continue;
        }
        path.clear();
        let mut frame = at;
        while frame != 0 {
            path.push(frame_name(tree.frames[frame].label, logs));
            frame = tree.frames[frame].parent as usize;
        }
        if path.is_empty() {
            // The whole has no line of its own.
            path.push("(too\u{a0}small\u{a0}to\u{a0}draw)".to_owned());
        }
        path.reverse();
        let mut line = path.join(";");
        // Writing to a `String` cannot fail.
        let _ = write!(line, " {:.0}", own / whole * RESOLUTION);
        lines.push(line);
    }

    // Shown in whole numbers: the largest unit that leaves four digits at least.
    let unit = EnergyUnit::of_size(whole / 10_000.0);
    let mut options = Options::default();
    options.title = String::new();
    unit.name.clone_into(&mut options.count_name);
    options.name_type = String::new();
    options.factor = unit.of(whole) / RESOLUTION;
    options.direction = Direction::Inverted;
    options.colors = Palette::Basic(BasicPalette::Aqua);
    options.deterministic = true;
    options.frame_height = 22;
    options.font_size = 13;
    options.min_width = 0.01;
    options.text_truncate_direction = TextTruncateDirection::Right;
    options.search_color =
        "#8fd3ff".parse().map_err(|_| Failure::new("the flame graph has no such colour"))?;
    let mut svg = Vec::new();
    flamegraph::from_lines(&mut options, lines.iter().map(String::as_str), &mut svg)
        .map_err(|error| Failure::new(format!("the flame graph cannot be drawn: {error}")))?;
    let svg = String::from_utf8_lossy(&svg);
    // The declarations before it are for a file of its own.
    let svg = svg.find("<svg").map_or("", |start| &svg[start..]);
    let height = svg
        .split_once("height=\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .and_then(|(height, _)| height.parse().ok())
        .unwrap_or(400);
    let script = format!("<script nonce=\"{nonce}\"");
    // Started by our script.
    let svg = svg.replacen(" onload=\"init(evt)\"", "", 1).replacen("<script", &script, 1);
    let document = format!(
        "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>Energy flame graph, {}</title>\
         <style>{}</style><body>{svg}{script}>{}</script>",
        KilowattHours(whole),
        include_str!("flame.css"),
        include_str!("flame.js"),
    );
    Ok(Some(Flame { document, height, left_out }))
}

/// A label as the drawing's input takes it: no semicolon, no space, no new line.
fn frame_name(label: Label, logs: &Logs) -> String {
    let name = match label {
        Label::All => String::new(),
        Label::Project(project) => logs.project_names.text(project).to_owned(),
        Label::Tracker(project) => format!("[{}]", logs.project_names.text(project)),
        Label::Function(function) => logs.function_names.text(function).to_owned(),
    };
    let clean = |letter: char| match letter {
        ';' => ',',
        letter if letter.is_whitespace() || letter.is_control() => '\u{a0}',
        letter => letter,
    };
    if name.is_empty() {
        "(no name)".replace(' ', "\u{a0}")
    } else {
        name.chars().map(clean).collect()
    }
}
