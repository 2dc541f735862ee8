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

    /// Cuts the cells of columns that are aligned to the left, those of the widest column first,
    /// until the table is at most `width` wide. Leaves a few letters of each.
    #[allow(dead_code, reason = "only the command knows the width of the terminal")]
    pub(crate) fn fit(&mut self, width: usize) {
        const MIN_WIDTH: usize = 6;
        let mut widths = [0; COLUMNS];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        while widths.iter().sum::<usize>() + 2 * (COLUMNS - 1) > width {
            let names = widths.iter_mut().zip(self.columns);
            let names = names.filter(|(_, align)| matches!(align, Align::Left));
            match names.map(|(width, _)| width).max() {
                Some(widest) if *widest > MIN_WIDTH => *widest -= 1,
                _ => break,
            }
        }
        for row in &mut self.rows {
            for (cell, width) in row.iter_mut().zip(widths) {
                *cell = cut(cell, width);
            }
        }
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
    cut(&name.replace(char::is_control, " "), MAX_WIDTH)
}

/// Cuts a text that is wider than `width`, and marks that.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let (mut left, mut cell) = (width.saturating_sub(1), String::new());
    for letter in text.chars() {
        let Some(rest) = left.checked_sub(letter.width().unwrap_or(0)) else { break };
        left = rest;
        cell.push(letter);
    }
    cell + "…"
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
    fn a_table_fits_a_width_by_cutting_its_longest_names() {
        let mut table = TextTable::new([Align::Left, Align::Left, Align::Right]);
        table.push(["run", "project", "1"].map(str::to_owned));
        table.push(["a_long_function_name", "训练训练训练", "123"].map(str::to_owned));
        table.fit(24);
        let text = table.to_string();
        assert_eq!(text, "run        project    1\na_long_f…  训练训…  123");
        table.fit(1);
        assert_eq!(table.to_string(), "run     proje…    1\na_lon…  训练…   123");
    }

    #[test]
    fn a_long_name_is_cut_to_a_width_and_stays_on_one_line() {
        assert_eq!(name_cell(&"训".repeat(70_000)), "训".repeat(29) + "…");
        assert_eq!(name_cell(&"é".repeat(60)), "é".repeat(60));
        assert_eq!(name_cell("a\nb\x1b[2J"), "a b [2J");
        assert_eq!(name_cell(""), "-");
    }
}
