//! The journal: small files beside a log that hold what is not in it yet.
//!
//! Each process has at most two per log. One holds the state of its long runs: each state is
//! written where it does not touch the one before, so that a kill at any moment leaves one that is
//! whole. The other holds finished rows that the log could not take; they are added one by one.
//! The owner of a journal holds its lock for life: only who gets that lock may take its rows over.
//!
//! A journal is a sequence of frames: a line `eco2ai-journal 1 KIND NUMBER LENGTH CHECKSUM`, then
//! LENGTH bytes: a line with where the log ended when the frame was made, the path of the log, and
//! rows with the columns of the log.

use std::collections::hash_map::RandomState;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, Hasher};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::log::file::End;
use crate::log::lock::{Identity, is_at};

const MAGIC: &str = "eco2ai-journal 1 ";
const ENDING: &str = ".journal";
/// More than any journal that this crate writes.
const LARGEST: u64 = 1 << 30;

/// What a journal holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Finished rows that wait for the log.
    Waiting,
    /// The latest state of runs that have not ended.
    Running,
}

impl Kind {
    const ALL: [Self; 2] = [Self::Waiting, Self::Running];

    fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
        }
    }
}

/// The name of a journal, apart from its kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Stem(String);

impl Stem {
    /// A new name for the journals of this process.
    pub(crate) fn new(log: &Path) -> Self {
        let host = sysinfo::System::host_name().unwrap_or_default();
        let host: String =
            host.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(32).collect();
        // The hasher is seeded by the system.
        let random = RandomState::new().build_hasher().finish();
        Self(format!("{}{host}-{}-{random:016x}", Self::prefix(log), std::process::id()))
    }

    /// What the names of all journals of a log begin with.
    fn prefix(log: &Path) -> String {
        format!(".{}.", log.file_name().unwrap_or_default().to_string_lossy())
    }

    fn in_folder(&self, folder: &Path, kind: Kind) -> PathBuf {
        folder.join(format!("{}.{}{ENDING}", self.0, kind.name()))
    }

    /// Where a journal of this name and kind can be, of the log at `log`.
    pub(crate) fn places(&self, log: &Path, kind: Kind) -> Vec<PathBuf> {
        folders(log).iter().map(|folder| self.in_folder(folder, kind)).collect()
    }
}

/// The folders that journals of a log are in: its own, and the user's.
fn folders(log: &Path) -> Vec<PathBuf> {
    log.parent().map(Path::to_path_buf).into_iter().chain(state_folder()).collect()
}

