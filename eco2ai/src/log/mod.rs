//! The log: the row, its file, the journal that survives a crash, and the summary.

pub(crate) mod file;
pub(crate) mod record;

pub use record::{Record, Status};
