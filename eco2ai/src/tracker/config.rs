//! The configuration of runs.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::DateTime;
use uuid::Uuid;

use super::context::{RowStart, RunContext};
use super::handle::RunHandle;
use crate::carbon::Tariff;
use crate::log::{self, Record};
use crate::meter::{Meter, Prices, RunEnergy, SummedFunction};
use crate::settings::{Rows, Settings};
use crate::status::Status;

/// The resolved parameters and the tracked function.
#[derive(Debug)]
pub(crate) struct RunConfig {
    pub(super) settings: Arc<Settings>,
    pub(super) function: Option<Arc<str>>,
    pub(super) meter: Option<Meter>,
    pub(super) parent: Option<RunHandle>,
    /// The function to whose sums the runs are added, if they have no rows of their own.
    pub(super) summed: Arc<SummedFunction>,
    /// The tariff, if the price depends on the time.
    pub(super) prices: Option<Arc<dyn Prices>>,
}

impl RunConfig {
    pub(crate) fn new(
        settings: Arc<Settings>,
        function: Option<Arc<str>>,
        meter: Option<Meter>,
        parent: Option<RunHandle>,
    ) -> Self {
        let changing = |tariff: &&Tariff| tariff.flat_price().is_none();
        let tariff = settings.tariff.as_ref().filter(changing).cloned();
        let prices = tariff.map(|tariff| Arc::new(tariff) as Arc<dyn Prices>);
        Self { settings, function, meter, parent, summed: SummedFunction::new(), prices }
    }

    #[cfg(test)]
    pub(crate) fn project(&self) -> &str {
        &self.settings.project
    }

    pub(crate) fn ignores_warnings(&self) -> bool {
        self.settings.ignore_warnings
    }

    pub(crate) fn rows(&self) -> Rows {
        self.settings.rows
    }

    /// Returns the context of a run that starts now on this meter, and prepares the log for rows.
    pub(super) fn attached(&self, meter: &Meter) -> RunContext {
        let context = self.context(meter);
        log::attach(&context.file, self.settings.ignore_warnings);
        context
    }

    /// Returns the context of a run that starts now on this meter.
    pub(super) fn context(&self, meter: &Meter) -> RunContext {
        let file = &self.settings.file;
        RunContext {
            settings: Arc::clone(&self.settings),
            meter: meter.clone(),
            function: self.function.clone(),
            file: std::path::absolute(file).unwrap_or_else(|_| file.clone()),
        }
    }

    /// Returns the record of a run that was not measured, because tracking is off.
    pub(super) fn nothing(&self) -> Record {
        let context = RunContext {
            settings: Arc::clone(&self.settings),
            meter: Meter::none(),
            function: self.function.clone(),
            file: PathBuf::new(),
        };
        let start_time = DateTime::UNIX_EPOCH.fixed_offset();
        let row = RowStart { id: Uuid::nil(), parent_id: None, start_time };
        context.record(row, &RunEnergy::default(), 1, Status::Ok)
    }
}
