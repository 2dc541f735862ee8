//! A row of a CSV file, and its cells.

use std::borrow::Cow;

/// One cell of a row: its bytes without the quotes around it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    pub(super) from: usize,
    pub(super) to: usize,
    /// Whether it contains doubled quotes.
    pub(super) doubled: bool,
}

/// One row.
#[derive(Debug)]
pub(crate) struct CsvRow<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) cells: &'a [Cell],
    /// The number of its first line, from 1.
    pub(crate) line: u64,
    /// Why the row cannot be used, if so.
    pub(crate) malformed: Option<&'static str>,
}

impl<'a> CsvRow<'a> {
    /// Returns the number of cells.
    pub(crate) fn len(&self) -> usize {
        self.cells.len()
    }

    /// Returns a cell as in the file, with doubled quotes. Sufficient for numbers and comparisons.
    pub(crate) fn raw(&self, place: usize) -> Option<&'a [u8]> {
        let cell = self.cells.get(place)?;
        self.bytes.get(cell.from..cell.to)
    }

    /// Returns a cell with each doubled quote replaced by one.
    pub(crate) fn cell(&self, place: usize) -> Option<Cow<'a, [u8]>> {
        let raw = self.raw(place)?;
        if !self.cells.get(place)?.doubled {
            return Some(Cow::Borrowed(raw));
        }
        let mut text = Vec::with_capacity(raw.len());
        let mut bytes = raw.iter();
        while let Some(byte) = bytes.next() {
            text.push(*byte);
            if *byte == b'"' {
                bytes.next();
            }
        }
        Some(Cow::Owned(text))
    }

    /// Iterates over the cells, as returned by [`cell`](Self::cell).
    pub(crate) fn iter(&self) -> impl Iterator<Item = Cow<'a, [u8]>> {
        (0..self.len()).filter_map(|place| self.cell(place))
    }
}
