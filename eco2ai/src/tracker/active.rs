//! A run from its start to its row: the common part of [`Run`](super::Run),
//! [`Training`](super::Training), [`DetachedRun`](super::DetachedRun) and tracked functions.

use std::sync::Arc;

use super::config::RunConfig;
use super::context::{Draft, RunContext};
use super::handle::RunHandle;
use super::open_runs::{self, OpenRun};
use super::sums;
use super::upkeep;
use crate::error::Result;
use crate::log::Record;
use crate::meter::{CalledSum, Edge, EnclosingRow, Meter, RunKey, StartedRow, Stopped, SumKey};
use crate::own_code;
use crate::report::{quietly, warn_once};
use crate::settings::Rows;
use crate::status::Status;

/// The row that a run goes to.
#[derive(Debug)]
enum Row {
    /// A row of its own, or one per epoch.
    Own(Arc<OpenRun>),
    /// The sum of all calls.
    Sum(Meter, SumKey),
}

/// A run that has not ended.
#[derive(Debug)]
pub(crate) struct ActiveRun {
    key: RunKey,
    /// Whether the thread was unwinding when the run began.
    panicking: bool,
    row: Row,
}

impl ActiveRun {
    /// Starts the run of a call of a tracked function, at an edge if one was taken for it.
    pub(super) fn start_at(edge: Option<Edge>, config: &Arc<RunConfig>) -> Self {
        upkeep::close_at_exit();
        let start = || Self::start_on_meter(edge, config, None, None, false);
        quietly(config.settings.ignore_warnings, start)
    }

    /// Starts a run. Its parent is `parent`, else that of the configuration, else the innermost run of
    /// this thread. The new run becomes the innermost one, unless it is `detached`. `rows` replaces the parameter.
    pub(crate) fn start(
        config: &Arc<RunConfig>,
        parent: Option<&RunHandle>,
        rows: Option<Rows>,
        detached: bool,
    ) -> Self {
        let _section = own_code::enter();
        upkeep::close_at_exit();
        let start = || Self::start_on_meter(None, config, parent, rows, detached);
        quietly(config.settings.ignore_warnings, start)
    }

    fn start_on_meter(
        edge: Option<Edge>,
        config: &Arc<RunConfig>,
        parent: Option<&RunHandle>,
        rows: Option<Rows>,
        detached: bool,
    ) -> Self {
        let given = parent.or(config.parent.as_ref()).and_then(|handle| handle.run.as_ref());
        let meter = match (&config.meter, given) {
            (Some(meter), _) => meter,
            (None, Some((meter, _))) if meter.is_own() => meter,
            (None, _) => Meter::process_with(config.settings.power),
        };
        let parent = given.filter(|(parents, _)| parents.is_same(meter)).map(|(_, key)| *key);
        // Without asking for the run above first: a short call has no time for that.
        if rows.unwrap_or(config.settings.rows) == Rows::Total
            && let Some(run) = Self::add_to_sum(edge, config, meter, rows, parent, detached)
        {
            return run;
        }
        let enclosing = meter.enclosing(parent);
        let context_of_enclosing = || enclosing.and_then(|it| context_of(meter, it.row));
        let inherited;
        let config = match enclosing.map(|enclosing| enclosing.settings) {
            None => config,
            Some(number) => {
                if let Some(config) = config.first_inherited(number) {
                    config
                } else {
                    let settings = || Some(Arc::clone(&context_of_enclosing()?.settings));
                    inherited = config.inherit(number, settings);
                    &inherited
                }
            }
        };
        // For a sum this is done once, when the sum begins.
        let context = match rows.unwrap_or(config.settings.rows) {
            Rows::Each => Some(config.attached(meter, context_of_enclosing().as_ref())),
            Rows::Total => None,
        };
        let started = meter.start(config.start_of(context.is_none(), parent, detached));
        let row = match started.row {
            StartedRow::Own { id, parent_id } => {
                meter.on_period(upkeep::keep_open);
                let attached = || config.attached(meter, context_of_enclosing().as_ref());
                let context = context.unwrap_or_else(attached);
                Row::Own(open_runs::add(id, parent_id, started.key, &context))
            }
            StartedRow::Sum(called) => {
                Self::called(config, meter, called, context_of_enclosing);
                Row::Sum(meter.clone(), called.key)
            }
        };
        Self { key: started.key, panicking: std::thread::panicking(), row }
    }

    /// Starts a run that goes to a sum, if the parameters under the run above are known and say so.
    fn add_to_sum(
        edge: Option<Edge>,
        config: &Arc<RunConfig>,
        meter: &Meter,
        rows: Option<Rows>,
        parent: Option<RunKey>,
        detached: bool,
    ) -> Option<Self> {
        let mut chosen = config;
        let edge = edge.unwrap_or_else(|| meter.edge());
        let started = meter.start_chosen(edge, parent, |above| {
            chosen = config.known_under(above)?;
            let is_total = rows.unwrap_or(chosen.settings.rows) == Rows::Total;
            is_total.then(|| chosen.start_of(true, parent, detached))
        })?;
        let StartedRow::Sum(called) = started.row else { return None };
        Self::called(chosen, meter, called, || context_of(meter, meter.row_above(started.key)?));
        let row = Row::Sum(meter.clone(), called.key);
        Some(Self { key: started.key, panicking: std::thread::panicking(), row })
    }

