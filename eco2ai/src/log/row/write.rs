//! A [`Record`] as a row of a log.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::LazyLock;

use chrono::format::{Item, StrftimeItems};

use super::cell::{Cell as _, cell};
use super::guard::guarded;
use crate::log::columns::Column;
use crate::log::encoded_text::encode;
use crate::log::header::{FileKind, Header};
use crate::log::record::Record;

/// How Eco2AI writes times, parsed once and not for each row.
static WALL_TIME: LazyLock<Vec<Item<'static>>> =
    LazyLock::new(|| StrftimeItems::new("%Y-%m-%d %H:%M:%S").collect());

/// Writes the cell of `column` into `cell`, without guard. A missing figure stays blank. In a log
/// without a column of own energies, energy, its bounds, CO2 and cost are the run's own ones, so
/// that plain sums are right.
fn write_cell(record: &Record, column: Column, has_own_energy: bool, text: &mut String) {
    if has_own_energy {
        return cell(record, column).write(text);
    }
    match column {
        Column::StartTime => {
            if let Some(time) = record.start_time {
                // Writing to a `String` cannot fail.
                let _ = write!(text, "{}", time.format_with_items(WALL_TIME.iter()));
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
    let mut writer = csv::WriterBuilder::new()
        .buffer_capacity(1024)
        .terminator(header.line_end.terminator())
        .from_writer(Vec::new());
    let has_own_energy = header.has_own_energy();
    let mut text = String::with_capacity(64);
    for record in records {
        for column in header.columns() {
            text.clear();
            if let Some(column) = *column {
                write_cell(record, column, has_own_energy, &mut text);
            }
            let bytes = Cow::Borrowed(text.as_bytes());
            // Writing to a `Vec` cannot fail.
            let _ = match column {
                Some(_) if kind == FileKind::EncodedCopy => writer.write_field(encode(&text)),
                Some(column) if has_own_energy && column.is_text() => {
                    writer.write_field(guarded(bytes))
                }
                _ => writer.write_field(bytes),
            };
        }
        let _ = writer.write_record(None::<&[u8]>);
    }
    writer.into_inner().unwrap_or_default()
}

/// The start of a run as it is written in a log with that header.
pub(crate) fn start_time_cell(record: &Record, header: &Header) -> String {
    let mut text = String::new();
    write_cell(record, Column::StartTime, header.has_own_energy(), &mut text);
    text
}
