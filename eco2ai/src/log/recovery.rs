//! Taking over what processes that have died left in their journals.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::log::cells::Rows;
use crate::log::columns::{Column, Layout, NAMES};
use crate::log::file::{LogFile, layout_of};
use crate::log::journal::{self, Found, Kind};
use crate::log::lock::{Identity, is_at};
use crate::log::record::Record;
use crate::log::row::{Named, rows_of};
use crate::log::writer;
use crate::status::Status;

/// Writes the rows of runs whose process was killed, with status `interrupted`, and rows that
/// could not be written when their runs ended. Says how many rows were written.
///
/// A tracker does this by itself when it starts on a log; call it to see the rows without one. The
/// runs of living processes are left alone, on whatever machine they are. Each row is written once.
///
/// # Errors
/// Where the log cannot be read or written; the rows stay where they are then.
pub fn recover(path: impl AsRef<Path>) -> Result<usize> {
    writer::recover(path.as_ref())
}

/// Takes over the journals of `log` that nobody owns.
pub(crate) fn recover_orphans(log: &mut LogFile) -> Result<usize> {
    let mut recovered = Ok(0);
    for (journal, stem, kind) in journal::journals_of(log.path()) {
        // A run may be both among those that wait and, as it was before its end, among those that
        // run: whoever has the former comes first.
        let others = stem.places(log.path(), Kind::Waiting);
        if kind == Kind::Running && others.iter().any(|place| place.exists()) {
            continue;
        }
        // One that cannot be taken over keeps no other waiting.
        match (take_over(log, &journal, kind), &mut recovered) {
            (Ok(rows), Ok(sum)) => *sum += rows,
            (Err(error), Ok(_)) => recovered = Err(error),
            (_, Err(_)) => {}
        }
    }
    recovered
}

/// Takes over one journal, unless it has an owner or is of another log.
fn take_over(log: &mut LogFile, journal: &Path, kind: Kind) -> Result<usize> {
    let io = |source| Error::Io { path: journal.to_path_buf(), source };
    let Ok(file) = OpenOptions::new().read(true).write(true).open(journal) else { return Ok(0) };
    // Where the lock cannot be got, or there are none, its owner may be alive.
    if file.try_lock().is_err() || !is_at(&file, journal) {
        return Ok(0);
    }
    let mut rows = 0;
    if let Some(found) = journal::read(&file, kind).map_err(io)? {
        // The user's folder has the journals of all logs of that name.
        let elsewhere = journal.parent() != log.path().parent();
        if elsewhere && found.log != log.path().to_string_lossy() {
            return Ok(0);
        }
        let records = records_of(&found.rows).map_err(io)?;
        rows = write_missing(log, &found, records, kind)?;
    }
    journal::take_away(&file, journal);
    Ok(rows)
}

/// Appends the rows that are not in the log yet.
fn write_missing(
    log: &mut LogFile,
    found: &Found,
    mut records: Vec<Record>,
    kind: Kind,
) -> Result<usize> {
    let key_of = |record: &Record| Key::of(record, kind);
    let mut wanted: HashMap<_, _> =
        records.iter().map(|record| (key_of(record), record.duration)).collect();
    forget_written(log.path(), found, &mut wanted, kind)?;
    records.retain(|record| wanted.remove(&key_of(record)).is_some());
    if kind == Kind::Running {
        for record in &mut records {
            record.status = Status::Interrupted;
        }
    }
    if !records.is_empty() {
        log.append(&rows_of(&records))?;
    }
    Ok(records.len())
}

/// What tells one row from all others. All epochs of a training have the same id, and short ones
/// begin in the same second.
#[derive(PartialEq, Eq, Hash)]
struct Key {
    id: String,
    start_time: String,
    /// Empty for the state of a run that had not ended: its epoch had no text yet.
    epoch: String,
}

impl Key {
    fn of(record: &Record, kind: Kind) -> Self {
        Self {
            id: record.id.clone(),
            start_time: record.start_time.format("%Y-%m-%d %H:%M:%S%:z").to_string(),
            epoch: match kind {
                Kind::Waiting => record.epoch.clone(),
                Kind::Running => String::new(),
            },
        }
    }
}

/// All rows of a whole frame, or an error: one of another version may have other columns.
pub(crate) fn records_of(rows: &[u8]) -> io::Result<Vec<Record>> {
    let invalid = |reason: String| io::Error::new(ErrorKind::InvalidData, reason);
    let layout = Layout::of(NAMES.iter().map(|name| name.as_bytes())).map_err(invalid)?;
    let mut source = Rows::new(rows, 0);
    let mut records = Vec::new();
    while let Some(row) = source.next(Some(layout.width))? {
        records.push(match row.malformed {
            None => Named { row: &row, layout: &layout }.record().map_err(invalid)?,
            Some(reason) => return Err(invalid(reason.to_owned())),
        });
    }
    Ok(records)
}

/// Takes from `wanted` what the log has already, as far as it was written since the frame was.
fn forget_written(
    path: &Path,
    found: &Found,
    wanted: &mut HashMap<Key, Duration>,
    kind: Kind,
) -> Result<()> {
    let io = |source| Error::Io { path: path.to_path_buf(), source };
    let mut log = match File::open(path) {
        Ok(log) => log,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io(error)),
    };
    let metadata = log.metadata().map_err(io)?;
    if metadata.len() == 0 || !metadata.is_file() {
        return Ok(());
    }
    let layout = layout_of(path, &mut Rows::new(&log, 0))?;
    let identity = Identity::of(&metadata);
    let same = identity.is_some() && identity == found.end.identity;
    let from = if same && found.end.offset <= metadata.len() { found.end.offset } else { 0 };
    log.seek(SeekFrom::Start(from)).map_err(io)?;
    let mut rows = Rows::new(&log, from);
    while !wanted.is_empty() {
        let Some(row) = rows.next(Some(layout.width)).map_err(io)? else { break };
        if row.malformed.is_none() {
            let named = Named { row: &row, layout: &layout };
            let key = Key {
                id: named.text(Column::Id),
                start_time: named.text(Column::StartTime),
                epoch: match kind {
                    Kind::Waiting => named.text(Column::Epoch),
                    Kind::Running => String::new(),
                },
            };
            // A run that ended lasted no shorter than when its state was kept; a shorter one is the
            // epoch before it.
            let lasted_as_long =
                |kept: &Duration| named.record().is_ok_and(|written| *kept <= written.duration);
            if wanted.get(&key).is_some_and(lasted_as_long) {
                wanted.remove(&key);
            }
        }
    }
    Ok(())
}