    fn called(
        config: &RunConfig,
        meter: &Meter,
        call: CalledSum,
        enclosing: impl FnOnce() -> Option<Arc<RunContext>>,
    ) {
        if call.is_new {
            meter.on_period(upkeep::keep_open);
        }
        sums::called(config, meter, call, enclosing);
    }

    fn meter(&self) -> &Meter {
        match &self.row {
            Row::Own(run) => &run.context.meter,
            Row::Sum(meter, _) => meter,
        }
    }

    /// Makes the run the innermost one of this thread. Returns false if it is on a thread already.
    pub(crate) fn enter(&self) -> bool {
        let _section = own_code::enter();
        self.meter().is_own() && self.meter().enter(self.key)
    }

    /// Undoes [`enter`](Self::enter).
    pub(crate) fn exit(&self) {
        let _section = own_code::enter();
        if self.meter().is_own() {
            self.meter().exit(self.key);
        }
    }

    /// Returns a handle to the run.
    pub(crate) fn handle(&self) -> RunHandle {
        RunHandle { run: Some((self.meter().clone(), self.key)) }
    }

    /// Ends the run because its guard is dropped.
    pub(crate) fn finish_on_drop(&self) {
        self.finish_unless_unwinding(Status::Ok);
    }

    /// Ends the run with `status`, or as `panicked` if a panic that began during the run drops it.
    pub(crate) fn finish_unless_unwinding(&self, status: Status) {
        let unwinding = std::thread::panicking() && !self.panicking;
        self.finish_quietly(if unwinding { Status::Panicked } else { status });
    }

    /// Returns the record of the run so far.
    pub(super) fn record(&self) -> Option<Record> {
        let _section = own_code::enter();
        if !self.meter().is_own() {
            return None;
        }
        let energy = self.meter().energy(self.key)?;
        match &self.row {
            Row::Own(run) => Some(run.whole(&energy, Status::Interrupted)),
            Row::Sum(meter, sum) => sums::call(meter, *sum, &energy, Status::Interrupted),
        }
    }

    /// Writes the row of an epoch, with the energy since the previous one. Returns `None` if the
    /// run belongs to another process.
    pub(super) fn write_epoch(&self, epoch: String) -> Option<Result<Record>> {
        let _section = own_code::enter();
        let Row::Own(run) = &self.row else { return None };
        if !self.meter().is_own() {
            return None;
        }
        let energy = self.meter().energy(self.key)?;
        Some(run.write_epoch(energy, epoch))
    }

    /// Ends the run and writes its row, or adds it to the sum. Returns `None` if there is nothing
    /// to end: the exit hook has ended the run, or this is a forked child, which only has a copy of
    /// the run.
    pub(crate) fn finish(&self, status: Status) -> Option<Result<Record>> {
        let _section = own_code::enter();
        match &self.row {
            Row::Own(run) => self.finish_own(run, status).map(|it| it.map(|draft| draft.record)),
            Row::Sum(meter, sum) => {
                let Stopped { energy, closed } = self.stop(status)?;
                let record = sums::call(meter, *sum, &energy, status);
                sums::close(meter, closed);
                record.map(Ok)
            }
        }
    }

    /// Same as [`finish`](Self::finish), for a run with a row of its own.
    fn finish_own(&self, run: &OpenRun, status: Status) -> Option<Result<Box<Draft>>> {
        let Stopped { energy, closed } = self.stop(status)?;
        sums::close(&run.context.meter, closed);
        Some(run.finish(&energy, status))
    }

    /// Same as [`finish`](Self::finish), but without a record; an error is reported as a warning.
    pub(crate) fn finish_quietly(&self, status: Status) {
        let _section = own_code::enter();
        match &self.row {
            Row::Own(run) => match self.finish_own(run, status) {
                Some(Ok(draft)) => run.context.reuse(draft),
                Some(Err(error)) => {
                    quietly(run.context.settings.ignore_warnings, || warn_once(&error));
                }
                None => {}
            },
            // Only the sum is needed.
            Row::Sum(meter, _) => {
                if meter.is_own()
                    && let Some(closed) = meter.stop_call(self.key, status)
                {
                    sums::close(meter, closed);
                }
            }
        }
    }

    /// Ends the run without a row.
    pub(super) fn discard(&self) {
        let _section = own_code::enter();
        if let Some(Stopped { energy, closed }) = self.stop(Status::Ok) {
            sums::close(self.meter(), closed);
            if let Row::Own(run) = &self.row {
                self.meter().discard(&energy);
                run.discard(&energy);
            }
        }
    }

    fn stop(&self, status: Status) -> Option<Stopped> {
        if !self.meter().is_own() {
            return None;
        }
        self.meter().stop(self.key, status)
    }
}

/// Returns the context of an active run on the meter.
fn context_of(meter: &Meter, row: EnclosingRow) -> Option<Arc<RunContext>> {
    match row {
        EnclosingRow::Own(id) => open_runs::context(id),
        EnclosingRow::Sum(key) => sums::context(meter, key),
    }
}
