//! Reading the rows of a CSV file as slices of its bytes: faster than the general reader, and able
//! to find its way back after a torn row.

use std::borrow::Cow;
use std::io::{self, ErrorKind, Read};

use crate::log::header::LineEnd;

/// The longest row that is read; more than that is a quote that was never closed. No row that this
/// crate writes comes near it.
const LONGEST_ROW: usize = 16 << 20;
/// Small enough to stay in the processor's cache.
const CHUNK: usize = 128 << 10;

/// A reader of rows.
pub(crate) struct Rows<R> {
    source: R,
    buffer: Vec<u8>,
    /// The bytes of `buffer` that were read and not yet given out.
    start: usize,
    end: usize,
    /// Nothing more comes from the source.
    finished: bool,
    /// Byte offset in the file of `buffer[0]`.
    offset: u64,
    /// Number of the line at `start`, from 1.
    line: u64,
    /// How lines end: known once the first has been read.
    line_end: LineEnd,
    /// Where the row that was given out last starts, and its line.
    last: (usize, u64),
    cells: Vec<Cell>,
}

/// One cell of a row: its bytes without the quotes around it.
#[derive(Clone, Copy, Debug)]
struct Cell {
    from: usize,
    to: usize,
    /// It holds doubled quotes.
    doubled: bool,
}

/// One row.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    bytes: &'a [u8],
    cells: &'a [Cell],
    /// Number of its first line, from 1.
    pub(crate) line: u64,
    /// Why it cannot be used, where it cannot.
    pub(crate) malformed: Option<&'static str>,
}

impl<'a> Row<'a> {
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

/// How a row ends, as far as the buffer tells.
enum Scan {
    /// Whole: what follows it starts here.
    Row { next: usize },
    /// A quote is followed by something else than a comma or the end of the row.
    Stray,
    /// It has more cells than it may have.
    Wide,
    /// The buffer ends before the row does.
    Short,
}

impl<R: Read> Rows<R> {
    /// Reads a file from its beginning.
    pub(crate) fn new(source: R) -> Self {
        Self {
            source,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            finished: false,
            offset: 0,
            line: 1,
            line_end: LineEnd::default(),
            last: (0, 1),
            cells: Vec::new(),
        }
    }

    /// Reads on from `offset` of a file, where line `line` begins.
    pub(crate) fn resume(source: R, offset: u64, line: u64, line_end: LineEnd) -> Self {
        Self { offset, line, line_end, ..Self::new(source) }
    }

    /// What is read.
    pub(crate) fn source(&self) -> &R {
        &self.source
    }

    /// How the lines of the file end. Known once a row has been read.
    pub(crate) fn line_end(&self) -> LineEnd {
        self.line_end
    }

    /// The next row with cells in it. A row of more than one line that is malformed or does not
    /// have `width` cells gives up its first line only, so that a quote left open by a torn row
    /// swallows no other row.
    pub(crate) fn next(&mut self, width: Option<usize>) -> io::Result<Option<Row<'_>>> {
        // Damaged rows may look as one that goes on for ever, from each of their lines anew.
        // So may a damaged header, of which no log has so many columns.
        let most = width.unwrap_or(256);
        loop {
            if self.start == self.end && !self.fill()? {
                return Ok(None);
            }
            if self.offset == 0 && self.start == 0 && self.line == 1 {
                while self.end < 3 && self.fill()? {}
                if self.buffer[..self.end].starts_with(b"\xEF\xBB\xBF") {
                    self.start = 3;
                    if self.start == self.end && !self.fill()? {
                        return Ok(None);
                    }
                }
                self.find_line_end()?;
            }
            let scan = loop {
                let bytes = &self.buffer[..self.end];
                match scan(bytes, self.start, self.finished, most, &mut self.cells) {
                    Scan::Short if !self.finished && self.end - self.start < LONGEST_ROW => {
                        self.fill()?;
                    }
                    scan => break scan,
                }
            };
            let from = self.start;
            let fits = |cells: &[Cell]| width.is_none_or(|width| cells.len() == width);
            let (next, malformed) = match scan {
                Scan::Row { next } if fits(&self.cells) => (next, None),
                Scan::Row { .. } | Scan::Wide => {
                    (self.first_line_end()?, Some("it has another number of cells"))
                }
                Scan::Stray => (self.first_line_end()?, Some("text stands after a closing quote")),
                Scan::Short => (self.first_line_end()?, Some("a quote is never closed")),
            };
            let line = self.line;
            let lines = match malformed {
                None if next - from > 1 => {
                    memchr::memchr_iter(b'\n', &self.buffer[self.start..next]).count()
                }
                _ => 1,
            };
            self.line += lines as u64;
            let from = self.start;
            self.start = next;
            self.last = (from, line);
            if malformed.is_none()
                || self.buffer[from..next].iter().any(|b| !b.is_ascii_whitespace())
            {
                let blank = malformed.is_none()
                    && self.cells.len() == 1
                    && self.cells.first().is_some_and(|cell| cell.from == cell.to);
                if blank {
                    continue;
                }
                return Ok(Some(Row {
                    bytes: &self.buffer[..self.end],
                    cells: &self.cells,
                    line,
                    malformed,
                }));
            }
        }
    }

