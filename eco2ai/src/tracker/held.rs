//! The run inside the public types, until they stop it or are dropped.

use std::sync::Arc;

use super::active::ActiveRun;
use super::config::RunConfig;
use super::handle::RunHandle;
use crate::disable::is_disabled;
use crate::error::Result;
use crate::log::Record;
use crate::own_code;
use crate::settings::Rows;
use crate::status::Status;

/// A run, or none if tracking was off or the thread was executing code of the library when the run
/// was started.
#[derive(Debug)]
pub(super) struct HeldRun {
    config: Arc<RunConfig>,
    active: Option<Box<ActiveRun>>,
}

impl HeldRun {
    pub(super) fn start(
        config: &Arc<RunConfig>,
        parent: Option<&RunHandle>,
        rows: Option<Rows>,
        detached: bool,
    ) -> Self {
        let active = match own_code::enter_from_outside() {
            Some(_section) if !is_disabled() => {
                Some(Box::new(ActiveRun::start(config, parent, rows, detached)))
            }
            _ => None,
        };
        Self { config: Arc::clone(config), active }
    }

    pub(super) fn active(&self) -> Option<&ActiveRun> {
        self.active.as_deref()
    }

    /// Returns the run, which the caller must end.
    pub(super) fn take(&mut self) -> Option<Box<ActiveRun>> {
        self.active.take()
    }

    pub(super) fn handle(&self) -> RunHandle {
        self.active().map(ActiveRun::handle).unwrap_or_default()
    }

    pub(super) fn snapshot(&self) -> Record {
        self.active().and_then(ActiveRun::record).unwrap_or_else(|| self.nothing())
    }

    pub(super) fn finish(mut self, status: Status) -> Result<Record> {
        let record = self.take().and_then(|active| active.finish(status));
        record.unwrap_or_else(|| Ok(self.nothing()))
    }

    pub(super) fn discard(mut self) {
        if let Some(active) = self.take() {
            active.discard();
        }
    }

    /// Returns the record of a run that was not measured.
    pub(super) fn nothing(&self) -> Record {
        self.config.nothing()
    }
}

impl Drop for HeldRun {
    fn drop(&mut self) {
        if let Some(active) = self.take() {
            active.finish_on_drop();
        }
    }
}
