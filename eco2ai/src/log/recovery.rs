//! Recovers rows from the journals of processes that have died.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Seek, SeekFrom};
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::error::{Error, Result};
use crate::file_lock::lock_within;
use crate::log::columns::Column;
use crate::log::csv_reader::CsvReader;
use crate::log::file::LogFile;
use crate::log::frames::{self, Found, Kind};
use crate::log::header::Header;
use crate::log::identity::{Identity, is_at};
use crate::log::inspect::{existing_header, read_header};
use crate::log::journal::{self, Folder, Journal};
use crate::log::journal_files::{self, JournalFile, Stem};
use crate::log::record::Record;
use crate::log::record_text::counted_rows;
use crate::log::rewriting::{
    FileState, REWRITE_TIME, being_written, is_within, wait_until_settled,
};
use crate::log::row::{LogRow, rows_in_full, start_time_cell};
use crate::regular_file::{self, Links};
use crate::report::warn_once;
use crate::status::Status;

/// Takes over the journals of `log` that have no owner.
pub(crate) fn recover_orphans(log: &mut LogFile) -> Result<usize> {
    let real = journal_files::real_path(log.path());
    let candidates = journal_files::find(&real);
    let mut recovered = Ok(0);
    // Those that wait and have an owner, or could not be written.
    let mut left: Vec<&JournalFile> = Vec::new();
    for candidate in &candidates {
        // A run may be both among those that wait and, as it was before its end, among those that
        // run: whoever has the former comes first.
        let waits = |other: &&JournalFile| other.stem == candidate.stem && other.path.exists();
        if candidate.kind == Kind::Running && left.iter().any(waits) {
            continue;
        }
        match (take_over(log, &real, candidate), &mut recovered) {
            (Ok(TakenOver::Rows(rows)), Ok(sum)) => *sum += rows,
            (Ok(TakenOver::Rows(_) | TakenOver::Unusable), _) => {}
            (Ok(TakenOver::Owned), _) => left.push(candidate),
            // Each of the others would wait for that program, too.
            (Err(error), _) if is_being_written(&error) => return Err(error),
            (Err(error), before) => {
                left.push(candidate);
                if before.is_ok() {
                    recovered = Err(error);
                }
            }
        }
    }
    recovered
}

/// Returns whether another program is writing the log.
fn is_being_written(error: &Error) -> bool {
    matches!(error, Error::Read { source, .. } | Error::Write { source, .. }
        if source.kind() == ErrorKind::WouldBlock)
}

/// The result of taking over a journal.
enum TakenOver {
    /// The number of rows that were written.
    Rows(usize),
    /// The journal has an owner that is, or may be, alive.
    Owned,
    /// The file belongs to another log, is damaged, or is not a journal.
    Unusable,
}

/// Reports rows that wait in the state folder for a log of the same name in another folder.
pub(crate) fn report_others_of_that_name(log: &Path) {
    let real = journal_files::real_path(log);
    for candidate in journal_files::find(&real).iter().filter(|found| !found.is_beside(&real)) {
        let Some(found) = candidate.open().ok().and_then(|file| {
            // Only of processes that have died.
            lock_within(&file, Duration::ZERO)?;
            frames::read(&file, candidate.kind).ok()?
        }) else {
            continue;
        };
        if !found.belongs_to(&real, false) {
            warn_once(&format!(
                "not written yet: {} of {} on {}, in {}; run `eco2ai recover` on that log to write them",
                counted_rows(found.records.len() as u64),
                found.log,
                found.owner.host_name(),
                candidate.path.display()
            ));
        }
    }
}

/// Takes over one journal, unless it has an owner or belongs to another log. A journal that cannot
/// be used is reported as a warning, not as an error.
fn take_over(log: &mut LogFile, real: &Path, candidate: &JournalFile) -> Result<TakenOver> {
    let unusable = |error: &dyn std::fmt::Display| {
        warn_once(&format!("{}: {error}; the file is left unchanged", candidate.path.display()));
        Ok(TakenOver::Unusable)
    };
    let file = match candidate.open() {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::InvalidInput => return unusable(&error),
        // Of another user.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return Ok(TakenOver::Owned),
        Err(_) => return Ok(TakenOver::Rows(0)),
    };
    let Some(lock) = lock_within(&file, Duration::ZERO) else { return Ok(TakenOver::Owned) };
    // Removed meanwhile.
    if !is_at(&file, &candidate.path) {
        return Ok(TakenOver::Rows(0));
    }
    let found = match frames::read(&file, candidate.kind) {
        Ok(found) => found,
        Err(error) => return unusable(&error),
    };
    let Some(found) = found else {
        if lock.missing().is_none() {
            journal::remove_locked(&file, &candidate.path);
        }
        return Ok(TakenOver::Rows(0));
    };
    if !found.belongs_to(real, candidate.is_beside(real)) {
        return Ok(TakenOver::Unusable);
    }
    if lock.missing().is_some() {
        return take_over_without_lock(log, real, candidate, &found);
    }
    let rows = write_missing(log, &found, candidate.kind)?;
    if rows > 0 {
        // They may be written over as new ones may. Of another user, it keeps its time.
        let _ = file.set_modified(SystemTime::now());
    }
    if candidate.kind == Kind::Running || !may_be_written_over(log.path(), &file) {
        journal::remove_locked(&file, &candidate.path);
    }
    Ok(TakenOver::Rows(rows))
}

