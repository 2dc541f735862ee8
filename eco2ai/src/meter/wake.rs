//! How the sampling thread is woken and ended.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, OnceLock};
use std::time::Duration;

use super::nanoseconds::Nanoseconds;
use crate::locks::{Lock, Rank};

/// How the thread is woken and ended.
#[derive(Debug)]
pub(super) struct Wake {
    pub(super) spawned: OnceLock<()>,
    /// Until when the thread sleeps, in nanoseconds of the meter's clock; 0 while it is awake and
    /// `u64::MAX` where it sleeps until it is woken.
    pub(super) sleeps_until: AtomicU64,
    ended: AtomicBool,
    woken: Lock<bool>,
    condition: Condvar,
}

impl Default for Wake {
    fn default() -> Self {
        Self {
            spawned: OnceLock::new(),
            sleeps_until: AtomicU64::new(0),
            ended: AtomicBool::new(false),
            woken: Lock::new(Rank::Wake, false),
            condition: Condvar::new(),
        }
    }
}

impl Wake {
    pub(super) fn wake(&self) {
        *self.woken.lock() = true;
        self.condition.notify_one();
    }

    /// Whether the thread is there and awake by that moment.
    #[inline]
    pub(super) fn is_awake_by(&self, moment: Nanoseconds) -> bool {
        self.spawned.get().is_some() && self.sleeps_until.load(Ordering::Acquire) <= moment.0
    }

    /// Sleeps for a time, or until woken.
    pub(super) fn sleep(&self, time: Option<Duration>) {
        *self.woken.lock().wait_while(&self.condition, time, |woken| !*woken) = false;
    }

    /// Ends the thread.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Release);
        self.wake();
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }
}
