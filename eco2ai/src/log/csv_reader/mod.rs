//! Reads the rows of a CSV file as slices of its bytes: faster than the `csv` crate, and able to
//! continue after an incomplete row.

mod marks;
mod row;
mod scan;
#[cfg(test)]
mod tests;

use std::io::{self, ErrorKind, Read};

use crate::log::header::LineEnd;
pub(crate) use row::CsvRow;
use scan::{Scan, scan};

/// The longest row that is read, in bytes. Rows of this crate are much shorter, so a longer one has
/// an unclosed quote.
const MAX_ROW: usize = 16 << 20;
/// The number of bytes read at once. They fit in the processor's cache.
const CHUNK: usize = 128 << 10;

/// Reads the rows of a CSV file.
pub(crate) struct CsvReader<R> {
    source: R,
    buffer: Vec<u8>,
    /// The bytes of `buffer` that have not been returned yet.
    start: usize,
    end: usize,
    /// Whether the end of the source was reached.
    finished: bool,
    /// The offset of `buffer[0]` in the file.
    offset: u64,
    /// The number of the line at `start`, from 1.
    line: u64,
    /// How lines end; known after the first line.
    line_end: LineEnd,
    /// The start and the line number of the last returned row.
    last: (usize, u64),
    /// Where the cells of the last row end.
    ends: Vec<usize>,
}

impl<R: Read> CsvReader<R> {
    /// Makes a reader of a whole file.
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
            ends: Vec::new(),
        }
    }

    /// Makes a reader that starts at `offset` of a file, where line `line` begins.
    pub(crate) fn resume(source: R, offset: u64, line: u64, line_end: LineEnd) -> Self {
        Self { offset, line, line_end, ..Self::new(source) }
    }

    /// Returns the source.
    pub(crate) fn source(&self) -> &R {
        &self.source
    }

    /// Returns the offset in the file and the line number at which the next row begins.
    pub(crate) fn position(&self) -> (u64, u64) {
        (self.offset + self.start as u64, self.line)
    }

    /// Returns how the lines of the file end; known after the first row.
    pub(crate) fn line_end(&self) -> LineEnd {
        self.line_end
    }

    /// Returns the next row that is not blank. If a row of several lines is malformed or does not have
    /// `width` cells, only its first line is skipped, because an unclosed quote in it may enclose
    /// other rows.
    pub(crate) fn next(&mut self, width: Option<usize>) -> io::Result<Option<CsvRow<'_>>> {
        // The limit keeps the time for damaged files short: each of their lines could begin a row
        // that extends to the end of the file.
        self.ends.resize(width.unwrap_or(256), 0);
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
            let (scan, cells) = loop {
                // What a row is must not depend on how much of the file happens to be in the buffer.
                let end = self.end.min(self.start + MAX_ROW);
                let bytes = &self.buffer[self.start..end];
                let finished = self.finished && end == self.end;
                match scan(bytes, finished, &mut self.ends) {
                    (Scan::Short, _) if !self.finished && self.end - self.start < MAX_ROW => {
                        self.fill()?;
                    }
                    scan => break scan,
                }
            };
            let several_lines = matches!(scan, Scan::Row { several_lines: true, .. });
            let (next, malformed) = match scan {
                Scan::Row { length, .. } if width.is_none_or(|width| cells == width) => {
                    (self.start + length, None)
                }
                Scan::Row { .. } | Scan::Wide => {
                    (self.first_line_end()?, Some("wrong number of cells"))
                }
                Scan::Stray => (self.first_line_end()?, Some("text follows a closing quote")),
                Scan::Short => (self.first_line_end()?, Some("a quote is never closed")),
            };
            let line = self.line;
            let lines = match malformed {
                None if several_lines => {
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
                let is_blank = malformed.is_none()
                    && cells == 1
                    && matches!(&self.buffer[from..from + self.ends[0]], b"" | b"\"\"");
                if is_blank {
                    continue;
                }
                return Ok(Some(CsvRow {
                    bytes: &self.buffer[from..self.end],
                    ends: &self.ends[..cells],
                    line,
                    malformed,
                }));
            }
        }
    }

    /// Returns whether the last returned row ends with its line: otherwise, more of it may follow.
    pub(crate) fn is_line_complete(&self) -> bool {
        self.buffer[..self.start].last() == Some(&b'\n')
    }

    /// Skips only the first line of the last returned row. Its other lines are read again as separate
    /// rows, because an unclosed quote may have enclosed them.
    pub(crate) fn only_first_line(&mut self) {
        let (from, line) = self.last;
        if let Some(at) =
            memchr::memchr(b'\n', self.buffer.get(from..self.start).unwrap_or_default())
        {
            self.start = from + at + 1;
            self.line = line + 1;
        }
    }

    /// Determines how lines end, from the first one.
    fn find_line_end(&mut self) -> io::Result<()> {
        let (mut length, mut quoted) = (0, false);
        self.line_end = loop {
            // `fill` moves the bytes.
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
                    if length >= MAX_ROW || !self.fill()? {
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

    /// Returns the end of the line at `start`, including its new line.
    fn first_line_end(&mut self) -> io::Result<usize> {
        loop {
            let end = self.end.min(self.start + MAX_ROW);
            if let Some(at) = memchr::memchr(b'\n', &self.buffer[self.start..end]) {
                return Ok(self.start + at + 1);
            }
            // A line of more than `MAX_ROW` bytes is skipped in pieces.
            if self.end - self.start >= MAX_ROW || !self.fill()? {
                return Ok(self.end.min(self.start + MAX_ROW));
            }
        }
    }

    /// Reads more bytes into the buffer. Returns `false` at the end of the source.
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

/// Replaces carriage returns, in a file whose lines end with them alone.
fn end_lines_with_new_lines(bytes: &mut [u8]) {
    for byte in bytes.iter_mut().filter(|byte| **byte == b'\r') {
        *byte = b'\n';
    }
}
