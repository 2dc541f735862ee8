//! A limit to the files that this process keeps open: the user's program needs some, too.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Slots for files that are kept open.
#[derive(Debug)]
pub(crate) struct Slots {
    taken: AtomicUsize,
    max: usize,
}

/// A slot that is taken until this is dropped.
#[derive(Debug)]
pub(crate) struct Slot(&'static Slots);

impl Slots {
    pub(crate) const fn new(max: usize) -> Self {
        Self { taken: AtomicUsize::new(0), max }
    }

    /// Takes a slot, where one is free.
    pub(crate) fn take(&'static self) -> Option<Slot> {
        let add = |taken| (taken < self.max).then_some(taken + 1);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).ok()?;
        Some(Slot(self))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
    }
}
