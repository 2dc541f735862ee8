//! A [`Record`] as a row of a log.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::LazyLock;

use chrono::format::{Item, StrftimeItems};

use super::guard::guarded;
use crate::log::columns::Column;
use crate::log::encoded_text::encode;
use crate::log::header::{FileKind, Header};
use crate::log::record::Record;

/// How times are written, parsed once and not for each row.
static TIME_WITH_OFFSET: LazyLock<Vec<Item<'static>>> =
    LazyLock::new(|| StrftimeItems::new("%Y-%m-%d %H:%M:%S%:z").collect());
/// How Eco2AI writes times.
static WALL_TIME: LazyLock<Vec<Item<'static>>> =
    LazyLock::new(|| StrftimeItems::new("%Y-%m-%d %H:%M:%S").collect());

/// The longest text of a cell, in bytes. Python's `csv` refuses 131 072 and more. A row of such
/// texts alone is far shorter than the longest one that our reader takes.
pub(super) const MAX_TEXT: usize = 128_000;
/// The end of a text that was cut.
pub(super) const CUT: &str = "… (cut)";

/// A text cut to the length that a cell may have.
fn shortened(text: &str) -> Cow<'_, str> {
    if text.len() <= MAX_TEXT {
        return text.into();
    }
    let end = (0..=MAX_TEXT - CUT.len()).rev().find(|end| text.is_char_boundary(*end));
    (text[..end.unwrap_or(0)].to_owned() + CUT).into()
}

/// Writes the cell of `column` into `cell`, without guard. A missing figure stays blank. In a log
/// without a column of own energies, energy, CO2 and cost are the run's own ones, so that plain sums
/// are right.
fn write_cell(record: &Record, column: Column, has_own_energy: bool, cell: &mut String) {
    // Writing to a `String` cannot fail.
    let mut number = |value: f64| {
        if value.is_finite() {
            let _ = write!(cell, "{value:?}");
        }
    };
    let text: &str = match column {
        Column::Id => &record.id,
        Column::Project => &record.project,
        Column::Description => &record.description,
        Column::Epoch => &record.epoch,
        Column::StartTime => {
            let Some(time) = record.start_time else { return };
            let format = if has_own_energy { &TIME_WITH_OFFSET } else { &WALL_TIME };
            let _ = write!(cell, "{}", time.format_with_items(format.iter()));
            return;
        }
        Column::Duration => return number(record.duration.as_secs_f64()),
        Column::Power if has_own_energy => return number(record.energy.0),
        Column::Co2 if has_own_energy => return number(record.co2.0),
        Column::Cost if has_own_energy => return number(record.cost),
        Column::Power | Column::OwnEnergy => return number(record.own_energy.0),
        Column::Co2 | Column::OwnCo2 => return number(record.own_co2.0),
        Column::Cost | Column::OwnCost => return number(record.own_cost),
        Column::CpuName => &record.cpu_name,
        Column::GpuName => &record.gpu_name,
        Column::Os => &record.os,
        Column::Place => &record.place,
        Column::ParentId => record.parent_id.as_deref().unwrap_or_default(),
        Column::Function => record.function.as_deref().unwrap_or_default(),
        Column::Status => record.status.as_str(),
        Column::Calls => {
            let _ = write!(cell, "{}", record.calls);
            return;
        }
        Column::Scope => record.scope.as_str(),
        Column::ProcessEnergy => return number(record.process_energy.0),
        Column::CpuEnergy => return number(record.cpu_energy.map_or(f64::NAN, |e| e.0)),
        Column::GpuEnergy => return number(record.gpu_energy.map_or(f64::NAN, |e| e.0)),
        Column::RamEnergy => return number(record.ram_energy.map_or(f64::NAN, |e| e.0)),
        Column::OtherEnergy => return number(record.other_energy.map_or(f64::NAN, |e| e.0)),
        Column::CpuMethod => record.cpu_method.as_str(),
        Column::GpuMethod => record.gpu_method.as_str(),
        Column::RamMethod => record.ram_method.as_str(),
        Column::OtherMethod => record.other_method.as_str(),
        Column::EmissionLevel => {
            return number(record.emission_level.map_or(f64::NAN, |level| level.0));
        }
        Column::EmissionSource => &record.emission_source,
        Column::Pue => return number(record.pue),
        Column::Hostname => &record.hostname,
        Column::Pid => {
            let _ = write!(cell, "{}", record.pid);
            return;
        }
        Column::Version => &record.version,
    };
    cell.push_str(&shortened(text));
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
    let mut cell = String::with_capacity(64);
    for record in records {
        for column in header.columns() {
            cell.clear();
            if let Some(column) = *column {
                write_cell(record, column, has_own_energy, &mut cell);
            }
            let bytes = Cow::Borrowed(cell.as_bytes());
            // Writing to a `Vec` cannot fail.
            let _ = match column {
                Some(_) if kind == FileKind::EncodedCopy => writer.write_field(encode(&cell)),
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
    let mut cell = String::new();
    write_cell(record, Column::StartTime, header.has_own_energy(), &mut cell);
    cell
}
