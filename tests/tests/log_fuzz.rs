//! Damaged logs and journals: whatever was done to them, no panic, no hang, and no loss of what was
//! not touched.
//!
//! Each test runs for `ECO2AI_FUZZ_SECONDS`. A failure tells its seed; `ECO2AI_FUZZ_SEED` begins
//! with that one.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use eco2ai::{Record, Status, Summary, Tracker};

/// Splitmix64: one number after the other from a seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `end`, which is above 0.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).expect("it is below a usize")
    }

    fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    fn range(&mut self, length: usize) -> Range<usize> {
        let (a, b) = (self.below(length + 1), self.below(length + 1));
        a.min(b)..a.max(b)
    }
}

/// Calls `f` with one seed after the other until the time is over.
fn fuzz(what: &str, mut f: impl FnMut(&mut Random)) {
    let number = |name| std::env::var(name).ok()?.parse::<u64>().ok();
    let time = Duration::from_secs(number("ECO2AI_FUZZ_SECONDS").unwrap_or(2));
    let now = SystemTime::UNIX_EPOCH.elapsed().expect("after 1970");
    let first = number("ECO2AI_FUZZ_SEED").unwrap_or_else(|| Random(now.as_secs()).next());
    let (start, mut seed, mut slowest) = (Instant::now(), first, Duration::ZERO);
    while start.elapsed() < time {
        let began = Instant::now();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| f(&mut Random(seed)))) {
            eprintln!("{what}: ECO2AI_FUZZ_SEED={seed}");
            resume_unwind(panic);
        }
        slowest = slowest.max(began.elapsed());
        assert!(slowest < Duration::from_secs(10), "{what}: {slowest:?} with seed {seed}");
        seed = seed.wrapping_add(1);
    }
    let executions = seed.wrapping_sub(first);
    println!("{what}: {executions} executions from seed {first}, the slowest took {slowest:?}");
}

/// A part of a file: a row, a frame, or what stands between them.
#[derive(Clone)]
struct Part {
    bytes: Vec<u8>,
    /// Which of the original parts it still is, byte by byte.
    intact: Option<usize>,
}

impl Part {
    fn rubble(bytes: Vec<u8>) -> Self {
        Self { bytes, intact: None }
    }
}

/// Bytes that mean something in a log.
const SPECIAL: [u8; 12] = *b"\",\n\r\0\xff\xef='e-x";

/// Does to one part what happens to files.
fn damage(random: &mut Random, part: &mut Part) {
    let bytes = &mut part.bytes;
    let before = bytes.clone();
    let at = random.below(bytes.len() + 1);
    match random.below(8) {
        0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
        1 if at < bytes.len() => bytes[at] = random.one_of(&SPECIAL),
        2 => bytes.insert(at, random.one_of(&SPECIAL)),
        3 => bytes.truncate(at),
        4 => drop(bytes.drain(random.range(before.len()))),
        5 => {
            let again = before[random.range(before.len())].to_vec();
            bytes.splice(at..at, again);
        }
        6 => {
            // Mostly small; now and then a cell as large as a chunk of the reader, or two.
            let most = if random.one_in(50) { 300_000 } else { 40 };
            let byte = random.one_of(&SPECIAL);
            bytes.splice(at..at, std::iter::repeat_n(byte, random.below(most)));
        }
        _ => bytes.iter_mut().skip(at).for_each(|byte| *byte = 0),
    }
    if *bytes != before {
        part.intact = None;
    }
}

/// Does to some parts what happens to files, and puts others between them. `line` says that a part
/// needs the new line before it.
fn mutate(random: &mut Random, parts: &mut Vec<Part>, line: bool) {
    for _ in 0..random.below(5) {
        let at = random.below(parts.len().max(1));
        let copy = parts.get(at).cloned();
        match (random.below(8), copy) {
            (0..=3, Some(_)) => damage(random, &mut parts[at]),
            (4, Some(_)) => drop(parts.remove(at)),
            (5, Some(copy)) => {
                let to = random.below(parts.len() + 1);
                parts.insert(to, Part::rubble(copy.bytes));
            }
            (6, Some(mut copy)) => {
                copy.intact = None;
                for _ in 0..3 {
                    damage(random, &mut copy);
                }
                if line {
                    copy.bytes.push(b'\n');
                }
                parts.insert(at, copy);
            }
            _ => {
                let length = random.below(60);
                let mut noise: Vec<u8> =
                    (0..length).map(|_| u8::try_from(random.below(256)).expect("a byte")).collect();
                if line {
                    noise.push(b'\n');
                }
                if random.one_in(20) {
                    // Each line may seem to open a row that reaches to the end of the file.
                    let length = 1 + random.below(5);
                    noise = (0..length).map(|_| random.one_of(&SPECIAL)).chain([b'\n']).collect();
                    noise = noise.repeat(random.below(50_000));
                }
                parts.insert(at, Part::rubble(noise));
            }
        }
    }
    if line {
        for at in 1..parts.len() {
            if !parts[at - 1].bytes.ends_with(b"\n") {
                parts[at].intact = None;
            }
        }
    }
}

fn whole(parts: &[Part]) -> Vec<u8> {
    parts.iter().flat_map(|part| part.bytes.iter().copied()).collect()
}

