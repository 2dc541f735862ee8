//! One row for many calls of a function: `rows = "total"`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use uuid::Uuid;

use super::active::Subject;
use super::facts::{Facts, Figures};
use crate::error::Result;
use crate::log::{self, Record, Status};
use crate::meter::{Account, Meter};
use crate::process::PerProcess;

/// The calls of one function under one parent row.
#[derive(Debug)]
pub(super) struct Total {
    pub(super) id: Uuid,
    pub(super) subject: Arc<Subject>,
    pub(super) facts: Facts,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// `None` where no call has ended.
    sum: Option<Sum>,
    /// Whether the row has been written, so that nothing can be added any more.
    written: bool,
}

#[derive(Debug)]
struct Sum {
    figures: Figures,
    duration: Duration,
    calls: u64,
    status: Status,
}

impl Sum {
    /// Nothing yet, at the time and in the scope of a call.
    fn new(account: &Account) -> Self {
        let figures = Figures::empty(account);
        Self { figures, duration: Duration::ZERO, calls: 0, status: Status::Ok }
    }
}

impl Total {
    /// Nothing summed yet.
    pub(super) fn new(subject: &Arc<Subject>, facts: Facts) -> Self {
        let subject = Arc::clone(subject);
        Self { id: Uuid::new_v4(), subject, facts, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a call. What an inner call of a recursion used is part of the outer call's inclusive
    /// energy and duration already. False where the row was written while the call ran.
    pub(super) fn add(&self, account: &Account, status: Status, outermost: bool) -> bool {
        let mut state = self.state();
        if state.written {
            return false;
        }
        let sum = state.sum.get_or_insert_with(|| Sum::new(account));
        sum.figures.add(account, &self.facts.settings, outermost);
        if outermost {
            sum.duration = sum.duration.saturating_add(account.duration());
        }
        sum.calls = sum.calls.saturating_add(1);
        sum.status = sum.status.max(status);
        true
    }

    /// The row so far; `None` where no call has ended.
    fn record(&self, state: &State) -> Option<Record> {
        let sum = state.sum.as_ref()?;
        let mut record = self.facts.record(self.id, &sum.figures, sum.duration, sum.status);
        record.calls = sum.calls;
        Some(record)
    }
}

/// Sums by their parent rows.
type ByParent = HashMap<Option<Uuid>, Vec<Arc<Total>>>;

/// All sums that have not been written.
fn totals() -> MutexGuard<'static, ByParent> {
    static TOTALS: PerProcess<Mutex<ByParent>> = PerProcess::new();
    TOTALS.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes sure that the sum is written: when its parent ends, else when the process does.
pub(super) fn register(total: &Arc<Total>) {
    static AT_EXIT: Once = Once::new();
    AT_EXIT.call_once(|| {
        log::at_exit(|| {
            if let Err(error) = flush() {
                crate::report::warn_once(&error);
            }
        });
    });
    totals().entry(total.facts.parent_id).or_default().push(Arc::clone(total));
}

/// The logs of the sums that were measured by `meter`.
pub(super) fn files(meter: &Meter) -> Vec<PathBuf> {
    let totals = totals();
    let of_meter = totals.values().flatten().filter(|total| total.facts.meter.is_same(meter));
    of_meter.map(|total| total.facts.file.clone()).collect()
}

/// The rows so far of the sums on a log.
pub(super) fn records(meter: &Meter, file: &Path) -> Vec<Record> {
    let totals: Vec<_> = totals()
        .values()
        .flatten()
        .filter(|total| total.facts.meter.is_same(meter) && total.facts.file == file)
        .cloned()
        .collect();
    totals.iter().filter_map(|total| total.record(&total.state())).collect()
}

/// Writes the rows under a run that has ended: no further call will be under it.
pub(super) fn parent_ended(id: Uuid) {
    let ended = totals().remove(&Some(id));
    if let Err(error) = write(ended.into_iter().flatten()) {
        crate::report::warn_once(&error);
    }
}

/// Writes now what would be written later: the rows of functions with `rows = "total"`, which
/// otherwise come when their parent run or the process ends, and rows that wait because their log could not be written.
/// Later calls of such a function begin a new row.
///
/// # Errors
/// The first row that still cannot be written; it goes on waiting.
pub fn flush() -> Result<()> {
    let all = std::mem::take(&mut *totals());
    write(all.into_values().flatten()).and(log::flush())
}

fn write(totals: impl Iterator<Item = Arc<Total>>) -> Result<()> {
    let mut result = Ok(());
    // A forked child has copies of its parent's sums.
    for total in totals.filter(|total| total.facts.meter.is_own()) {
        total.subject.forget(&total);
        let record = {
            let mut state = total.state();
            state.written = true;
            total.record(&state)
        };
        if let Some(record) = record {
            result = result.and(total.facts.write(record).map(drop));
        }
    }
    result
}
