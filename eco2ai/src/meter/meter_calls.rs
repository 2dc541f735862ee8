//! The meter as calls that go to sums start and end, and the rows of these sums.

use std::time::Duration;

use super::keys::{RunKey, SumKey};
use super::leaf_calls::LeafCall;
use super::meter::Meter;
use super::meter_state::Edge;
use super::start::{Start, Started};
use super::sums::{ClosedSums, SumRow};
use super::thread_slots;
use crate::status::Status;

impl Meter {
    /// Starts a call that goes to a sum on this thread, with what `choose` returns for the number of
    /// the settings of the run above. `None` if it must be a run; `choose` is called while the ledger
    /// is locked.
    #[inline]
    pub(crate) fn start_call<'a>(
        &self,
        edge: Edge,
        choose: impl FnOnce(Option<u64>) -> Option<Start<'a>>,
    ) -> Option<LeafCall> {
        if edge.is_sampled() {
            return None;
        }
        let thread = thread_slots::slot(&self.state)?;
        let mut period = Duration::MAX;
        let choose = |above| {
            let start = choose(above)?;
            period = start.period;
            Some(start)
        };
        let call = self.state.ledger.lock_for_call().start_call(thread, edge.at, choose)?;
        self.wake_thread(edge.at, period);
        Some(call)
    }

    /// Ends a call. Returns the sums that have ended with it, if that can be.
    #[inline]
    pub(crate) fn end_call(&self, call: LeafCall, status: Status) -> Option<ClosedSums> {
        if self.state.relatives.exist() {
            let run = self.state.ledger.lock().run_of(call)?;
            return self.stop_call(run, status);
        }
        let edge =
            self.state.read_at_edge(|| self.state.ledger.lock_for_call().leaf_calls.started(call));
        if !edge.is_sampled() && self.state.ledger.lock_for_call().end_call(call, edge.at, status) {
            return None;
        }
        let run = self.state.ledger.lock().run_of(call)?;
        self.stop_call_at(edge, run, status)
    }

    /// Same as [`start`](Self::start), with what `choose` returns for the number of the settings of
    /// the run above, if there is one: so that one lock is enough. `choose` is called while the ledger
    /// is locked. Does nothing if it returns `None`, or a price whose changes are not known.
    pub(crate) fn start_chosen<'a>(
        &self,
        edge: Edge,
        parent: Option<RunKey>,
        choose: impl FnOnce(Option<u64>) -> Option<Start<'a>>,
    ) -> Option<Started> {
        let thread = thread_slots::slot(&self.state);
        let mut ledger = self.state.advanced(edge);
        let start = choose(ledger.settings_above(parent, thread))?;
        if start.prices.is_some_and(|prices| !ledger.knows(prices)) {
            return None;
        }
        let started = ledger.start(start, thread, edge.at);
        drop(ledger);
        self.wake_thread(edge.at, start.period);
        Some(started)
    }

    /// Ends a run that goes to a sum. Returns the sums that have ended with it; `None` if it has ended
    /// already.
    pub(crate) fn stop_call(&self, key: RunKey, status: Status) -> Option<ClosedSums> {
        self.stop_call_at(self.state.read_at_end(key), key, status)
    }

    fn stop_call_at(&self, edge: Edge, key: RunKey, status: Status) -> Option<ClosedSums> {
        let mut ledger = self.state.advanced(edge);
        let stopped = ledger.stop_with(key, status, |energy, closed| (energy.duration, closed));
        drop(ledger);
        let (duration, closed) = stopped?;
        self.state.end_run(key, duration.into());
        Some(closed)
    }

    /// Begins the row of a sum, which can be written from now on.
    pub(crate) fn begin_row(&self, sum: SumKey) {
        let now = self.wall();
        self.state.ledger.lock().set_start(sum, now);
    }

    /// Takes the rows of all sums in which a call has ended. Calls that end later go to rows that
    /// begin now.
    pub(crate) fn take_sums(&self) -> Vec<SumRow> {
        let now = self.wall();
        self.state.ledger.lock().take_sums(now)
    }

    /// Returns the rows of sums as they would be if the process died now.
    #[cfg(any(feature = "metrics", feature = "opentelemetry"))]
    pub(crate) fn sums_so_far(&self, keys: &[SumKey]) -> Vec<SumRow> {
        self.state.advanced(self.state.read_at_edge(|| None)).sums_so_far(keys)
    }

    /// Returns the rows of sums as they would be if the process died now, for the meter's thread at the
    /// end of a period. `None` if they are those of the last call of this function, unless
    /// `even_if_unchanged`.
    pub(crate) fn changed_sums(
        &self,
        keys: &[SumKey],
        even_if_unchanged: bool,
    ) -> Option<Vec<SumRow>> {
        let changed = self.state.ledger.lock().take_changed(keys);
        (changed || even_if_unchanged).then(|| self.state.advanced_in_period().sums_so_far(keys))
    }

    /// Ends all calls that go to sums as `interrupted`.
    pub(crate) fn interrupt_summed_calls(&self) -> ClosedSums {
        let calls = self.state.ledger.lock().summed_calls();
        let mut closed = ClosedSums::default();
        for stopped in calls.into_iter().filter_map(|key| self.stop(key, Status::Interrupted)) {
            closed.rows.extend(stopped.closed.rows);
            closed.gone.extend(stopped.closed.gone);
        }
        closed
    }
}
