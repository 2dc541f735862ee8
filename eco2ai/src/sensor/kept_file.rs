//! A small file of `/proc` or `/sys` that is read repeatedly: opened once, and read without
//! allocating.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

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
        self.read_number()
    }

    /// Reads the number in the file, which may be negative.
    pub(crate) fn read_i64(&self) -> io::Result<i64> {
        self.read_number()
    }

    fn read_number<T: FromStr>(&self) -> io::Result<T> {
        let mut buffer = [0; 32];
        let text = std::str::from_utf8(self.read(&mut buffer)?).unwrap_or_default();
        let number = text.trim().parse().ok();
        number.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "holds no number"))
    }
}

/// Reads a file once and returns its trimmed text; `None` if it cannot be read.
pub(crate) fn read_trimmed(path: impl AsRef<Path>) -> Option<String> {
    let mut text = std::fs::read_to_string(path).ok()?;
    text.truncate(text.trim_end().len());
    Some(text)
}
