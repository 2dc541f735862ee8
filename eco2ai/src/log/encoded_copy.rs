//! Eco2AI's obfuscated copy of the log: a row of it for each row of the log.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::locks::{Lock, Rank};
use crate::log::file::LogFile;
use crate::log::header::FileKind;
use crate::log::record::Record;
use crate::log::sink::{FinishedRun, RunSink};
use crate::process::PerProcess;
use crate::settings::EncodeFile;

/// The obfuscated copy, where one is wanted.
pub(crate) struct EncodedCopySink;

impl RunSink for EncodedCopySink {
    fn finish(&self, run: &FinishedRun<'_>) -> Result<()> {
        match copy_path(run.log.path(), &run.settings.encode_file)? {
            Some(copy) => append(&copy, run.record),
            None => Ok(()),
        }
    }
}

/// Returns the path of the copy of a log; `None` if no copy is requested.
///
/// # Errors
/// [`Error::Parameter`] where it would be the log itself.
fn copy_path(log: &Path, copy: &EncodeFile) -> Result<Option<PathBuf>> {
    let path = match copy {
        EncodeFile::No => return Ok(None),
        EncodeFile::Yes => {
            let mut name = std::ffi::OsString::from("encoded_");
            name.push(log.file_name().unwrap_or_default());
            log.with_file_name(name)
        }
        EncodeFile::File(path) => std::path::absolute(path).map_err(Error::write(path))?,
    };
    if path == log {
        return Err(Error::Parameter {
            parameter: "encode_file",
            value: path.display().to_string(),
            reason: "it is the log itself; name another file".into(),
        });
    }
    Ok(Some(path))
}

/// Appends the copy of a row: the cells that its file has, Eco2AI's thirteen where it is new, each
/// encoded.
///
/// # Errors
/// [`Error::Write`] or [`Error::NotALog`]. The row does not wait anywhere: it is in the log.
fn append(path: &Path, record: &Record) -> Result<()> {
    // A forked child shares the lock of its parent's open file: it opens its own.
    static COPIES: PerProcess<Lock<HashMap<PathBuf, LogFile>>> = PerProcess::new();
    let mut copies = COPIES.get_or_init(|| Lock::new(Rank::EncodedCopies, HashMap::new())).lock();
    let copy = match copies.get_mut(path) {
        Some(copy) => copy,
        None => copies
            .entry(path.to_path_buf())
            .or_insert_with(|| LogFile::new(path.to_path_buf(), FileKind::EncodedCopy)),
    };
    copy.append(std::slice::from_ref(record), None).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::columns::ECO2AI_COLUMNS;
    use crate::log::encoded_text::encode;
    use crate::log::header::Header;
    use crate::log::record::tests::record;
    use crate::log::row::rows_of;
    use std::fs;

    #[test]
    fn the_copy_has_thirteen_cells_each_encoded_once() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("emission.csv");
        let path = copy_path(&log, &EncodeFile::Yes).unwrap().unwrap();
        assert_eq!(path, folder.path().join("encoded_emission.csv"));
        let mut record = record("=1, \"2\"");
        record.description = "two\nlines".into();
        append(&path, &record).unwrap();
        append(&path, &record).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with(&Header::eco2ai().line()), "{text}");
        let mut reader = csv::Reader::from_path(&path).unwrap();
        let plain = rows_of([&record], &Header::eco2ai(), FileKind::Log);
        let mut plain = csv::ReaderBuilder::new().has_headers(false).from_reader(&plain[..]);
        let plain = plain.records().next().unwrap().unwrap();
        let expected: Vec<_> = plain.iter().map(encode).collect();
        for row in reader.records() {
            assert_eq!(row.unwrap().iter().collect::<Vec<_>>(), expected);
        }
        assert_eq!(expected.len(), ECO2AI_COLUMNS);
    }

    #[test]
    fn the_given_name_is_respected_and_never_the_log() {
        let log = std::path::absolute("emission.csv").unwrap();
        let given = EncodeFile::File(log.with_file_name("mine.csv"));
        assert_eq!(copy_path(&log, &given).unwrap(), Some(log.with_file_name("mine.csv")));
        assert_eq!(copy_path(&log, &EncodeFile::No).unwrap(), None);
        assert!(copy_path(&log, &EncodeFile::File(log.clone())).is_err());
    }
}