    /// Says that the last row could not be used: its second and later lines are read as rows of
    /// their own, for a quote that was left open may have swallowed them.
    pub(crate) fn only_first_line(&mut self) {
        let (from, line) = self.last;
        if let Some(at) =
            memchr::memchr(b'\n', self.buffer.get(from..self.start).unwrap_or_default())
        {
            self.start = from + at + 1;
            self.line = line + 1;
        }
    }

    /// Sees how the first line ends.
    fn find_line_end(&mut self) -> io::Result<()> {
        let (mut length, mut quoted) = (0, false);
        self.line_end = loop {
            // A refill moves what is there.
            let read = self.buffer.get(self.start + length..self.end).unwrap_or_default();
            let byte = read.first().copied();
            match (byte, read.get(1)) {
                (Some(b'"'), _) => quoted = !quoted,
                (Some(b'\n'), _) if !quoted => break LineEnd::Lf,
                (Some(b'\r'), Some(b'\n')) if !quoted => break LineEnd::CrLf,
                (Some(b'\r'), Some(_)) if !quoted => break LineEnd::Cr,
                (Some(b'\r'), None) if !quoted => {
                    if !self.fill()? {
                        break LineEnd::Cr;
                    }
                    continue;
                }
                (Some(_), _) => {}
                (None, _) => {
                    if length >= LONGEST_ROW || !self.fill()? {
                        break LineEnd::Lf;
                    }
                    continue;
                }
            }
            length += 1;
        };
        if self.line_end == LineEnd::Cr {
            end_lines_with_new_lines(&mut self.buffer[self.start..self.end]);
        }
        Ok(())
    }

    /// Where the line at `start` ends, its new line included.
    fn first_line_end(&mut self) -> io::Result<usize> {
        loop {
            if let Some(at) = memchr::memchr(b'\n', &self.buffer[self.start..self.end]) {
                return Ok(self.start + at + 1);
            }
            // A line without end is given up in pieces.
            if self.end - self.start >= LONGEST_ROW || !self.fill()? {
                return Ok(self.end);
            }
        }
    }

