//! One row for many calls of a function: `rows = "total"`.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use uuid::Uuid;

use super::active::Subject;
use super::facts::{Facts, Figures};
use crate::error::Result;
use crate::log::{self, Record, Status};
use crate::meter::Meter;
use crate::per_process::PerProcess;

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
    /// Nothing yet, at the prices and in the scope of `figures`.
    fn new(figures: &Figures) -> Self {
        Self { figures: figures.empty(), duration: Duration::ZERO, calls: 0, status: Status::Ok }
    }
}

impl Total {
    /// Nothing summed yet.
    pub(super) fn new(id: Uuid, facts: Arc<Facts>) -> Self {
        Self { id, facts, sum: Mutex::default() }
    }

    /// Adds a call. What an inner call of a recursion used is part of the outer call's inclusive
    /// energy and duration already.
    pub(super) fn add(
        &self,
        figures: &Figures,
        duration: Duration,
        status: Status,
        outermost: bool,
    ) {
        let duration = if outermost { duration } else { Duration::ZERO };
        let mut sum = self.sum.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = sum.get_or_insert_with(|| Sum::new(figures));
        if outermost {
            sum.figures.add(figures);
        } else {
            sum.figures.add_own(figures);
        }
        sum.duration = sum.duration.saturating_add(duration);
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

/// Sums with who adds to them.
type Totals = Vec<(Arc<Subject>, Arc<Total>)>;

/// All sums that have not been written.
fn totals() -> MutexGuard<'static, Totals> {
    static TOTALS: PerProcess<Mutex<Totals>> = PerProcess::new();
    TOTALS.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
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
    // Not in the head of the loop, which would hold the lock: the meter's thread asks for the sums
    // under the lock of the log.
    let sums = std::mem::take(&mut *totals());
    for (subject, total) in sums {
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
