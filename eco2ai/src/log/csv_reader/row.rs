//! A row of a CSV file, and its cells.

use std::borrow::Cow;

/// One cell of a row: its bytes without the quotes around it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    pub(super) from: usize,
    pub(super) to: usize,
    /// It holds doubled quotes.
    pub(super) doubled: bool,
}

/// One row.
#[derive(Debug)]
pub(crate) struct CsvRow<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) cells: &'a [Cell],
    /// Number of its first line, from 1.
    pub(crate) line: u64,
    /// Why it cannot be used, where it cannot.
    pub(crate) malformed: Option<&'static str>,
}

impl<'a> CsvRow<'a> {
    /// The number of its cells.
    pub(crate) fn len(&self) -> usize {
        self.cells.len()
    }

    /// A cell with its doubled quotes still doubled: enough for numbers, and to compare.
    pub(crate) fn raw(&self, place: usize) -> Option<&'a [u8]> {
        let cell = self.cells.get(place)?;
        self.bytes.get(cell.from..cell.to)
    }

    /// A cell as it was meant.
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

    /// All cells as they were meant.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Cow<'a, [u8]>> {
        (0..self.len()).filter_map(|place| self.cell(place))
    }
}
