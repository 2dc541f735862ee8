//! Calls that go to a sum and under which nothing has started: they need no place in the tree.

use std::time::Duration;

use super::energies::Energies;
use super::keys::{RunKey, SumKey};

/// Names a call. The thread that started it also ends it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeafCall {
    /// The place of the thread in the ledger.
    pub(super) thread: usize,
    pub(super) number: u64,
    pub(super) started: Duration,
}

/// A call that is not in the tree. The run above it is as if it were.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outside {
    pub(super) number: u64,
    /// The innermost run of the thread.
    pub(super) parent: Option<RunKey>,
    pub(super) sum: SumKey,
    /// Whether no other call of the same sum encloses this one.
    pub(super) outermost: bool,
    pub(super) period: Duration,
    pub(super) settings: u64,
    pub(super) started: Duration,
    /// Minus the values of the clocks by which it receives energy at its start.
    pub(super) base: Energies,
    pub(super) given_mark: Energies,
    pub(super) overlap_mark: Duration,
}

/// The calls of all threads.
#[derive(Debug, Default)]
pub(super) struct LeafCalls {
    threads: Vec<OfThread>,
    /// The number of calls that are not in the tree.
    outside: usize,
    /// The number of the last call.
    last: u64,
}

/// The calls of a thread.
#[derive(Debug, Default)]
struct OfThread {
    outside: Option<Outside>,
    /// The calls that were put in the tree, the innermost last.
    placed: Vec<(u64, RunKey)>,
}

impl LeafCalls {
    /// Whether any call is not in the tree.
    #[inline]
    pub(super) fn is_any_outside(&self) -> bool {
        self.outside > 0
    }

    /// The number of threads that have had calls.
    pub(super) fn threads(&self) -> usize {
        self.threads.len()
    }

    /// The number of the next call.
    #[inline]
    pub(super) fn next_number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Adds the call of a thread that has none outside the tree.
    #[inline]
    pub(super) fn add(&mut self, thread: usize, call: Outside) {
        if self.threads.len() <= thread {
            self.threads.resize_with(thread + 1, OfThread::default);
        }
        self.threads[thread].outside = Some(call);
        self.outside += 1;
    }

    /// Removes the call of a thread that is outside the tree, if it is the one with this number.
    #[inline]
    pub(super) fn take(&mut self, thread: usize, number: u64) -> Option<Outside> {
        let outside = &mut self.threads.get_mut(thread)?.outside;
        let call = outside.take_if(|call| call.number == number);
        self.outside -= usize::from(call.is_some());
        call
    }

    /// Removes the call of a thread that is outside the tree, if there is one.
    #[inline]
    pub(super) fn take_any(&mut self, thread: usize) -> Option<Outside> {
        let call = self.threads.get_mut(thread)?.outside.take();
        self.outside -= usize::from(call.is_some());
        call
    }

    /// A call was put in the tree.
    pub(super) fn add_placed(&mut self, thread: usize, number: u64, key: RunKey) {
        self.threads[thread].placed.push((number, key));
    }

    /// Returns the run that a call has become, and forgets it.
    pub(super) fn take_placed(&mut self, call: LeafCall) -> Option<RunKey> {
        let placed = &mut self.threads.get_mut(call.thread)?.placed;
        let at = placed.iter().rposition(|(number, _)| *number == call.number)?;
        Some(placed.remove(at).1)
    }

    /// A thread has ended.
    pub(super) fn remove_thread(&mut self, thread: usize) {
        if let Some(calls) = self.threads.get_mut(thread) {
            calls.placed.clear();
        }
    }
}
