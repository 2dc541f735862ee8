//! What a summary of a log cannot do without, for `benches/summary_beside_duckdb.py`: counts its lines
//! (`reads_log lines LOG`), or splits it into cells with the `csv` crate and counts the rows
//! (`reads_log cells LOG`), with a thread for each CPU.
//!
//! Each thread reads a range of bytes, from the first line that begins there. So no cell may have several
//! lines.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::num::NonZero;
use std::ops::Range;
use std::{hint, thread};

/// As many bytes as a summary reads at once.
const BUFFER: usize = 128 << 10;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let count = match &arguments[..] {
        [what, _] if what == "lines" => count_lines,
        [what, _] if what == "cells" => count_rows,
        _ => panic!("usage: reads_log lines|cells LOG"),
    };
    let log = &arguments[1];
    let length = File::open(log).and_then(|file| file.metadata()).expect("a log").len();
    let threads = thread::available_parallelism().map_or(1, NonZero::get) as u64;
    let boundary = |number| length * number / threads;
    let ranges = (0..threads).map(|number| boundary(number)..boundary(number + 1));
    let rows: u64 = thread::scope(|scope| {
        let read = |range| scope.spawn(move || count(File::open(log).expect("a log"), range));
        let threads: Vec<_> = ranges.map(read).collect();
        threads.into_iter().map(|thread| thread.join().expect("a count")).sum()
    });
    println!("{rows}");
}

/// Returns the number of lines that end in a range.
fn count_lines(mut log: File, range: Range<u64>) -> u64 {
    log.seek(SeekFrom::Start(range.start)).expect("a file");
    let mut rest = log.take(range.end - range.start);
    let mut buffer = vec![0; BUFFER];
    let mut lines = 0;
    loop {
        match rest.read(&mut buffer).expect("bytes") {
            0 => return lines,
            read => lines += memchr::memchr_iter(b'\n', &buffer[..read]).count() as u64,
        }
    }
}

/// Returns the number of rows that begin in a range, split into cells.
fn count_rows(mut log: File, range: Range<u64>) -> u64 {
    // The line that begins before the range is read with the range before.
    let before = range.start.saturating_sub(1);
    log.seek(SeekFrom::Start(before)).expect("a file");
    let mut log = BufReader::with_capacity(BUFFER, log);
    let skipped = match range.start {
        0 => 0,
        _ => log.skip_until(b'\n').expect("a line") as u64,
    };
    let length = range.end.saturating_sub(before + skipped);
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).buffer_capacity(BUFFER).from_reader(log);
    let mut row = csv::ByteRecord::new();
    let mut rows = 0;
    while reader.position().byte() < length && reader.read_byte_record(&mut row).expect("a row") {
        hint::black_box(&row);
        rows += 1;
    }
    rows
}
