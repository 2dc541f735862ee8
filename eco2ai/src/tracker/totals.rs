//! One row for many calls of a function: `rows = "total"`.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use uuid::Uuid;

use super::active::Subject;
use super::facts::{Facts, Figures};
use crate::error::Result;
use crate::log::{self, Record, Status};
use crate::meter::{Account, Meter};

/// The calls of one function under one parent row.
#[derive(Debug)]
pub(super) struct Total {
    pub(super) id: Uuid,
    pub(super) facts: Arc<Facts>,
    sum: Mutex<Option<Sum>>,
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
    pub(super) fn new(id: Uuid, facts: Arc<Facts>) -> Self {
        Self { id, facts, sum: Mutex::default() }
    }

    /// Adds a call. What an inner call of a recursion used is part of the outer call's inclusive
    /// energy and duration already.
    pub(super) fn add(&self, account: &Account, status: Status, outermost: bool) {
        let mut sum = self.sum.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = sum.get_or_insert_with(|| Sum::new(account));
        sum.figures.add(account, &self.facts.settings, outermost);
        if outermost {
            sum.duration = sum.duration.saturating_add(account.duration());
        }
        sum.calls = sum.calls.saturating_add(1);
        sum.status = sum.status.max(status);
    }

    /// The row so far; `None` where no call has ended.
    pub(super) fn record(&self) -> Option<Record> {
        let sum = self.sum.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = sum.as_ref()?;
        let mut record = self.facts.record(self.id, &sum.figures, sum.duration, sum.status);
        record.calls = sum.calls;
        Some(record)
    }
}

/// All sums that have not been written, with who adds to them.
fn totals() -> MutexGuard<'static, Vec<(Arc<Subject>, Arc<Total>)>> {
    static TOTALS: Mutex<Vec<(Arc<Subject>, Arc<Total>)>> = Mutex::new(Vec::new());
    TOTALS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes sure that the sum is written when the process ends.
pub(super) fn register(subject: &Arc<Subject>, total: &Arc<Total>) {
    static AT_EXIT: Once = Once::new();
    AT_EXIT.call_once(|| {
        log::at_exit(|| {
            if let Err(error) = flush() {
                crate::report::warn_once(&error);
            }
        });
    });
    totals().push((Arc::clone(subject), Arc::clone(total)));
}

/// The logs of the sums that were measured by `meter`.
pub(super) fn files(meter: &Meter) -> Vec<PathBuf> {
    let totals = totals();
    let of_meter = totals.iter().filter(|(_, total)| total.facts.meter.is_same(meter));
    of_meter.map(|(_, total)| total.facts.file.clone()).collect()
}

/// The rows so far of the sums on a log.
pub(super) fn records(meter: &Meter, file: &Path) -> Vec<Record> {
    let totals: Vec<_> = totals()
        .iter()
        .filter(|(_, total)| total.facts.meter.is_same(meter) && total.facts.file == file)
        .map(|(_, total)| Arc::clone(total))
        .collect();
    totals.iter().filter_map(|total| total.record()).collect()
}

/// Writes now what would be written later: the rows of functions with `rows = "total"`, which
/// otherwise come when the process ends, and rows that wait because their log could not be written.
/// Later calls of such a function begin a new row.
///
/// # Errors
/// The first row that still cannot be written; it goes on waiting.
pub fn flush() -> Result<()> {
    let mut result = Ok(());
    for (subject, total) in std::mem::take(&mut *totals()) {
        // A forked child has copies of its parent's sums.
        if !total.facts.meter.is_own() {
            continue;
        }
        subject.forget_totals();
        if let Some(record) = total.record() {
            result = result.and(total.facts.write(record).map(drop));
        }
    }
    result.and(log::flush())
}
