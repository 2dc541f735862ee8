//! A run from its start to its row, whoever holds it: a [`Run`](super::Run), a
//! [`Training`](super::Training) or the guard of a tracked function.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Local};
use uuid::Uuid;

use super::facts::{Facts, Figures, local};
use super::totals::Total;
use crate::error::Result;
use crate::log::{self, Record, Status};
use crate::meter::{Account, Meter, NextCut, RunKey, Start};
use crate::process::PerProcess;
use crate::settings::{Rows, Settings};

/// What runs are started with: parameters, and the function they are runs of.
#[derive(Debug)]
pub(crate) struct Subject {
    settings: Arc<Settings>,
    function: Option<Arc<str>>,
    meter: Option<Meter>,
    parent: Option<RunHandle>,
    /// The sums of its runs, one per parent row, where only those are written.
    totals: PerProcess<Mutex<Vec<Arc<Total>>>>,
}

impl Subject {
    pub(crate) fn new(
        settings: Arc<Settings>,
        function: Option<Arc<str>>,
        meter: Option<Meter>,
        parent: Option<RunHandle>,
    ) -> Self {
        Self { settings, function, meter, parent, totals: PerProcess::new() }
    }

    /// Adds nothing more to a sum, which is being written.
    pub(super) fn forget(&self, written: &Arc<Total>) {
        let mut totals = self.totals();
        totals.retain(|total| !Arc::ptr_eq(total, written));
    }

    fn totals(&self) -> MutexGuard<'_, Vec<Arc<Total>>> {
        self.totals.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(crate) fn project(&self) -> &str {
        &self.settings.project
    }

    pub(crate) fn rows(&self) -> Rows {
        self.settings.rows
    }

    /// The record where tracking is off: it tells of nothing.
    pub(super) fn nothing(&self) -> Record {
        Facts {
            settings: Arc::clone(&self.settings),
            meter: Meter::none(),
            function: self.function.clone(),
            parent_id: None,
            file: PathBuf::new(),
            start: SystemTime::UNIX_EPOCH,
            start_time: local(SystemTime::now()),
        }
        .record(Uuid::nil(), &Figures::default(), Duration::ZERO, Status::Ok)
    }
}

/// Names a run, so that work on another thread can be put under it: see
/// [`TrackerBuilder::parent`](super::TrackerBuilder::parent).
/// Where tracking is off it names nothing, and is no parent.
#[derive(Clone, Debug, Default)]
pub struct RunHandle {
    run: Option<(Meter, RunKey)>,
}

/// A run that will have a row of its own.
#[derive(Debug)]
struct OwnRow {
    id: Uuid,
    key: RunKey,
    facts: Facts,
    /// What the rows of earlier epochs have told already.
    told: Mutex<Option<(Figures, Duration)>>,
}

impl OwnRow {
    fn figures(&self, account: &Account) -> (Figures, Duration) {
        (Figures::new(account, &self.facts.settings), account.duration())
    }

    /// The row of what no earlier epoch has told.
    fn rest(&self, figures: &Figures, duration: Duration, status: Status) -> Record {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        match told.as_ref() {
            None => self.facts.record(self.id, figures, duration, status),
            Some((told, until)) => {
                let rest = duration.saturating_sub(*until);
                let mut record = self.facts.record(self.id, &figures.after(told), rest, status);
                record.start_time = self.facts.time_at(*until);
                record
            }
        }
    }
}

/// The runs that will have a row of their own, so that the journal can keep their state.
fn active() -> MutexGuard<'static, HashMap<Uuid, Arc<OwnRow>>> {
    static ACTIVE: PerProcess<Mutex<HashMap<Uuid, Arc<OwnRow>>>> = PerProcess::new();
    ACTIVE.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where a run's figures go.
#[derive(Debug)]
enum Row {
    /// To a row of its own, or one per epoch.
    Own(Arc<OwnRow>),
    /// To the sum of all calls.
    Total(Arc<Total>),
}

/// A run that has not ended.
#[derive(Debug)]
pub(crate) struct ActiveRun {
    key: RunKey,
    /// Whether the thread was unwinding when the run began.
    panicking: bool,
    /// Whether no call of the same function is among its ancestors, where calls are summed.
    outermost: bool,
    row: Row,
}

