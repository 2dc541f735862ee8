//! What the formats of `eco2ai export` have in common.

use std::io;

use eco2ai::Record;

/// A format that rows are written in.
pub(super) trait Format {
    /// Writes a row, or notes it.
    fn write_row(&mut self, row: &Record) -> io::Result<()>;

    /// Writes what remains.
    fn finish(self: Box<Self>, left_out: LeftOut) -> io::Result<()>;
}

/// The numbers of rows that were not written.
#[derive(Clone, Copy, Default)]
pub(super) struct LeftOut {
    pub(super) unusable: u64,
    /// Another of the logs has them, too.
    pub(super) repeated: u64,
}
