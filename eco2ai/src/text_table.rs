//! Tables of text for a terminal, aligned by the width at which a terminal shows each letter.

use std::fmt;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// How the cells of a column are aligned.
#[derive(Clone, Copy)]
pub(crate) enum Align {
    Left,
    Right,
}

/// A table, displayed without a newline at its end.
pub(crate) struct TextTable<const COLUMNS: usize> {
    columns: [Align; COLUMNS],
    rows: Vec<[String; COLUMNS]>,
}

impl<const COLUMNS: usize> TextTable<COLUMNS> {
    /// Creates an empty table.
    pub(crate) fn new(columns: [Align; COLUMNS]) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, row: [String; COLUMNS]) {
        self.rows.push(row);
    }
}

impl<const COLUMNS: usize> fmt::Display for TextTable<COLUMNS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_rows(f, &self.columns, self.rows.iter())
    }
}

/// Writes rows in columns, without a newline at the end. The rows are asked for twice, so that a
/// long table need not be in memory.
pub(crate) fn write_rows<R: AsRef<[String]>>(
    f: &mut fmt::Formatter<'_>,
    columns: &[Align],
    rows: impl Iterator<Item = R> + Clone,
) -> fmt::Result {
    let mut widths = vec![0; columns.len()];
    for row in rows.clone() {
        for (width, cell) in widths.iter_mut().zip(row.as_ref()) {
            *width = (*width).max(cell.width());
        }
    }
    for (number, row) in rows.enumerate() {
        if number > 0 {
            writeln!(f)?;
        }
        let mut line = String::new();
        for (column, (cell, width)) in row.as_ref().iter().zip(&widths).enumerate() {
            if column > 0 {
                line.push_str("  ");
            }
            let padding = " ".repeat(width - cell.width());
            match columns.get(column) {
                Some(Align::Right) => line.extend([&padding, cell.as_str()]),
                _ => line.extend([cell.as_str(), &padding]),
            }
        }
        f.write_str(line.trim_end())?;
    }
    Ok(())
}

/// Returns a name as a cell: `-` if it is empty, on one line, and cut to 60 columns.
pub(crate) fn name_cell(name: &str) -> String {
    const MAX_WIDTH: usize = 60;
    if name.is_empty() {
        return "-".to_owned();
    }
    let mut width = 0;
    let mut cell = String::new();
    for letter in name.replace(char::is_control, " ").chars() {
        width += letter.width().unwrap_or(0);
        if width > MAX_WIDTH {
            cell.push('…');
            break;
        }
        cell.push(letter);
    }
    cell
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_letters_take_two_columns() {
        let mut table = TextTable::new([Align::Left, Align::Right, Align::Left]);
        for row in [["训练", "1", "a"], ["e\u{301}", "23", ""]] {
            table.push(row.map(str::to_owned));
        }
        assert_eq!(table.to_string(), "训练   1  a\ne\u{301}     23");
    }

    #[test]
    fn a_long_name_is_cut_to_a_width_and_stays_on_one_line() {
        assert_eq!(name_cell(&"训".repeat(70_000)), "训".repeat(30) + "…");
        assert_eq!(name_cell(&"é".repeat(60)), "é".repeat(60));
        assert_eq!(name_cell("a\nb\x1b[2J"), "a b [2J");
        assert_eq!(name_cell(""), "-");
    }
}
