//! The format of a journal.
//!
//! A journal is a sequence of frames. A frame is a line
//! `eco2ai-journal 3 KIND GROUP NUMBER LENGTH CHECKSUM`, followed by LENGTH bytes: a line with the end
//! of the log at the time of writing, the path of the log, its owner, and rows with their header, so
//! that other versions can read them. Of the frames of a group of running runs, the one with the
//! highest number counts.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::log::csv_reader::CsvReader;
use crate::log::header::Header;
use crate::log::identity::{End, Identity};
use crate::log::inspect::read_header;
use crate::log::owner::Owner;
use crate::log::record::Record;
use crate::log::row::LogRow;

const MAGIC: &str = "eco2ai-journal 3 ";
/// An upper bound of the size of a journal.
const MAX_SIZE: u64 = 1 << 30;

/// The kind of rows in a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Finished rows that are not in the log yet.
    Waiting,
    /// The latest state of runs that have not ended.
    Running,
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Waiting, Self::Running];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
        }
    }
}

/// The name of a frame: of two of the same group of running runs, the later one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FrameId {
    pub(crate) group: u32,
    pub(crate) number: u64,
}

/// Writes the frames of one journal of this process, each into the same memory.
#[derive(Debug)]
pub(crate) struct FrameWriter {
    kind: Kind,
    /// The length of the log's path, in bytes.
    log_length: usize,
    /// What stands between the end of the log and the rows: its path, the owner, and the header.
    constant: String,
    frame: Vec<u8>,
}

impl FrameWriter {
    /// Prepares the frames of a journal for the log with that real path.
    pub(crate) fn new(kind: Kind, log: &Path) -> Self {
        let log = log.to_string_lossy();
        let constant = format!("{log}\n{}\n{}", Owner::current(), Header::full().line());
        Self { kind, log_length: log.len(), constant, frame: Vec::new() }
    }

    /// Returns a frame as bytes. The rows have all columns.
    pub(crate) fn write(&mut self, id: FrameId, end: End, rows: &str) -> &[u8] {
        let Self { kind, log_length, constant, frame } = self;
        let identity = end.identity.unwrap_or(Identity { device: 0, number: 0 });
        let Identity { device, number: file } = identity;
        frame.clear();
        // Writing to memory cannot fail.
        let _ = writeln!(frame, "{device} {file} {} {log_length}", end.offset);
        frame.extend_from_slice(constant.as_bytes());
        frame.extend_from_slice(rows.as_bytes());
        let name = kind.name();
        let sum = checksum(name, id, frame);
        let FrameId { group, number } = id;
        let length = frame.len();
        let _ = writeln!(frame, "{MAGIC}{name} {group} {number} {length} {sum:016x}");
        // The line is known last and comes first.
        let line = frame.len() - length;
        frame.rotate_right(line);
        frame
    }
}

/// Computes the FNV-1a checksum (64 bits), which detects incomplete frames.
fn checksum(kind: &str, id: FrameId, body: &[u8]) -> u64 {
    kind.bytes()
        .chain(id.group.to_le_bytes())
        .chain(id.number.to_le_bytes())
        .chain(body.iter().copied())
        .fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
            (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

/// The contents of a journal.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Found {
    /// The real path of the log that it belongs to, as its owner saw it.
    pub(crate) log: String,
    /// The end of the log when the frame was written. Rows of the frame may follow it in the log.
    pub(crate) end: End,
    pub(crate) owner: Owner,
    pub(crate) records: Vec<Record>,
}

impl Found {
    /// Makes the contents of a journal from rows of this process, which may be anywhere in the log.
    pub(crate) fn from_own(records: Vec<Record>) -> Self {
        Self { log: String::new(), end: End::default(), owner: Owner::current(), records }
    }

    /// Adds the rows of a frame of the same journal.
    fn join(mut self, other: Self) -> Self {
        self.records.extend(other.records);
        // The rows of each may follow the end of the log at its time.
        let is_same = self.end.identity == other.end.identity;
        let offset = self.end.offset.min(other.end.offset);
        self.end = if is_same { End { offset, ..self.end } } else { End::default() };
        self
    }

    /// Returns whether the journal belongs to the log with that real path. The name must be the
    /// same. A journal `beside` the log needs no more. One in the state folder must also have the
    /// same folder, or be of the same file, whose folder was renamed: there are journals of many
    /// logs with the same name, and machines that share a state folder may each have a log at the
    /// same path.
    pub(crate) fn belongs_to(&self, log: &Path, beside: bool) -> bool {
        let name = log.file_name().unwrap_or_default().to_string_lossy();
        if Path::new(&self.log).file_name().unwrap_or_default().to_string_lossy() != name {
            return false;
        }
        if beside {
            return true;
        }
        let there = log.metadata().ok().and_then(|found| Identity::from_metadata(&found));
        let same_file = there.is_some() && there == self.end.identity;
        let same_path = self.log == log.to_string_lossy();
        same_path && (same_file || self.owner.is_on_this_machine())
            || same_file && !Path::new(&self.log).exists()
    }
}

/// Reads a journal: the latest complete state of running runs, or all waiting rows. Returns `None`
/// if its first frame is incomplete.
///
/// # Errors
/// Returns an error if the file cannot be read or is not a journal. Such a file must not be removed.
pub(crate) fn read(mut file: &File, kind: Kind) -> io::Result<Option<Found>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(MAX_SIZE).read_to_end(&mut bytes)?;
    let found = parse(&bytes, kind);
    // A power failure can leave zeros instead of a frame.
    let cut_off = || {
        bytes.iter().zip(MAGIC.bytes()).all(|(byte, wanted)| *byte == wanted)
            || bytes.iter().all(|byte| *byte == 0)
    };
    if found.is_none() && !cut_off() {
        return Err(io::Error::new(
            ErrorKind::InvalidData,
            "not a journal that this version can read; move it away, or use the version that wrote it",
        ));
    }
    Ok(found)
}

