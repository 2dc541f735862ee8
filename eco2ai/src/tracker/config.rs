//! The configuration of runs.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use chrono::DateTime;
use uuid::Uuid;

use super::context::{RowStart, RunContext};
use super::handle::RunHandle;
use crate::locks::{Lock, Rank};
use crate::log::{self, Record};
use crate::meter::{Meter, Prices, RunEnergy, SummedFunction};
use crate::report::warn_once;
use crate::settings::{Params, Rows, Settings, replace_placeholders};
use crate::status::Status;

/// How many enclosing settings a configuration remembers the result for.
const MAX_INHERITED: usize = 8;

/// The resolved parameters and the tracked function.
#[derive(Debug)]
pub(crate) struct RunConfig {
    /// The parameters that were given, which an enclosing run does not change.
    given: Params,
    pub(super) settings: Arc<Settings>,
    pub(super) function: Option<Arc<str>>,
    pub(super) meter: Option<Meter>,
    pub(super) parent: Option<RunHandle>,
    /// A part of the work happens where it is not measured.
    pub(super) is_partial: bool,
    /// The function to whose sums the runs are added, if they have no rows of their own.
    pub(super) summed: Arc<SummedFunction>,
    /// The tariff, if the price depends on the time.
    pub(super) prices: Option<Arc<dyn Prices>>,
    inherited: Inherited,
}

/// The configurations of runs under other runs, each with the number of the enclosing settings.
#[derive(Debug)]
struct Inherited {
    /// Found without a lock.
    first: OnceLock<(u64, Arc<RunConfig>)>,
    others: Lock<VecDeque<(u64, Arc<RunConfig>)>>,
}

impl Default for Inherited {
    fn default() -> Self {
        Self { first: OnceLock::new(), others: Lock::new(Rank::Site, VecDeque::new()) }
    }
}

impl RunConfig {
    pub(crate) fn new(
        given: Params,
        settings: Arc<Settings>,
        function: Option<Arc<str>>,
        meter: Option<Meter>,
        parent: Option<RunHandle>,
    ) -> Self {
        let prices = changing_prices(&settings);
        let (summed, inherited) = (SummedFunction::new(), Inherited::default());
        let is_partial = false;
        Self { given, settings, function, meter, parent, is_partial, summed, prices, inherited }
    }

    /// Returns the configuration of a run under a run with the settings `number`, if it is the first
    /// one that was [inherited](Self::inherit).
    #[inline]
    pub(super) fn first_inherited(&self, number: u64) -> Option<&Arc<Self>> {
        self.inherited.first.get().filter(|(known, _)| *known == number).map(|(_, config)| config)
    }

    /// Returns the configuration of a run under a run with the settings `number`, which `enclosing`
    /// returns: each parameter that was not given is that of the enclosing run.
    pub(super) fn inherit(
        &self,
        number: u64,
        enclosing: impl FnOnce() -> Option<Arc<Settings>>,
    ) -> Arc<Self> {
        let find = |others: &VecDeque<(u64, Arc<Self>)>| {
            others.iter().find(|(known, _)| *known == number).map(|(_, it)| Arc::clone(it))
        };
        if let Some(known) = find(&self.inherited.others.lock()) {
            return known;
        }
        let settings = enclosing().map(|enclosing| Settings::inherit(&self.given, &enclosing));
        let settings = match settings {
            Some(Ok(settings)) => settings,
            Some(Err(error)) => {
                warn_once(&error);
                Arc::clone(&self.settings)
            }
            // It has ended meanwhile.
            None => Arc::clone(&self.settings),
        };
        let mut others = self.inherited.others.lock();
        if let Some(known) = find(&others) {
            return known;
        }
        // Functions that call each other must not get new settings with each call.
        let first = self.inherited.first.get().map(|(_, first)| first);
        let same = |config: &&Arc<Self>| config.settings.is_same(&settings);
        let same = first.into_iter().chain(others.iter().map(|(_, config)| config)).find(same);
        let config = same.cloned().unwrap_or_else(|| Arc::new(self.with(settings)));
        if self.inherited.first.set((number, Arc::clone(&config))).is_err() {
            others.truncate(MAX_INHERITED - 1);
            others.push_front((number, Arc::clone(&config)));
        }
        config
    }

    fn with(&self, settings: Arc<Settings>) -> Self {
        Self {
            given: self.given.clone(),
            function: self.function.clone(),
            meter: self.meter.clone(),
            parent: self.parent.clone(),
            is_partial: self.is_partial,
            summed: Arc::clone(&self.summed),
            prices: changing_prices(&settings),
            settings,
            inherited: Inherited::default(),
        }
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

    /// Returns the context of a run that starts now on this meter, under `enclosing` if there is one.
    /// Prepares the log for rows.
    pub(super) fn attached(
        &self,
        meter: &Meter,
        enclosing: Option<&RunContext>,
    ) -> Arc<RunContext> {
        let context = self.context(meter, enclosing);
        log::attach(&context.file, self.settings.ignore_warnings);
        Arc::new(context)
    }

    fn context(&self, meter: &Meter, enclosing: Option<&RunContext>) -> RunContext {
        // A relative path is that of the moment at which the outermost run started.
        let inherited = enclosing.filter(|_| self.given.file.is_none());
        let file = inherited.map_or_else(
            || {
                let file = self.file();
                if let (Cow::Owned(_), Some(folder)) = (&file, file.parent()) {
                    // A failure shows when the log is opened.
                    let _ = std::fs::create_dir_all(folder);
                }
                std::path::absolute(&file).unwrap_or_else(|_| file.into_owned())
            },
            |enclosing| enclosing.file.clone(),
        );
        let inherited = || enclosing.and_then(|enclosing| enclosing.function.clone());
        RunContext {
            settings: Arc::clone(&self.settings),
            meter: meter.clone(),
            function: self.function.clone().or_else(inherited),
            file,
            is_partial: self.is_partial,
            outer_run: if enclosing.is_none() { meter.outer_run() } else { None },
        }
    }

    /// Returns the log of a run that starts now, as an owned path if a placeholder was replaced.
    pub(super) fn file(&self) -> Cow<'_, Path> {
        replace_placeholders(&self.settings.file)
    }

    /// Returns the record of a run that was not measured, because tracking is off.
    pub(super) fn nothing(&self) -> Record {
        let context = RunContext {
            settings: Arc::clone(&self.settings),
            meter: Meter::none(),
            function: self.function.clone(),
            file: PathBuf::new(),
            is_partial: false,
            outer_run: None,
        };
        let start_time = DateTime::UNIX_EPOCH.fixed_offset();
        let row = RowStart { id: Uuid::nil(), parent_id: None, start_time };
        context.record(row, &RunEnergy::default(), 1, Status::Ok)
    }
}

/// Returns the tariff of the settings, if its price depends on the time. Settings with the same
/// tariff return the same one.
fn changing_prices(settings: &Settings) -> Option<Arc<dyn Prices>> {
    let tariff = settings.tariff.as_ref().filter(|tariff| tariff.flat_price().is_none());
    tariff.map(|tariff| Arc::clone(tariff) as Arc<dyn Prices>)
}
