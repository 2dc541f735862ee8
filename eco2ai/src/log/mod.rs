//! The log: the row, its file, the journal that survives a crash, and the summary.

mod cells;
mod columns;
pub(crate) mod encode;
mod exit;
mod file;
mod journal;
mod live;
mod lock;
mod read;
pub(crate) mod record;
mod recovery;
mod row;
mod summary;
mod upgrade;
mod writer;

pub(crate) use exit::at_exit;
pub use live::live_runs;
pub use read::{Problem, Records, read_log};
pub use record::Record;
pub(crate) use record::epoch_text;
pub use recovery::recover;
pub use summary::{GroupBy, Summary, Totals, summary};
pub(crate) use writer::{attach, discard, finish, flush, keep};
