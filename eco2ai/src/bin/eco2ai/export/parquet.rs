//! Parquet: the columns of the log, with types.
//!
//! A column has the name that it has in the log. `start_time` is a moment; the day on which the run
//! started where it ran, by which `eco2ai summary --by day` groups, is in the column `start_date`.

use std::io::{self, Write as _};
use std::sync::Arc;

use chrono::{Datelike, NaiveDate};
use eco2ai::Record;
use eco2ai::units::KilowattHours;
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{
    SerializedColumnWriter, SerializedFileWriter, SerializedRowGroupWriter,
};
use parquet::schema::types::Type;

use super::format::{Format, LeftOut};
use crate::destination::Output;

/// The rows that are kept in memory, about 1 KiB each, and read as one.
const ROW_GROUP: usize = 1 << 16;

/// How a column gets its values; `None` is null.
#[derive(Clone, Copy)]
enum Get {
    Text(fn(&Record) -> &str),
    Double(fn(&Record) -> Option<f64>),
    Integer(fn(&Record) -> Option<i64>),
    /// Microseconds since 1970 in UTC.
    Moment(fn(&Record) -> Option<i64>),
    /// Days since 1970.
    Date(fn(&Record) -> Option<i32>),
}

/// The columns in the order of the log, then the day.
const COLUMNS: [(&str, Get); 43] = [
    ("id", Get::Text(|row| &row.id)),
    ("project_name", Get::Text(|row| &row.project)),
    ("experiment_description", Get::Text(|row| &row.description)),
    ("epoch", Get::Text(|row| &row.epoch)),
    ("start_time", Get::Moment(|row| Some(row.start_time?.timestamp_micros()))),
    ("duration(s)", Get::Double(|row| Some(row.duration.as_secs_f64()))),
    ("power_consumption(kWh)", Get::Double(|row| Some(row.energy.0))),
    ("CO2_emissions(kg)", Get::Double(|row| Some(row.co2.0))),
    ("CPU_name", Get::Text(|row| &row.cpu_name)),
    ("GPU_name", Get::Text(|row| &row.gpu_name)),
    ("OS", Get::Text(|row| &row.os)),
    ("region/country", Get::Text(|row| &row.place)),
    ("cost", Get::Double(|row| Some(row.cost))),
    ("parent_id", Get::Text(|row| text(row.parent_id.as_ref()))),
    ("function", Get::Text(|row| text(row.function.as_ref()))),
    ("status", Get::Text(|row| row.status.as_str())),
    ("calls", Get::Integer(|row| i64::try_from(row.calls).ok())),
    ("scope", Get::Text(|row| row.scope.as_str())),
    ("own_energy(kWh)", Get::Double(|row| Some(row.own_energy.0))),
    ("own_CO2(kg)", Get::Double(|row| Some(row.own_co2.0))),
    ("own_cost", Get::Double(|row| Some(row.own_cost))),
    ("process_energy(kWh)", Get::Double(|row| Some(row.process_energy.0))),
    ("cpu_energy(kWh)", Get::Double(|row| kwh(row.cpu_energy))),
    ("gpu_energy(kWh)", Get::Double(|row| kwh(row.gpu_energy))),
    ("ram_energy(kWh)", Get::Double(|row| kwh(row.ram_energy))),
    ("other_energy(kWh)", Get::Double(|row| kwh(row.other_energy))),
    ("cpu_method", Get::Text(|row| row.cpu_method.as_str())),
    ("gpu_method", Get::Text(|row| row.gpu_method.as_str())),
    ("ram_method", Get::Text(|row| row.ram_method.as_str())),
    ("other_method", Get::Text(|row| row.other_method.as_str())),
    ("emission_level(kg/MWh)", Get::Double(|row| Some(row.emission_level?.0))),
    ("emission_source", Get::Text(|row| &row.emission_source)),
    ("pue", Get::Double(|row| Some(row.pue))),
    ("hostname", Get::Text(|row| &row.hostname)),
    ("pid", Get::Integer(|row| (row.pid != 0).then_some(row.pid.into()))),
    ("version", Get::Text(|row| &row.version)),
    ("power_consumption_low(kWh)", Get::Double(|row| kwh(row.energy_low))),
    ("power_consumption_high(kWh)", Get::Double(|row| kwh(row.energy_high))),
    ("job", Get::Text(|row| text(row.job.as_ref()))),
    ("rank", Get::Integer(|row| row.rank.map(Into::into))),
    ("idle_energy(kWh)", Get::Double(|row| kwh(row.idle_energy))),
    ("user", Get::Text(|row| text(row.user.as_ref()))),
    ("start_date", Get::Date(|row| Some(days(row.start_time?.date_naive())))),
];

fn text(text: Option<&String>) -> &str {
    text.map(String::as_str).unwrap_or_default()
}

fn kwh(energy: Option<KilowattHours>) -> Option<f64> {
    Some(energy?.0)
}

