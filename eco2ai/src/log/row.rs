//! A [`Record`] as a row of the log, and a row as a record.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::LazyLock;
use std::time::Duration;

use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, FixedOffset};

use crate::log::cells::Row;
use crate::log::columns::Column;
use crate::log::encoded_text::encode;
use crate::log::header::{FileKind, Header};
use crate::log::record::Record;
use crate::log::start_time;
use crate::scope::Scope;
use crate::status::Status;
use crate::units::{GramsPerKwh, KilogramsCo2e, KilowattHours};

/// Times are understood once and not for each row.
static TIME_WITH_OFFSET: LazyLock<Vec<Item<'static>>> =
    LazyLock::new(|| StrftimeItems::new("%Y-%m-%d %H:%M:%S%:z").collect());
/// As Eco2AI writes them.
static WALL_TIME: LazyLock<Vec<Item<'static>>> =
    LazyLock::new(|| StrftimeItems::new("%Y-%m-%d %H:%M:%S").collect());

/// The longest text of a cell, in bytes. Python's `csv` refuses 131 072 and more, and a row of such
/// texts alone is far below what our reader takes.
const MAX_TEXT: usize = 128_000;
/// Stands where a longer text was cut.
const CUT: &str = "… (cut)";

/// A text as it may stand in a cell.
fn shortened(text: &str) -> Cow<'_, str> {
    if text.len() <= MAX_TEXT {
        return text.into();
    }
    let end = (0..=MAX_TEXT - CUT.len()).rev().find(|end| text.is_char_boundary(*end));
    (text[..end.unwrap_or(0)].to_owned() + CUT).into()
}

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

/// Writes the cell of `column` into `cell`, without guard. What is missing stays blank. In a log
/// without own energies, what the run used itself is all that it used, so that sums are right.
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
        Column::Power if has_own_energy => return number(record.power_consumption.0),
        Column::Co2 if has_own_energy => return number(record.co2_emissions.0),
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

/// The start of a run as a log with that header tells it.
pub(crate) fn start_time_cell(record: &Record, header: &Header) -> String {
    let mut cell = String::new();
    write_cell(record, Column::StartTime, header.has_own_energy(), &mut cell);
    cell
}

/// One column that cannot be read: the reason.
type Unread = String;

/// A row with the names of its cells.
pub(crate) struct Named<'a> {
    pub(crate) row: &'a Row<'a>,
    pub(crate) header: &'a Header,
}

