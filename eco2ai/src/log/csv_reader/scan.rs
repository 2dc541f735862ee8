//! Finds where the cells of a row begin and end.

use super::row::Cell;

/// The result of a scan.
pub(super) enum Scan {
    /// A complete row; the next one starts at `next`. It has several lines if one of its cells does.
    Row { next: usize, several_lines: bool },
    /// A closing quote is not followed by a comma or the end of the row.
    Stray,
    /// The row has too many cells.
    Wide,
    /// The buffer ends before the row does.
    Short,
}

/// Splits the row at `start` of `buffer` into at most `max_cells` cells.
pub(super) fn scan(
    buffer: &[u8],
    start: usize,
    finished: bool,
    max_cells: usize,
    cells: &mut Vec<Cell>,
) -> Scan {
    cells.clear();
    let mut at = start;
    let mut several_lines = false;
    loop {
        if cells.len() == max_cells {
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
            let cell = buffer.get(from..to).unwrap_or_default();
            several_lines = several_lines || memchr::memchr(b'\n', cell).is_some();
            cells.push(Cell { from, to, doubled });
            match (buffer.get(to + 1), buffer.get(to + 2)) {
                (Some(b','), _) => at = to + 2,
                (Some(b'\n'), _) => return Scan::Row { next: to + 2, several_lines },
                (Some(b'\r'), Some(b'\n')) => return Scan::Row { next: to + 3, several_lines },
                (None, _) if finished => return Scan::Row { next: to + 1, several_lines },
                (Some(b'\r'), None) if finished => {
                    return Scan::Row { next: to + 2, several_lines };
                }
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
                    return Scan::Row { next, several_lines };
                }
            }
        }
    }
}

/// Returns the length of a cell without quotes, which ends at the first comma or new line.
pub(super) fn cell_end(rest: &[u8]) -> Option<usize> {
    // Most cells are too short for `memchr` to pay off. Search eight bytes at a time, as in
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
            // Only bytes after the first match can be false matches.
            return Some(seen + found.trailing_zeros() as usize / 8);
        }
        seen += 8;
    }
    Some(seen + memchr::memchr2(b',', b'\n', rest.get(seen..)?)?)
}
