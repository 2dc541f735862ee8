//! Where the record of a run goes when it has ended.

use std::path::Path;

use crate::error::Result;
use crate::log::record::Record;
use crate::settings::Settings;

/// A run that has ended, and the settings it ran with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FinishedRun<'a> {
    pub(crate) record: &'a Record,
    /// The absolute path of its log.
    pub(crate) log: &'a Path,
    pub(crate) settings: &'a Settings,
}

/// Takes the record of each run that has ended.
pub(crate) trait RunSink: Sync {
    /// Called once a run, on the run's thread, under no lock of the library.
    ///
    /// # Errors
    /// Where the record is lost to this sink. The others get it all the same.
    fn finish(&self, run: &FinishedRun<'_>) -> Result<()>;
}