/// The user's folder for what programs remember.
fn state_folder() -> Option<PathBuf> {
    let from = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = if cfg!(windows) {
        from("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        from("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        from("XDG_STATE_HOME").or_else(|| from("HOME").map(|home| home.join(".local/state")))
    };
    folder.map(|folder| folder.join("eco2ai"))
}

/// The journals of a log that are there, whoever owns them; those that wait come first.
pub(crate) fn journals_of(log: &Path) -> Vec<(PathBuf, Stem, Kind)> {
    let prefix = Stem::prefix(log);
    let mut found = Vec::new();
    for folder in folders(log) {
        let Ok(entries) = fs::read_dir(folder) else { continue };
        for entry in entries.flatten() {
            let name: OsString = entry.file_name();
            let Some(name) = name.to_str().filter(|name| name.starts_with(&prefix)) else {
                continue;
            };
            let known = Kind::ALL.into_iter().find_map(|kind| {
                let stem = name.strip_suffix(ENDING)?.strip_suffix(kind.name())?;
                Some((kind, Stem(stem.strip_suffix('.')?.to_owned())))
            });
            if let Some((kind, stem)) = known {
                found.push((entry.path(), stem, kind));
            }
        }
    }
    found.sort_by_key(|(_, _, kind)| *kind);
    found
}

/// A journal of this process.
#[derive(Debug)]
pub(crate) struct Journal {
    /// Locked for as long as it is open.
    file: File,
    path: PathBuf,
    kind: Kind,
    /// The bytes that the last frame takes.
    last: (u64, u64),
    frames: u64,
}

/// How often, and after what time, a new journal is tried to be locked that somebody looks at: he
/// needs microseconds, unless he is stopped.
const TRIES: u32 = 64;
const NAP: Duration = Duration::from_micros(50);

impl Journal {
    /// Makes a journal for the log, with its first frame: beside it, or else in the user's state
    /// folder.
    pub(crate) fn create(
        log: &Path,
        stem: &Stem,
        kind: Kind,
        end: End,
        rows: &[u8],
    ) -> io::Result<Self> {
        let mut first_error = None;
        for (at, folder) in folders(log).iter().enumerate() {
            if at > 0 {
                let _ = fs::create_dir_all(folder);
            }
            let made =
                Self::open_new(&stem.in_folder(folder, kind), kind).and_then(|mut journal| {
                    match journal.write(log, end, rows) {
                        Ok(()) => Ok(journal),
                        Err(error) => {
                            journal.remove();
                            Err(error)
                        }
                    }
                });
            match made {
                Ok(journal) => return Ok(journal),
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        Err(first_error.unwrap_or_else(|| ErrorKind::NotFound.into()))
    }

    fn open_new(path: &Path, kind: Kind) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        // Who looks for journals left behind may take one that is not locked yet for such. It is
        // his to take away then: a file is removed by the holder of its lock alone, since between
        // his look at the path and the removal another file could get there.
        for _ in 0..TRIES {
            let file = match options.clone().create_new(true).open(path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    match options.open(path) {
                        Err(error) if error.kind() == ErrorKind::NotFound => continue,
                        found => found?,
                    }
                }
                made => made?,
            };
            match file.try_lock() {
                Err(fs::TryLockError::WouldBlock) => std::thread::sleep(NAP),
                // Without locks nobody may take it over but its owner.
                // One with rows in it is another's, whatever its name.
                _ if is_at(&file, path) && file.metadata()?.len() == 0 => {
                    return Ok(Self { file, path: path.into(), kind, last: (0, 0), frames: 0 });
                }
                _ => {}
            }
        }
        Err(ErrorKind::ResourceBusy.into())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Writes a frame: behind all others where they are to stay, else where the last one is not.
    pub(crate) fn write(&mut self, log: &Path, end: End, rows: &[u8]) -> io::Result<()> {
        if !is_at(&self.file, &self.path) {
            // Somebody removed it: what is written to it now, nobody would find.
            return Err(ErrorKind::NotFound.into());
        }
        let frame = frame(self.kind, self.frames + 1, log, end, rows);
        let length = frame.len() as u64;
        let (start, after) = self.last;
        let at = if self.kind == Kind::Running && length <= start { 0 } else { after };
        self.file.seek(SeekFrom::Start(at))?;
        self.file.write_all(&frame)?;
        self.last = (at, at + length);
        self.frames += 1;
        Ok(())
    }

    /// Takes the journal away; nothing in it is needed any more.
    pub(crate) fn remove(self) {
        take_away(&self.file, &self.path);
    }
}

/// Removes a journal whose lock the caller has.
pub(crate) fn take_away(file: &File, path: &Path) {
    let there = is_at(file, path);
    // Empty first: who has it open already must not find its rows.
    let _ = file.set_len(0);
    if there {
        let _ = fs::remove_file(path);
    }
}

fn frame(kind: Kind, number: u64, log: &Path, end: End, rows: &[u8]) -> Vec<u8> {
    let log = log.to_string_lossy();
    let identity = end.identity.unwrap_or(Identity { device: 0, number: 0 });
    let mut body =
        format!("{} {} {} {}\n{log}\n", identity.device, identity.number, end.offset, log.len())
            .into_bytes();
    body.extend_from_slice(rows);
    let name = kind.name();
    let sum = checksum(name, number, &body);
    let mut frame = format!("{MAGIC}{name} {number} {} {sum:016x}\n", body.len()).into_bytes();
    frame.append(&mut body);
    frame
}

/// FNV-1a, 64 bits: tells a whole frame from a torn one.
fn checksum(kind: &str, number: u64, body: &[u8]) -> u64 {
    kind.bytes()
        .chain(number.to_le_bytes())
        .chain(body.iter().copied())
        .fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
            (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

/// What was found in a journal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// The log that it belongs to, as its owner named it.
    pub(crate) log: String,
    /// Where the log ended when the frame was made: what came later may be in it already.
    pub(crate) end: End,
    /// The rows, with the columns of the log.
    pub(crate) rows: Vec<u8>,
}

/// Reads what a journal holds: of runs, the latest whole state; of rows that wait, all. `None` where
/// its first frame was cut off.
///
/// # Errors
/// Also where the file is something else: not ours to take away.
pub(crate) fn read(mut file: &File, kind: Kind) -> io::Result<Option<Found>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(LARGEST).read_to_end(&mut bytes)?;
    let found = parse(&bytes, kind);
    // A power cut can leave zeros where a frame was to be.
    let cut_off = || {
        bytes.iter().zip(MAGIC.bytes()).all(|(byte, wanted)| *byte == wanted)
            || bytes.iter().all(|byte| *byte == 0)
    };
    if found.is_none() && !cut_off() {
        return Err(io::Error::new(
            ErrorKind::InvalidData,
            "this is no journal that this version can read; move it away, or use the version that \
             wrote it",
        ));
    }
    Ok(found)
}

fn parse(bytes: &[u8], kind: Kind) -> Option<Found> {
    let mut frames: Vec<(u64, Found)> = Vec::new();
    let mut from = 0;
    while let Some(at) = memchr::memmem::find(&bytes[from..], MAGIC.as_bytes()) {
        from += at;
        match parse_frame(&bytes[from..], kind) {
            Some((number, found, length)) => {
                frames.push((number, found));
                from += length;
            }
            None => from += MAGIC.len(),
        }
    }
    match kind {
        Kind::Running => {
            frames.into_iter().max_by_key(|(number, _)| *number).map(|(_, found)| found)
        }
        Kind::Waiting => frames.into_iter().map(|(_, found)| found).reduce(|mut all, found| {
            all.rows.extend_from_slice(&found.rows);
            all
        }),
    }
}

/// The frame at the head of `bytes`: its number, what it holds, its length.
fn parse_frame(bytes: &[u8], kind: Kind) -> Option<(u64, Found, usize)> {
    let line_end = memchr::memchr(b'\n', bytes.get(..200.min(bytes.len()))?)?;
    let line = std::str::from_utf8(bytes.get(MAGIC.len()..line_end)?).ok()?;
    let mut words = line.split(' ');
    let name = words.next().filter(|name| *name == kind.name())?;
    let number = words.next()?.parse().ok()?;
    let length: usize = words.next()?.parse().ok()?;
    let sum = u64::from_str_radix(words.next()?, 16).ok()?;
    let start = line_end + 1;
    let stop = start.checked_add(length)?;
    let body = bytes.get(start..stop)?;
    if checksum(name, number, body) != sum {
        return None;
    }
    let place_end = memchr::memchr(b'\n', body)?;
    let mut place = std::str::from_utf8(body.get(..place_end)?).ok()?.split(' ');
    let mut next = || place.next()?.parse::<u64>().ok();
    let (device, inode, offset, log_length) = (next()?, next()?, next()?, next()?);
    let log_end = (place_end + 1).checked_add(usize::try_from(log_length).ok()?)?;
    let log = String::from_utf8(body.get(place_end + 1..log_end)?.to_vec()).ok()?;
    let identity = Identity { device, number: inode };
    let identity = (identity != Identity { device: 0, number: 0 }).then_some(identity);
    let rows = body.get(log_end + 1..)?.to_vec();
    Some((number, Found { log, end: End { identity, offset }, rows }, stop))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LOG: &str = "/tmp/a log\n.csv";

    fn end() -> End {
        End { identity: Some(Identity { device: 3, number: 4 }), offset: 5 }
    }

    fn of(kind: Kind, number: u64, rows: &[u8]) -> Vec<u8> {
        frame(kind, number, Path::new(LOG), end(), rows)
    }

    #[test]
    fn the_latest_state_is_read_and_all_rows_that_wait() {
        let mut bytes = of(Kind::Running, 2, b"new\n");
        bytes.extend(of(Kind::Running, 1, b"old\n"));
        bytes.extend(of(Kind::Waiting, 1, b"one\n"));
        bytes.extend(of(Kind::Waiting, 2, b"two\n"));
        let found = parse(&bytes, Kind::Running).unwrap();
        assert_eq!(found, Found { log: LOG.into(), end: end(), rows: b"new\n".to_vec() });
        assert_eq!(parse(&bytes, Kind::Waiting).unwrap().rows, b"one\ntwo\n");
        assert_eq!(parse(b"", Kind::Running), None);
    }

    #[test]
    fn a_journal_stays_small_however_often_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("unit_test.csv");
        let rows = [b'x'; 1000];
        let stem = Stem::new(&log);
        let mut journal = Journal::create(&log, &stem, Kind::Running, end(), &rows).unwrap();
        for length in (500..1000).rev().chain(500..1000) {
            journal.write(&log, end(), &rows[..length]).unwrap();
            let found = read(&File::open(journal.path()).unwrap(), Kind::Running).unwrap();
            assert_eq!(found.unwrap().rows.len(), length);
        }
        assert!(journal.path().metadata().unwrap().len() < 6000);
        assert_eq!(journals_of(&log), [(journal.path().to_path_buf(), stem, Kind::Running)]);
        journal.remove();
        assert_eq!(journals_of(&log), []);
    }

    /// Whoever recovers may have looked at the path already, and will remove what is there.
    #[test]
    fn a_new_journal_that_somebody_looks_at_is_his_to_take_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new.journal");
        let looking = File::create(&path).unwrap();
        looking.lock().unwrap();
        assert!(Journal::open_new(&path, Kind::Running).is_err());
        assert!(is_at(&looking, &path));
        take_away(&looking, &path);
        drop(looking);
        let journal = Journal::open_new(&path, Kind::Running).unwrap();
        assert!(is_at(journal.file(), &path));
    }

    proptest! {
        /// However much of the next state was written, the one before or the next is read.
        #[test]
        fn a_state_that_was_cut_off_leaves_the_one_before(
            lengths in prop::collection::vec(0_usize..2000, 1..20), cut: prop::sample::Index,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let log = folder.path().join("unit_test.csv");
            let row = |at: usize, length: usize| format!("{at},{}\n", "y".repeat(length)).into_bytes();
            let mut journal =
                Journal::create(&log, &Stem::new(&log), Kind::Running, end(), b"0\n").unwrap();
            let mut before = b"0\n".to_vec();
            for (at, length) in lengths.into_iter().enumerate() {
                let old = fs::read(journal.path()).unwrap();
                let rows = row(at, length);
                journal.write(&log, end(), &rows).unwrap();
                let new = fs::read(journal.path()).unwrap();
                let place = |at: u64| usize::try_from(at).unwrap();
                let (from, to) = (place(journal.last.0), place(journal.last.1));
                let cut = from + cut.index(to - from);
                let mut torn = old;
                torn.resize(torn.len().max(cut), 0);
                torn[from..cut].copy_from_slice(&new[from..cut]);
                // The bytes that were there may happen to be those that were cut off.
                let state = if torn == new { &rows } else { &before };
                prop_assert_eq!(&parse(&torn, Kind::Running).unwrap().rows, state);
                before = rows;
                prop_assert_eq!(&parse(&new, Kind::Running).unwrap().rows, &before);
            }
        }

        #[test]
        fn any_bytes_are_read_without_harm(
            mut bytes in prop::collection::vec(any::<u8>(), 0..300), number: u64, at: prop::sample::Index,
            byte: u8,
        ) {
            parse(&bytes, Kind::Running);
            let mut changed = of(Kind::Waiting, number, &bytes);
            let at = at.index(changed.len());
            let same = changed[at] == byte;
            changed[at] = byte;
            let found = parse(&changed, Kind::Waiting);
            // The digits of the checksum may change their case.
            prop_assert!(found.is_none() || same || byte.is_ascii_hexdigit());
            bytes.extend(of(Kind::Waiting, number, b"row\n"));
            prop_assert!(parse(&bytes, Kind::Waiting).is_some_and(|found| found.rows.ends_with(b"row\n")));
        }
    }
}
