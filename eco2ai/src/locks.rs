//! The library's locks, and the one order in which a thread may take them.
//!
//! A thread that holds a lock may take only locks that come after it in [`Rank`]. The ledger comes
//! last: while it is locked no other lock is taken, no file is touched, and no code of the program
//! is called (a logger, a clock, a sensor, a tariff). Debug builds check the order each time, so
//! that a wrong order fails a test even where no other thread makes it hang.
//!
//! A thread that holds a lock is in the library's own code (see [`own_code`]): what an allocator of
//! the program does meanwhile is not tracked, and warnings wait.

use std::ops::{Deref, DerefMut};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use crate::own_code;

/// Between two attempts to lock.
const RETRY_DELAY: Duration = Duration::from_micros(100);

/// The order of the locks, the outermost first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// Saving parameters, one at a time; the file is written meanwhile.
    SavedParameters,
    /// The parameters in force.
    Parameters,
    /// The settings found by the last call of a tracked function.
    Site,
    /// One log of this process; its file and its journals are written meanwhile.
    Log,
    /// The obfuscated copies of logs; written meanwhile.
    EncodedCopies,
    /// The list of this process's logs.
    Logs,
    /// The list of open runs, or of sums.
    OpenRuns,
    /// The energy in the rows of a run's earlier epochs.
    Row,
    /// The trackers of a layer, by name.
    #[cfg(any(feature = "tower", feature = "tracing"))]
    Trackers,
    /// The totals of functions, for exporters.
    #[cfg(any(feature = "metrics", feature = "opentelemetry"))]
    FunctionTotals,
    /// A record that the next run can use.
    SpareRecord,
    /// The run of an `async` call, while it enters or leaves its thread.
    Call,
    /// The sensors; read meanwhile, also those of the program.
    Sensing,
    /// The reports of tracked processes to each other; read and written meanwhile.
    Reports,
    /// NVML: the loaded library, and which boards have a context of this process.
    #[cfg(feature = "nvidia")]
    Nvml,
    /// The energy that an exporter has read.
    #[cfg(any(feature = "metrics", feature = "opentelemetry"))]
    Series,
    /// The cost of the energy that a counter has read.
    Counter,
    /// How the sensors' figures were obtained, and the energy up to the last reading.
    Provenance,
    /// The tariffs in use.
    Tariffs,
    /// Waking the meter's thread.
    Wake,
    /// Reported and pending warnings.
    Warnings,
    /// The tree of active runs, and what each received.
    Ledger,
}

/// A mutex with its place in the order.
#[derive(Debug)]
pub(crate) struct Lock<T> {
    rank: Rank,
    mutex: Mutex<T>,
}

/// Access to what a [`Lock`] protects, until it is dropped.
#[derive(Debug)]
pub(crate) struct Locked<'a, T> {
    guard: MutexGuard<'a, T>,
    // After the guard: the lock is free before it ceases to count as held, and that before the
    // section ends, which calls the program's logger.
    _held: order::Held,
    _section: own_code::Section,
}

impl<T> Lock<T> {
    pub(crate) const fn new(rank: Rank, value: T) -> Self {
        Self { rank, mutex: Mutex::new(value) }
    }

    /// Locks, whatever a panicking thread has left behind: all states between two steps are valid.
    pub(crate) fn lock(&self) -> Locked<'_, T> {
        let section = own_code::enter();
        let held = order::Held::new(self.rank);
        let guard = self.mutex.lock().unwrap_or_else(PoisonError::into_inner);
        Locked { guard, _held: held, _section: section }
    }

    /// Locks, unless another thread has.
    pub(crate) fn try_lock(&self) -> Option<Locked<'_, T>> {
        let section = own_code::enter();
        let held = order::Held::new(self.rank);
        let guard = match self.mutex.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        Some(Locked { guard, _held: held, _section: section })
    }

    /// Locks, unless another thread has for all of this time.
    pub(crate) fn lock_within(&self, time: Duration) -> Option<Locked<'_, T>> {
        let began = Instant::now();
        loop {
            let locked = self.try_lock();
            if locked.is_some() || began.elapsed() >= time {
                return locked;
            }
            std::thread::sleep(RETRY_DELAY);
        }
    }
}

impl<T> Locked<'_, T> {
    /// Waits while `condition` holds, for at most `time`, until `wake` is notified.
    pub(crate) fn wait_while(
        mut self,
        wake: &Condvar,
        time: Option<Duration>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> Self {
        self.guard = match time {
            Some(time) => {
                wake.wait_timeout_while(self.guard, time, condition)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0
            }
            None => {
                wake.wait_while(self.guard, &mut condition).unwrap_or_else(PoisonError::into_inner)
            }
        };
        self
    }
}

impl<T> Deref for Locked<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T> DerefMut for Locked<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}

/// For code that may call the program's own: in debug builds, checks that this thread holds no lock
/// of the library.
pub(crate) fn assert_none_held() {
    order::assert_none_held();
}

#[cfg(debug_assertions)]
mod order {
    use std::cell::Cell;

    use super::Rank;

    thread_local! {
        /// A bit for each rank that this thread holds. Without a destructor, so that it is there
        /// also while the thread ends.
        static HELD: Cell<u32> = const { Cell::new(0) };
    }

    /// A lock that counts as held.
    #[derive(Debug)]
    pub(super) struct Held(Rank);

    impl Held {
        pub(super) fn new(rank: Rank) -> Self {
            let _ = HELD.try_with(|held| {
                let later = held.get() >> (rank as u32);
                assert!(later == 0, "{rank:?} is locked after a lock that comes later: {later:b}");
                held.set(held.get() | 1 << (rank as u32));
            });
            Self(rank)
        }
    }

    impl Drop for Held {
        fn drop(&mut self) {
            let _ = HELD.try_with(|held| held.set(held.get() & !(1 << (self.0 as u32))));
        }
    }

    pub(super) fn assert_none_held() {
        let held = HELD.try_with(Cell::get).unwrap_or(0);
        assert!(held == 0, "the program's code is called under locks: {held:b}");
    }
}

#[cfg(not(debug_assertions))]
mod order {
    use super::Rank;

    #[derive(Debug)]
    pub(super) struct Held;

    impl Held {
        #[inline]
        pub(super) fn new(_: Rank) -> Self {
            Self
        }
    }

    #[inline]
    pub(super) fn assert_none_held() {}
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::{Lock, Rank};

    #[test]
    fn locks_are_taken_in_their_order_again_and_again() {
        let (log, ledger) = (Lock::new(Rank::Log, ()), Lock::new(Rank::Ledger, ()));
        for _ in 0..2 {
            let outer = log.lock();
            drop(ledger.lock());
            drop(outer);
            drop(ledger.lock());
        }
    }

    #[test]
    #[should_panic(expected = "Log is locked after a lock that comes later")]
    fn a_log_under_the_ledger_is_a_mistake() {
        let (log, ledger) = (Lock::new(Rank::Log, ()), Lock::new(Rank::Ledger, ()));
        let _ledger = ledger.lock();
        let _log = log.lock();
    }

    #[test]
    #[should_panic(expected = "Log is locked after")]
    fn two_logs_at_once_are_a_mistake() {
        let (one, other) = (Lock::new(Rank::Log, ()), Lock::new(Rank::Log, ()));
        let _one = one.lock();
        let _other = other.try_lock();
    }

    #[test]
    #[should_panic(expected = "the program's code is called under locks")]
    fn the_program_s_code_under_a_lock_is_a_mistake() {
        let log = Lock::new(Rank::Log, ());
        let _log = log.lock();
        super::assert_none_held();
    }
}
