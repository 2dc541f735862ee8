//! A row of a CSV file, and its cells.

use std::borrow::Cow;

/// One row.
#[derive(Debug)]
pub(crate) struct CsvRow<'a> {
    /// Begins with the row.
    pub(super) bytes: &'a [u8],
    /// Where each cell ends in `bytes`, with the quotes around it. The next one begins a byte later. Of
    /// a malformed row, only those before what is wrong are known.
    pub(super) ends: &'a [usize],
    /// The number of its first line, from 1.
    pub(crate) line: u64,
    /// Why the row cannot be used, if so.
    pub(crate) malformed: Option<&'static str>,
}

impl<'a> CsvRow<'a> {
    /// Returns the number of cells.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns a cell with the quotes around it.
    #[inline]
    fn quoted(&self, place: usize) -> Option<&'a [u8]> {
        let from = match place.checked_sub(1) {
            Some(before) => self.ends.get(before)? + 1,
            None => 0,
        };
        self.bytes.get(from..*self.ends.get(place)?)
    }

    /// Returns a cell as in the file, with doubled quotes. Sufficient for numbers and comparisons.
    #[inline]
    pub(crate) fn raw(&self, place: usize) -> Option<&'a [u8]> {
        let cell = self.quoted(place)?;
        Some(if let [b'"', text @ .., _] = cell { text } else { cell })
    }

    /// Returns a cell with each doubled quote replaced by one.
    pub(crate) fn cell(&self, place: usize) -> Option<Cow<'a, [u8]>> {
        let raw = self.raw(place)?;
        let is_quoted = self.quoted(place)?.first() == Some(&b'"');
        if !is_quoted || memchr::memchr(b'"', raw).is_none() {
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
