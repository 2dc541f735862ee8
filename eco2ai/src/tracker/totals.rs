//! One row for many calls of a function: `rows = "total"`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use uuid::Uuid;

use super::facts::{Facts, Figures};
use crate::log::{Record, Status};

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

/// All sums that have not been written.
fn totals() -> MutexGuard<'static, Vec<Arc<Total>>> {
    static TOTALS: Mutex<Vec<Arc<Total>>> = Mutex::new(Vec::new());
    TOTALS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes sure that the sum is written when the process ends.
pub(super) fn register(total: &Arc<Total>) {
    totals().push(Arc::clone(total));
}
