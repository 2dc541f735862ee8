//! Columns of text, the first to the left, the others to the right.

use std::fmt;

/// A table with the same number of cells in each line.
pub(crate) struct Table<const COLUMNS: usize>(pub(crate) Vec<[String; COLUMNS]>);

impl<const COLUMNS: usize> Table<COLUMNS> {
    /// Its lines, without new lines.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        let mut widths = [0; COLUMNS];
        for line in &self.0 {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = (*width).max(cell.chars().count());
            }
        }
        self.0.iter().map(move |line| {
            let cells = line.iter().zip(widths).enumerate().map(|(at, (cell, width))| match at {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            });
            cells.collect::<Vec<_>>().join("  ")
        })
    }
}

impl<const COLUMNS: usize> fmt::Display for Table<COLUMNS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines().collect::<Vec<_>>().join("\n"))
    }
}
