use std::sync::Arc;
use std::time::Duration;

use chrono::{FixedOffset, TimeZone};
use proptest::prelude::*;

use super::cell::{CUT, MAX_TEXT};
use super::log_row::Unread;
use super::{CommonCells, LogRow, rows_of};
use crate::log::columns::{ALL, Column};
use crate::log::csv_reader::CsvReader;
use crate::log::header::{FileKind, Header, LineEnd};
use crate::log::record::Record;
use crate::scope::Scope;
use crate::status::Status;
use crate::units::{GramsPerKwh, KilogramsCo2e, KilowattHours};

fn read(rows: &[u8], header: &Header) -> Vec<Result<Record, Unread>> {
    let mut source = CsvReader::resume(rows, 1, 1, header.line_end);
    let mut records = Vec::new();
    while let Some(row) = source.next(Some(header.width())).unwrap() {
        records.push(match row.malformed {
            Some(reason) => Err(reason.to_owned()),
            None => LogRow { row: &row, header }.record(),
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
        texts in prop::collection::vec("[-=+@'\t\r\n\",; a-zé世]{0,16}", 17),
        numbers in prop::collection::vec(
            prop::num::f64::POSITIVE | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO, 13),
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
            energy: kwh(0),
            co2: KilogramsCo2e(numbers[1]),
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
            cpu_method: text(10).into(),
            gpu_method: text(11).into(),
            ram_method: text(12).into(),
            other_method: text(13).into(),
            emission_level: Some(GramsPerKwh(numbers[9])),
            emission_source: text(14),
            pue: numbers[10],
            hostname: text(15),
            pid,
            version: "0".into(),
            energy_low: Some(kwh(11)),
            energy_high: None,
            job: Some(text(16)).filter(|text| !text.is_empty()),
            rank: Some(pid),
            idle_energy: Some(kwh(12)),
            user: Some(text(16)).filter(|text| !text.is_empty()),
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
    fn a_row_is_what_the_csv_crate_writes_of_its_cells(record in any_record()) {
        let header = Header::full();
        let row = rows_of([&record], &header, FileKind::Log);
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&row[..]);
        let cells = reader.records().next().unwrap().unwrap();
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&cells).unwrap();
        prop_assert_eq!(row, writer.into_inner().unwrap());
        let start = record.start_time.unwrap();
        prop_assert_eq!(&cells[4], start.format("%Y-%m-%d %H:%M:%S%:z").to_string());
        for (cell, number) in [(6, record.energy.0), (12, record.cost), (32, record.pue)] {
            prop_assert_eq!(cells[cell].parse(), Ok(number));
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
        let mut source = CsvReader::new(&rows[..]);
        let mut record = Record::default();
        for written in [first, second] {
            let row = source.next(Some(header.width())).unwrap().unwrap();
            LogRow { row: &row, header: &header }.read(&mut record).unwrap();
            prop_assert_eq!(&record, &written);
        }
    }

    /// Whatever columns a log has, and if another one with other columns takes its place.
    #[test]
    fn common_cells_that_are_ready_change_no_row(
        first in any_record(),
        other in any_record(),
        order in Just(ALL.to_vec()).prop_shuffle(),
        width in 0..ALL.len(),
    ) {
        use Column::{Co2, Duration, OwnEnergy, Power, Project, StartTime};
        let second = Record {
            id: other.id,
            epoch: other.epoch,
            start_time: other.start_time,
            duration: other.duration,
            energy: other.energy,
            co2: other.co2,
            cost: other.cost,
            parent_id: other.parent_id,
            status: Status::Error,
            calls: other.calls,
            scope: Scope::Process,
            own_energy: other.own_energy,
            own_co2: other.own_co2,
            own_cost: other.own_cost,
            process_energy: other.process_energy,
            cpu_energy: None,
            gpu_energy: other.cpu_energy,
            ram_energy: other.ram_energy,
            other_energy: other.cpu_energy,
            energy_low: None,
            energy_high: other.energy_low,
            idle_energy: None,
            ..first.clone()
        };
        let needed = [Project, StartTime, Duration, Power, Co2];
        let names = order.into_iter().enumerate().filter_map(|(at, column)| {
            let is_known = at < width || needed.contains(&column);
            let is_other = column == OwnEnergy || at.is_multiple_of(2);
            if is_known { Some(column.name()) } else { is_other.then_some("mine") }
        });
        let shuffled = parse(&names.collect::<Vec<_>>().join(","));
        let common = CommonCells::default();
        for header in [Header::full(), shuffled, Header::eco2ai()].map(Arc::new) {
            for record in [&first, &second] {
                let mut row = String::new();
                common.write_rows(std::slice::from_ref(record), &header, &mut row);
                prop_assert_eq!(row.into_bytes(), rows_of([record], &header, FileKind::Log));
            }
        }
    }

    /// Whatever columns a log has: what they hold is read back, and the row has their number.
    #[test]
    fn a_row_fits_the_header_that_is_there(
        record in any_record(),
        order in Just(ALL.to_vec()).prop_shuffle(),
        left_out in prop::collection::vec(any::<bool>(), ALL.len()),
        own in any::<bool>(),
    ) {
        use Column::{Co2, Cost, Duration, OwnCo2, OwnCost, OwnEnergy, Power, Project, StartTime};
        let needed = [Project, StartTime, Duration, Power, Co2];
        let names = order.into_iter().filter_map(|column| {
            if needed.contains(&column) {
                return Some(column.name().to_owned());
            }
            if [OwnEnergy, OwnCo2, OwnCost, Cost].contains(&column) {
                return own.then(|| column.name().to_owned());
            }
            let at = column as usize;
            let name = if at.is_multiple_of(5) { "mine" } else { column.name() };
            (!left_out[at]).then(|| name.to_owned())
        });
        let header = parse(&names.collect::<Vec<_>>().join(","));
        let rows = rows_of([&record], &header, FileKind::Log);
        let read = read(&rows, &header).remove(0).unwrap();
        prop_assert_eq!(&read.project, &record.project);
        prop_assert_eq!(read.duration, record.duration);
        prop_assert_eq!(read.own_energy, record.own_energy);
        let inclusive = if own { record.energy } else { record.own_energy };
        prop_assert_eq!(read.energy, inclusive);
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
    assert_eq!(record.emission_level, Some(GramsPerKwh(400.0)));
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
