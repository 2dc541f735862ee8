//! Reading a log row by row.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::log::cells::{Row, Rows};
use crate::log::columns::Layout;
use crate::log::file::layout_of;
use crate::log::record::Record;
use crate::log::row::Named;

/// A row of a log that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} line {line}: {reason}", path.display())]
#[non_exhaustive]
pub struct Problem {
    /// The log.
    pub path: PathBuf,
    /// The number of the row's first line, from 1.
    pub line: u64,
    /// Why the row cannot be used.
    pub reason: String,
}

/// An open log, understood: what [`Records`] and a summary read from.
pub(crate) struct Log {
    path: PathBuf,
    rows: Rows<File>,
    /// `None` where the file is empty.
    layout: Option<Layout>,
}

impl Log {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let io = |source| Error::Io { path: path.to_path_buf(), source };
        let file = File::open(path).map_err(io)?;
        let empty = file.metadata().map_err(io)?.len() == 0;
        let mut rows = Rows::new(file, 0);
        let layout = if empty { None } else { Some(layout_of(path, &mut rows)?) };
        Ok(Self { path: path.to_path_buf(), rows, layout })
    }

    /// Gives the next row to `use_row`; `None` at the end.
    pub(crate) fn next<T>(
        &mut self,
        use_row: impl FnOnce(&Named<'_>) -> std::result::Result<T, String>,
    ) -> Result<Option<std::result::Result<T, Problem>>> {
        let Some(layout) = &self.layout else { return Ok(None) };
        let row: Option<Row<'_>> = self
            .rows
            .next(Some(layout.width))
            .map_err(|source| Error::Io { path: self.path.clone(), source })?;
        let Some(row) = row else { return Ok(None) };
        let (line, used) = match row.malformed {
            None => (row.line, use_row(&Named { row: &row, layout })),
            Some(reason) => (row.line, Err(reason.to_owned())),
        };
        if used.is_err() {
            self.rows.only_first_line();
        }
        Ok(Some(used.map_err(|reason| Problem { path: self.path.clone(), line, reason })))
    }
}

/// The records of a log, one after the other: see [`read_log`].
pub struct Records {
    /// `None` once reading has failed.
    log: Option<Log>,
}

impl std::fmt::Debug for Records {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Records").field("path", &self.log.as_ref().map(|log| &log.path)).finish()
    }
}

/// Reads a log of this library, or of Eco2AI, row by row: the log may be as large as it likes.
///
/// A log of Eco2AI has one kind of energy only, which stands for the inclusive, the own and the
/// process's; its times are taken as this machine's.
///
/// # Errors
/// Where the file cannot be opened, or is no emission log. A single row that cannot be used is a
/// [`Problem`] in its place, and the next row follows.
pub fn read_log(path: impl AsRef<Path>) -> Result<Records> {
    Ok(Records { log: Some(Log::open(path.as_ref())?) })
}

impl Records {
    /// Reads the next row into `record`, whose memory is used again, which is faster than the
    /// iterator where rows are many. `None` at the end. With a [`Problem`], what `record` then
    /// holds is of no use.
    pub fn read_into(&mut self, record: &mut Record) -> Option<std::result::Result<(), Problem>> {
        self.next_row(|row| row.read(record))
    }

    fn next_row<T>(
        &mut self,
        use_row: impl FnOnce(&Named<'_>) -> std::result::Result<T, String>,
    ) -> Option<std::result::Result<T, Problem>> {
        let log = self.log.as_mut()?;
        match log.next(use_row) {
            Ok(row) => row,
            Err(error) => {
                let path = log.path.clone();
                self.log = None;
                Some(Err(Problem { path, line: 0, reason: error.to_string() }))
            }
        }
    }
}

impl Iterator for Records {
    type Item = std::result::Result<Record, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        #[allow(
            clippy::redundant_closure_for_method_calls,
            reason = "the method is for one lifetime"
        )]
        self.next_row(|row| row.record())
    }
}