impl ActiveRun {
    /// Starts a run. Its parent is the one given, else the innermost of this thread; it becomes the
    /// innermost itself.
    ///
    /// # Errors
    /// Where the log is a file of another kind.
    pub(crate) fn start(subject: &Arc<Subject>, rows: Rows) -> Result<Box<Self>> {
        let given = subject.parent.as_ref().and_then(|handle| handle.run.as_ref());
        let meter = match (&subject.meter, given) {
            (Some(meter), _) => meter,
            (None, Some((meter, _))) if meter.is_own() => meter,
            (None, _) => Meter::process(),
        };
        let settings = &subject.settings;
        // For a sum this is done once, when the sum begins.
        let file = match rows {
            Rows::Each => attached(settings)?,
            Rows::Total => PathBuf::new(),
        };
        let parent = given.filter(|(parents, _)| parents.is_same(meter)).map(|(_, key)| *key);
        let (mut id, mut parent_id) = (Uuid::nil(), None);
        let (mut total, mut outermost) = (None, true);
        let key = meter.start(Start {
            id: &mut |ancestors| {
                id = match rows {
                    Rows::Each => {
                        parent_id = ancestors.next();
                        Uuid::new_v4()
                    }
                    Rows::Total => {
                        let (found, is_outermost) = subject.total(ancestors, meter);
                        outermost = is_outermost;
                        total.insert(found).id
                    }
                };
                id
            },
            parent,
            scope: settings.cpu_processes,
            period: settings.measure_period,
            next_cut: next_cut(settings),
        });
        let row = if let Some(total) = total {
            Row::Total(total)
        } else {
            let start = meter.wall();
            let facts = Facts {
                settings: Arc::clone(settings),
                meter: meter.clone(),
                function: subject.function.clone(),
                parent_id,
                file,
                start,
                start_time: local(start),
            };
            let row = Arc::new(OwnRow { id, key, facts, told: Mutex::default() });
            active().insert(id, Arc::clone(&row));
            meter.on_period(keep_active);
            Row::Own(row)
        };
        Ok(Box::new(Self { key, panicking: std::thread::panicking(), outermost, row }))
    }

    fn meter(&self) -> &Meter {
        match &self.row {
            Row::Own(row) => &row.facts.meter,
            Row::Total(total) => &total.facts.meter,
        }
    }

    /// Makes it the innermost run of this thread.
    pub(crate) fn enter(&self) {
        self.meter().enter(self.key);
    }

    /// Undoes [`enter`](Self::enter).
    pub(crate) fn exit(&self) {
        self.meter().exit(self.key);
    }

    /// Names the run.
    pub(crate) fn handle(&self) -> RunHandle {
        RunHandle { run: Some((self.meter().clone(), self.key)) }
    }

    /// Ends the run because its guard is dropped: by a panic that began while it ran?
    pub(crate) fn finish_on_drop(&self) {
        let panics = std::thread::panicking() && !self.panicking;
        self.finish_quietly(if panics { Status::Panicked } else { Status::Ok });
    }

    /// The record as it stands.
    pub(super) fn record(&self) -> Option<Record> {
        if !self.meter().is_own() {
            return None;
        }
        let account = self.meter().account(self.key)?;
        match &self.row {
            Row::Own(row) => {
                let (figures, duration) = row.figures(&account);
                Some(row.facts.record(row.id, &figures, duration, Status::Interrupted))
            }
            Row::Total(total) => {
                let figures = Figures::new(&account, &total.facts.settings);
                let duration = account.duration();
                Some(total.facts.record(total.id, &figures, duration, Status::Interrupted))
            }
        }
    }

    /// Writes the row of an epoch: what came since the last one. `None` where the run is not this
    /// process's.
    pub(super) fn tell_epoch(&self, epoch: String) -> Option<Result<Record>> {
        let Row::Own(row) = &self.row else { return None };
        if !self.meter().is_own() {
            return None;
        }
        let (figures, duration) = row.figures(&self.meter().account(self.key)?);
        let mut record = row.rest(&figures, duration, Status::Ok);
        record.epoch = epoch;
        *row.told.lock().unwrap_or_else(PoisonError::into_inner) = Some((figures, duration));
        Some(row.facts.write(record))
    }

    /// Ends the run and writes its row, or adds it to the sum. `None` where the run is not this
    /// process's: a forked child holds a copy that is not its own to end.
    pub(crate) fn finish(&self, status: Status) -> Option<Result<Record>> {
        let account = self.end(status, Account::clone)?;
        match &self.row {
            Row::Own(row) => {
                let (figures, duration) = row.figures(&account);
                let record = row.rest(&figures, duration, status);
                Some(row.facts.write(record))
            }
            Row::Total(total) => {
                let figures = Figures::new(&account, &total.facts.settings);
                Some(Ok(total.facts.record(total.id, &figures, account.duration(), status)))
            }
        }
    }

    /// As [`finish`](Self::finish), for who has no use for the record: a failure is told.
    pub(crate) fn finish_quietly(&self, status: Status) {
        let Row::Own(row) = &self.row else {
            // The sum is all that is wanted.
            self.end(status, |_| ());
            return;
        };
        let quiet = row.facts.settings.ignore_warnings;
        if let Some(Err(error)) = self.finish(status)
            && !quiet
        {
            crate::report::warn_once(&error);
        }
    }

