//! A limit to the files that this process keeps open: the user's program needs some, too.

use std::sync::atomic::{AtomicUsize, Ordering};

/// At most so many files are open at once.
#[derive(Debug)]
pub(crate) struct OpenLimit {
    open: AtomicUsize,
    max: usize,
}

/// Counts as an open file until it is dropped.
#[derive(Debug)]
pub(crate) struct OpenSlot(&'static OpenLimit);

impl OpenLimit {
    pub(crate) const fn new(max: usize) -> Self {
        Self { open: AtomicUsize::new(0), max }
    }

    /// Counts one more open file; `None` where the limit is reached.
    pub(crate) fn add(&'static self) -> Option<OpenSlot> {
        let one_more = |open| (open < self.max).then_some(open + 1);
        self.open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok()?;
        Some(OpenSlot(self))
    }
}

impl Drop for OpenSlot {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}
