//! A small file of `/proc` or `/sys` that is read again and again: opened once, read without
//! allocating.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// A file that stays open. The kernel writes its text anew for each read from the start.
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

    /// Where the file is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The first bytes of the text as it is now, as many as `buffer` takes.
    pub(crate) fn read<'b>(&self, buffer: &'b mut [u8]) -> io::Result<&'b [u8]> {
        let length = self.file.read_at(buffer, 0)?;
        Ok(buffer.get(..length).unwrap_or_default())
    }

    /// The number that the file holds now.
    pub(crate) fn read_u64(&self) -> io::Result<u64> {
        let mut buffer = [0; 32];
        parse_u64(self.read(&mut buffer)?)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "holds no number"))
    }
}

/// The unsigned number that `text` consists of, with white space around it.
pub(crate) fn parse_u64(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.trim().parse().ok()
}

/// The trimmed text of a file that is read once; `None` where it cannot be.
pub(crate) fn read_trimmed(path: impl AsRef<Path>) -> Option<String> {
    let mut text = std::fs::read_to_string(path).ok()?;
    text.truncate(text.trim_end().len());
    Some(text)
}
