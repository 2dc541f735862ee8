//! The chart of energy over time, as SVG.
//!
//! Its colours are those of the light scheme; the page's style sheet replaces them by what fits
//! the reader's.

use plotters::coord::combinators::BindKeyPoints as _;
use plotters::prelude::{
    ChartBuilder, DrawingAreaErrorKind, IntoDrawingArea as _, RGBColor, Rectangle, SVGBackend,
    TextStyle,
};
use plotters::style::{Color as _, IntoFont as _};

use super::text::EnergyUnit;
use super::timeline::{Step, Timeline};

/// One for each series; the last is what remains. `page.css` knows them.
pub(super) const SERIES: [RGBColor; 6] = [
    RGBColor(0x1f, 0x6f, 0xc4),
    RGBColor(0x0d, 0x8a, 0x6a),
    RGBColor(0xc0, 0x6c, 0x10),
    RGBColor(0x7d, 0x4f, 0xc0),
    RGBColor(0xc0, 0x3f, 0x6f),
    RGBColor(0x75, 0x80, 0x8c),
];
const LINES: RGBColor = RGBColor(0xdd, 0xe3, 0xe1);
const WORDS: RGBColor = RGBColor(0x55, 0x61, 0x5c);

/// A size in which the chart is drawn.
#[derive(Clone, Copy)]
pub(super) struct Size {
    width: u32,
    height: u32,
    ticks: usize,
}

/// For a desk.
pub(super) const WIDE: Size = Size { width: 1040, height: 300, ticks: 9 };
/// For a hand.
pub(super) const NARROW: Size = Size { width: 360, height: 240, ticks: 5 };

/// Draws bars of `timeline`, its series one above the other.
pub(super) fn draw(
    timeline: &Timeline,
    unit: &EnergyUnit,
    size: Size,
) -> Result<String, DrawingAreaErrorKind<std::io::Error>> {
    let (Some(first), Some(last)) = (timeline.edges.first(), timeline.edges.last()) else {
        return Ok(String::new());
    };
    let span = (*first, *last);
    let (first, last) = (milliseconds(*first), milliseconds(*last));
    let highest =
        timeline.bins.iter().map(|bin| unit.of(bin.iter().sum())).fold(0.0, f64::max).max(1e-9);
    if !highest.is_finite() {
        return Ok(String::new());
    }
    let ticks = Step::of(span, size.ticks, timeline.zone);
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
        let words = TextStyle::from(("system-ui, sans-serif", 15).into_font()).color(&WORDS);
        chart
            .configure_mesh()
            .disable_x_mesh()
            .y_labels(5)
            .y_max_light_lines(0)
            .bold_line_style(LINES)
            .axis_style(LINES)
            .label_style(words)
            .x_label_formatter(&|edge| ticks.label(*edge / 1000, timeline.zone))
            .y_label_formatter(&|value| super::text::plain(*value))
            .draw()?;
        // A gap between bars, where they are wide enough.
        let gap = if timeline.bins.len() * 8 < size.width as usize { 12 } else { i64::MAX };
        for (at, colour) in SERIES.iter().enumerate() {
            let bars =
                timeline.bins.iter().zip(timeline.edges.windows(2)).filter_map(|(bin, edges)| {
                    let energy = unit.of(*bin.get(at)?);
                    let below = unit.of(bin.iter().take(at).sum());
                    let (from, to) = (milliseconds(edges[0]), milliseconds(edges[1]));
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

/// The axis counts in them, so that a gap can be less than a second.
fn milliseconds(seconds: i64) -> i64 {
    seconds.saturating_mul(1000)
}