pub(crate) fn parse(bytes: &[u8], kind: Kind) -> Option<Found> {
    let mut frames: Vec<(FrameId, Found)> = Vec::new();
    let mut from = 0;
    while let Some(at) = memchr::memmem::find(&bytes[from..], MAGIC.as_bytes()) {
        from += at;
        match parse_frame(&bytes[from..], kind) {
            Some((id, found, length)) => {
                frames.push((id, found));
                from += length;
            }
            None => from += MAGIC.len(),
        }
    }
    if kind == Kind::Running {
        frames.sort_by_key(|(id, _)| std::cmp::Reverse(*id));
        frames.dedup_by_key(|(id, _)| id.group);
    }
    frames.into_iter().map(|(_, found)| found).reduce(Found::join)
}

/// Parses the frame at the start of `bytes`. Returns its id, contents and length.
fn parse_frame(bytes: &[u8], kind: Kind) -> Option<(FrameId, Found, usize)> {
    let line_end = memchr::memchr(b'\n', bytes.get(..200.min(bytes.len()))?)?;
    let line = std::str::from_utf8(bytes.get(MAGIC.len()..line_end)?).ok()?;
    let mut words = line.split(' ');
    let name = words.next().filter(|name| *name == kind.name())?;
    let group = words.next()?.parse().ok()?;
    let number = words.next()?.parse().ok()?;
    let id = FrameId { group, number };
    let length: usize = words.next()?.parse().ok()?;
    let sum = u64::from_str_radix(words.next()?, 16).ok()?;
    let start = line_end + 1;
    let stop = start.checked_add(length)?;
    let body = bytes.get(start..stop)?;
    if checksum(name, id, body) != sum {
        return None;
    }
    let place_end = memchr::memchr(b'\n', body)?;
    let mut place = std::str::from_utf8(body.get(..place_end)?).ok()?.split(' ');
    let mut next = || place.next()?.parse::<u64>().ok();
    let (device, inode, offset, log_length) = (next()?, next()?, next()?, next()?);
    let log_end = (place_end + 1).checked_add(usize::try_from(log_length).ok()?)?;
    let log = String::from_utf8(body.get(place_end + 1..log_end)?.to_vec()).ok()?;
    let rest = body.get(log_end + 1..)?;
    let owner_end = memchr::memchr(b'\n', rest)?;
    let owner = Owner::parse(std::str::from_utf8(rest.get(..owner_end)?).ok()?)?;
    let identity = Identity { device, number: inode };
    let identity = (identity != Identity { device: 0, number: 0 }).then_some(identity);
    let records = records_of(rest.get(owner_end + 1..)?)?;
    Some((id, Found { log, end: End { identity, offset }, owner, records }, stop))
}