/// What every row must tell to be of use, and what a summary adds up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    pub(crate) seconds: f64,
    /// Inclusive.
    pub(crate) energy: KilowattHours,
    pub(crate) co2: KilogramsCo2e,
    pub(crate) cost: f64,
    pub(crate) own_energy: KilowattHours,
    pub(crate) own_co2: KilogramsCo2e,
    pub(crate) own_cost: f64,
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
        let cell = self.header.place(column).and_then(|place| self.row.cell(place));
        let cell = cell.unwrap_or_default();
        let cell = if self.header.has_own_energy() { unguarded(&cell) } else { &cell };
        match std::str::from_utf8(cell) {
            Ok(cell) => text.push_str(cell),
            Err(_) => text.push_str(&String::from_utf8_lossy(cell)),
        }
    }

    /// What is written in a column, without the spaces around it and with doubled quotes; empty where
    /// the column is missing.
    pub(crate) fn raw(&self, column: Column) -> &[u8] {
        let cell = self.header.place(column).and_then(|place| self.row.raw(place));
        cell.unwrap_or_default().trim_ascii()
    }

    /// What is written in a column, without the spaces around it: enough for numbers and for words
    /// that need no quotes. Empty where the column is missing.
    fn word(&self, column: Column) -> &str {
        std::str::from_utf8(self.raw(column)).unwrap_or("\u{fffd}")
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

    /// Says that a cell is not what its column wants.
    pub(crate) fn wrong(&self, column: Column, wanted: &str) -> Unread {
        let mut found = self.text(column);
        if let Some((cut, _)) = found.char_indices().nth(60) {
            found.truncate(cut);
            found.push('…');
        }
        format!("{} = {found:?} is not {wanted}", column.name())
    }

    /// What makes the row of use; a log without own energies has one kind of energy only.
    ///
    /// # Errors
    /// Where a number is missing, or none. All else may be missing: the row counts all the same.
    pub(crate) fn figures(&self) -> Result<Figures, Unread> {
        let energy = KilowattHours(self.number(Column::Power)?);
        let co2 = KilogramsCo2e(self.number(Column::Co2)?);
        let cost = self.optional_number(Column::Cost)?.unwrap_or(0.0);
        Ok(Figures {
            seconds: self.seconds()?,
            energy,
            co2,
            cost,
            own_energy: self.optional_number(Column::OwnEnergy)?.map_or(energy, KilowattHours),
            own_co2: self.optional_number(Column::OwnCo2)?.map_or(co2, KilogramsCo2e),
            own_cost: self.optional_number(Column::OwnCost)?.unwrap_or(cost),
        })
    }

    /// When the run started, where the row tells.
    pub(crate) fn start_time(&self) -> Result<DateTime<FixedOffset>, Unread> {
        start_time::parse(self.word(Column::StartTime))
            .map_err(|wanted| self.wrong(Column::StartTime, wanted))
    }

    /// The number in a column; `None` where there is none.
    fn number_or_none(&self, column: Column) -> Option<f64> {
        self.optional_number(column).unwrap_or_default()
    }

    /// The record of the row.
    pub(crate) fn record(&self) -> Result<Record, Unread> {
        let mut record = Record::blank();
        self.read(&mut record)?;
        Ok(record)
    }

    /// Replaces `record` by that of the row.
    ///
    /// # Errors
    /// Those of [`figures`](Self::figures), so that all readers count the same rows. What else
    /// cannot be understood is as if it were missing.
    pub(crate) fn read(&self, record: &mut Record) -> Result<(), Unread> {
        let figures = self.figures()?;
        let energy = |column| self.number_or_none(column).map(KilowattHours);
        self.read_text(Column::Id, &mut record.id);
        self.read_text(Column::Project, &mut record.project);
        self.read_text(Column::Description, &mut record.description);
        self.read_text(Column::Epoch, &mut record.epoch);
        if record.epoch.is_empty() {
            record.epoch.push_str("N/A");
        }
        record.start_time = self.start_time().ok();
        record.duration = Duration::try_from_secs_f64(figures.seconds)
            .map_err(|_| self.wrong(Column::Duration, "a number of seconds"))?;
        record.power_consumption = figures.energy;
        record.co2_emissions = figures.co2;
        self.read_text(Column::CpuName, &mut record.cpu_name);
        self.read_text(Column::GpuName, &mut record.gpu_name);
        self.read_text(Column::Os, &mut record.os);
        self.read_text(Column::Place, &mut record.place);
        record.cost = figures.cost;
        self.read_optional_text(Column::ParentId, &mut record.parent_id);
        self.read_optional_text(Column::Function, &mut record.function);
        record.status = Status::of(self.word(Column::Status)).unwrap_or(Status::Unknown);
        record.calls = self.word(Column::Calls).parse().unwrap_or(1);
        record.scope = match self.word(Column::Scope) {
            "machine" => Scope::Machine,
            _ => Scope::Process,
        };
        record.own_energy = figures.own_energy;
        record.own_co2 = figures.own_co2;
        record.own_cost = figures.own_cost;
        record.process_energy = energy(Column::ProcessEnergy).unwrap_or(figures.energy);
        record.cpu_energy = energy(Column::CpuEnergy);
        record.gpu_energy = energy(Column::GpuEnergy);
        record.ram_energy = energy(Column::RamEnergy);
        record.other_energy = energy(Column::OtherEnergy);
        self.read_text(Column::CpuMethod, &mut record.cpu_method);
        self.read_text(Column::GpuMethod, &mut record.gpu_method);
        self.read_text(Column::RamMethod, &mut record.ram_method);
        self.read_text(Column::OtherMethod, &mut record.other_method);
        // Not a number where no energy was used: the log does not say.
        let level = self.number_or_none(Column::EmissionLevel);
        record.emission_level =
            GramsPerKwh(level.unwrap_or(figures.co2.0 * 1000.0 / figures.energy.0));
        self.read_text(Column::EmissionSource, &mut record.emission_source);
        record.pue = self.number_or_none(Column::Pue).unwrap_or(1.0);
        self.read_text(Column::Hostname, &mut record.hostname);
        record.pid = self.word(Column::Pid).parse().unwrap_or(0);
        self.read_text(Column::Version, &mut record.version);
        record.overlap = Duration::ZERO;
        Ok(())
    }

    /// Whether the row is the header once more, as where logs were put together with `cat`.
    pub(crate) fn is_header(&self) -> bool {
        let is_its_name = |(place, column): (usize, &Option<Column>)| match column {
            Some(column) => {
                let cell = self.row.raw(place).unwrap_or_default();
                Column::from_name(cell.trim_ascii()) == Some(*column)
            }
            None => true,
        };
        self.header.columns().iter().enumerate().all(is_its_name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::cells::Rows;
    use crate::log::columns::ALL;
    use crate::log::header::LineEnd;
    use chrono::TimeZone;
    use proptest::prelude::*;

    fn read(rows: &[u8], header: &Header) -> Vec<Result<Record, Unread>> {
        let mut source = Rows::resume(rows, 1, 1, header.line_end);
        let mut records = Vec::new();
        while let Some(row) = source.next(Some(header.width())).unwrap() {
            records.push(match row.malformed {
                Some(reason) => Err(reason.to_owned()),
                None => Named { row: &row, header }.record(),
            });
        }
        records
    }

    fn parse(header: &str) -> Header {
        let cells: Vec<_> = header.trim().split(',').map(|cell| cell.as_bytes().into()).collect();
        Header::parse(&cells, LineEnd::Lf).unwrap()
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
                start_time: Some(zone.timestamp_opt(seconds, 0).unwrap()),
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
                scope: Scope::Machine,
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
            for line_end in [LineEnd::Lf, LineEnd::CrLf] {
                let mut header = Header::full();
                header.line_end = line_end;
                let rows = rows_of([&record], &header, FileKind::Log);
                prop_assert_eq!(read(&rows, &header), vec![Ok(record.clone())]);
            }
        }

        #[test]
        fn a_record_that_is_used_again_keeps_nothing_of_the_row_before(
            first in any_record(),
            mut second in any_record(),
        ) {
            second.parent_id = None;
            second.cpu_energy = None;
            let header = Header::full();
            let rows = rows_of([&first, &second], &header, FileKind::Log);
            let mut source = Rows::new(&rows[..]);
            let mut record = Record::blank();
            for written in [first, second] {
                let row = source.next(Some(header.width())).unwrap().unwrap();
                Named { row: &row, header: &header }.read(&mut record).unwrap();
                prop_assert_eq!(&record, &written);
            }
        }

        /// Whatever columns a log has: what they hold is read back, and the row has their number.
        #[test]
        fn a_row_fits_the_header_that_is_there(
            record in any_record(),
            order in prop::sample::subsequence((0..36_usize).collect::<Vec<_>>(), 36).prop_shuffle(),
            left_out in prop::collection::vec(any::<bool>(), 36),
            own in any::<bool>(),
        ) {
            use Column::{Co2, Cost, Duration, OwnCo2, OwnCost, OwnEnergy, Power, Project, StartTime};
            let needed = [Project, StartTime, Duration, Power, Co2];
            let names = order.iter().filter_map(|at| {
                let column = ALL[*at];
                if needed.contains(&column) {
                    return Some(column.name().to_owned());
                }
                if [OwnEnergy, OwnCo2, OwnCost, Cost].contains(&column) {
                    return own.then(|| column.name().to_owned());
                }
                (!left_out[*at]).then(|| if at % 5 == 0 { "mine".into() } else { column.name().into() })
            });
            let header = parse(&names.collect::<Vec<_>>().join(","));
            let rows = rows_of([&record], &header, FileKind::Log);
            let read = read(&rows, &header).remove(0).unwrap();
            prop_assert_eq!(&read.project, &record.project);
            prop_assert_eq!(read.duration, record.duration);
            prop_assert_eq!(read.own_energy, record.own_energy);
            let inclusive = if own { record.power_consumption } else { record.own_energy };
            prop_assert_eq!(read.power_consumption, inclusive);
            for (column, read, written) in [
                (Column::Hostname, &read.hostname, &record.hostname),
                (Column::Description, &read.description, &record.description),
            ] {
                let expected = if header.place(column).is_some() { written } else { "" };
                prop_assert_eq!(read, expected);
            }
        }
    }

    #[test]
    fn a_text_that_is_too_long_is_cut_with_a_mark() {
        let mut record = crate::log::record::tests::record("1");
        for (length, cut) in [(MAX_TEXT, false), (MAX_TEXT + 1, true), (20 << 20, true)] {
            record.description = "x".repeat(length - 2) + "é";
            let header = Header::full();
            let rows = rows_of([&record], &header, FileKind::Log);
            let read = read(&rows, &header).remove(0).unwrap();
            assert_eq!(read.description.ends_with(CUT), cut);
            assert_eq!(read.description == record.description, !cut);
            assert!(read.description.len() <= MAX_TEXT);
            assert_eq!(read.version, record.version);
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
        let text =
            "7,p,=d,N/A,2024-05-06 07:08:09,1.5,0.25,0.1,\"A/1 device(s), TDP:9\",,Linux,FR,2.0\n";
        let record = read(text.as_bytes(), &Header::eco2ai()).remove(0).unwrap();
        assert_eq!(record.description, "=d");
        assert_eq!(record.cpu_name, "A/1 device(s), TDP:9");
        let start = record.start_time.unwrap();
        assert_eq!(start.naive_local().to_string(), "2024-05-06 07:08:09");
        assert_eq!(
            (record.own_energy, record.process_energy),
            (KilowattHours(0.25), KilowattHours(0.25))
        );
        assert_eq!((record.own_cost, record.status, record.calls), (2.0, Status::Unknown, 1));
        assert_eq!(record.cpu_energy, None);
        assert_eq!(record.emission_level, GramsPerKwh(400.0));
    }

    #[test]
    fn a_row_in_a_log_of_eco2ai_is_as_its_own() {
        let mut record = crate::log::record::tests::record("7");
        record.project = "=p".into();
        record.own_energy = KilowattHours(0.25);
        record.own_co2 = KilogramsCo2e(0.125);
        record.own_cost = 2.0;
        let row = rows_of([&record], &Header::eco2ai(), FileKind::Log);
        assert_eq!(
            String::from_utf8(row).unwrap(),
            "7,=p,d,N/A,1970-01-01 00:00:00,1.5,0.25,0.125,\"A/1 device(s), TDP:9\", 0 device(s),Linux,FR,2.0\n"
        );
    }

    #[test]
    fn a_wrong_number_is_named() {
        for (text, reason) in [
            ("1,p,d,N/A,2024-05-06 07:08:09,x,0,0,,,,,0", "duration(s) = \"x\" is not a number"),
            ("1,p,d,N/A,2024-05-06 07:08:09,-1,0,0,,,,,0", "is not a number of seconds"),
            ("1,p,d,N/A,2024-05-06 07:08:09,1,,0,,,,,0", "power_consumption(kWh) = \"\""),
            ("1,p,d,N/A,2024-05-06 07:08:09,1,nan,0,,,,,0", "power_consumption(kWh) = \"nan\""),
        ] {
            let error = read(text.as_bytes(), &Header::eco2ai()).remove(0).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn a_row_counts_whatever_else_it_holds() {
        let own = Header::full().line();
        let header = parse(&own);
        let wrong = own.trim().split(',').map(|name| match name {
            "duration(s)" | "power_consumption(kWh)" | "CO2_emissions(kg)" => "1",
            "own_energy(kWh)" | "own_CO2(kg)" | "own_cost" | "cost" => "2",
            _ => "?",
        });
        let row = wrong.collect::<Vec<_>>().join(",");
        let record = read(row.as_bytes(), &header).remove(0).unwrap();
        assert_eq!((record.start_time, record.status), (None, Status::Unknown));
        assert_eq!((record.calls, record.cpu_energy, record.pue), (1, None, 1.0));
    }
}
