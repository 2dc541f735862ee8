//! Damaged logs and journals: whatever was done to them, no panic, and no loss of what was not
//! touched.
//!
//! Each test runs for `ECO2AI_FUZZ_SECONDS`. A failure tells its seed; `ECO2AI_FUZZ_SEED` begins
//! with that one.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use eco2ai::{GroupBy, Record, Status, Summary, Tracker};
use eco2ai_tests::rows::eco2ai_columns;

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
                if line && random.one_in(20) {
                    // Each line may seem to open a row that reaches to the end of the file.
                    let length = 1 + random.below(5);
                    noise = (0..length).map(|_| random.one_of(&SPECIAL)).chain([b'\n']).collect();
                    if random.one_in(2) {
                        noise = b"x\",\"\n".to_vec();
                    }
                    noise = noise.repeat(random.below(20_000));
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
    let columns = if dialect == Dialect::Ours { header.len() } else { eco2ai_columns() };
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
        let swallowed = found.iter().any(|record| {
            let told = format!("{record:?}").matches(&original.id).count();
            told > usize::from(record.id == original.id)
        });
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
            // As if two files had been joined.
            let other = log(random, &header, dialect, 2);
            parts.extend(other.into_iter().map(|part| Part::rubble(part.bytes)));
        }
        fs::write(&damaged, whole(&parts)).unwrap();
        assert_intact_rows(&damaged, &parts, &originals);

        let summed = Summary::read([&damaged, &clean], GroupBy::Project);
        match eco2ai::read_log(&damaged) {
            Ok(records) => {
                let (good, bad): (Vec<_>, Vec<_>) = records.partition(Result::is_ok);
                let summary = summed.unwrap();
                let counted = summary.total.rows + summary.repeated_rows;
                assert_eq!(counted, (good.len() + rows) as u64);
                assert_eq!(summary.unusable_rows, bad.len() as u64);
                assert!(summary.to_string().contains("Total"));
            }
            Err(_) => drop(summed.unwrap_err()),
        }
    });
}

const MAGIC: &[u8] = b"eco2ai-journal 3 ";

/// The frames of a journal, each with the rows in it.
fn frames(journal: &[u8]) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    let mut rest = journal;
    while rest.starts_with(MAGIC) {
        let line = rest.iter().position(|byte| *byte == b'\n').unwrap();
        let words = String::from_utf8(rest[..line].to_vec()).unwrap();
        let length: usize = words.split(' ').nth(5).unwrap().parse().unwrap();
        if rest.len() < line + 1 + length {
            break;
        }
        let (frame, after) = rest.split_at(line + 1 + length);
        frames.push(frame.to_vec());
        rest = after;
    }
    frames
}

/// The row in a frame: it stands in its last lines, behind four lines of the frame's own and a header.
fn row_in(frame: &[u8]) -> &[u8] {
    let lines: Vec<_> = frame.split_inclusive(|byte| *byte == b'\n').take(5).collect();
    &frame[lines.iter().map(|line| line.len()).sum()..]
}

fn journal_beside(log: &Path, ending: &str) -> Option<PathBuf> {
    let mut entries =
        fs::read_dir(log.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    entries.find(|path| path.to_str().unwrap().ends_with(ending))
}

/// Journals as the library writes them: frames of rows that wait, and of the states of a run, with
/// the ids of the runs.
struct Journals {
    waiting: Vec<(String, Vec<u8>)>,
    running: Vec<(String, Vec<u8>)>,
}

fn journals(log: &Path) -> Journals {
    let tracker = |text: &str| {
        let tracker = Tracker::builder().description(text).measure_period(0.01).file(log);
        tracker.forget().build().unwrap()
    };
    tracker("first").start().unwrap().stop().unwrap();
    let mut running = Vec::new();
    while running.len() < 8 {
        let run = tracker("long, \"running\"\nrun").start().unwrap();
        let id = run.snapshot().id;
        for _ in 0..4 {
            std::thread::sleep(Duration::from_millis(25));
            // Only the frame at the head is whole for sure while another is written.
            let journal =
                journal_beside(log, ".running.journal").and_then(|path| fs::read(path).ok());
            let frame = frames(&journal.unwrap_or_default()).into_iter().next();
            running.extend(frame.map(|frame| (id.clone(), frame)));
        }
        run.stop().unwrap();
    }
    let held = fs::File::open(log).unwrap();
    held.lock().unwrap();
    let ids: Vec<_> = ["a", "two\nlines", "=1, \"q\"", "", "é\r\n", "x"]
        .map(|text| tracker(text).start().unwrap().stop().unwrap().id)
        .into();
    let journal = fs::read(journal_beside(log, ".waiting.journal").unwrap()).unwrap();
    let waiting: Vec<_> = ids.into_iter().zip(frames(&journal)).collect();
    assert_eq!(waiting.len(), 6);
    held.unlock().unwrap();
    eco2ai::recover(log).unwrap();
    Journals { waiting, running }
}

/// Removes all files of a folder.
fn clear(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
}

/// What is in a folder, but for one file.
fn contents(folder: &Path, but: &Path) -> HashMap<PathBuf, Vec<u8>> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path != but).map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// No run is in the log twice, and each that is `expected` is there.
fn assert_each_once(log: &Path, known: &Journals, expected: &HashSet<String>) {
    let text = fs::read(log).unwrap();
    let mut times: HashMap<String, usize> = HashMap::new();
    for record in eco2ai::read_log(log).unwrap().filter_map(Result::ok) {
        if known.running.iter().any(|(id, _)| *id == record.id) {
            // A log of Eco2AI does not say.
            assert!(matches!(record.status, Status::Interrupted | Status::Unknown));
        }
        *times.entry(record.id).or_default() += 1;
    }
    for (id, _) in known.waiting.iter().chain(&known.running) {
        let times = times.get(id).copied().unwrap_or(0);
        assert!(times <= 1, "{id} is there {times} times: {:.9000}", text.escape_ascii());
        let there = times == 1 || !expected.contains(id);
        assert!(there, "{id} is lost: {:.9000}", text.escape_ascii());
    }
}

