//! The chart of energy over time, as SVG.
//!
//! It is drawn in the colours of the light scheme. The page's style sheet replaces them in the dark
//! scheme.

use plotters::coord::combinators::BindKeyPoints as _;
use plotters::prelude::{
    ChartBuilder, DrawingAreaErrorKind, IntoDrawingArea as _, RGBColor, Rectangle, SVGBackend,
    TextStyle,
};
use plotters::style::{Color as _, IntoFont as _};

use super::format::EnergyUnit;
use super::timeline::{Step, Timeline};

/// The colours of the series; the last one is for all others. `page.css` refers to them.
pub(super) const SERIES: [RGBColor; 6] = [
    RGBColor(0x1f, 0x6f, 0xc4),
    RGBColor(0x0d, 0x8a, 0x6a),
    RGBColor(0xc0, 0x6c, 0x10),
    RGBColor(0x7d, 0x4f, 0xc0),
    RGBColor(0xc0, 0x3f, 0x6f),
    RGBColor(0x75, 0x80, 0x8c),
];
const LINE_COLOUR: RGBColor = RGBColor(0xdd, 0xe3, 0xe1);
const TEXT_COLOUR: RGBColor = RGBColor(0x55, 0x61, 0x5c);

/// The size of a drawing.
#[derive(Clone, Copy)]
pub(super) struct ChartSize {
    width: u32,
    height: u32,
    ticks: usize,
}

/// For a desktop.
pub(super) const WIDE: ChartSize = ChartSize { width: 1040, height: 300, ticks: 9 };
/// For a phone.
pub(super) const NARROW: ChartSize = ChartSize { width: 360, height: 240, ticks: 5 };

/// Draws the bins of `timeline` as bars, with the series stacked.
pub(super) fn draw(
    timeline: &Timeline,
    unit: &EnergyUnit,
    size: ChartSize,
) -> Result<String, DrawingAreaErrorKind<std::io::Error>> {
    let (Some(first), Some(last)) = (timeline.edges.first(), timeline.edges.last()) else {
        return Ok(String::new());
    };
    let span = (*first, *last);
    let (first, last) = (milliseconds(*first), milliseconds(*last));
    let highest = timeline
        .bins
        .iter()
        .map(|bin| unit.convert(bin.iter().sum()))
        .fold(0.0, f64::max)
        .max(1e-9);
    if !highest.is_finite() {
        return Ok(String::new());
    }
    let ticks = Step::that_fits(span, size.ticks, timeline.zone);
    let ticks_at: Vec<i64> = ticks
        .edges(span, timeline.zone)
        .into_iter()
        .map(milliseconds)
        .filter(|edge| (first..=last).contains(edge))
        .collect();

    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (size.width, size.height)).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin_top(8)
            .margin_right(28)
            .x_label_area_size(26)
            .y_label_area_size(48)
            .build_cartesian_2d((first..last).with_key_points(ticks_at), 0.0..highest * 1.05)?;
        let words = TextStyle::from(("system-ui, sans-serif", 15).into_font()).color(&TEXT_COLOUR);
        chart
            .configure_mesh()
            .disable_x_mesh()
            .y_labels(5)
            .y_max_light_lines(0)
            .bold_line_style(LINE_COLOUR)
            .axis_style(LINE_COLOUR)
            .label_style(words)
            .x_label_formatter(&|edge| ticks.label(*edge / 1000, timeline.zone))
            .y_label_formatter(&|value| super::format::short_number(*value))
            .draw()?;
        // Leaves a gap between bars that are wide enough.
        let gap = if timeline.bins.len() * 8 < size.width as usize { 12 } else { i64::MAX };
        for (at, colour) in SERIES.iter().enumerate() {
            let times = timeline.edges.iter().zip(timeline.edges.iter().skip(1));
            let bars = timeline.bins.iter().zip(times).filter_map(|(bin, (from, to))| {
                let energy = unit.convert(*bin.get(at)?);
                let below = unit.convert(bin.iter().take(at).sum());
                let (from, to) = (milliseconds(*from), milliseconds(*to));
                let gap = (to - from) / gap;
                (energy > highest * 1e-6).then(|| {
                    Rectangle::new(
                        [(from + gap, below), (to - gap, below + energy)],
                        colour.filled(),
                    )
                })
            });
            chart.draw_series(bars)?;
        }
        root.present()?;
    }
    Ok(svg)
}

/// Converts to the unit of the axis, in which a gap can be less than a second.
fn milliseconds(seconds: i64) -> i64 {
    seconds.saturating_mul(1000)
}
