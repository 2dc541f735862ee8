//! A [`Record`] as a row of the log, and a row as a record.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::LazyLock;
use std::time::Duration;

use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, FixedOffset, Local, NaiveDateTime, Offset, TimeZone, Utc};

use crate::log::cells::Row;
use crate::log::columns::{ALL, Column, Dialect, ECO2AI_COLUMNS, Layout};
use crate::log::record::{Record, Status};
use crate::settings::CpuProcesses;
use crate::units::{GramsPerKwh, KilogramsCo2e, KilowattHours};

/// A time with its offset.
const TIME: &str = "%Y-%m-%d %H:%M:%S%:z";
/// The same, understood once and not for each row.
static TIME_FORMAT: LazyLock<Vec<Item<'static>>> =
    LazyLock::new(|| StrftimeItems::new(TIME).collect());

/// Whether a spreadsheet would take a text for a formula, or our reader for a guarded text.
fn needs_guard(text: &[u8]) -> bool {
    matches!(text.first(), Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r' | b'\''))
}

/// A text as it is written: with one `'` before what must not be taken for a formula.
pub(crate) fn guarded(text: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    if needs_guard(&text) { [b"'", text.as_ref()].concat().into() } else { text }
}

/// A text as it was, from how it was written.
pub(crate) fn unguarded(text: &[u8]) -> &[u8] {
    match text {
        [b'\'', rest @ ..] if needs_guard(rest) => rest,
        text => text,
    }
}

/// Writes the cell of `column` into `cell`, without guard. What is missing stays blank.
fn write_cell(record: &Record, column: Column, cell: &mut String) {
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
            let _ = write!(cell, "{}", record.start_time.format_with_items(TIME_FORMAT.iter()));
            return;
        }
        Column::Duration => return number(record.duration.as_secs_f64()),
        Column::Power => return number(record.power_consumption.0),
        Column::Co2 => return number(record.co2_emissions.0),
        Column::CpuName => &record.cpu_name,
        Column::GpuName => &record.gpu_name,
        Column::Os => &record.os,
        Column::Place => &record.place,
        Column::Cost => return number(record.cost),
        Column::ParentId => record.parent_id.as_deref().unwrap_or_default(),
        Column::Function => record.function.as_deref().unwrap_or_default(),
        Column::Status => record.status.as_str(),
        Column::Calls => {
            let _ = write!(cell, "{}", record.calls);
            return;
        }
        Column::Scope => match record.scope {
            CpuProcesses::Current => "process",
            CpuProcesses::All => "machine",
        },
        Column::OwnEnergy => return number(record.own_energy.0),
        Column::OwnCo2 => return number(record.own_co2.0),
        Column::OwnCost => return number(record.own_cost),
        Column::ProcessEnergy => return number(record.process_energy.0),
        Column::CpuEnergy => return number(record.cpu_energy.map_or(f64::NAN, |e| e.0)),
        Column::GpuEnergy => return number(record.gpu_energy.map_or(f64::NAN, |e| e.0)),
        Column::RamEnergy => return number(record.ram_energy.map_or(f64::NAN, |e| e.0)),
        Column::OtherEnergy => return number(record.other_energy.map_or(f64::NAN, |e| e.0)),
        Column::CpuMethod => &record.cpu_method,
        Column::GpuMethod => &record.gpu_method,
        Column::RamMethod => &record.ram_method,
        Column::OtherMethod => &record.other_method,
        Column::EmissionLevel => return number(record.emission_level.0),
        Column::EmissionSource => &record.emission_source,
        Column::Pue => return number(record.pue),
        Column::Hostname => &record.hostname,
        Column::Pid => {
            let _ = write!(cell, "{}", record.pid);
            return;
        }
        Column::Version => &record.version,
    };
    cell.push_str(text);
}

/// The rows of `records`, each with its new line.
pub(crate) fn rows_of<'a>(records: impl IntoIterator<Item = &'a Record>) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().buffer_capacity(1024).from_writer(Vec::new());
    let mut cell = String::with_capacity(64);
    for record in records {
        for column in ALL {
            cell.clear();
            write_cell(record, column, &mut cell);
            let bytes = Cow::Borrowed(cell.as_bytes());
            // Writing to a `Vec` cannot fail.
            let _ = if column.is_text() {
                writer.write_field(guarded(bytes))
            } else {
                writer.write_field(bytes)
            };
        }
        let _ = writer.write_record(None::<&[u8]>);
    }
    writer.into_inner().unwrap_or_default()
}

