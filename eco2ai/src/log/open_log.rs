//! A log that is being read: its rows one after the other, with what is wrong with some.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::file_lock::lock_shared_within;
use crate::log::csv_reader::CsvReader;
use crate::log::file::LOCK_TIMEOUT;
use crate::log::header::Header;
use crate::log::identity::Identity;
use crate::log::inspect::read_header;
use crate::log::problem::Problem;
use crate::log::row::LogRow;

/// The bytes of a log. Its last row is never read while a writer is in the middle of it.
struct WholeRows {
    file: File,
    last: u8,
    waited: bool,
}

impl Read for WholeRows {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut count = self.file.read(buffer)?;
        if count == 0 && self.last != b'\n' && !self.waited {
            self.waited = true;
            drop(lock_shared_within(&self.file, LOCK_TIMEOUT));
            count = self.file.read(buffer)?;
        }
        if let Some(last) = buffer.get(..count).and_then(<[u8]>::last) {
            self.last = *last;
        }
        Ok(count)
    }
}

/// An open log whose header has been read.
pub(super) struct OpenLog {
    pub(super) path: PathBuf,
    rows: CsvReader<WholeRows>,
    /// `None` where the file is empty.
    header: Option<Header>,
}

impl OpenLog {
    /// # Errors
    /// Returns an error if the file cannot be read, or is not an emission log.
    pub(super) fn open(path: &Path) -> Result<Self> {
        Self::from_file(path, File::open(path).map_err(Error::read(path))?)
    }

    /// Reads the header of an open file. `path` is the name by which errors call it.
    ///
    /// # Errors
    /// Same as for [`open`](Self::open).
    pub(super) fn from_file(path: &Path, file: File) -> Result<Self> {
        let mut rows = CsvReader::new(WholeRows { file, last: b'\n', waited: false });
        let header = read_header(path, &mut rows)?;
        Ok(Self { path: path.to_path_buf(), rows, header })
    }

    /// Opens a log of which the rows before `offset` were read already. Line `line` begins there.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read.
    pub(super) fn open_at(path: &Path, header: Header, (offset, line): (u64, u64)) -> Result<Self> {
        let mut file = File::open(path).map_err(Error::read(path))?;
        file.seek(SeekFrom::Start(offset)).map_err(Error::read(path))?;
        let source = WholeRows { file, last: b'\n', waited: false };
        let rows = CsvReader::resume(source, offset, line, header.line_end);
        Ok(Self { path: path.to_path_buf(), rows, header: Some(header) })
    }

    /// Returns whether the last row ends with its line: otherwise, more of it may follow.
    pub(super) fn is_line_complete(&self) -> bool {
        self.rows.is_line_complete()
    }

    /// Returns a second reader of the log, which starts at `offset`, where a row begins. Its lines
    /// are counted from there. It shares the place in the file with this one.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read.
    pub(super) fn resume(&self, offset: u64) -> Result<Self> {
        let file = self.file().try_clone().map_err(Error::read(&self.path))?;
        self.resume_with(file, offset)
    }

    /// Same as [`resume`](Self::resume), with a place in the file of its own. `None` if that is not
    /// possible, as for a pipe, or if another file is at the path now.
    pub(super) fn resume_apart(&self, offset: u64) -> Option<Self> {
        let file = File::open(&self.path).ok()?;
        let identity = |file: &File| Some(Identity::from_metadata(&file.metadata().ok()?));
        let same = identity(&file)? == identity(self.file())?;
        self.resume_with(file, offset).ok().filter(|_| same)
    }

    fn resume_with(&self, mut file: File, offset: u64) -> Result<Self> {
        file.seek(SeekFrom::Start(offset)).map_err(Error::read(&self.path))?;
        let line_end = self.rows.line_end();
        let source = WholeRows { file, last: b'\n', waited: false };
        Ok(Self {
            path: self.path.clone(),
            rows: CsvReader::resume(source, offset, 1, line_end),
            header: self.header.clone(),
        })
    }

    /// Returns the offset and the line number at which the next row begins.
    pub(super) fn position(&self) -> (u64, u64) {
        self.rows.position()
    }

    /// Returns the header; `None` if the file is empty.
    pub(super) fn header(&self) -> Option<&Header> {
        self.header.as_ref()
    }

    /// Gives the next row to `use_row`. `None` at the end.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read any further.
    pub(super) fn next<T>(
        &mut self,
        use_row: &mut impl FnMut(&LogRow<'_>) -> std::result::Result<T, String>,
    ) -> Result<Option<std::result::Result<T, Problem>>> {
        let Some(header) = &self.header else { return Ok(None) };
        loop {
            let row = self.rows.next(Some(header.width()));
            let row = row.map_err(Error::read(&self.path))?;
            let Some(row) = row else { return Ok(None) };
            let named = LogRow { row: &row, header };
            let line = row.line;
            let reason = match row.malformed {
                None => match use_row(&named) {
                    Ok(used) => return Ok(Some(Ok(used))),
                    Err(_) if named.is_header() => continue,
                    Err(reason) => reason,
                },
                Some(reason) => reason.to_owned(),
            };
            self.rows.only_first_line();
            return Ok(Some(Err(Problem { path: self.path.clone(), line, reason })));
        }
    }

    /// The open file.
    pub(super) fn file(&self) -> &File {
        &self.rows.source().file
    }
}