#[test]
fn recovery_writes_each_complete_row_once() {
    let header = header();
    let folder = tempfile::tempdir().unwrap();
    let log_path = folder.path().join("emission.csv");
    let clean = folder.path().join("clean.csv");
    let known = journals(&log_path);
    // Held, so that no other log gets the same place on the disk.
    let _held = fs::File::open(&log_path).unwrap();
    let mut step = 0;
    fuzz("recovery", |random| {
        step += 1;
        clear(folder.path());
        // What the log has: nothing, rows of ours or of Eco2AI, whole or damaged, or something else.
        let kind = random.below(8);
        let dialect = if kind < 5 { Dialect::Ours } else { Dialect::Eco2ai };
        let rows = random.below(5);
        let mut parts = log(random, &header, dialect, rows);
        fs::write(&clean, whole(&parts)).unwrap();
        let originals = read(&clean);
        let mut expected: HashSet<String> = HashSet::new();
        let foreign = kind == 7 && random.one_in(2);
        match kind {
            0 => parts.clear(),
            1 | 5 => {}
            7 if foreign => parts = vec![Part::rubble(b"name,age\nx,1\n".to_vec())],
            _ => mutate(random, &mut parts, true),
        }
        // Some rows were written just before their process was killed.
        if dialect == Dialect::Ours && kind > 0 {
            if !whole(&parts).ends_with(b"\n") {
                parts.push(Part::rubble(b"\n".to_vec()));
            }
            for (id, frame) in &known.waiting {
                if random.one_in(4) {
                    parts.push(Part::rubble(row_in(frame).to_vec()));
                    expected.insert(id.clone());
                }
            }
        }
        let before = whole(&parts);
        if !before.is_empty() || random.one_in(2) {
            fs::write(&log_path, &before).unwrap();
        }
        let mut owed = Vec::new();
        let mut runs = HashSet::new();
        for journal in 0..random.below(4) {
            let (name, known) = match random.below(2) {
                0 => ("waiting", &known.waiting),
                _ => ("running", &known.running),
            };
            let from = random.below(known.len());
            // Each run is of one process, which has one journal for it.
            if name == "running" && !runs.insert(&known[from].0) {
                continue;
            }
            let count = if name == "waiting" { 1 + random.below(known.len() - from) } else { 2 };
            let mut frames: Vec<_> = (from..(from + count).min(known.len()))
                .filter(|at| name == "waiting" || known[*at].0 == known[from].0)
                .map(|at| Part { bytes: known[at].1.clone(), intact: Some(at) })
                .collect();
            if random.one_in(2) {
                frames.reverse();
            }
            if random.one_in(2) {
                mutate(random, &mut frames, false);
            }
            expected.extend(intact(&frames).map(|at| known[at].0.clone()));
            let path = format!(".emission.csv.host-1-{step:x}.{journal}.{name}.journal");
            let path = folder.path().join(path);
            fs::write(&path, whole(&frames)).unwrap();
            if intact(&frames).count() > 0 {
                owed.push(path);
            }
        }

        let around = contents(folder.path(), &log_path);
        let recovered = eco2ai::recover(&log_path);
        let after = fs::read(&log_path).unwrap_or_default();
        let whole_header = parts.first().is_none_or(|part| part.intact == Some(0));
        if foreign {
            assert_eq!(after, before, "what is no log is left as it is");
            let left = contents(folder.path(), &log_path);
            for path in owed {
                assert_eq!(left.get(&path), around.get(&path), "{} is gone", path.display());
            }
            return;
        }
        if let (Err(error), true) = (&recovered, whole_header) {
            assert!(error.to_string().contains(".journal"), "{error}");
        }
        // Nothing is left for another time.
        let again = eco2ai::recover(&log_path);
        assert_eq!(recovered.is_err(), again.is_err());
        assert_eq!(again.unwrap_or(0), 0);
        assert_eq!(fs::read(&log_path).unwrap_or_default(), after);

        // Only added to, or of zeros and put aside.
        assert!(after.starts_with(&before) || before.iter().all(|byte| *byte == 0));
        if after.is_empty() {
            assert!(expected.is_empty(), "{expected:?}");
            return;
        }
        assert_intact_rows(&log_path, &parts, &originals);
        if !whole_header {
            return;
        }
        assert_each_once(&log_path, &known, &expected);
    });
}
