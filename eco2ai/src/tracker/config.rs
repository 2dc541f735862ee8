//! The configuration of runs.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use chrono::DateTime;

use super::context::{RowStart, RunContext};
use super::handle::RunHandle;
use crate::locks::{Lock, Rank};
use crate::log::{self, Record};
use crate::meter::{Meter, Prices, RunEnergy, RunKey, Start, SummedFunction};
use crate::process;
use crate::report::warn_once;
use crate::settings::{Params, Rows, Settings, replace_placeholders};
use crate::status::Status;
use crate::uuid::Uuid;

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
    /// The meter on which a call to a sum need not be a run, once that is known.
    pub(super) leaf_meter: OnceLock<&'static Meter>,
    /// The context of the last run.
    last: Lock<Option<LastContext>>,
}

/// The context of a run, which the next run can use if it starts under the same circumstances.
#[derive(Debug)]
struct LastContext {
    context: Arc<RunContext>,
    enclosing: Option<Arc<RunContext>>,
    /// The process: a forked child has logs of its own.
    pid: u32,
    /// The working directory, if the path of the log depends on it.
    folder: Option<PathBuf>,
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
        Self {
            given,
            settings,
            function,
            meter,
            parent,
            is_partial: false,
            summed: SummedFunction::new(),
            prices,
            inherited: Inherited::default(),
            leaf_meter: OnceLock::new(),
            last: Lock::new(Rank::Site, None),
        }
    }

    /// Returns the configuration of a run under a run with the settings `number`, if it is the first
    /// one that was [inherited](Self::inherit).
    #[inline]
    pub(super) fn first_inherited(&self, number: u64) -> Option<&Arc<Self>> {
        self.inherited.first.get().filter(|(known, _)| *known == number).map(|(_, config)| config)
    }

    /// Returns the configuration of a run under a run with these settings, or under none, if it is known
    /// without a lock.
    #[inline]
    pub(super) fn known_under(self: &Arc<Self>, number: Option<u64>) -> Option<&Arc<Self>> {
        number.map_or(Some(self), |number| self.first_inherited(number))
    }

    /// Returns how a run with this configuration starts.
    #[inline]
    pub(super) fn start_of(
        &self,
        is_summed: bool,
        parent: Option<RunKey>,
        detached: bool,
    ) -> Start<'_> {
        Start {
            summed: is_summed.then_some(&self.summed),
            parent,
            detached,
            scope: self.settings.cpu_processes.into(),
            period: self.settings.measure_period,
            prices: self.prices.as_ref(),
            settings: self.settings.number,
        }
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
            leaf_meter: OnceLock::new(),
            last: Lock::new(Rank::Site, None),
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
        enclosing: Option<&Arc<RunContext>>,
    ) -> Arc<RunContext> {
        let outer_run = if enclosing.is_none() { meter.outer_run() } else { None };
        let pid = process::id();
        if let Some(last) = &*self.last.lock()
            && last.pid == pid
            && last.is_under(enclosing)
            && last.context.outer_run == outer_run
            && last.context.meter.is_same(meter)
            && last.folder.as_deref().is_none_or(is_working_directory)
        {
            return Arc::clone(&last.context);
        }
        let (file, folder) = match enclosing.filter(|_| self.given.file.is_none()) {
            // A relative path is that of the moment at which the outermost run started.
            Some(enclosing) => (enclosing.file.clone(), None),
            None => self.absolute_file(),
        };
        let function = || enclosing.and_then(|enclosing| enclosing.function.clone());
        let context = Arc::new(RunContext {
            settings: Arc::clone(&self.settings),
            meter: meter.clone(),
            function: self.function.clone().or_else(function),
            log: Some(log::attach(&file, self.settings.ignore_warnings)),
            file,
            is_partial: self.is_partial,
            outer_run,
            spare: RunContext::no_spare(),
        });
        let (context_, enclosing) = (Arc::clone(&context), enclosing.cloned());
        *self.last.lock() = Some(LastContext { context: context_, enclosing, pid, folder });
        context
    }

    /// Returns the path of the log of a run that starts now, and the working directory if the path
    /// depends on it. Makes the folder of a path with placeholders.
    fn absolute_file(&self) -> (PathBuf, Option<PathBuf>) {
        let file = self.file();
        if let (Cow::Owned(_), Some(folder)) = (&file, file.parent()) {
            // A failure shows when the log is opened.
            let _ = std::fs::create_dir_all(folder);
        }
        let folder = if file.is_absolute() { None } else { std::env::current_dir().ok() };
        let absolute = std::path::absolute(&file).unwrap_or_else(|_| file.into_owned());
        (absolute, folder)
    }

    /// Returns the log of a run that starts now, as an owned path if a placeholder was replaced.
    pub(super) fn file(&self) -> Cow<'_, Path> {
        replace_placeholders(&self.settings.file)
    }

    /// Returns the record of a run that was not measured, because tracking is off.
    pub(super) fn nothing(&self) -> Record {
        let context = RunContext::not_measured(Arc::clone(&self.settings), self.function.clone());
        let start_time = DateTime::UNIX_EPOCH.fixed_offset();
        let row = RowStart { id: Uuid::NIL, parent_id: None, start_time };
        context.record(row, &RunEnergy::default(), 1, Status::Ok)
    }
}

impl LastContext {
    fn is_under(&self, enclosing: Option<&Arc<RunContext>>) -> bool {
        match (&self.enclosing, enclosing) {
            (Some(last), Some(now)) => Arc::ptr_eq(last, now),
            (last, now) => last.is_none() && now.is_none(),
        }
    }
}

fn is_working_directory(folder: &Path) -> bool {
    // As text: a `Path` is compared name by name.
    std::env::current_dir().is_ok_and(|current| current.as_os_str() == folder.as_os_str())
}

/// Returns the tariff of the settings, if its price depends on the time. Settings with the same
/// tariff return the same one.
fn changing_prices(settings: &Settings) -> Option<Arc<dyn Prices>> {
    let tariff = settings.tariff.as_ref().filter(|tariff| tariff.flat_price().is_none());
    tariff.map(|tariff| Arc::clone(tariff) as Arc<dyn Prices>)
}
