//! Finds where the cells of a row begin and end.

use super::marks::Marks;

/// The result of a scan.
pub(super) enum Scan {
    /// A complete row of so many bytes, with the end of its line. It has several lines if one of its
    /// cells does.
    Row { length: usize, several_lines: bool },
    /// A closing quote is not followed by a comma or the end of the row.
    Stray,
    /// The row has too many cells.
    Wide,
    /// The bytes end before the row does.
    Short,
}

/// Finds the ends of the cells of the row at the beginning of `bytes`, with the quotes around them. The
/// row has at most as many cells as `ends`. `finished`: no more bytes follow. Also returns the number of
/// cells, or of those before what is wrong.
pub(super) fn scan(bytes: &[u8], finished: bool, ends: &mut [usize]) -> (Scan, usize) {
    let mut marks = Marks::new(bytes);
    let mut several_lines = false;
    let mut cells = 0;
    // Where the next cell begins.
    let mut from = 0;
    while let Some(mark) = marks.next() {
        let Some(end) = ends.get_mut(cells) else { return (Scan::Wide, cells) };
        match bytes.get(mark) {
            Some(b',') => {
                *end = mark;
                cells += 1;
                from = mark + 1;
            }
            Some(b'\n') => {
                *end = without_carriage_return(bytes, from, mark);
                return (Scan::Row { length: mark + 1, several_lines }, cells + 1);
            }
            // In a cell without quotes around it, a quote is text.
            _ if mark > from => {}
            _ => {
                let Some((closing, has_new_line)) = closing_quote(bytes, &mut marks) else {
                    return (Scan::Short, cells);
                };
                several_lines = several_lines || has_new_line;
                let after = closing + 1;
                *end = after;
                cells += 1;
                let length = match (bytes.get(after), bytes.get(after + 1)) {
                    (Some(b','), _) => None,
                    (Some(b'\n'), _) => Some(after + 1),
                    (Some(b'\r'), Some(b'\n')) => Some(after + 2),
                    (None, _) if finished => Some(after),
                    (Some(b'\r'), None) if finished => Some(after + 1),
                    (None, _) | (Some(b'\r'), None) => return (Scan::Short, cells),
                    _ => return (Scan::Stray, cells),
                };
                if let Some(length) = length {
                    return (Scan::Row { length, several_lines }, cells);
                }
                // The comma after the quote does not end one more cell.
                marks.next();
                from = after + 1;
            }
        }
    }
    match ends.get_mut(cells) {
        None => (Scan::Wide, cells),
        Some(_) if !finished => (Scan::Short, cells),
        Some(end) => {
            *end = without_carriage_return(bytes, from, bytes.len());
            (Scan::Row { length: bytes.len(), several_lines }, cells + 1)
        }
    }
}

/// Returns the end of the last cell of a row, whose line ends at `to`.
fn without_carriage_return(bytes: &[u8], from: usize, to: usize) -> usize {
    let cell = bytes.get(from..to).unwrap_or_default();
    from + cell.strip_suffix(b"\r").unwrap_or(cell).len()
}

/// Returns the place of the closing quote, from the marks after the opening one, and whether there is a
/// new line before it. `None` if the quote is never closed.
fn closing_quote(bytes: &[u8], marks: &mut Marks<'_>) -> Option<(usize, bool)> {
    let mut has_new_line = false;
    loop {
        let mark = marks.next()?;
        match bytes.get(mark) {
            Some(b'"') if bytes.get(mark + 1) == Some(&b'"') => {
                marks.next();
            }
            Some(b'"') => return Some((mark, has_new_line)),
            Some(b'\n') => has_new_line = true,
            _ => {}
        }
    }
}