/// The cells that Eco2AI has, as its row would have them: without guards.
pub(crate) fn eco2ai_cells(record: &Record) -> impl Iterator<Item = String> {
    ALL.into_iter().take(ECO2AI_COLUMNS).map(|column| {
        let mut cell = String::new();
        write_cell(record, column, &mut cell);
        cell
    })
}

/// One column that cannot be read: the reason.
type Unread = String;

/// A row with the names of its cells.
pub(crate) struct Named<'a> {
    pub(crate) row: &'a Row<'a>,
    pub(crate) layout: &'a Layout,
}

impl Named<'_> {
    /// The text in a column; empty where the column is missing.
    pub(crate) fn text(&self, column: Column) -> String {
        let cell = self.layout.place(column).and_then(|place| self.row.cell(place));
        let cell = cell.unwrap_or_default();
        let cell = match self.layout.dialect {
            Dialect::Ours => unguarded(&cell),
            Dialect::Eco2ai => &cell,
        };
        String::from_utf8_lossy(cell).into_owned()
    }

    fn optional_text(&self, column: Column) -> Option<String> {
        Some(self.text(column)).filter(|text| !text.is_empty())
    }

    /// The number in a column; `None` where the column or its cell is missing.
    pub(crate) fn optional_number(&self, column: Column) -> Result<Option<f64>, Unread> {
        let cell = self.layout.place(column).and_then(|place| self.row.raw(place));
        let cell = cell.unwrap_or_default().trim_ascii();
        if cell.is_empty() {
            return Ok(None);
        }
        std::str::from_utf8(cell)
            .ok()
            .and_then(|text| text.parse::<f64>().ok())
            .filter(|number| number.is_finite())
            .map(Some)
            .ok_or_else(|| self.wrong(column, "a number"))
    }

    /// The number in a column that every row has.
    pub(crate) fn number(&self, column: Column) -> Result<f64, Unread> {
        self.optional_number(column)?.ok_or_else(|| self.wrong(column, "a number"))
    }

    /// The duration in seconds.
    pub(crate) fn seconds(&self) -> Result<f64, Unread> {
        let seconds = self.number(Column::Duration)?;
        if (0.0..1e15).contains(&seconds) {
            Ok(seconds)
        } else {
            Err(self.wrong(Column::Duration, "a number of seconds"))
        }
    }

    fn integer<N: std::str::FromStr + Default>(
        &self,
        column: Column,
        blank: N,
    ) -> Result<N, Unread> {
        match self.text(column).trim() {
            "" => Ok(blank),
            text => text.parse().map_err(|_| self.wrong(column, "a whole number")),
        }
    }

    fn wrong(&self, column: Column, wanted: &str) -> Unread {
        let mut found = self.text(column);
        if let Some((cut, _)) = found.char_indices().nth(60) {
            found.truncate(cut);
            found.push('…');
        }
        format!("{} = {found:?} is not {wanted}", column.name())
    }

    fn start_time(&self) -> Result<DateTime<FixedOffset>, Unread> {
        let text = self.text(Column::StartTime);
        let text = text.trim();
        if let Ok(time) = DateTime::parse_from_str(text, TIME) {
            return Ok(time);
        }
        if text.is_empty() && self.layout.place(Column::StartTime).is_none() {
            return Ok(DateTime::UNIX_EPOCH.fixed_offset());
        }
        // Eco2AI writes the machine's time without saying its zone.
        let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f")
            .map_err(|_| self.wrong(Column::StartTime, "a time"))?;
        let time = Local.from_local_datetime(&local).earliest().map(|time| time.fixed_offset());
        // In the hour that is skipped in spring.
        Ok(time.unwrap_or_else(|| Utc.fix().from_utc_datetime(&local)))
    }

    /// The record of the row. A log of Eco2AI has one kind of energy only: it stands for the
    /// inclusive, the own and the process's.
    pub(crate) fn record(&self) -> Result<Record, Unread> {
        let power = KilowattHours(self.number(Column::Power)?);
        let co2 = KilogramsCo2e(self.number(Column::Co2)?);
        let cost = self.optional_number(Column::Cost)?.unwrap_or(0.0);
        let energy = |column| Ok::<_, Unread>(self.optional_number(column)?.map(KilowattHours));
        let level = match self.optional_number(Column::EmissionLevel)? {
            Some(level) => level,
            None => co2.0 * 1000.0 / power.0,
        };
        Ok(Record {
            id: self.text(Column::Id),
            project: self.text(Column::Project),
            description: self.text(Column::Description),
            epoch: self.optional_text(Column::Epoch).unwrap_or_else(|| "N/A".into()),
            start_time: self.start_time()?,
            duration: Duration::try_from_secs_f64(self.seconds()?)
                .map_err(|_| self.wrong(Column::Duration, "a number of seconds"))?,
            power_consumption: power,
            co2_emissions: co2,
            cpu_name: self.text(Column::CpuName),
            gpu_name: self.text(Column::GpuName),
            os: self.text(Column::Os),
            place: self.text(Column::Place),
            cost,
            parent_id: self.optional_text(Column::ParentId),
            function: self.optional_text(Column::Function),
            status: match self.text(Column::Status).as_str() {
                "" => Status::Ok,
                text => Status::of(text).ok_or_else(|| self.wrong(Column::Status, "a status"))?,
            },
            calls: self.integer(Column::Calls, 1)?,
            scope: match self.text(Column::Scope).as_str() {
                "process" | "" => CpuProcesses::Current,
                "machine" => CpuProcesses::All,
                _ => return Err(self.wrong(Column::Scope, "`process` or `machine`")),
            },
            own_energy: energy(Column::OwnEnergy)?.unwrap_or(power),
            own_co2: self.optional_number(Column::OwnCo2)?.map_or(co2, KilogramsCo2e),
            own_cost: self.optional_number(Column::OwnCost)?.unwrap_or(cost),
            process_energy: energy(Column::ProcessEnergy)?.unwrap_or(power),
            cpu_energy: energy(Column::CpuEnergy)?,
            gpu_energy: energy(Column::GpuEnergy)?,
            ram_energy: energy(Column::RamEnergy)?,
            other_energy: energy(Column::OtherEnergy)?,
            cpu_method: self.text(Column::CpuMethod),
            gpu_method: self.text(Column::GpuMethod),
            ram_method: self.text(Column::RamMethod),
            other_method: self.text(Column::OtherMethod),
            // Not a number where no energy was used: the log does not say.
            emission_level: GramsPerKwh(level),
            emission_source: self.text(Column::EmissionSource),
            pue: self.optional_number(Column::Pue)?.unwrap_or(1.0),
            hostname: self.text(Column::Hostname),
            pid: self.integer(Column::Pid, 0)?,
            version: self.text(Column::Version),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::cells::Rows;
    use crate::log::columns::{NAMES, header};
    use proptest::prelude::*;

    fn read(rows: &[u8]) -> Vec<Result<Record, Unread>> {
        let layout = Layout::of(NAMES.iter().map(|name| name.as_bytes())).unwrap();
        let mut source = Rows::new(rows, 0);
        let mut records = Vec::new();
        while let Some(row) = source.next(Some(layout.width)).unwrap() {
            records.push(match row.malformed {
                Some(reason) => Err(reason.to_owned()),
                None => Named { row: &row, layout: &layout }.record(),
            });
        }
        records
    }

    prop_compose! {
        fn any_record()(
            texts in prop::collection::vec("[-=+@'\t\r\n\",; a-zé世]{0,16}", 16),
            numbers in prop::collection::vec(
                prop::num::f64::POSITIVE | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO, 12),
            // In seconds, an `f64` keeps nanoseconds for eleven days, and more than enough after.
            nanoseconds in 0_u64..1_000_000_000_000_000,
            seconds in 0_i64..4_000_000_000,
            quarters in -48_i32..48,
            calls: u64,
            pid: u32,
        ) -> Record {
            let text = |at: usize| texts[at].clone();
            let kwh = |at: usize| KilowattHours(numbers[at]);
            let zone = FixedOffset::east_opt(quarters * 900).unwrap();
            Record {
                id: text(0),
                project: text(1),
                description: text(2),
                epoch: format!("epoch: {}", text(3)),
                start_time: zone.timestamp_opt(seconds, 0).unwrap(),
                duration: Duration::from_nanos(nanoseconds),
                power_consumption: kwh(0),
                co2_emissions: KilogramsCo2e(numbers[1]),
                cpu_name: text(4),
                gpu_name: text(5),
                os: text(6),
                place: text(7),
                cost: numbers[2],
                parent_id: Some(text(8)).filter(|text| !text.is_empty()),
                function: Some(text(9)).filter(|text| !text.is_empty()),
                status: Status::Cancelled,
                calls,
                scope: CpuProcesses::All,
                own_energy: kwh(3),
                own_co2: KilogramsCo2e(numbers[4]),
                own_cost: numbers[5],
                process_energy: kwh(6),
                cpu_energy: Some(kwh(7)),
                gpu_energy: None,
                ram_energy: Some(kwh(8)),
                other_energy: None,
                cpu_method: text(10),
                gpu_method: text(11),
                ram_method: text(12),
                other_method: text(13),
                emission_level: GramsPerKwh(numbers[9]),
                emission_source: text(14),
                pue: numbers[10],
                hostname: text(15),
                pid,
                version: "0".into(),
            }
        }
    }

    proptest! {
        #[test]
        fn a_record_reads_back_as_it_was(record in any_record()) {
            let rows = rows_of(std::slice::from_ref(&record));
            prop_assert_eq!(read(&rows), vec![Ok(record)]);
        }
    }

    #[test]
    fn no_text_is_written_as_a_formula() {
        for text in ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "'x", "''=x"] {
            let written = guarded(text.as_bytes().into());
            assert_eq!(written.first(), Some(&b'\''), "{text:?}");
            assert_eq!(unguarded(&written), text.as_bytes());
        }
        assert_eq!(guarded(b"plain"[..].into()).as_ref(), b"plain");
        assert_eq!(unguarded(b"'tis so by hand"), b"'tis so by hand");
    }

    #[test]
    fn eco2ais_row_is_read_with_one_kind_of_energy() {
        let text = header(13)
            + "7,p,=d,N/A,2024-05-06 07:08:09,1.5,0.25,0.1,\"A/1 device(s), TDP:9\",,Linux,FR,2.0\n";
        let mut rows = Rows::new(text.as_bytes(), 0);
        let layout = Layout::of(header(13).trim().split(',').map(str::as_bytes)).unwrap();
        rows.next(None).unwrap();
        let row = rows.next(Some(13)).unwrap().unwrap();
        let record = Named { row: &row, layout: &layout }.record().unwrap();
        assert_eq!(record.description, "=d");
        assert_eq!(record.cpu_name, "A/1 device(s), TDP:9");
        assert_eq!(record.start_time.naive_local().to_string(), "2024-05-06 07:08:09");
        assert_eq!(
            (record.own_energy, record.process_energy),
            (KilowattHours(0.25), KilowattHours(0.25))
        );
        assert_eq!((record.own_cost, record.status, record.calls), (2.0, Status::Ok, 1));
        assert_eq!(record.cpu_energy, None);
        assert_eq!(record.emission_level, GramsPerKwh(400.0));
    }

    #[test]
    fn a_wrong_number_is_named() {
        let layout = Layout::of(header(13).trim().split(',').map(str::as_bytes)).unwrap();
        for (text, reason) in [
            ("1,p,d,N/A,2024-05-06 07:08:09,x,0,0,,,,,0", "duration(s) = \"x\" is not a number"),
            ("1,p,d,N/A,2024-05-06 07:08:09,-1,0,0,,,,,0", "is not a number of seconds"),
            ("1,p,d,N/A,2024-05-06 07:08:09,1,,0,,,,,0", "power_consumption(kWh) = \"\""),
            ("1,p,d,N/A,2024-05-06 07:08:09,1,nan,0,,,,,0", "power_consumption(kWh) = \"nan\""),
            ("1,p,d,N/A,yesterday,1,0,0,,,,,0", "start_time = \"yesterday\" is not a time"),
        ] {
            let mut rows = Rows::new(text.as_bytes(), 0);
            let row = rows.next(Some(13)).unwrap().unwrap();
            let error = Named { row: &row, layout: &layout }.record().unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
    }
}