/// Returns whether another program may still overwrite the rows of a journal that was left for the
/// next process. What has no header now may be a log that such a program has just emptied.
fn may_be_written_over(log: &Path, journal: &File) -> bool {
    let is_only_added_to =
        matches!(existing_header(log), Ok(Some(header)) if header.has_own_energy());
    let modified = journal.metadata().and_then(|found| found.modified());
    !is_only_added_to && modified.is_ok_and(|modified| is_within(modified, REWRITE_TIME))
}

/// Where there are no locks: only what is surely nobody's. The rows are put into a journal of our
/// own before the other is removed, which only one process can do.
fn take_over_without_lock(
    log: &mut LogFile,
    real: &Path,
    candidate: &JournalFile,
    found: &Found,
) -> Result<TakenOver> {
    if candidate.stem == Stem::own(real) || !found.owner.is_surely_gone() {
        return Ok(TakenOver::Owned);
    }
    let mut records = found.records.clone();
    interrupt(&mut records, candidate.kind);
    let io = Error::write(&candidate.path);
    let rows = rows_in_full(&records);
    let own = Journal::create(real, Folder::BesideLog, Kind::Waiting, 0, found.end, &rows);
    let own = own.map_err(io)?;
    let rows = match std::fs::remove_file(&candidate.path) {
        Ok(()) => write_missing(log, found, candidate.kind),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
        Err(error) => Err(io(error)),
    };
    // Where the rows could not be written they go on waiting there.
    if rows.is_ok() {
        own.remove();
    }
    rows.map(TakenOver::Rows)
}

/// Ends runs that had not ended.
fn interrupt(records: &mut [Record], kind: Kind) {
    if kind == Kind::Running {
        for record in records {
            record.status = Status::Interrupted;
        }
    }
}

/// Appends the rows that are not in the log yet.
fn write_missing(log: &mut LogFile, found: &Found, kind: Kind) -> Result<usize> {
    let mut records = missing(log.path(), found, kind)?;
    interrupt(&mut records, kind);
    if !records.is_empty() {
        log.append(&records, None)?;
    }
    Ok(records.len())
}

/// The rows of a journal that are not in the log yet, each once.
pub(crate) fn missing(log: &Path, found: &Found, kind: Kind) -> Result<Vec<Record>> {
    const TRIES: u32 = 4;
    let io = Error::read(log);
    let without_renamed = without_rows_of_renamed_log(log, found, kind);
    let found = without_renamed.as_ref().unwrap_or(found);
    let mut file = match regular_file::open(log, OpenOptions::new().read(true), Links::Follow) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return not_among(found, &Header::full(), kind, None).map_err(io);
        }
        Err(error) => return Err(io(error)),
    };
    for _ in 0..TRIES {
        let settled = wait_until_settled(&file).map_err(io)?;
        file.seek(SeekFrom::Start(0)).map_err(io)?;
        // What is empty or torn is no log yet; whether it can become one, the append will say.
        let header = read_header(log, &mut CsvReader::new(&file)).unwrap_or_default();
        let written = header.is_some().then_some(&file);
        // Others that use this crate only add to their logs.
        let is_only_added_to = header.as_ref().is_some_and(Header::has_own_energy);
        let missing = not_among(found, &header.unwrap_or_else(Header::full), kind, written);
        let missing = missing.map_err(io)?;
        // A program that writes the log anew must not have done so meanwhile.
        if is_only_added_to || settled == Some(FileState::from_file(&file).map_err(io)?) {
            return Ok(missing);
        }
        if settled.is_none() {
            break;
        }
    }
    Err(io(being_written()))
}