    /// Ends the run and gives its account to `take`; a sum gets its figures at once.
    fn end<T>(&self, status: Status, take: impl FnOnce(&Account) -> T) -> Option<T> {
        if !self.meter().is_own() {
            return None;
        }
        let taken = self.meter().stop(self.key, |account| {
            if let Row::Total(total) = &self.row {
                total.take(account, status, self.outermost);
            }
            take(account)
        })?;
        if let Row::Own(row) = &self.row {
            active().remove(&row.id);
            super::totals::parent_ended(row.id);
        }
        Some(taken)
    }
}

impl Subject {
    /// The sum that a new call belongs to, and whether no other call of this function is among its
    /// ancestors.
    fn total(
        self: &Arc<Self>,
        ancestors: &mut dyn Iterator<Item = Uuid>,
        meter: &Meter,
    ) -> (Arc<Total>, bool) {
        let mut totals = self.totals();
        let mut parent_id = None;
        for ancestor in ancestors {
            if let Some(total) = totals.iter().find(|total| total.id == ancestor) {
                return (Arc::clone(total), false);
            }
            parent_id.get_or_insert(ancestor);
        }
        (self.total_under(parent_id, meter, Duration::ZERO, &mut totals), true)
    }

    /// The sum under a parent row that calls are added to; `age` is that of the call for which it
    /// may have to begin.
    fn total_under(
        self: &Arc<Self>,
        parent_id: Option<Uuid>,
        meter: &Meter,
        age: Duration,
        totals: &mut Vec<Arc<Total>>,
    ) -> Arc<Total> {
        let mine = |total: &&Arc<Total>| {
            total.facts.parent_id == parent_id && total.facts.meter.is_same(meter)
        };
        if let Some(total) = totals.iter().find(mine) {
            return Arc::clone(total);
        }
        let now = meter.wall();
        let start = now.checked_sub(age).unwrap_or(now);
        let facts = Facts {
            settings: Arc::clone(&self.settings),
            meter: meter.clone(),
            function: self.function.clone(),
            parent_id,
            file: attached(&self.settings).unwrap_or_else(|error| {
                // The calls are summed all the same; writing the row will fail again and tell.
                crate::report::warn_once(&error);
                absolute(&self.settings)
            }),
            start,
            start_time: local(start),
        };
        let total = Arc::new(Total::new(self, facts));
        totals.push(Arc::clone(&total));
        super::totals::register(&total);
        meter.on_period(keep_active);
        total
    }
}

impl Total {
    /// Adds a call; where this sum was written while the call ran, to the one that comes after it.
    fn take(&self, account: &Account, status: Status, outermost: bool) {
        if self.add(account, status, outermost) {
            return;
        }
        let next = {
            let Facts { parent_id, meter, .. } = &self.facts;
            let mut totals = self.subject.totals();
            self.subject.total_under(*parent_id, meter, account.duration(), &mut totals)
        };
        next.take(account, status, outermost);
    }
}

/// Gives the state of all long runs, and of the sums, to the journal.
fn keep_active(meter: &Meter) {
    let files: HashSet<PathBuf> = active()
        .values()
        .filter(|row| row.facts.meter.is_same(meter))
        .map(|row| row.facts.file.clone())
        .chain(super::totals::files(meter))
        .collect();
    for file in files {
        log::keep(&file, || {
            let mut states: Vec<Record> = long_runs(meter, &file);
            states.extend(super::totals::records(meter, &file));
            states
        });
    }
}

/// The records so far of the runs on a log that have lasted longer than a period.
fn long_runs(meter: &Meter, file: &Path) -> Vec<Record> {
    let rows: Vec<_> = active()
        .values()
        .filter(|row| row.facts.meter.is_same(meter) && row.facts.file == file)
        .cloned()
        .collect();
    rows.iter()
        .filter_map(|row| {
            let (figures, duration) = row.figures(&meter.account(row.key)?);
            let long = duration >= row.facts.settings.measure_period;
            long.then(|| row.rest(&figures, duration, Status::Interrupted))
        })
        .collect()
}

/// The log of a run that starts now, ready to take rows.
fn attached(settings: &Settings) -> Result<PathBuf> {
    let file = absolute(settings);
    log::attach(&file)?;
    Ok(file)
}

/// The log of a run that starts now, as an absolute path.
fn absolute(settings: &Settings) -> PathBuf {
    std::path::absolute(&settings.file).unwrap_or_else(|_| settings.file.clone())
}

/// When the price of electricity changes next.
fn next_cut(settings: &Settings) -> Option<NextCut> {
    let tariff = settings.tariff.as_ref().filter(|tariff| tariff.flat_price().is_none())?.clone();
    Some(Arc::new(move |after| {
        tariff.next_edge(DateTime::<Local>::from(after)).map(SystemTime::from)
    }))
}
