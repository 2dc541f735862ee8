//! Calls that go to a sum and under which nothing has started: they need no place in the tree.

use std::time::Duration;

use super::energies::Energies;
use super::keys::{RunKey, SumKey};
use super::nanoseconds::Nanoseconds;

/// Names a call. The thread that started it also ends it. Small, because each tracked function has room
/// for one and moves it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeafCall {
    pub(super) number: u64,
    /// The place of the thread in the ledger.
    pub(super) thread: u32,
    /// Whether the thread was unwinding when the call began.
    pub(crate) panicking: bool,
}

impl LeafCall {
    fn thread(self) -> usize {
        self.thread as usize
    }
}

/// A call that is not in the tree. It shares in place of the run above it, which is as if there were no
/// call.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outside {
    /// The innermost run of the thread.
    pub(super) parent: Option<RunKey>,
    pub(super) sum: SumKey,
    /// Whether no other call of the same sum encloses this one.
    pub(super) outermost: bool,
    pub(super) period: Duration,
    pub(super) settings: u64,
    pub(super) started: Nanoseconds,
    /// Minus the values of the clocks by which it receives energy at its start.
    pub(super) base: Energies,
    pub(super) given_mark: Energies,
    pub(super) overlap_mark: Nanoseconds,
}

/// The calls of all threads.
#[derive(Debug, Default)]
pub(super) struct LeafCalls {
    threads: Vec<OfThread>,
    /// The threads whose calls are not in the tree.
    outside: Vec<usize>,
    /// The number of the last call.
    last: u64,
}

/// The calls of a thread.
#[derive(Debug, Default)]
struct OfThread {
    /// The number of the call outside the tree; 0 without one.
    number: u64,
    /// The call outside the tree, or the last one. It is made here and stays here: copies of it would
    /// cost more than the rest.
    outside: Outside,
    /// The calls that were put in the tree, the innermost last.
    placed: Vec<(u64, RunKey)>,
}

impl LeafCalls {
    /// Whether any call is not in the tree.
    #[inline]
    pub(super) fn is_any_outside(&self) -> bool {
        !self.outside.is_empty()
    }

    /// Adds the call of a thread that has none outside the tree. Returns its number.
    #[expect(clippy::inline_always, reason = "else the call is in memory twice")]
    #[inline(always)]
    pub(super) fn add(&mut self, thread: usize, call: Outside) -> u64 {
        if self.threads.len() <= thread {
            self.make_room(thread);
        }
        self.last += 1;
        self.outside.push(thread);
        let calls = &mut self.threads[thread];
        calls.number = self.last;
        calls.outside = call;
        self.last
    }

    #[cold]
    fn make_room(&mut self, thread: usize) {
        self.threads.resize_with(thread + 1, OfThread::default);
    }

    /// Returns when a call began that is outside the tree.
    pub(super) fn started(&self, call: LeafCall) -> Option<Nanoseconds> {
        let calls = self.threads.get(call.thread()).filter(|calls| calls.number == call.number)?;
        Some(calls.outside.started)
    }

    /// Takes a call that is outside the tree.
    #[inline]
    pub(super) fn take(&mut self, call: LeafCall) -> Option<&Outside> {
        self.take_number(call.thread(), call.number)
    }

    #[inline]
    fn take_number(&mut self, thread: usize, number: u64) -> Option<&Outside> {
        let calls = self.threads.get_mut(thread).filter(|calls| calls.number == number)?;
        calls.number = 0;
        if let Some(at) = self.outside.iter().rposition(|other| *other == thread) {
            self.outside.swap_remove(at);
        }
        Some(&calls.outside)
    }

    /// Takes the call of a thread that is outside the tree, with its number.
    pub(super) fn take_of_thread(&mut self, thread: usize) -> Option<(u64, Outside)> {
        let number = self.threads.get(thread)?.number;
        let call = if number == 0 { None } else { self.take_number(thread, number) };
        call.map(|call| (number, *call))
    }

    /// Takes a call that is outside the tree, with its thread and its number.
    pub(super) fn take_any(&mut self) -> Option<(usize, u64, Outside)> {
        let thread = self.outside.pop()?;
        self.take_of_thread(thread).map(|(number, call)| (thread, number, call))
    }

    /// A call was put in the tree.
    pub(super) fn add_placed(&mut self, thread: usize, number: u64, key: RunKey) {
        self.threads[thread].placed.push((number, key));
    }

    /// Returns the run that a call has become, and forgets it.
    pub(super) fn take_placed(&mut self, call: LeafCall) -> Option<RunKey> {
        let placed = &mut self.threads.get_mut(call.thread())?.placed;
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
