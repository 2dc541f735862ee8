//! [`RunSink`]: receives the record of a run that has ended.

use crate::error::Result;
use crate::log::attached_log::AttachedLog;
use crate::log::record::Record;
use crate::log::row::CommonCells;
use crate::settings::Settings;

/// A run that has ended, and the settings that it ran with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FinishedRun<'a> {
    pub(crate) record: &'a Record,
    /// Given if the next runs with the same ones can use them again.
    pub(crate) common: Option<&'a CommonCells>,
    pub(crate) log: &'a AttachedLog,
    pub(crate) settings: &'a Settings,
}

/// Takes the record of each run that has ended.
pub(crate) trait RunSink: Sync {
    /// Takes one run. Called on the thread that ends the run, without a lock of the library.
    ///
    /// # Errors
    /// Returns an error if this sink cannot take the run. The other sinks still get it.
    fn finish(&self, run: &FinishedRun<'_>) -> Result<()>;
}
