//! A small file of `/proc` or `/sys` that is read repeatedly: opened once, and read without
//! allocating.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// A file that stays open. The kernel updates its text for each read from the start.
#[derive(Debug)]
pub(crate) struct KeptFile {
    file: File,
    path: PathBuf,
}

impl KeptFile {
    /// Opens the file at `path`.
    pub(crate) fn open(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        Ok(Self { file: File::open(&path)?, path })
    }

    /// Returns the path of the file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the first bytes of the current text, as many as `buffer` takes.
    pub(crate) fn read<'b>(&self, buffer: &'b mut [u8]) -> io::Result<&'b [u8]> {
        let length = self.file.read_at(buffer, 0)?;
        Ok(buffer.get(..length).unwrap_or_default())
    }

    /// Reads the number in the file.
    pub(crate) fn read_u64(&self) -> io::Result<u64> {
        let mut buffer = [0; 32];
        parse_u64(self.read(&mut buffer)?)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "holds no number"))
    }
}

/// Parses an unsigned number with white space around it.
pub(crate) fn parse_u64(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.trim().parse().ok()
}

/// Reads a file once and returns its trimmed text; `None` if it cannot be read.
pub(crate) fn read_trimmed(path: impl AsRef<Path>) -> Option<String> {
    let mut text = std::fs::read_to_string(path).ok()?;
    text.truncate(text.trim_end().len());
    Some(text)
}