fn intact(parts: &[Part]) -> impl Iterator<Item = usize> {
    parts.iter().filter_map(|part| part.intact)
}

/// A log of ours with these cells in its rows, or one of Eco2AI.
#[derive(Clone, Copy, PartialEq)]
enum Dialect {
    Ours,
    Eco2ai,
}

/// The header of our log, as the library writes it.
fn header() -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("emission.csv");
    let tracker = Tracker::builder().file(&log).forget().build().unwrap();
    tracker.start().unwrap().stop().unwrap();
    let text = fs::read_to_string(log).unwrap();
    text.lines().next().unwrap().split(',').map(str::to_owned).collect()
}

/// A log, header first. The id of a row is its number.
fn log(random: &mut Random, header: &[String], dialect: Dialect, rows: usize) -> Vec<Part> {
    const TEXTS: [&str; 10] =
        ["a", "two\nlines", "\"q\"", "a, b", "", "\r\n", "мир", "'t", " ", "x\n\n\"y\", z"];
    let columns = if dialect == Dialect::Ours { header.len() } else { 13 };
    let crlf = random.one_in(4);
    let line = |cells: &[String]| {
        let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut writer = csv::WriterBuilder::new().terminator(terminator).from_writer(Vec::new());
        writer.write_record(cells).unwrap();
        writer.into_inner().unwrap()
    };
    let mut first = line(&header[..columns]);
    if random.one_in(4) {
        first.splice(0..0, *b"\xef\xbb\xbf");
    }
    let mut parts = vec![Part { bytes: first, intact: Some(0) }];
    for row in 1..=rows {
        let cells: Vec<String> = header[..columns]
            .iter()
            .map(|column| match column.as_str() {
                "id" => format!("id-{row}-"),
                "start_time" if dialect == Dialect::Ours => "2024-05-06 07:08:09+02:00".into(),
                "start_time" => "2024-05-06 07:08:09".into(),
                "status" => "ok".into(),
                "calls" | "pid" => row.to_string(),
                "scope" => "process".into(),
                "cost" | "own_cost" | "pue" => "1.5".into(),
                name if name.contains('(') => format!("{:?}", 1e-3 * (1 + random.below(9)) as f64),
                _ => random.one_of(&TEXTS).into(),
            })
            .collect();
        parts.push(Part { bytes: line(&cells), intact: Some(row) });
    }
    parts
}

fn read(path: &Path) -> Vec<Record> {
    eco2ai::read_log(path).unwrap().map(Result::unwrap).collect()
}

/// Each row that nobody touched is read as it was, in its place among them.
fn assert_intact_rows(path: &Path, parts: &[Part], originals: &[Record]) {
    if parts.first().and_then(|part| part.intact) != Some(0) {
        // Who knows what a damaged header means.
        return;
    }
    let found: Vec<_> = eco2ai::read_log(path).unwrap().filter_map(Result::ok).collect();
    let mut rest = &found[..];
    for row in intact(parts).filter(|row| *row > 0) {
        let original = &originals[row - 1];
        if let Some(at) = rest.iter().position(|record| record == original) {
            rest = &rest[at + 1..];
            continue;
        }
        // Two new quotes, one before and one behind it, can make it a part of another row's cell.
        let swallowed = found
            .iter()
            .any(|record| record.id != original.id && format!("{record:?}").contains(&original.id));
        assert!(swallowed, "{} is lost of {:.5000}", original.id, whole(parts).escape_ascii());
    }
}

#[test]
fn a_damaged_log_is_read_as_far_as_it_is_whole() {
    let header = header();
    let folder = tempfile::tempdir().unwrap();
    let (clean, damaged) = (folder.path().join("clean.csv"), folder.path().join("damaged.csv"));
    fuzz("reader", |random| {
        let dialect = random.one_of(&[Dialect::Ours, Dialect::Eco2ai]);
        let rows = random.below(8);
        let mut parts = log(random, &header, dialect, rows);
        fs::write(&clean, whole(&parts)).unwrap();
        let originals = read(&clean);
        assert_eq!(originals.len(), rows);
        mutate(random, &mut parts, true);
        if random.one_in(20) {
            // As if two files had been joined; the second header is a row that cannot be used.
            let other = log(random, &header, dialect, 2);
            parts.extend(other.into_iter().map(|part| Part::rubble(part.bytes)));
        }
        fs::write(&damaged, whole(&parts)).unwrap();
        assert_intact_rows(&damaged, &parts, &originals);

        let summed = Summary::of([&damaged, &clean]);
        match eco2ai::read_log(&damaged) {
            Ok(records) => {
                let (good, bad): (Vec<_>, Vec<_>) = records.partition(Result::is_ok);
                let summary = summed.unwrap();
                let all = (good.len() + bad.len() + rows) as u64;
                // A summary needs less of a row than a record does, and what it cannot use it takes
                // apart line by line.
                assert!(summary.total.rows + summary.unusable_rows <= all);
                assert!(summary.total.rows >= (good.len() + rows) as u64);
                assert!(summary.to_string().contains("All the projects"));
            }
            Err(_) => drop(summed.unwrap_err()),
        }
    });
}
