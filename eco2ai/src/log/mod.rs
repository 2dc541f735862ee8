//! The log: the row, its file, the journal that survives a crash, and the summary.

mod cells;
mod columns;
mod confirmation;
mod convert;
pub(crate) mod encoded_copy;
mod encoded_text;
mod exit;
mod file;
mod frames;
mod header;
mod journal;
mod lock;
mod owner;
mod read;
pub(crate) mod record;
mod recovery;
mod rewriting;
mod row;
mod start_time;
mod state_folder;
mod summary;
mod unwritten;
mod writer;

pub use convert::{Converted, convert};
pub(crate) use exit::at_exit;
pub use read::{Problem, Records, read_log, read_logs};
pub use record::Record;
pub(crate) use record::epoch_text;
pub use summary::{GroupBy, Summary, Totals, summary};
pub use unwritten::{Unwritten, live_runs};
pub use writer::recover;
pub(crate) use writer::{attach, close, discard, finish, flush, keep};
