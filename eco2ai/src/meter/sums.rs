//! Functions whose calls are added up: one sum for each function and row that it is called under.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::SystemTime;

use slotmap::{SecondaryMap, SlotMap};

use super::keys::{RunKey, SumKey};
use super::run_energy::{RunEnergy, Tally};
use crate::status::Status;
use crate::uuid::Uuid;

/// A function whose calls are added up.
#[derive(Debug)]
pub(crate) struct SummedFunction {
    id: u64,
    /// Calls under way, over all sums and meters. Only a hint: where it is zero, no caller of this
    /// moment is a call of the function.
    under_way: AtomicUsize,
}

impl SummedFunction {
    pub(crate) fn new() -> Arc<Self> {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let id = LAST.fetch_add(1, Ordering::Relaxed);
        Arc::new(Self { id, under_way: AtomicUsize::new(0) })
    }

    /// Whether a call may be under way.
    pub(super) fn may_be_under_way(&self) -> bool {
        self.under_way.load(Ordering::Relaxed) > 0
    }
}

/// The parent of a sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Above {
    Nothing,
    Run(RunKey, Uuid),
    Sum(SumKey),
    /// A row that is written.
    Ended(Uuid),
}

#[derive(Debug)]
struct Sum {
    function: Arc<SummedFunction>,
    /// Of the row that is being added up.
    id: Uuid,
    above: Above,
    children: SumsByFunction,
    /// Calls under way.
    under_way: usize,
    /// `None` where no call has ended.
    tally: Option<Tally>,
    /// When the row began; `None` until that is known, and with it all that the row needs.
    start: Option<SystemTime>,
    /// Whether what it stood under is gone: it ends with its last call.
    is_orphan: bool,
    /// Whether the row has changed since its state was kept.
    is_changed: bool,
}

/// Sums under one row, by their functions: found by halving, so that thousands are no trouble.
#[derive(Debug, Default)]
struct SumsByFunction(Vec<(u64, SumKey)>);

impl SumsByFunction {
    fn place(&self, function: u64) -> Result<usize, usize> {
        self.0.binary_search_by_key(&function, |(known, _)| *known)
    }

    fn get(&self, function: u64) -> Option<SumKey> {
        self.place(function).ok().map(|place| self.0[place].1)
    }

    fn insert(&mut self, function: u64, sum: SumKey) {
        match self.place(function) {
            Ok(place) => self.0[place].1 = sum,
            Err(place) => self.0.insert(place, (function, sum)),
        }
    }
}

/// A sum that a call was put to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CalledSum {
    pub(crate) key: SumKey,
    pub(crate) is_new: bool,
    /// Whether its row begins with this call: [`Sums::set_start`] is to be called.
    pub(crate) begins: bool,
}

/// The row of a sum, as far as the ledger knows it.
#[derive(Clone, Debug)]
pub(crate) struct SumRow {
    pub(crate) key: SumKey,
    pub(crate) id: Uuid,
    pub(crate) parent_id: Option<Uuid>,
    pub(crate) start: SystemTime,
    pub(crate) tally: Tally,
}

/// Sums that have come to their end.
#[derive(Debug, Default)]
pub(crate) struct ClosedSums {
    /// The rows of sums in which a call has ended.
    pub(crate) rows: Vec<SumRow>,
    /// The keys of all ended sums.
    pub(crate) gone: Vec<SumKey>,
}

impl ClosedSums {
    pub(crate) fn is_empty(&self) -> bool {
        self.gone.is_empty() && self.rows.is_empty()
    }
}

/// Ids of rows: random in their first half, counted on in their second.
#[derive(Debug)]
pub(super) struct Ids {
    first: Uuid,
    given: u128,
}

impl Default for Ids {
    fn default() -> Self {
        Self { first: Uuid::random(), given: 0 }
    }
}

