use std::io::{self, Read};

use proptest::prelude::*;

use super::CsvReader;
use crate::log::header::LineEnd;

/// Returns one byte at a time, so that every row needs several reads.
struct Drip<'a>(&'a [u8]);

impl Read for Drip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.len().min(1);
        buffer[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

fn rows(source: impl Read, width: Option<usize>) -> Vec<(u64, Option<Vec<String>>)> {
    let mut rows = CsvReader::new(source);
    let mut found = Vec::new();
    while let Some(row) = rows.next(width).unwrap() {
        let cells = row.iter().map(|cell| String::from_utf8_lossy(&cell).into_owned());
        found.push((row.line, row.malformed.is_none().then(|| cells.collect())));
    }
    found
}

fn of(text: &str, width: usize) -> Vec<(u64, Option<Vec<String>>)> {
    let whole = rows(text.as_bytes(), Some(width));
    assert_eq!(whole, rows(Drip(text.as_bytes()), Some(width)), "the same in pieces");
    whole
}

fn good(line: u64, cells: &[&str]) -> (u64, Option<Vec<String>>) {
    (line, Some(cells.iter().map(ToString::to_string).collect()))
}

#[test]
fn quotes_line_ends_and_a_byte_order_mark_are_read() {
    assert_eq!(
        of("\u{feff}a,b\r\n\"x\ny\",\"say \"\"hi\"\"\"\r\n\n,\nlast,row", 2),
        [
            good(1, &["a", "b"]),
            good(2, &["x\ny", "say \"hi\""]),
            good(5, &["", ""]),
            good(6, &["last", "row"]),
        ]
    );
    assert!(of("", 2).is_empty());
    assert!(of("\u{feff}", 2).is_empty());
}

#[test]
fn lines_may_end_with_carriage_returns_alone() {
    assert_eq!(
        of("\u{feff}a,b\r\"x\ry\",2\r\r3,4", 2),
        [good(1, &["a", "b"]), good(2, &["x\ny", "2"]), good(5, &["3", "4"])]
    );
    for (text, line_end) in [
        ("a\r", LineEnd::Cr),
        ("a\rb\r\n", LineEnd::Cr),
        ("a\r\n", LineEnd::CrLf),
        ("a\nb\r", LineEnd::Lf),
        ("a", LineEnd::Lf),
    ] {
        for mut rows in [
            CsvReader::new(Box::new(text.as_bytes()) as Box<dyn Read>),
            CsvReader::new(Box::new(Drip(text.as_bytes()))),
        ] {
            rows.next(None).unwrap();
            assert_eq!(rows.line_end(), line_end, "{text:?}");
        }
    }
}

#[test]
fn an_incomplete_row_does_not_hide_other_rows() {
    assert_eq!(
        of("a,b\n1,\"torn\n2,\"whole, row\"\n3,x\n", 2),
        [good(1, &["a", "b"]), (2, None), good(3, &["2", "whole, row"]), good(4, &["3", "x"])]
    );
    assert_eq!(of("1,\"never closed\n2,b\n", 2), [(1, None), good(2, &["2", "b"])]);
    assert_eq!(of("1\n2,b\n", 2), [(1, None), good(2, &["2", "b"])]);
}

#[test]
fn the_cells_before_what_is_wrong_are_known() {
    for (text, cells) in [
        ("a,\"b\";c,d\n", &["a", "b"][..]),
        ("a,\"b\",c,\"d\n", &["a", "b", "c"]),
        (&",".repeat(1000), &[""; 256]),
    ] {
        let mut rows = CsvReader::new(text.as_bytes());
        let row = rows.next(None).unwrap().unwrap();
        assert!(row.malformed.is_some());
        assert_eq!(
            row.iter().collect::<Vec<_>>(),
            cells.iter().map(|cell| cell.as_bytes()).collect::<Vec<_>>()
        );
    }
}

#[test]
fn the_lines_of_a_skipped_row_are_read_as_rows() {
    let text = "1,\"torn\n2,\"\n3,x\n";
    let mut read = CsvReader::new(text.as_bytes());
    assert_eq!(read.next(Some(2)).unwrap().unwrap().raw(1), Some(&b"torn\n2,"[..]));
    read.only_first_line();
    let second = read.next(Some(2)).unwrap().unwrap();
    assert_eq!((second.line, second.malformed.is_some()), (2, true));
    read.only_first_line();
    let third = read.next(Some(2)).unwrap().unwrap();
    assert_eq!((third.line, third.raw(1)), (3, Some(&b"x"[..])));
}

proptest! {
    /// Rows of the `csv` crate are read back with any contents.
    #[test]
    fn rows_of_the_csv_crate_are_read_as_written(
        table in prop::collection::vec(prop::collection::vec("[ -~\r\n\",é世]{0,12}", 3), 0..6)
    ) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for row in &table {
            writer.write_record(row).unwrap();
        }
        let text = writer.into_inner().unwrap();
        let read = rows(&text[..], Some(3));
        prop_assert_eq!(&read, &rows(Drip(&text), Some(3)));
        let read: Vec<_> = read.into_iter().filter_map(|(_, cells)| cells).collect();
        prop_assert_eq!(read, table);
    }

    /// With any bytes: the reader ends, does not panic, and finds a valid row after them.
    #[test]
    fn a_valid_row_after_any_bytes_is_found(
        mut bytes in prop::collection::vec(
            prop_oneof![Just(b'"'), Just(b','), Just(b'\n'), Just(b'\r'), Just(b'x'), any::<u8>()],
            0..200,
        )
    ) {
        bytes.extend_from_slice(b"\nid,\"a, b\",3,4,5,6,7\n");
        let read = rows(&bytes[..], Some(7));
        prop_assert_eq!(&read, &rows(Drip(&bytes), Some(7)));
        let last = read.last().and_then(|(_, cells)| cells.clone()).unwrap_or_default();
        prop_assert_eq!(last.get(1..).unwrap_or_default(), ["a, b", "3", "4", "5", "6", "7"]);
    }
}
