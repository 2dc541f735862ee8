//! Finds out what a file contains: a log, the beginning of one, or something else.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use crate::error::{Error, Result};
use crate::log::csv_reader::CsvReader;
use crate::log::header::{FileKind, Header, LineEnd};
use crate::regular_file::{self, Links};

/// The result of the inspection of a file.
#[derive(Debug, PartialEq)]
pub(crate) enum Contents {
    /// No row, not even a header.
    Empty,
    /// The beginning of the header of a new file. What follows it is missing.
    TornHeader { missing: String },
    /// Only zeros, which a power cut can leave.
    Zeros,
    /// A log with that header.
    Log(Box<Header>),
}

/// Inspects the file at `path`, which has `length` bytes.
///
/// # Errors
/// Returns [`Error::NotALog`] if it is something else, and [`Error::Read`] if reading fails.
pub(crate) fn inspect(path: &Path, file: &File, length: u64, kind: FileKind) -> Result<Contents> {
    let io = Error::read(path);
    if length == 0 {
        return Ok(Contents::Empty);
    }
    if let Some(missing) = rest_of_torn_header(file, length, &kind.header()).map_err(io)? {
        return Ok(Contents::TornHeader { missing });
    }
    if is_all_zeros(file).map_err(io)? {
        return Ok(Contents::Zeros);
    }
    let header = read_header(path, &mut CsvReader::new(file))?;
    Ok(header.map_or(Contents::Empty, |header| Contents::Log(Box::new(header))))
}

/// Returns the header of the log at `path`. `None` if it does not exist, is torn, or cannot be
/// opened.
///
/// # Errors
/// Returns [`Error::NotALog`], or [`Error::Read`] if the file opens, but reading it fails.
pub(crate) fn existing_header(path: &Path) -> Result<Option<Header>> {
    let file = match regular_file::open(path, OpenOptions::new().read(true), Links::Follow) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::InvalidInput => {
            return Err(Error::not_a_log(path, error.to_string()));
        }
        Err(_) => return Ok(None),
    };
    let length = file.metadata().map_err(Error::read(path))?.len();
    match inspect(path, &file, length, FileKind::Log)? {
        Contents::Log(header) => Ok(Some(*header)),
        // These become a log.
        Contents::Empty | Contents::TornHeader { .. } | Contents::Zeros => Ok(None),
    }
}

/// Reads the header of a log. Returns `None` if there is no row.
///
/// # Errors
/// Returns [`Error::NotALog`] if the first row is not the header of an emission log, or
/// [`Error::Read`].
pub(crate) fn read_header<R: Read>(path: &Path, rows: &mut CsvReader<R>) -> Result<Option<Header>> {
    let Some(row) = rows.next(None).map_err(Error::read(path))? else { return Ok(None) };
    let cells: Vec<_> = row.iter().map(|cell| cell.into_owned().into()).collect();
    let malformed = row.malformed;
    match (Header::parse(&cells, rows.line_end()), malformed) {
        (Ok(_), Some(reason)) => {
            let reason = format!("not an emission log: in its first line {reason}");
            Err(Error::not_a_log(path, reason))
        }
        (header, _) => header.map(Some).map_err(|reason| Error::not_a_log(path, reason)),
    }
}

/// What a file lacks that holds the beginning of that header and nothing else.
fn rest_of_torn_header(
    mut file: &File,
    length: u64,
    header: &Header,
) -> io::Result<Option<String>> {
    let line = header.line();
    if length >= line.len() as u64 {
        return Ok(None);
    }
    let mut torn = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(length).read_to_end(&mut torn)?;
    file.seek(SeekFrom::Start(0))?;
    let rest = line.as_bytes().strip_prefix(&torn[..]);
    Ok(rest.map(|rest| String::from_utf8_lossy(rest).into_owned()))
}

/// Returns whether a file contains only zeros.
fn is_all_zeros(mut file: &File) -> io::Result<bool> {
    file.seek(SeekFrom::Start(0))?;
    let mut buffer = vec![0; 4 << 10];
    let mut any = false;
    let result = loop {
        match file.read(&mut buffer) {
            Ok(0) => break any,
            Ok(count) if buffer[..count].iter().all(|byte| *byte == 0) => any = true,
            Ok(_) => break false,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    };
    file.seek(SeekFrom::Start(0))?;
    Ok(result)
}

/// Returns the text that must be appended to a log of `length` bytes before the next row: nothing,
/// or the end of a torn row. An open quote is detected by counting all quotes of the file.
pub(crate) fn end_of_torn_row(
    mut file: &File,
    length: u64,
    line_end: LineEnd,
) -> io::Result<String> {
    let mut last = [0];
    file.seek(SeekFrom::Start(length.saturating_sub(1)))?;
    file.read_exact(&mut last)?;
    if last == *b"\n" || last == *b"\r" && line_end == LineEnd::Cr {
        return Ok(String::new());
    }
    file.seek(SeekFrom::Start(0))?;
    let mut buffer = vec![0; 64 << 10];
    let mut quotes = 0;
    loop {
        let count = match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        quotes += memchr::memchr_iter(b'"', &buffer[..count]).count();
    }
    let quote = if quotes % 2 == 1 { "\"" } else { "" };
    Ok(quote.to_owned() + line_end.bytes())
}