impl Ids {
    pub(super) fn next(&mut self) -> Uuid {
        self.given += 1;
        // Far below the bits that hold the version of an id.
        Uuid::from_u128(self.first.as_u128() ^ self.given)
    }
}

/// All sums of a meter.
#[derive(Debug, Default)]
pub(super) struct Sums {
    all: SlotMap<SumKey, Sum>,
    under_nothing: SumsByFunction,
    under_runs: SecondaryMap<RunKey, SumsByFunction>,
}

impl Sums {
    /// Whether a sum is of this function.
    pub(super) fn is_of(&self, key: SumKey, function: &Arc<SummedFunction>) -> bool {
        self.all.get(key).is_some_and(|sum| sum.function.id == function.id)
    }

    /// The id of the row that is being added up.
    pub(super) fn id(&self, key: SumKey) -> Option<Uuid> {
        self.all.get(key).map(|sum| sum.id)
    }

    /// The sum of a function under a row, if there is one.
    #[inline]
    pub(super) fn find(&self, above: Above, function: &Arc<SummedFunction>) -> Option<SumKey> {
        let siblings = match above {
            Above::Nothing => Some(&self.under_nothing),
            Above::Ended(_) => None,
            Above::Run(run, _) => self.under_runs.get(run),
            Above::Sum(sum) => self.all.get(sum).map(|sum| &sum.children),
        };
        siblings?.get(function.id).filter(|key| self.all.contains_key(*key))
    }

    /// Whether the row of a sum has begun, so that another call changes only its tally.
    #[inline]
    pub(super) fn has_begun(&self, key: SumKey) -> bool {
        self.all.get(key).is_some_and(|sum| sum.tally.is_some() || sum.under_way > 0)
    }

    /// The sum of a function under a row, which may be new.
    pub(super) fn under(
        &mut self,
        above: Above,
        function: &Arc<SummedFunction>,
        ids: &mut Ids,
    ) -> (SumKey, bool) {
        if let Some(known) = self.find(above, function) {
            return (known, false);
        }
        let key = self.all.insert(Sum {
            function: Arc::clone(function),
            id: ids.next(),
            above,
            children: SumsByFunction::default(),
            under_way: 0,
            tally: None,
            start: None,
            is_orphan: false,
            is_changed: false,
        });
        let siblings = match above {
            Above::Nothing => Some(&mut self.under_nothing),
            Above::Ended(_) => None,
            Above::Run(run, _) => {
                if !self.under_runs.contains_key(run) {
                    self.under_runs.insert(run, SumsByFunction::default());
                }
                self.under_runs.get_mut(run)
            }
            Above::Sum(sum) => self.all.get_mut(sum).map(|sum| &mut sum.children),
        };
        if let Some(siblings) = siblings {
            siblings.insert(function.id, key);
        }
        (key, true)
    }

    /// A call begins; returns whether the row begins with it.
    pub(super) fn begin(&mut self, key: SumKey) -> bool {
        let Some(sum) = self.all.get_mut(key) else { return false };
        sum.under_way += 1;
        sum.function.under_way.fetch_add(1, Ordering::Relaxed);
        let begins = sum.under_way == 1 && sum.tally.is_none();
        if begins {
            sum.start = None;
        }
        begins
    }

    /// The row began at `start`, and can be written from now on.
    pub(super) fn set_start(&mut self, key: SumKey, start: SystemTime) {
        if let Some(sum) = self.all.get_mut(key) {
            sum.start = Some(start);
        }
    }

    /// Adds a call that has ended.
    #[inline]
    pub(super) fn add(&mut self, key: SumKey, call: &RunEnergy, status: Status, outermost: bool) {
        if let Some(sum) = self.all.get_mut(key) {
            Tally::add(&mut sum.tally, call, status, outermost);
            sum.is_changed = true;
        }
    }

