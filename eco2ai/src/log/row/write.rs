//! A [`Record`] as a row of a log.

use super::cell::{Cell as _, cell, write_wall_time};
use super::guard::needs_guard;
use crate::log::columns::Column;
use crate::log::encoded_text::encode;
use crate::log::header::{FileKind, Header};
use crate::log::record::Record;

/// Appends the text of `column`, without guard. A missing figure stays blank. In a log without a column
/// of own energies, energy, its bounds, CO2 and cost are the run's own ones, so that plain sums are
/// right.
fn write_text(record: &Record, column: Column, has_own_energy: bool, text: &mut String) {
    if has_own_energy {
        return cell(record, column).write(text);
    }
    match column {
        Column::StartTime => {
            if let Some(time) = record.start_time {
                write_wall_time(time.naive_local(), text);
            }
        }
        Column::Power => record.own_energy.write(text),
        Column::PowerLow => record.own_energy_low().write(text),
        Column::PowerHigh => record.own_energy_high().write(text),
        Column::Co2 => record.own_co2.write(text),
        Column::Cost => record.own_cost.write(text),
        _ => cell(record, column).write(text),
    }
}

/// The rows of `records` for a file with that header, each with the end of its line.
pub(crate) fn rows_of<'a>(
    records: impl IntoIterator<Item = &'a Record>,
    header: &Header,
    kind: FileKind,
) -> Vec<u8> {
    let mut rows = String::new();
    write_rows(records, header, kind, &mut rows);
    rows.into_bytes()
}

/// Appends the rows of `records` for a file with that header, each with the end of its line.
pub(crate) fn write_rows<'a>(
    records: impl IntoIterator<Item = &'a Record>,
    header: &Header,
    kind: FileKind,
    rows: &mut String,
) {
    for record in records {
        for (place, column) in header.columns().iter().enumerate() {
            if place > 0 {
                rows.push(',');
            }
            if let Some(column) = *column {
                write_cell(record, column, header, kind, rows);
            }
        }
        rows.push_str(header.line_end.bytes());
    }
}

/// Returns whether a cell of `column` is the text of the record's value, in a file with that header.
pub(super) fn is_plain(column: Column, header: &Header, kind: FileKind) -> bool {
    kind == FileKind::Log && header.has_own_energy() && !column.is_text()
}

/// Appends the cell of `column` to a row for a file with that header.
pub(super) fn write_cell(
    record: &Record,
    column: Column,
    header: &Header,
    kind: FileKind,
    row: &mut String,
) {
    let has_own_energy = header.has_own_energy();
    let begin = row.len();
    write_text(record, column, has_own_energy, row);
    if kind == FileKind::EncodedCopy {
        let encoded = encode(&row[begin..]);
        row.replace_range(begin.., &encoded);
    } else if !column.is_text() {
        return;
    } else if has_own_energy && needs_guard(&row.as_bytes()[begin..]) {
        row.insert(begin, '\'');
    }
    quote(row, begin);
}

/// The rows of `records` with all columns, as they stand in a journal.
pub(crate) fn rows_in_full<'a>(records: impl IntoIterator<Item = &'a Record>) -> String {
    let mut rows = String::new();
    write_rows(records, &Header::full(), FileKind::Log, &mut rows);
    rows
}

/// Whether a cell with this text needs quotes. The processor looks at sixteen characters at once.
fn needs_quotes(text: &[u8]) -> bool {
    let needs = |byte: &u8| {
        let is = |special: u8| u8::from(*byte == special);
        is(b',') | is(b'"') | is(b'\r') | is(b'\n')
    };
    let (parts, rest) = text.as_chunks::<16>();
    parts.iter().any(|part| part.iter().fold(0, |any, byte| any | needs(byte)) != 0)
        || rest.iter().any(|byte| needs(byte) != 0)
}

/// Puts the cell that begins at `begin` in quotes if it needs them. Only texts do: of a number, a
/// time or a word, no character has a meaning in CSV.
fn quote(rows: &mut String, begin: usize) {
    if needs_quotes(&rows.as_bytes()[begin..]) {
        if rows[begin..].contains('"') {
            let doubled = rows[begin..].replace('"', "\"\"");
            rows.replace_range(begin.., &doubled);
        }
        rows.insert(begin, '"');
        rows.push('"');
    }
}

/// The start of a run as it is written in a log with that header.
pub(crate) fn start_time_cell(record: &Record, header: &Header) -> String {
    let mut text = String::new();
    write_text(record, Column::StartTime, header.has_own_energy(), &mut text);
    text
}
