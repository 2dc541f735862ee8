//! Charts: SVG that stretches to any width, with axes of text that does not.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::axis::Axis;
use super::format::short_number;
use super::scale::{EnergyUnit, Scale};
use super::timeline::{Step, Timeline};

/// The number of colours; the last one is for all other series. `page.css` names them.
pub(super) const SERIES: usize = 6;
/// The width and height of the drawing, which is stretched.
const SIZE: f64 = 1000.0;

/// A label of an axis, and its place from 0 to 1.
type Label = (f64, String);

/// Draws the bins of `timeline` as bars, with the series stacked; `names` are theirs.
pub(super) fn bars(timeline: &Timeline, scale: &EnergyUnit, names: &[&str]) -> Markup {
    let (Some(first), Some(last)) = (timeline.edges.first(), timeline.edges.last()) else {
        return html! {};
    };
    let highest = timeline.bins.iter().map(|bin| bin.iter().sum::<f64>()).fold(0.0, f64::max);
    let axis = Axis::new(0.0, scale.scaled(highest).max(1e-9), false);
    let across = |moment: i64| (moment - first) as f64 / (last - first) as f64;
    // Leaves a gap between bars that are wide enough.
    let gap = if timeline.bins.len() <= 80 { 0.08 } else { 0.0 };
    let times = timeline.edges.iter().zip(timeline.edges.iter().skip(1));
    let groups = timeline.bins.iter().zip(times).map(|(bin, (from, to))| {
        let (left, right) = (across(*from) * SIZE, across(*to) * SIZE);
        let width = right - left;
        let mut below = 0.0;
        html! {
            g {
                title { (tip(timeline, *from, bin, scale, names)) }
                path d=(rectangle(left, 0.0, width, SIZE)) {}
                @for (series, energy) in bin.iter().enumerate() {
                    @let top = below + energy;
                    @let [high, low] = [top, below].map(|kwh| SIZE * (1.0 - axis.place(scale.scaled(kwh))));
                    @if *energy > highest * 1e-4 {
                        path class={ "s" (series) } d=(rectangle(left + width * gap, high, width * (1.0 - 2.0 * gap), low - high)) {}
                    }
                    @let () = below = top;
                }
            }
        }
    });
    let ticks = ticks(timeline, (*first, *last));
    let y: Vec<Label> =
        axis.ticks.iter().map(|tick| (axis.place(*tick), short_number(*tick))).collect();
    frame(&y, &ticks, &html! { @for group in groups { (group) } })
}

/// Returns the labels of times.
fn ticks(timeline: &Timeline, span: (i64, i64)) -> Vec<Label> {
    const MAX_TICKS: usize = 8;
    let step = Step::that_fits(span, MAX_TICKS, timeline.zone);
    step.edges(span, timeline.zone)
        .into_iter()
        .map(|edge| {
            let place = (edge - span.0) as f64 / (span.1 - span.0) as f64;
            (place, step.label(edge, timeline.zone))
        })
        // A label at the very end would be cut.
        .filter(|(place, _)| (0.0..=0.97).contains(place))
        .collect()
}

/// Returns the text of a bin: its time, and its energy by series.
fn tip(timeline: &Timeline, from: i64, bin: &[f64], scale: &EnergyUnit, names: &[&str]) -> String {
    let mut text = timeline.step.full_label(from, timeline.zone);
    let total = scale.with_unit(bin.iter().sum());
    // Writing to a `String` cannot fail.
    let _ = write!(text, ": {total}");
    if names.len() > 1 {
        for (name, energy) in names.iter().zip(bin).filter(|(_, energy)| **energy > 0.0) {
            let _ = write!(text, "\n{name}: {}", scale.with_unit(*energy));
        }
    }
    text
}

/// A point of a line: its value on both axes, and its text.
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) text: String,
}

/// Draws a line through points in the order of their `x`.
pub(super) fn line(points: &[Point], x_unit: &str) -> Markup {
    let (low, high) = points
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), one| (a.min(one.y), b.max(one.y)));
    let y_axis = Axis::new(low, high, true);
    let x_axis = Axis::new(0.0, points.last().map_or(1.0, |one| one.x), false);
    let (mut line, mut dots) = (String::new(), String::new());
    for (at, point) in points.iter().enumerate() {
        let (x, y) = (x_axis.place(point.x) * SIZE, (1.0 - y_axis.place(point.y)) * SIZE);
        let _ = write!(line, "{}{x:.0} {y:.0}", if at == 0 { 'M' } else { 'L' });
        // A line without length, with round ends, is a dot that is not stretched.
        let _ = write!(dots, "M{x:.0} {y:.0}h0");
    }
    let mut left = 0.0;
    let next = points.iter().skip(1).map(Some).chain([None]);
    let y: Vec<Label> =
        y_axis.ticks.iter().map(|tick| (y_axis.place(*tick), short_number(*tick))).collect();
    let x: Vec<Label> = x_axis
        .ticks
        .iter()
        .map(|tick| (x_axis.place(*tick), format!("{}\u{a0}{x_unit}", short_number(*tick))))
        .collect();
    let drawing = html! {
        path.line d=(line) {}
        path.dots d=(dots) {}
        @for (point, next) in points.iter().zip(next) {
            @let x = x_axis.place(point.x) * SIZE;
            // To the middle between this point and the next one.
            @let right = next.map_or(SIZE, |next| f64::midpoint(x, x_axis.place(next.x) * SIZE));
            g { title { (point.text) } path d=(rectangle(left, 0.0, right - left, SIZE)) {} }
            @let () = left = right;
        }
    };
    frame(&y, &x, &drawing)
}

fn rectangle(x: f64, y: f64, width: f64, height: f64) -> String {
    format!("M{x:.1} {y:.0}h{width:.1}v{height:.0}h-{width:.1}z")
}

/// Puts the axes around a drawing.
fn frame(y: &[Label], x: &[Label], drawing: &Markup) -> Markup {
    html! {
        div.plot {
            @for (place, label) in y { span.y style=(format!("--y:{place:.4}")) { (label) } }
            svg viewBox="0 0 1000 1000" preserveAspectRatio="none" { (drawing) }
            @for (place, label) in x { span.x style=(format!("--x:{place:.4}")) { (label) } }
        }
    }
}
