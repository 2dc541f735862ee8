//! A [`Record`] as a row of the log, and a row as a record.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::LazyLock;
use std::time::Duration;

use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, FixedOffset, NaiveDateTime};

use crate::local_time::from_wall;
use crate::log::cells::Row;
use crate::log::columns::{ALL, Column, Dialect, ECO2AI_COLUMNS, Layout};
use crate::log::record::Record;
use crate::settings::CpuProcesses;
use crate::status::Status;
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
        let mut text = String::new();
        self.read_text(column, &mut text);
        text
    }

    /// Replaces `text` by the text in a column.
    fn read_text(&self, column: Column, text: &mut String) {
        text.clear();
        let cell = self.layout.place(column).and_then(|place| self.row.cell(place));
        let cell = cell.unwrap_or_default();
        let cell = match self.layout.dialect {
            Dialect::Ours => unguarded(&cell),
            Dialect::Eco2ai => &cell,
        };
        match std::str::from_utf8(cell) {
            Ok(cell) => text.push_str(cell),
            Err(_) => text.push_str(&String::from_utf8_lossy(cell)),
        }
    }

    /// What is written in a column, without the spaces around it: enough for numbers and for words
    /// that need no quotes. Empty where the column is missing.
    fn word(&self, column: Column) -> &str {
        let cell = self.layout.place(column).and_then(|place| self.row.raw(place));
        std::str::from_utf8(cell.unwrap_or_default().trim_ascii()).unwrap_or("\u{fffd}")
    }

    fn read_optional_text(&self, column: Column, text: &mut Option<String>) {
        let mut read = text.take().unwrap_or_default();
        self.read_text(column, &mut read);
        *text = Some(read).filter(|text| !text.is_empty());
    }

    /// The number in a column; `None` where the column or its cell is missing.
    pub(crate) fn optional_number(&self, column: Column) -> Result<Option<f64>, Unread> {
        match self.word(column) {
            "" => Ok(None),
            word => match word.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(Some(number)),
                _ => Err(self.wrong(column, "a number")),
            },
        }
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
        match self.word(column) {
            "" => Ok(blank),
            word => word.parse().map_err(|_| self.wrong(column, "a whole number")),
        }
    }

    /// Says that a cell is not what its column wants.
    pub(crate) fn wrong(&self, column: Column, wanted: &str) -> Unread {
        let mut found = self.text(column);
        if let Some((cut, _)) = found.char_indices().nth(60) {
            found.truncate(cut);
            found.push('…');
        }
        format!("{} = {found:?} is not {wanted}", column.name())
    }

    fn start_time(&self) -> Result<DateTime<FixedOffset>, Unread> {
        let text = self.word(Column::StartTime);
        // RFC 3339 lets a space stand for its T, and has a parser that is ten times as fast as one
        // that reads its format first.
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Ok(time);
        }
        if text.is_empty() && self.layout.place(Column::StartTime).is_none() {
            return Ok(DateTime::UNIX_EPOCH.fixed_offset());
        }
        // Eco2AI writes the machine's time without saying its zone.
        let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f")
            .map_err(|_| self.wrong(Column::StartTime, "a time"))?;
        Ok(from_wall(&local))
    }

    /// The record of the row.
    pub(crate) fn record(&self) -> Result<Record, Unread> {
        let mut record = Record::blank();
        self.read(&mut record)?;
        Ok(record)
    }

    /// Replaces `record` by that of the row. A log of Eco2AI has one kind of energy only: it stands
    /// for the inclusive, the own and the process's.
    pub(crate) fn read(&self, record: &mut Record) -> Result<(), Unread> {
        let power = KilowattHours(self.number(Column::Power)?);
        let co2 = KilogramsCo2e(self.number(Column::Co2)?);
        let cost = self.optional_number(Column::Cost)?.unwrap_or(0.0);
        let energy = |column| Ok::<_, Unread>(self.optional_number(column)?.map(KilowattHours));
        self.read_text(Column::Id, &mut record.id);
        self.read_text(Column::Project, &mut record.project);
        self.read_text(Column::Description, &mut record.description);
        self.read_text(Column::Epoch, &mut record.epoch);
        if record.epoch.is_empty() {
            record.epoch.push_str("N/A");
        }
        record.start_time = self.start_time()?;
        record.duration = Duration::try_from_secs_f64(self.seconds()?)
            .map_err(|_| self.wrong(Column::Duration, "a number of seconds"))?;
        record.power_consumption = power;
        record.co2_emissions = co2;
        self.read_text(Column::CpuName, &mut record.cpu_name);
        self.read_text(Column::GpuName, &mut record.gpu_name);
        self.read_text(Column::Os, &mut record.os);
        self.read_text(Column::Place, &mut record.place);
        record.cost = cost;
        self.read_optional_text(Column::ParentId, &mut record.parent_id);
        self.read_optional_text(Column::Function, &mut record.function);
        record.status = match self.word(Column::Status) {
            "" => Status::Ok,
            word => Status::of(word).ok_or_else(|| self.wrong(Column::Status, "a status"))?,
        };
        record.calls = self.integer(Column::Calls, 1)?;
        record.scope = match self.word(Column::Scope) {
            "process" | "" => CpuProcesses::Current,
            "machine" => CpuProcesses::All,
            _ => return Err(self.wrong(Column::Scope, "`process` or `machine`")),
        };
        record.own_energy = energy(Column::OwnEnergy)?.unwrap_or(power);
        record.own_co2 = self.optional_number(Column::OwnCo2)?.map_or(co2, KilogramsCo2e);
        record.own_cost = self.optional_number(Column::OwnCost)?.unwrap_or(cost);
        record.process_energy = energy(Column::ProcessEnergy)?.unwrap_or(power);
        record.cpu_energy = energy(Column::CpuEnergy)?;
        record.gpu_energy = energy(Column::GpuEnergy)?;
        record.ram_energy = energy(Column::RamEnergy)?;
        record.other_energy = energy(Column::OtherEnergy)?;
        self.read_text(Column::CpuMethod, &mut record.cpu_method);
        self.read_text(Column::GpuMethod, &mut record.gpu_method);
        self.read_text(Column::RamMethod, &mut record.ram_method);
        self.read_text(Column::OtherMethod, &mut record.other_method);
        // Not a number where no energy was used: the log does not say.
        let level = self.optional_number(Column::EmissionLevel)?;
        record.emission_level = GramsPerKwh(level.unwrap_or(co2.0 * 1000.0 / power.0));
        self.read_text(Column::EmissionSource, &mut record.emission_source);
        record.pue = self.optional_number(Column::Pue)?.unwrap_or(1.0);
        self.read_text(Column::Hostname, &mut record.hostname);
        record.pid = self.integer(Column::Pid, 0)?;
        self.read_text(Column::Version, &mut record.version);
        record.overlap = Duration::ZERO;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::cells::Rows;
    use crate::log::columns::{NAMES, header};
    use chrono::TimeZone;
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
                overlap: Duration::ZERO,
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

    proptest! {
        #[test]
        fn a_record_that_is_used_again_keeps_nothing_of_the_row_before(
            first in any_record(),
            mut second in any_record(),
        ) {
            second.parent_id = None;
            second.cpu_energy = None;
            let rows = rows_of([&first, &second]);
            let layout = Layout::of(NAMES.iter().map(|name| name.as_bytes())).unwrap();
            let mut source = Rows::new(&rows[..], 0);
            let mut record = Record::blank();
            for written in [first, second] {
                let row = source.next(Some(layout.width)).unwrap().unwrap();
                Named { row: &row, layout: &layout }.read(&mut record).unwrap();
                prop_assert_eq!(&record, &written);
            }
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
