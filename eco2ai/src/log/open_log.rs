//! A log that is being read: its rows one after the other, with what is wrong with some.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::file_lock::lock_shared_within;
use crate::log::csv_reader::CsvReader;
use crate::log::file::LOCK_TIMEOUT;
use crate::log::header::Header;
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
        let file = File::open(path).map_err(Error::read(path))?;
        let mut rows = CsvReader::new(WholeRows { file, last: b'\n', waited: false });
        let header = read_header(path, &mut rows)?;
        Ok(Self { path: path.to_path_buf(), rows, header })
    }

    /// Opens a log of which the rows before `offset` were read already. Line `line` begins there.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read.
    pub(super) fn resume(path: &Path, header: Header, (offset, line): (u64, u64)) -> Result<Self> {
        let mut file = File::open(path).map_err(Error::read(path))?;
        file.seek(SeekFrom::Start(offset)).map_err(Error::read(path))?;
        let source = WholeRows { file, last: b'\n', waited: false };
        let rows = CsvReader::resume(source, offset, line, header.line_end);
        Ok(Self { path: path.to_path_buf(), rows, header: Some(header) })
    }

    /// The header, and where the next row begins: its offset and its line. `None` where the file is
    /// empty.
    pub(super) fn position(&self) -> Option<(&Header, (u64, u64))> {
        Some((self.header.as_ref()?, self.rows.position()))
    }

    /// Whether the last row ends with its line: otherwise, more of it may follow.
    pub(super) fn is_line_complete(&self) -> bool {
        self.rows.is_line_complete()
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
