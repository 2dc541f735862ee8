//! The log: the row, its file, the journal that survives a crash, and the summary.

mod attached_log;
mod byte_ranges;
mod columns;
mod confirmation;
mod convert;
mod csv_reader;
mod encoded_copy;
mod encoded_text;
mod entry;
mod file;
mod follow;
mod frames;
#[cfg(any(feature = "metrics", feature = "opentelemetry"))]
mod function_totals;
mod header;
mod identity;
mod inspect;
mod journal;
mod journal_files;
mod open_files;
mod open_log;
mod owner;
mod problem;
mod read;
pub(crate) mod record;
mod record_text;
mod recovery;
mod rewriting;
mod row;
mod run_states;
mod seen_rows;
mod serialized;
mod sink;
mod start_time;
mod state_folder;
mod summary;
mod unwritten;
mod writer;

pub(crate) use attached_log::AttachedLog;
#[cfg(test)]
pub(crate) use columns::ALL as ALL_COLUMNS;
pub use convert::{Converted, convert};
pub(crate) use encoded_copy::EncodedCopySink;
pub(crate) use entry::Kept;
pub use follow::LogFollower;
#[cfg(feature = "opentelemetry")]
pub(crate) use function_totals::FunctionTotals;
#[cfg(any(feature = "metrics", feature = "opentelemetry"))]
pub(crate) use function_totals::{FunctionTotalsSink, function_totals};
pub use problem::Problem;
pub use read::{Records, read_log, read_logs};
pub use record::Record;
#[cfg(test)]
pub(crate) use record::tests::record as test_record;
pub(crate) use record_text::epoch_text;
pub(crate) use row::CommonCells;
#[cfg(test)]
pub(crate) use row::rows_in_full;
pub(crate) use run_states::RunStates;
pub(crate) use sink::{FinishedRun, RunSink};
pub use summary::{Group, GroupBy, Summary, SummaryOptions, Totals, summary};
pub use unwritten::{Unwritten, live_runs};
pub use writer::recover;
pub(crate) use writer::{LogSink, attach, close, discard, flush};
