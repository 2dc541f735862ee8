//! Journals: small files with rows that are not in the log yet, beside the log or in the user's
//! state folder.
//!
//! A process has one journal per log with the states of its long runs, in groups of a few. The state
//! of a group is written without overwriting the previous one, so that a kill at any moment leaves a
//! complete state of each group.
//! Other journals contain finished rows that could not be written to the log; rows are added to
//! them one by one. The owner of a journal locks it as long as the owner lives; only a process that
//! gets the lock may take over the rows.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::file_lock::lock_within;
use crate::log::frames::{FrameId, FrameWriter, Kind};
use crate::log::identity::{End, Identity, is_at};
use crate::log::journal_files::{Stem, in_real_folder, real_path};
use crate::log::open_files::{OpenLimit, OpenSlot};
use crate::log::state_folder;
use crate::regular_file::{self, write_at};

/// The maximum number of open journals.
const MAX_OPEN: usize = 64;
static OPEN: OpenLimit = OpenLimit::new(MAX_OPEN);

/// A journal of this process.
#[derive(Debug)]
pub(crate) struct Journal {
    /// Locked as long as it is open, if the file system has locks.
    file: File,
    path: PathBuf,
    identity: Option<Identity>,
    kind: Kind,
    /// Where the frames are that count, in the order of the file.
    places: Vec<Place>,
    /// The number of the last frame.
    number: u64,
    frames: FrameWriter,
    _slot: OpenSlot,
}

/// The range of a frame, in bytes.
#[derive(Clone, Copy, Debug)]
struct Place {
    group: u32,
    start: u64,
    end: u64,
}

/// The folder of a new journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Folder {
    /// The folder of the log, else the state folder.
    BesideLog,
    /// The state folder, because another file is at the path of the log.
    State,
}

impl Journal {
    /// Creates a journal for the log, with its first frame, that of `group`. `rows` have all columns.
    pub(crate) fn create(
        log: &Path,
        folder: Folder,
        kind: Kind,
        group: u32,
        end: End,
        rows: &str,
    ) -> io::Result<Self> {
        let log = match folder {
            Folder::BesideLog => real_path(log),
            // What a link leads to is not the log that is meant.
            Folder::State => in_real_folder(log),
        };
        let make = |folder: &Path| {
            let mut journal = Self::open_new(folder, &log, kind)?;
            match journal.write(group, end, rows) {
                Ok(()) => Ok(journal),
                Err(error) => {
                    journal.remove();
                    Err(error)
                }
            }
        };
        let beside = match (log.parent(), folder) {
            (Some(folder), Folder::BesideLog) => make(folder),
            _ => Err(ErrorKind::NotFound.into()),
        };
        beside.or_else(|error| {
            let folder = state_folder::create().ok_or(error)?;
            make(&folder)
        })
    }