/// Parses the rows of a complete frame, which follow their header.
fn records_of(rows: &[u8]) -> Option<Vec<Record>> {
    let mut rows = CsvReader::new(rows);
    let header = read_header(Path::new(""), &mut rows).ok()??;
    let mut records = Vec::new();
    while let Some(row) = rows.next(Some(header.width())).ok()? {
        records.push(match row.malformed {
            None => LogRow { row: &row, header: &header }.record().ok()?,
            Some(_) => return None,
        });
    }
    Some(records)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::header::FileKind;
    use crate::log::record::tests::record;
    use crate::log::row::write_rows;
    use proptest::prelude::*;

    const LOG: &str = "/tmp/a log\n.csv";

    fn end() -> End {
        End { identity: Some(Identity { device: 3, number: 4 }), offset: 5 }
    }

    fn rows_with(ids: &[&str]) -> String {
        let records: Vec<_> = ids.iter().map(|id| record(id)).collect();
        let mut rows = String::new();
        write_rows(&records, &Header::full(), FileKind::Log, &mut rows);
        rows
    }

    fn frame_with(kind: Kind, group: u32, number: u64, ids: &[&str]) -> Vec<u8> {
        let mut frames = FrameWriter::new(kind, Path::new(LOG));
        frames.write(FrameId { group, number }, end(), &rows_with(ids)).to_vec()
    }

    fn ids(found: &Found) -> Vec<&str> {
        found.records.iter().map(|record| record.id.as_str()).collect()
    }

    #[test]
    fn the_latest_state_and_all_waiting_rows_are_read() {
        let mut bytes = frame_with(Kind::Running, 0, 3, &["new"]);
        bytes.extend(frame_with(Kind::Running, 0, 1, &["old"]));
        bytes.extend(frame_with(Kind::Running, 7, 2, &["of another group"]));
        bytes.extend(frame_with(Kind::Waiting, 0, 1, &["one"]));
        bytes.extend(frame_with(Kind::Waiting, 0, 2, &["two", "three"]));
        let found = parse(&bytes, Kind::Running).unwrap();
        assert_eq!(
            (found.log.as_str(), found.end, ids(&found)),
            (LOG, end(), vec!["of another group", "new"])
        );
        assert_eq!(found.owner, Owner::current());
        assert_eq!(ids(&parse(&bytes, Kind::Waiting).unwrap()), ["one", "two", "three"]);
        assert_eq!(parse(b"", Kind::Running), None);
    }

    #[test]
    fn a_journal_of_a_later_version_is_read_by_its_header() {
        let mut later = FrameWriter::new(Kind::Waiting, Path::new(LOG));
        later.constant = later.constant.replace("id,project", "one more,id,project");
        let id = FrameId { group: 0, number: 1 };
        let frame = later.write(id, end(), &format!("7,{}", rows_with(&["1"])));
        assert_eq!(parse(frame, Kind::Waiting).unwrap().records, [record("1")]);
    }

    /// A frame as versions before this one wrote it, with a log whose file is not known.
    #[test]
    fn a_journal_of_an_earlier_version_is_read() {
        let body = format!(
            "0 0 0 {}\n{LOG}\n{}\nproject_name,start_time,duration(s),power_consumption(kWh),\
             CO2_emissions(kg)\nold,2026-01-05 10:00:00,1.5,0.25,0.5\n",
            LOG.len(),
            Owner::current()
        );
        let id = FrameId { group: 4, number: 9 };
        let sum = checksum("running", id, body.as_bytes());
        let frame = format!("eco2ai-journal 3 running 4 9 {} {sum:016x}\n{body}", body.len());
        let found = parse(frame.as_bytes(), Kind::Running).unwrap();
        assert_eq!((found.log.as_str(), found.end), (LOG, End::default()));
        assert_eq!(found.records[0].project, "old");
    }

    proptest! {
        #[test]
        fn a_damaged_frame_is_ignored(
            mut bytes in prop::collection::vec(any::<u8>(), 0..300), number: u64, at: prop::sample::Index,
            byte: u8,
        ) {
            parse(&bytes, Kind::Running);
            let mut changed = frame_with(Kind::Waiting, 0, number, &["1"]);
            let at = at.index(changed.len());
            let same = changed[at] == byte;
            changed[at] = byte;
            let found = parse(&changed, Kind::Waiting);
            // The digits of the checksum may change their case.
            prop_assert!(found.is_none() || same || byte.is_ascii_hexdigit());
            bytes.extend(frame_with(Kind::Waiting, 0, number, &["1"]));
            prop_assert!(parse(&bytes, Kind::Waiting).is_some_and(|found| ids(&found) == ["1"]));
        }
    }
}