    /// Reads more behind what is there; false at the end of the source.
    fn fill(&mut self) -> io::Result<bool> {
        if self.finished {
            return Ok(false);
        }
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.offset += self.start as u64;
            self.end -= self.start;
            self.start = 0;
        }
        if self.buffer.len() - self.end < CHUNK / 2 {
            self.buffer.resize((self.buffer.len() * 2).max(CHUNK), 0);
        }
        loop {
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(0) => {
                    self.finished = true;
                    return Ok(false);
                }
                Ok(count) => {
                    if self.line_end == LineEnd::Cr {
                        end_lines_with_new_lines(&mut self.buffer[self.end..self.end + count]);
                    }
                    self.end += count;
                    return Ok(true);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Of a file whose lines end with carriage returns alone.
fn end_lines_with_new_lines(bytes: &mut [u8]) {
    for byte in bytes.iter_mut().filter(|byte| **byte == b'\r') {
        *byte = b'\n';
    }
}

/// Splits the row at `start` of `buffer` into `cells`, of which it may have so many at `most`.
fn scan(buffer: &[u8], start: usize, finished: bool, most: usize, cells: &mut Vec<Cell>) -> Scan {
    cells.clear();
    let mut at = start;
    loop {
        if cells.len() == most {
            return Scan::Wide;
        }
        if buffer.get(at) == Some(&b'"') {
            let from = at + 1;
            let mut doubled = false;
            let mut seek = from;
            let to = loop {
                let Some(quote) = buffer.get(seek..).and_then(|rest| memchr::memchr(b'"', rest))
                else {
                    return Scan::Short;
                };
                let quote = seek + quote;
                if buffer.get(quote + 1) == Some(&b'"') {
                    doubled = true;
                    seek = quote + 2;
                } else {
                    break quote;
                }
            };
            cells.push(Cell { from, to, doubled });
            match (buffer.get(to + 1), buffer.get(to + 2)) {
                (Some(b','), _) => at = to + 2,
                (Some(b'\n'), _) => return Scan::Row { next: to + 2 },
                (Some(b'\r'), Some(b'\n')) => return Scan::Row { next: to + 3 },
                (None, _) if finished => return Scan::Row { next: to + 1 },
                (Some(b'\r'), None) if finished => return Scan::Row { next: to + 2 },
                (None, _) | (Some(b'\r'), None) => return Scan::Short,
                _ => return Scan::Stray,
            }
        } else {
            let rest = buffer.get(at..).unwrap_or_default();
            match cell_end(rest) {
                Some(length) if rest.get(length) == Some(&b',') => {
                    cells.push(Cell { from: at, to: at + length, doubled: false });
                    at += length + 1;
                }
                None if !finished => return Scan::Short,
                length => {
                    let to = at + length.unwrap_or(rest.len());
                    let next = to + usize::from(length.is_some());
                    let end = to - usize::from(to > at && buffer.get(to - 1) == Some(&b'\r'));
                    cells.push(Cell { from: at, to: end, doubled: false });
                    return Scan::Row { next };
                }
            }
        }
    }
}

/// The length of a cell without quotes: where the first comma or new line is.
fn cell_end(rest: &[u8]) -> Option<usize> {
    // Most cells are too short for a search that has to be set up: eight bytes at a time, as in
    // "Determine if a word has a byte equal to n" of Anderson's "Bit Twiddling Hacks".
    const SHORT: usize = 3;
    const ONES: u64 = u64::MAX / 255;
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & (ONES << 7);
    let (words, _) = rest.as_chunks::<8>();
    let mut seen = 0;
    for bytes in words.iter().take(SHORT) {
        let word = u64::from_le_bytes(*bytes);
        let found =
            zeros(word ^ (ONES * u64::from(b','))) | zeros(word ^ (ONES * u64::from(b'\n')));
        if found != 0 {
            // Only bytes behind the first one may be marked in error.
            return Some(seen + found.trailing_zeros() as usize / 8);
        }
        seen += 8;
    }
    Some(seen + memchr::memchr2(b',', b'\n', rest.get(seen..)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Hands out one byte at a time, so that every row crosses a refill.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(1);
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn rows(source: impl Read, width: Option<usize>) -> Vec<(u64, Option<Vec<String>>)> {
        let mut rows = Rows::new(source);
        let mut found = Vec::new();
        while let Some(row) = rows.next(width).unwrap() {
            let cells = row.iter().map(|cell| String::from_utf8_lossy(&cell).into_owned());
            found.push((row.line, row.malformed.is_none().then(|| cells.collect())));
        }
        found
    }

    fn of(text: &str, width: usize) -> Vec<(u64, Option<Vec<String>>)> {
        let whole = rows(text.as_bytes(), Some(width));
        assert_eq!(whole, rows(Drip(text.as_bytes()), Some(width)), "the same in pieces");
        whole
    }

    fn good(line: u64, cells: &[&str]) -> (u64, Option<Vec<String>>) {
        (line, Some(cells.iter().map(ToString::to_string).collect()))
    }

    #[test]
    fn quotes_new_lines_carriage_returns_and_a_byte_order_mark_are_understood() {
        assert_eq!(
            of("\u{feff}a,b\r\n\"x\ny\",\"say \"\"hi\"\"\"\r\n\n,\nlast,row", 2),
            [
                good(1, &["a", "b"]),
                good(2, &["x\ny", "say \"hi\""]),
                good(5, &["", ""]),
                good(6, &["last", "row"]),
            ]
        );
        assert!(of("", 2).is_empty());
        assert!(of("\u{feff}", 2).is_empty());
    }

    #[test]
    fn lines_may_end_with_carriage_returns_alone() {
        assert_eq!(
            of("\u{feff}a,b\r\"x\ry\",2\r\r3,4", 2),
            [good(1, &["a", "b"]), good(2, &["x\ny", "2"]), good(5, &["3", "4"])]
        );
        for (text, line_end) in [
            ("a\r", LineEnd::Cr),
            ("a\rb\r\n", LineEnd::Cr),
            ("a\r\n", LineEnd::CrLf),
            ("a\nb\r", LineEnd::Lf),
            ("a", LineEnd::Lf),
        ] {
            for mut rows in [
                Rows::new(Box::new(text.as_bytes()) as Box<dyn Read>),
                Rows::new(Box::new(Drip(text.as_bytes()))),
            ] {
                rows.next(None).unwrap();
                assert_eq!(rows.line_end(), line_end, "{text:?}");
            }
        }
    }

    #[test]
    fn a_cell_ends_at_its_first_comma_or_new_line() {
        // Neighbours of both in value, and with the highest bit.
        for filler in *b"x-+\x0b\x09\x00\x01\x80\xac\x8a\xff" {
            for end in 0..40 {
                for (first, second) in [(b',', b'\n'), (b'\n', b','), (b',', filler)] {
                    let mut cell = vec![filler; 48];
                    cell[end] = first;
                    cell[end + 3] = second;
                    assert_eq!(cell_end(&cell), Some(end), "{filler:#x}");
                    assert_eq!(cell_end(&cell[..end]), None, "{filler:#x}");
                }
            }
        }
    }

    #[test]
    fn a_torn_row_takes_no_other_with_it() {
        assert_eq!(
            of("a,b\n1,\"torn\n2,\"whole, row\"\n3,x\n", 2),
            [good(1, &["a", "b"]), (2, None), good(3, &["2", "whole, row"]), good(4, &["3", "x"])]
        );
        assert_eq!(of("1,\"never closed\n2,b\n", 2), [(1, None), good(2, &["2", "b"])]);
        assert_eq!(of("1\n2,b\n", 2), [(1, None), good(2, &["2", "b"])]);
    }

    #[test]
    fn the_lines_of_a_row_that_is_of_no_use_are_rows_of_their_own() {
        let text = "1,\"torn\n2,\"\n3,x\n";
        let mut read = Rows::new(text.as_bytes());
        assert_eq!(read.next(Some(2)).unwrap().unwrap().raw(1), Some(&b"torn\n2,"[..]));
        read.only_first_line();
        let second = read.next(Some(2)).unwrap().unwrap();
        assert_eq!((second.line, second.malformed.is_some()), (2, true));
        read.only_first_line();
        let third = read.next(Some(2)).unwrap().unwrap();
        assert_eq!((third.line, third.raw(1)), (3, Some(&b"x"[..])));
    }

    proptest! {
        /// What the `csv` crate writes is read back, whatever the cells hold.
        #[test]
        fn rows_of_the_csv_crate_are_read_as_written(
            table in prop::collection::vec(prop::collection::vec("[ -~\r\n\",é世]{0,12}", 3), 0..6)
        ) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            for row in &table {
                writer.write_record(row).unwrap();
            }
            let text = writer.into_inner().unwrap();
            let read = rows(&text[..], Some(3));
            prop_assert_eq!(&read, &rows(Drip(&text), Some(3)));
            let read: Vec<_> = read.into_iter().filter_map(|(_, cells)| cells).collect();
            prop_assert_eq!(read, table);
        }

        /// Whatever the bytes: an end, no panic, and a good row after them is found.
        #[test]
        fn any_bytes_lose_no_good_row_after_them(
            mut bytes in prop::collection::vec(
                prop_oneof![Just(b'"'), Just(b','), Just(b'\n'), Just(b'\r'), Just(b'x'), any::<u8>()],
                0..200,
            )
        ) {
            bytes.extend_from_slice(b"\nid,\"a, b\",3,4,5,6,7\n");
            let read = rows(&bytes[..], Some(7));
            prop_assert_eq!(&read, &rows(Drip(&bytes), Some(7)));
            let last = read.last().and_then(|(_, cells)| cells.clone()).unwrap_or_default();
            prop_assert_eq!(last.get(1..).unwrap_or_default(), ["a, b", "3", "4", "5", "6", "7"]);
        }
    }
}