    /// A call that was [begun](Self::begin) ends. The sum may end with it.
    pub(super) fn end(
        &mut self,
        key: SumKey,
        call: &RunEnergy,
        status: Status,
        outermost: bool,
        closed: &mut ClosedSums,
    ) {
        self.add(key, call, status, outermost);
        let Some(sum) = self.all.get_mut(key) else { return };
        sum.under_way = sum.under_way.saturating_sub(1);
        sum.function.under_way.fetch_sub(1, Ordering::Relaxed);
        if sum.is_orphan && sum.under_way == 0 {
            self.close(key, closed);
        }
    }

    /// The sums under a run that has ended come to their end, each with its last call.
    pub(super) fn close_under(&mut self, run: RunKey, closed: &mut ClosedSums) {
        if let Some(sums) = self.under_runs.remove(run) {
            for (_, sum) in sums.0 {
                self.close(sum, closed);
            }
        }
    }

    /// Ends a sum and those under it, each with its last call.
    fn close(&mut self, first: SumKey, closed: &mut ClosedSums) {
        // A row names the one above it: those below are taken first.
        let mut order = vec![first];
        let mut next = 0;
        while let Some(sum) = order.get(next).and_then(|key| self.all.get_mut(*key)) {
            order.extend(std::mem::take(&mut sum.children).0.into_iter().map(|(_, key)| key));
            next += 1;
        }
        for key in order.into_iter().rev() {
            let parent_id = self.parent_id(key);
            let Some(sum) = self.all.get_mut(key) else { continue };
            if sum.under_way > 0 {
                sum.is_orphan = true;
                // What it stands under will not be there to be asked.
                if let (Above::Sum(_), Some(id)) = (sum.above, parent_id) {
                    sum.above = Above::Ended(id);
                }
                continue;
            }
            let id = sum.id;
            if let Some((tally, start)) = sum.tally.take().zip(sum.start) {
                closed.rows.push(SumRow { key, id, parent_id, start, tally });
            }
            self.all.remove(key);
            closed.gone.push(key);
        }
    }

    fn parent_id(&self, key: SumKey) -> Option<Uuid> {
        match self.all.get(key)?.above {
            Above::Nothing => None,
            Above::Run(_, id) | Above::Ended(id) => Some(id),
            Above::Sum(above) => self.id(above),
        }
    }

    /// The rows of all sums in which a call has ended; calls that end later go to rows that begin
    /// `now`.
    pub(super) fn take_rows(&mut self, ids: &mut Ids, now: SystemTime) -> Vec<SumRow> {
        let rows = self.all.keys().filter_map(|key| self.row(key, &[])).collect::<Vec<_>>();
        for row in &rows {
            if let Some(sum) = self.all.get_mut(row.key) {
                sum.id = ids.next();
                sum.tally = None;
                sum.start = Some(now);
                sum.is_changed = true;
            }
        }
        rows
    }

    /// Whether the rows of these sums have changed since this was last asked, or calls are under way.
    pub(super) fn take_changed(&mut self, keys: &[SumKey]) -> bool {
        keys.iter().fold(false, |is_changed, key| {
            let Some(sum) = self.all.get_mut(*key) else { return true };
            std::mem::take(&mut sum.is_changed) || sum.under_way > 0 || is_changed
        })
    }

    /// Whether calls of the sum are under way.
    pub(super) fn is_under_way(&self, key: SumKey) -> bool {
        self.all.get(key).is_some_and(|sum| sum.under_way > 0)
    }

    /// The row of a sum as it would be if calls were cut off now, given with whether they are
    /// outermost; `None` without any call.
    pub(super) fn row(&self, key: SumKey, under_way: &[(RunEnergy, bool)]) -> Option<SumRow> {
        let sum = self.all.get(key)?;
        let mut tally = sum.tally.clone();
        for (call, outermost) in under_way {
            Tally::add(&mut tally, call, Status::Interrupted, *outermost);
        }
        let parent_id = self.parent_id(key);
        Some(SumRow { key, id: sum.id, parent_id, start: sum.start?, tally: tally? })
    }
}