fn days(date: NaiveDate) -> i32 {
    date.num_days_from_ce() - NaiveDate::default().num_days_from_ce()
}

impl Get {
    fn column_type(self, name: &str) -> Result<Type> {
        let (physical, logical) = match self {
            Self::Text(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Self::Double(_) => (Physical::DOUBLE, None),
            Self::Integer(_) => (Physical::INT64, None),
            Self::Moment(_) => {
                (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS)))
            }
            Self::Date(_) => (Physical::INT32, Some(LogicalType::Date)),
        };
        Type::primitive_type_builder(name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical)
            .build()
    }
}

/// The cells of one column in a row group that are not null.
enum Cells {
    Text(Vec<ByteArray>),
    Double(Vec<f64>),
    Long(Vec<i64>),
    Int(Vec<i32>),
}

struct Column {
    get: Get,
    cells: Cells,
    /// 1 for each cell, 0 for each null.
    levels: Vec<i16>,
}

impl Column {
    fn new(get: Get) -> Self {
        let cells = match get {
            Get::Text(_) => Cells::Text(Vec::new()),
            Get::Double(_) => Cells::Double(Vec::new()),
            Get::Integer(_) | Get::Moment(_) => Cells::Long(Vec::new()),
            Get::Date(_) => Cells::Int(Vec::new()),
        };
        Self { get, cells, levels: Vec::new() }
    }

    fn push(&mut self, row: &Record) {
        let is_there = match (self.get, &mut self.cells) {
            (Get::Text(get), Cells::Text(cells)) => match get(row) {
                "" => false,
                text => {
                    // Equal texts share their memory.
                    let last = cells.last().filter(|last| last.data() == text.as_bytes());
                    let text = last.cloned().unwrap_or_else(|| text.into());
                    cells.push(text);
                    true
                }
            },
            (Get::Double(get), Cells::Double(cells)) => push(cells, get(row)),
            (Get::Integer(get) | Get::Moment(get), Cells::Long(cells)) => push(cells, get(row)),
            (Get::Date(get), Cells::Int(cells)) => push(cells, get(row)),
            _ => false,
        };
        self.levels.push(is_there.into());
    }

    /// Writes the cells and forgets them.
    fn write(&mut self, mut writer: SerializedColumnWriter<'_>) -> Result<()> {
        let levels = Some(self.levels.as_slice());
        match &mut self.cells {
            Cells::Text(cells) => {
                writer.typed::<ByteArrayType>().write_batch(cells, levels, None)?;
                cells.clear();
            }
            Cells::Double(cells) => {
                writer.typed::<DoubleType>().write_batch(cells, levels, None)?;
                cells.clear();
            }
            Cells::Long(cells) => {
                writer.typed::<Int64Type>().write_batch(cells, levels, None)?;
                cells.clear();
            }
            Cells::Int(cells) => {
                writer.typed::<Int32Type>().write_batch(cells, levels, None)?;
                cells.clear();
            }
        }
        self.levels.clear();
        writer.close()
    }
}

fn push<T>(cells: &mut Vec<T>, value: Option<T>) -> bool {
    let is_there = value.is_some();
    cells.extend(value);
    is_there
}

pub(super) struct Parquet<'a> {
    file: SerializedFileWriter<Output<'a>>,
    columns: Vec<Column>,
    rows: usize,
}

impl<'a> Parquet<'a> {
    pub(super) fn new(to: Output<'a>) -> Result<Self> {
        let types: Result<Vec<_>> =
            COLUMNS.iter().map(|(name, get)| get.column_type(name).map(Arc::new)).collect();
        let schema = Type::group_type_builder("emission_log").with_fields(types?).build()?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("eco2ai version ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        Ok(Self {
            file: SerializedFileWriter::new(to, Arc::new(schema), Arc::new(properties))?,
            columns: COLUMNS.iter().map(|(_, get)| Column::new(*get)).collect(),
            rows: 0,
        })
    }

    fn write_row_group(&mut self) -> Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        self.rows = 0;
        let mut group: SerializedRowGroupWriter<'_, _> = self.file.next_row_group()?;
        for column in &mut self.columns {
            if let Some(writer) = group.next_column()? {
                column.write(writer)?;
            }
        }
        group.close().map(drop)
    }
}

impl Format for Parquet<'_> {
    fn write_row(&mut self, row: &Record) -> io::Result<()> {
        for column in &mut self.columns {
            column.push(row);
        }
        self.rows += 1;
        if self.rows == ROW_GROUP { self.write_row_group().map_err(io_error) } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>, _: LeftOut) -> io::Result<()> {
        self.write_row_group().map_err(io_error)?;
        self.file.finish().map_err(io_error)?;
        self.file.inner_mut().flush()
    }
}

/// Returns the error of the output, if it is one.
fn io_error(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(error) => match error.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(error) => io::Error::other(error),
        },
        error => io::Error::other(error),
    }
}