/// The journal without the rows that are in the log of its time, where that was renamed in its folder
/// since, as when logs are rotated. `None` where there is no such log.
fn without_rows_of_renamed_log(log: &Path, found: &Found, kind: Kind) -> Option<Found> {
    let identity = found.end.identity?;
    let is_it = |path: &Path| {
        let there = path.symlink_metadata().ok();
        there.and_then(|there| Identity::from_metadata(&there)) == Some(identity)
    };
    let real = journal_files::real_path(log);
    if is_it(&real) {
        return None;
    }
    let files = real.parent()?.read_dir().ok()?.flatten().map(|entry| entry.path());
    let renamed = files.into_iter().find(|path| is_it(path))?;
    let file = regular_file::open(&renamed, OpenOptions::new().read(true), Links::Refuse).ok()?;
    let header = read_header(&renamed, &mut CsvReader::new(&file)).ok()??;
    let records = not_among(found, &header, kind, Some(&file)).ok()?;
    Some(Found { records, ..found.clone() })
}

/// The rows of a journal that are not among those of a log, each once.
fn not_among(
    found: &Found,
    header: &Header,
    kind: Kind,
    log: Option<&File>,
) -> io::Result<Vec<Record>> {
    let key_of = |record: &Record| Key::from_record(record, header, kind);
    let records = found.records.iter();
    let mut wanted = records.map(|record| (key_of(record), record.duration)).collect();
    if let Some(log) = log {
        forget_written(log, header, found, &mut wanted, kind)?;
    }
    let mut missing = found.records.clone();
    // A frame may be there twice.
    missing.retain(|record| wanted.remove(&key_of(record)).is_some());
    Ok(missing)
}

/// Removes from `wanted` the rows that the log already has. Reads the part of the log that was
/// written after the journal.
fn forget_written(
    mut log: &File,
    header: &Header,
    found: &Found,
    wanted: &mut HashMap<Key, Duration>,
    kind: Kind,
) -> io::Result<()> {
    let metadata = log.metadata()?;
    let identity = Identity::from_metadata(&metadata);
    // A program that writes the log anew may have moved its rows.
    let same = identity.is_some() && identity == found.end.identity && header.has_own_energy();
    let from = if same && found.end.offset <= metadata.len() { found.end.offset } else { 0 };
    log.seek(SeekFrom::Start(from))?;
    let mut rows = match from {
        0 => CsvReader::new(log),
        from => CsvReader::resume(log, from, 1, header.line_end),
    };
    while !wanted.is_empty() {
        let Some(row) = rows.next(Some(header.width()))? else { break };
        if row.malformed.is_some() {
            rows.only_first_line();
            continue;
        }
        let named = LogRow { row: &row, header };
        // A run that ended lasted no shorter than when its state was kept; a shorter one is the
        // epoch before it.
        let lasted_as_long = |kept: &Duration| {
            named.seconds().is_ok_and(|seconds| kept.as_secs_f64() <= seconds + ROUNDING)
        };
        let key = Key::from_row(&named, kind);
        if wanted.get(&key).is_some_and(lasted_as_long) {
            wanted.remove(&key);
        }
    }
    Ok(())
}

/// A tolerance in seconds, because a program that rewrites a log may round times.
const ROUNDING: f64 = 1e-6;

/// The key that distinguishes a row from all others. All epochs of a training have the same id, and
/// short ones begin in the same second. Values without a column in the log are blank.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    id: String,
    /// For a log without ids.
    project: String,
    description: String,
    start_time: String,
    /// Blank for the state of a run that had not ended: its epoch had no text yet.
    epoch: String,
}

impl Key {
    fn from_record(record: &Record, header: &Header, kind: Kind) -> Self {
        let if_has = |column, text: &str| {
            let text = if header.place(column).is_some() { text } else { "" };
            text.to_owned()
        };
        Self::new(kind, |column| match column {
            Column::Id => if_has(column, &record.id),
            Column::Project => if_has(column, &record.project),
            Column::Description => if_has(column, &record.description),
            Column::Epoch => if_has(column, &record.epoch),
            _ => start_time_cell(record, header),
        })
    }

    fn from_row(row: &LogRow<'_>, kind: Kind) -> Self {
        Self::new(kind, |column| row.text(column))
    }

    fn new(kind: Kind, text: impl Fn(Column) -> String) -> Self {
        let id = text(Column::Id);
        let else_blank = |wanted: bool, column| if wanted { text(column) } else { String::new() };
        let epoch = else_blank(kind == Kind::Waiting, Column::Epoch);
        Self {
            project: else_blank(id.is_empty(), Column::Project),
            description: else_blank(id.is_empty(), Column::Description),
            start_time: text(Column::StartTime),
            // pandas takes `N/A` for a blank, and leaves a blank.
            epoch: if epoch == "N/A" { String::new() } else { epoch },
            id,
        }
    }
}
