//! The file of a log, kept open: rows are appended under a lock, each time with one write.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::file_lock::lock_within;
use crate::log::header::{FileKind, Header, listed};
use crate::log::identity::{End, Identity, is_at};
use crate::log::inspect::{Contents, end_of_torn_row, inspect};
use crate::log::open_files::{OpenLimit, OpenSlot};
use crate::log::record::Record;
use crate::log::rewriting::{being_written, wait_until_settled};
use crate::log::row::{CommonCells, write_rows};
use crate::regular_file::{self, Links, write_at_once};
use crate::report::warn_once;

/// How long to wait for a lock, so that a suspended holder does not block the user's function.
pub(crate) const LOCK_TIMEOUT: Duration = Duration::from_millis(200);
/// How long after a timeout the lock is tried without waiting.
const LOCK_BACKOFF: Duration = Duration::from_secs(10);
/// The maximum number of logs that are kept open.
const MAX_KEPT_OPEN: usize = 32;

/// A log, or its encoded copy.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    kind: FileKind,
    open: Option<KeptOpen>,
    /// The header that rows were last written for.
    header: Option<Arc<Header>>,
    /// Memory for rows, used again.
    rows: String,
    /// When the last wait for the lock timed out.
    timed_out_at: Option<Instant>,
    torn: Option<Torn>,
    /// Whether there has ever been such a row.
    has_torn: bool,
}

/// The range of a row of ours that was cut off and could not be removed.
#[derive(Debug)]
struct Torn {
    identity: Option<Identity>,
    from: u64,
    to: u64,
}

#[derive(Debug)]
struct Open {
    file: File,
    identity: Option<Identity>,
    /// Whether it was not there before.
    is_new: bool,
    /// The header, which determines the columns of the rows; known after the file has been
    /// inspected.
    header: Option<Arc<Header>>,
    /// The length up to which the file is known to have that header and to end with a new line.
    valid_len: u64,
}

/// A file that is kept open.
#[derive(Debug)]
struct KeptOpen {
    open: Open,
    _slot: OpenSlot,
}

impl KeptOpen {
    /// `None` if the limit of open files is reached; the file is then closed.
    fn new(open: Open) -> Option<Self> {
        // Others are opened for each row.
        static KEPT_OPEN: OpenLimit = OpenLimit::new(MAX_KEPT_OPEN);
        Some(Self { open, _slot: KEPT_OPEN.add()? })
    }
}