    fn open_new(folder: &Path, log: &Path, kind: Kind) -> io::Result<Self> {
        const TRIES: u32 = 8;
        let slot = OPEN.add().ok_or_else(|| {
            io::Error::other(format!("too many open journals in this process ({MAX_OPEN})"))
        })?;
        for _ in 0..TRIES {
            let path = folder.join(Stem::own(log).new_name(kind));
            let file = match regular_file::create_private(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                made => made?,
            };
            // The readers of the log may read its next rows, too, and its owner may take the
            // journal over if we die.
            if let Ok(log) = log.metadata() {
                let _ = regular_file::make_like(&file, &log);
            }
            // A process that recovers the log may take this journal for one that was left behind,
            // as it is not locked yet. That process then removes it.
            let is_ours = lock_within(&file, Duration::ZERO).is_some_and(|lock| {
                lock.keep();
                true
            });
            if is_ours && is_at(&file, &path) {
                return Ok(Self {
                    identity: Identity::from_metadata(&file.metadata()?),
                    file,
                    path,
                    kind,
                    places: Vec::new(),
                    number: 0,
                    frames: FrameWriter::new(kind, log),
                    _slot: slot,
                });
            }
        }
        Err(io::Error::new(ErrorKind::WouldBlock, "another process keeps removing new journals"))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Writes a frame: after all others if they are to be kept, else without overwriting the last
    /// one of any group. `rows` have all columns.
    pub(crate) fn write(&mut self, group: u32, end: End, rows: &str) -> io::Result<()> {
        let there = End::find(&self.path);
        if !there.is_ok_and(|there| there.identity == self.identity) {
            // Somebody removed it: what is written to it now, nobody would find.
            return Err(ErrorKind::NotFound.into());
        }
        let id = FrameId { group, number: self.number + 1 };
        let frame = self.frames.write(id, end, rows);
        let length = frame.len() as u64;
        let (at, start) = free_place(&self.places, self.kind, length);
        write_at(&self.file, frame, start)?;
        self.places.insert(at, Place { group, start, end: start + length });
        if self.kind == Kind::Running {
            // The one before counts no more.
            self.places.retain(|place| place.group != group || place.start == start);
        }
        self.number = id.number;
        Ok(())
    }

    /// Removes the journal, whose contents are no longer needed.
    pub(crate) fn remove(self) {
        remove_locked(&self.file, &self.path);
    }
}

/// Returns a range of this length without a frame that counts: its place in the order, and its
/// start.
fn free_place(places: &[Place], kind: Kind, length: u64) -> (usize, u64) {
    let mut free = 0;
    if kind == Kind::Running {
        for (at, place) in places.iter().enumerate() {
            if place.start - free >= length {
                return (at, free);
            }
            free = place.end;
        }
    }
    (places.len(), places.last().map_or(0, |last| last.end))
}

/// Removes a journal that the caller has locked.
pub(crate) fn remove_locked(file: &File, path: &Path) {
    let there = is_at(file, path);
    // Empty first: a process that has it open already must not find its rows.
    let _ = file.set_len(0);
    if there {
        let _ = fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::frames::{Found, parse, read};
    use crate::log::journal_files::{JournalFile, find};
    use crate::log::owner::Owner;
    use crate::log::record::Record;
    use crate::log::record::tests::record;
    use crate::log::row::rows_in_full;
    use proptest::prelude::*;

    fn end() -> End {
        End { identity: Some(Identity { device: 3, number: 4 }), offset: 5 }
    }

    fn new_journal(log: &Path, records: &[Record]) -> Journal {
        let rows = rows_in_full(records);
        Journal::create(log, Folder::BesideLog, Kind::Running, 0, end(), &rows).unwrap()
    }

    #[test]
    fn a_journal_stays_small_however_often_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("unit_test.csv");
        let state = |length| [Record { description: "x".repeat(length), ..record("1") }];
        let mut journal = new_journal(&log, &state(1000));
        for length in (500..1000).rev().chain(500..1000) {
            journal.write(0, end(), &rows_in_full(&state(length))).unwrap();
            let found = read(&File::open(journal.path()).unwrap(), Kind::Running).unwrap();
            assert_eq!(found.unwrap().records, state(length));
        }
        assert!(journal.path().metadata().unwrap().len() < 9000);
        let candidate = JournalFile {
            path: real_path(journal.path()),
            stem: Stem::own(&log),
            kind: Kind::Running,
        };
        assert_eq!(find(&real_path(&log)), [candidate]);
        journal.remove();
        assert_eq!(find(&real_path(&log)), []);
    }

    #[test]
    fn a_journal_belongs_to_one_log() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| real_path(&folder.path().join(name));
        let found = |log: &Path| Found {
            log: log.to_string_lossy().into_owned(),
            end: End::default(),
            owner: Owner::current(),
            records: Vec::new(),
        };
        let [long, short] = ["a.csv.2", "a.csv"].map(path);
        let journal = new_journal(&long, &[record("1")]);
        assert_eq!(find(&short).len(), 1, "its name begins as those of the other");
        for (log, beside, belongs) in [
            (&long, true, true),
            (&short, true, false),
            (&long, false, true),
            (&path("other folder").join("a.csv.2"), false, false),
            (&path("other folder").join("a.csv.2"), true, true),
        ] {
            assert_eq!(found(&long).belongs_to(log, beside), belongs, "{log:?} {beside}");
        }
        journal.remove();
        // On another machine the same path is another log; the same file is the same log.
        let elsewhere = Owner::parse("other ? ? 1").unwrap();
        let mut found = Found { owner: elsewhere, ..found(&short) };
        assert!(!found.belongs_to(&short, false));
        fs::write(&short, "x").unwrap();
        found.end.identity = Identity::from_metadata(&short.metadata().unwrap());
        assert_eq!(found.belongs_to(&short, false), cfg!(unix));
        // Its folder has been renamed.
        fs::create_dir(path("moved")).unwrap();
        let moved = path("moved").join("a.csv");
        fs::rename(&short, &moved).unwrap();
        assert_eq!(found.belongs_to(&moved, false), cfg!(unix));
    }

    #[cfg(unix)]
    #[test]
    fn a_journal_may_be_read_by_those_who_may_read_the_log() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("unit_test.csv");
        for mode in [0o600, 0o640, 0o664] {
            fs::write(&log, "").unwrap();
            fs::set_permissions(&log, fs::Permissions::from_mode(mode)).unwrap();
            let journal = new_journal(&log, &[record("1")]);
            let found = journal.path().metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(found, mode, "{found:o}");
        }
    }

    #[test]
    fn not_every_journal_stays_open() {
        let folder = tempfile::tempdir().unwrap();
        let made: Vec<_> = (0..=MAX_OPEN)
            .map(|at| {
                let log = folder.path().join(format!("{at}.csv"));
                Journal::create(&log, Folder::BesideLog, Kind::Running, 0, end(), "")
            })
            .collect();
        assert!(made.last().unwrap().is_err());
    }

    proptest! {
        /// However much of the next state was written, the one before or the next is read.
        #[test]
        fn a_state_that_was_cut_off_leaves_the_one_before(
            lengths in prop::collection::vec(0_usize..2000, 1..20), cut: prop::sample::Index,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let log = folder.path().join("unit_test.csv");
            let state = |length| [Record { description: "y".repeat(length), ..record("1") }];
            let mut journal = new_journal(&log, &state(1));
            let mut before = state(1);
            for length in lengths {
                let old = fs::read(journal.path()).unwrap();
                journal.write(0, end(), &rows_in_full(&state(length))).unwrap();
                let new = fs::read(journal.path()).unwrap();
                let place = |at: u64| usize::try_from(at).unwrap();
                let last = journal.places.last().unwrap();
                let (from, to) = (place(last.start), place(last.end));
                let cut = from + cut.index(to - from);
                let mut torn = old;
                torn.resize(torn.len().max(cut), 0);
                torn[from..cut].copy_from_slice(&new[from..cut]);
                // The bytes that were there may happen to be those that were cut off.
                let expected = if torn == new { state(length) } else { before };
                prop_assert_eq!(&parse(&torn, Kind::Running).unwrap().records, &expected);
                before = state(length);
                prop_assert_eq!(&parse(&new, Kind::Running).unwrap().records, &before);
            }
        }

    }
}
