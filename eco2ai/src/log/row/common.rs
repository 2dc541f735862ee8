//! The cells that the rows of a function have in common, ready as text.

use std::cell::RefCell;
use std::sync::Arc;

use super::cell::cell;
use super::write::{is_plain, write_cell};
use crate::log::columns::Column;
use crate::log::header::{FileKind, Header};
use crate::log::record::Record;

/// The text of the [common](Column::is_common) cells of records, which must all have the same ones.
/// It is made with the first row, and anew for another header.
#[derive(Debug, Default)]
pub(crate) struct CommonCells(RefCell<Option<Ready>>);

#[derive(Debug)]
struct Ready {
    header: Arc<Header>,
    parts: Vec<Part>,
    /// The common cells.
    text: String,
}

/// A part of a row; a comma is between two cells of the record's own.
#[derive(Clone, Copy, Debug)]
enum Part {
    /// Common cells beside each other with the commas between and around them, up to this place of the
    /// text.
    Common { end: usize },
    /// A cell of the record's own, whose value is written as it is.
    Plain(Column),
    /// Another cell of the record's own.
    Own(Column),
}

impl CommonCells {
    /// Appends the rows of `records` for a log with that header, each with the end of its line.
    pub(crate) fn write_rows(&self, records: &[Record], header: &Arc<Header>, rows: &mut String) {
        let mut ready = self.0.borrow_mut();
        for record in records {
            let ready = match &mut *ready {
                Some(ready) if Arc::ptr_eq(&ready.header, header) => ready,
                ready => ready.insert(Ready::new(record, header)),
            };
            ready.write_row(record, rows);
        }
    }
}

impl Ready {
    fn new(record: &Record, header: &Arc<Header>) -> Self {
        let (mut parts, mut text) = (Vec::new(), String::new());
        for (place, column) in header.columns().iter().enumerate() {
            if let Some(column) = column.filter(|column| !column.is_common()) {
                if let Some(Part::Common { end }) = parts.last_mut() {
                    text.push(',');
                    *end = text.len();
                }
                let is_plain = is_plain(column, header, FileKind::Log);
                parts.push(if is_plain { Part::Plain(column) } else { Part::Own(column) });
                continue;
            }
            if let Some(Part::Common { .. }) = parts.last() {
                parts.pop();
            }
            if place > 0 {
                text.push(',');
            }
            if let Some(column) = *column {
                write_cell(record, column, header, FileKind::Log, &mut text);
            }
            parts.push(Part::Common { end: text.len() });
        }
        Self { header: Arc::clone(header), parts, text }
    }

    fn write_row(&self, record: &Record, rows: &mut String) {
        let (mut begin, mut is_after_own) = (0, false);
        for part in &self.parts {
            if let Part::Common { end } = *part {
                rows.push_str(&self.text[begin..end]);
                (begin, is_after_own) = (end, false);
                continue;
            }
            if std::mem::replace(&mut is_after_own, true) {
                rows.push(',');
            }
            match *part {
                Part::Common { .. } => {}
                Part::Plain(column) => cell(record, column).write(rows),
                Part::Own(column) => write_cell(record, column, &self.header, FileKind::Log, rows),
            }
        }
        rows.push_str(self.header.line_end.bytes());
    }
}