impl LogFile {
    pub(crate) fn new(path: PathBuf, kind: FileKind) -> Self {
        Self {
            path,
            kind,
            open: None,
            header: None,
            rows: String::new(),
            timed_out_at: None,
            torn: None,
            has_torn: false,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the rows that were written last are in a log that other programs write, such as
    /// Eco2AI: they may write over rows that others have added.
    pub(crate) fn is_shared_with_other_programs(&self) -> bool {
        self.header.as_ref().is_some_and(|header| !header.has_own_energy())
    }

    /// Returns whether a row whose write failed may be in the file nevertheless: it was cut off
    /// after its last cell, and could not be removed.
    pub(crate) fn may_have_refused_rows(&self) -> bool {
        self.has_torn
    }

    /// Appends the rows of `records`, and returns the new end of the file. `common` is given if all have
    /// the same common cells.
    ///
    /// # Errors
    /// Returns [`Error::NotALog`] if the file is not an emission log, and [`Error::Write`] or
    /// [`Error::Read`] if the file system fails or another process has locked the file.
    pub(crate) fn append(
        &mut self,
        records: &[Record],
        common: Option<&CommonCells>,
    ) -> Result<End> {
        // Somebody may replace the file between our open and our check, but hardly each time.
        const TRIES: u32 = 8;
        for _ in 0..TRIES {
            if let Some(end) = self.try_append(records, common)? {
                return Ok(end);
            }
        }
        Err(self.io(io::Error::other("another program keeps replacing it")))
    }

    /// `None` where the open file is no longer the one at the path.
    fn try_append(
        &mut self,
        records: &[Record],
        common: Option<&CommonCells>,
    ) -> Result<Option<End>> {
        let mut open = match self.open.take() {
            Some(kept) => kept.open,
            None => self.open()?,
        };
        let write = |header: &Arc<Header>, rows: &mut String| match common {
            Some(common) => common.write_rows(records, header, rows),
            None => write_rows(records, header, self.kind, rows),
        };
        // Before the lock: others need not wait for it.
        let mut rows = std::mem::take(&mut self.rows);
        rows.clear();
        if let Some(header) = &open.header {
            write(header, &mut rows);
        }
        let timeout = match self.timed_out_at {
            Some(then) if then.elapsed() < LOCK_BACKOFF => Duration::ZERO,
            _ => LOCK_TIMEOUT,
        };
        let Some(lock) = lock_within(&open.file, timeout) else {
            if timeout > Duration::ZERO {
                self.timed_out_at = Some(Instant::now());
            }
            self.open = KeptOpen::new(open);
            let reason =
                format!("another process has locked it for {} ms", LOCK_TIMEOUT.as_millis());
            return Err(self.io(io::Error::new(ErrorKind::TimedOut, reason)));
        };
        self.timed_out_at = None;
        if let Some(error) = lock.missing() {
            warn_once(&format!(
                "{}: this file system has no locks ({error}); rows are written without a lock",
                self.path.display()
            ));
        }
        let Some(mut length) = self.length_of(&open)? else { return Ok(None) };
        // Nobody has written since: what could not be taken back then perhaps can be now.
        let torn =
            self.torn.take().filter(|torn| torn.identity == open.identity && torn.to == length);
        let mut torn = torn.is_some_and(|torn| {
            let taken_back = lock.missing().is_none() && open.file.set_len(torn.from).is_ok();
            length = if taken_back { torn.from } else { length };
            !taken_back
        });
        if length == 0 || length != open.valid_len {
            let mut is_settled = true;
            if !open.is_new {
                (length, is_settled) = self.wait_for_rewriter(&open.file, length)?;
            }
            let Some((header, before_rows)) = self.inspect(&open.file, length, is_settled)? else {
                return Ok(None);
            };
            if !header.has_own_energy() && !self.is_shared_with_other_programs() {
                // Now that it is known to be such a log, it is waited for.
                self.header = Some(Arc::new(header));
                return Ok(None);
            }
            // One for all files with it, so that rows that are written for it need not compare it.
            let known = self.header.take().filter(|known| **known == header);
            let header = known.unwrap_or_else(|| Arc::new(header));
            if open.header.as_ref() != Some(&header) {
                rows.clear();
                write(&header, &mut rows);
                self.warn_of_missing_columns(&header);
            }
            // One cell too many: what is left of a row must not be taken for one.
            let no_row = if std::mem::take(&mut torn) { "," } else { "" };
            rows.insert_str(0, &(no_row.to_owned() + &before_rows));
            self.header = Some(Arc::clone(&header));
            open.header = Some(header);
            // As late as can be: another program may have begun to rewrite it.
            if self.is_shared_with_other_programs() && self.is_shorter(&open.file, length)? {
                return Ok(None);
            }
        }
        if let Err(error) = write_at_once(&open.file, rows.as_bytes(), length) {
            // All or nothing: what a full disk cut off is taken back, so that no torn row stays.
            let to = open.file.metadata().map_or(length, |now| now.len());
            // Without a lock it may be another's row by now.
            let taken_back =
                to <= length || lock.missing().is_none() && open.file.set_len(length).is_ok();
            if !taken_back {
                self.torn = Some(Torn { identity: open.identity, from: length, to });
                self.has_torn = true;
            }
            drop(lock);
            return Err(self.io(error));
        }
        drop(lock);
        open.is_new = false;
        open.valid_len = length + rows.len() as u64;
        self.rows = rows;
        let end = End { identity: open.identity, offset: open.valid_len };
        // Where files cannot be told apart, each append opens the one at the path.
        self.open = if open.identity.is_some() { KeptOpen::new(open) } else { None };
        Ok(Some(end))
    }

    /// The length of the open file; `None` where another file is at the path.
    fn length_of(&self, open: &Open) -> Result<Option<u64>> {
        match End::find(&self.path) {
            Ok(there) if there.identity == open.identity => Ok(Some(there.offset)),
            Ok(_) => Ok(None),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.io(error)),
        }
    }

    fn open(&self) -> Result<Open> {
        let mut options = OpenOptions::new();
        options.read(true).append(true);
        let opened = regular_file::open_or_create(&self.path, &options, Links::Follow);
        let (file, is_new) = opened.map_err(|error| match error.kind() {
            ErrorKind::InvalidInput => self.not_a_log(&error.to_string()),
            ErrorKind::NotFound if self.path.is_symlink() => {
                self.not_a_log("a link that leads to nothing; name the file itself")
            }
            _ => self.io(error),
        })?;
        let metadata = file.metadata().map_err(|error| self.io(error))?;
        let identity = Identity::from_metadata(&metadata);
        Ok(Open { file, identity, is_new, header: None, valid_len: 0 })
    }

    /// The header of a file that others may have written, and what must stand before our rows.
    /// `None` where another file is at the path now, or the file has become shorter.
    ///
    /// # Errors
    /// Also if another program seems to be rewriting the file, unless it is of a kind to which others
    /// only add, as this crate does.
    fn inspect(
        &self,
        file: &File,
        length: u64,
        is_settled: bool,
    ) -> Result<Option<(Header, String)>> {
        let new = self.kind.header();
        let contents = inspect(&self.path, file, length, self.kind)?;
        if self.is_shorter(file, length)? {
            return Ok(None);
        }
        let is_only_added_to =
            matches!(&contents, Contents::Log(header) if header.has_own_energy());
        if !is_settled && !is_only_added_to {
            return Err(self.io(being_written()));
        }
        Ok(Some(match contents {
            Contents::Empty if self.path.is_symlink() => {
                return Err(
                    self.not_a_log("a link to an empty file; name that file itself to begin a log")
                );
            }
            Contents::Empty => {
                let line = new.line();
                (new, line)
            }
            Contents::TornHeader { missing } => (new, missing),
            Contents::Zeros => {
                self.put_aside(file)?;
                return Ok(None);
            }
            Contents::Log(header) => {
                let before_rows = end_of_torn_row(file, length, header.line_end);
                let before_rows = before_rows.map_err(Error::read(&self.path))?;
                (*header, before_rows)
            }
        }))
    }

    fn is_shorter(&self, file: &File, length: u64) -> Result<bool> {
        Ok(file.metadata().map_err(|error| self.io(error))?.len() < length)
    }

    /// Waits until a program that rewrites the file, as Eco2AI does, has finished. Returns the
    /// length that the file then had, and whether no program seems to be rewriting it.
    fn wait_for_rewriter(&self, mut file: &File, length: u64) -> Result<(u64, bool)> {
        let io = |error| self.io(error);
        let mut last = [0];
        if length > 0 {
            file.seek(SeekFrom::Start(length - 1)).map_err(io)?;
            // It may have become shorter.
            let _ = file.read(&mut last).map_err(io)?;
        }
        let is_whole = matches!(last, [b'\n' | b'\r']);
        if is_whole && !self.is_shared_with_other_programs() {
            return Ok((length, true));
        }
        Ok(match wait_until_settled(file).map_err(io)? {
            Some(state) => (state.length, true),
            None => (file.metadata().map_err(io)?.len(), false),
        })
    }

    /// Renames a file of zeros, which a power cut can leave.
    fn put_aside(&self, file: &File) -> Result<()> {
        if self.path.is_symlink() {
            return Err(self.not_a_log("a link to a file of zeros; move that file away"));
        }
        let suffix = format!(".zeros-{:016x}", crate::process::random());
        let kept = regular_file::with_suffix(&self.path, &suffix);
        if !is_at(file, &self.path) {
            return Ok(());
        }
        fs::rename(&self.path, &kept).map_err(|error| self.io(error))?;
        warn_once(&format!(
            "{}: contains only zeros, as after a power cut; renamed to {}; a new log is started",
            self.path.display(),
            kept.display()
        ));
        Ok(())
    }

    fn warn_of_missing_columns(&self, header: &Header) {
        let missing = header.missing();
        if self.kind == FileKind::Log && !missing.is_empty() {
            let path = self.path.display();
            warn_once(&format!(
                "{path}: rows are written without {}, which this log does not have; \
                 `eco2ai convert {path}` adds them",
                listed(&missing)
            ));
        }
    }

    fn not_a_log(&self, reason: &str) -> Error {
        Error::not_a_log(&self.path, reason)
    }

    fn io(&self, source: io::Error) -> Error {
        Error::write(&self.path)(source)
    }
}

#[cfg(test)]
mod tests;
