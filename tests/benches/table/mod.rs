//! Figures beside each other: measured in turns, printed as a table.

use std::time::Instant;

/// Medians of a figure and of what stands beside it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    pub(crate) figure: f64,
    pub(crate) beside: f64,
}

impl Pair {
    pub(crate) fn ratio(&self) -> f64 {
        self.figure / self.beside
    }
}

/// How far a figure is to come.
#[derive(Clone, Copy)]
pub(crate) enum Reach {
    None,
    /// The figure itself, and its ratio.
    AtMost {
        figure: f64,
        ratio: Option<f64>,
    },
    /// The ratio alone.
    Ratio {
        most: f64,
    },
    /// What the figure has more than what stands beside it.
    Added {
        most: f64,
    },
}

/// Takes both figures this many times, in turns, so that a busy machine troubles both alike.
pub(crate) fn in_turns(
    times: usize,
    mut figure: impl FnMut() -> f64,
    mut beside: impl FnMut() -> f64,
) -> Pair {
    let [pair] = all_in_turns(times, || [figure()], || [beside()]);
    pair
}

/// The same for several figures that are taken at once.
pub(crate) fn all_in_turns<const N: usize>(
    times: usize,
    mut figures: impl FnMut() -> [f64; N],
    mut besides: impl FnMut() -> [f64; N],
) -> [Pair; N] {
    // Opens files and fills caches.
    figures();
    besides();
    let taken: Vec<_> = (0..times).map(|_| (figures(), besides())).collect();
    std::array::from_fn(|which| Pair {
        figure: median(taken.iter().map(|(figures, _)| figures[which]).collect()),
        beside: median(taken.iter().map(|(_, besides)| besides[which]).collect()),
    })
}

/// Takes these figures this many times; returns the median of each.
pub(crate) fn medians<const N: usize>(
    times: usize,
    mut figures: impl FnMut() -> [f64; N],
) -> [f64; N] {
    let taken: Vec<_> = (0..times).map(|_| figures()).collect();
    std::array::from_fn(|which| median(taken.iter().map(|figures| figures[which]).collect()))
}

/// Seconds of one of these calls.
pub(crate) fn time(calls: u32, work: &mut dyn FnMut()) -> f64 {
    let begun = Instant::now();
    for _ in 0..calls {
        work();
    }
    begun.elapsed().as_secs_f64() / f64::from(calls)
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// A time in the unit that fits.
pub(crate) fn seconds(seconds: f64) -> String {
    let ns = seconds * 1e9;
    let (value, unit) = match ns {
        ..1e3 => (ns, "ns"),
        ..1e6 => (ns / 1e3, "us"),
        ..1e9 => (ns / 1e6, "ms"),
        _ => (seconds, "s"),
    };
    format!("{} {unit}", three_figures(value))
}

/// Memory in MiB.
pub(crate) fn bytes(bytes: f64) -> String {
    format!("{} MiB", three_figures(bytes / f64::from(1 << 20)))
}

/// A part of the whole.
pub(crate) fn percent(part: f64) -> String {
    format!("{:.4} %", part * 100.0)
}

fn three_figures(value: f64) -> String {
    let digits = if value < 10.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.digits$}")
}

/// The rows so far, as text.
pub(crate) struct Table {
    rows: Vec<[String; 6]>,
    /// Rough figures are not held against what is to be reached.
    is_rough: bool,
}

const HEAD: [&str; 6] = ["what", "figure", "beside it", "", "ratio", "reach"];

impl Table {
    pub(crate) fn new(is_rough: bool) -> Self {
        Self { rows: Vec::new(), is_rough }
    }

    pub(crate) fn add(
        &mut self,
        what: &str,
        unit: fn(f64) -> String,
        pair: &Pair,
        beside: &str,
        reach: Reach,
    ) {
        let Pair { figure, beside: reference } = *pair;
        let ratio = pair.ratio();
        let mark = |is_reached: bool| match (self.is_rough, is_reached) {
            (true, _) => "not judged",
            (false, true) => "reached",
            (false, false) => "NOT REACHED",
        };
        let mut shown = unit(figure);
        let mut times = format!("{ratio:.2}");
        let reach = match reach {
            Reach::None => String::new(),
            Reach::AtMost { figure: most, ratio: None } => {
                format!("{}: {}", unit(most), mark(figure <= most))
            }
            Reach::AtMost { figure: most, ratio: Some(times) } => {
                let is_reached = figure <= most && ratio <= times;
                format!("{}, {times} times: {}", unit(most), mark(is_reached))
            }
            Reach::Ratio { most } => format!("{most} times: {}", mark(ratio <= most)),
            Reach::Added { most } => {
                let added = figure - reference;
                shown = format!("{} more", unit(added));
                times = String::new();
                format!("{}: {}", unit(most), mark(added <= most))
            }
        };
        let row = [what.into(), shown, beside.into(), unit(reference), times, reach];
        eprintln!("{}", row.join("  "));
        self.rows.push(row);
    }

    pub(crate) fn print(&self, markdown: bool) {
        let head = HEAD.map(str::to_owned);
        let rows = || std::iter::once(&head).chain(&self.rows);
        if markdown {
            for (index, row) in rows().enumerate() {
                println!("| {} |", row.join(" | "));
                if index == 0 {
                    println!("|---|---|---|---|---|---|");
                }
            }
            return;
        }
        let width = |column: usize| rows().map(|row| row[column].chars().count()).max();
        let widths: Vec<usize> = (0..HEAD.len()).map(|column| width(column).unwrap_or(0)).collect();
        println!();
        for row in rows() {
            let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
            println!("{}", cells.collect::<Vec<_>>().join("  ").trim_end());
        }
    }
}
